import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { parseAllDocuments } from 'yaml';
import { type SandboxFlux, type SandboxFluxOptions, startSandboxFlux } from '../../examples/sandbox/kubernetes/flux.ts';
import type { Manifest, Spec } from '../../examples/sandbox/kubernetes/objects.ts';
import type { DeliverySystem } from '../../src/adapters/delivery-systems/delivery-system.ts';
import { flux } from '../../src/adapters/delivery-systems/flux.ts';
import { Secret } from '../../src/base/secret.ts';
import { LABELS } from './argocd-world.ts';

export const FLUX_TOKEN = 'flux-token-4b7d2c91e0a5f638';
export const NAMESPACE = 'shop';

/** Quick enough for tests, slow enough that every state can be seen. */
export const FLUX_QUICK = {
  pollMs: 60,
  fetchMs: 40,
  applyMs: 60,
  healthMs: 40,
  retryMs: 150,
  upgradeMs: 60,
  testMs: 60,
} as const;

/** The Flux adapter as the configuration creates it. */
export function createFlux(kubeconfig: string, config: Record<string, unknown> = {}): DeliverySystem {
  return flux.create(
    'main',
    { kubeconfig: { file: kubeconfig }, ...config },
    { secret: () => new Secret('unused'), addresses: 'any', cacheDir: tmpdir() },
  );
}

export function startFluxWorld(options: Partial<SandboxFluxOptions>): Promise<SandboxFlux> {
  return startSandboxFlux({ token: FLUX_TOKEN, ...options, timing: { ...FLUX_QUICK, ...options.timing } });
}

export function gitRepository(name: string, url: string, branch = 'main', spec: Spec = {}): Manifest {
  return object('GitRepository', name, { interval: '1m', url, ref: { branch }, ...spec });
}

export function ociRepository(name: string, url: string, tag = 'latest', spec: Spec = {}): Manifest {
  return object('OCIRepository', name, { interval: '1m', url, ref: { tag }, ...spec });
}

/** A labelled Kustomization that waits for health. */
export function kustomization(
  name: string,
  source: string,
  {
    annotations = {},
    labels = LABELS,
    spec = {},
  }: { annotations?: Record<string, string>; labels?: object; spec?: Spec } = {},
): Manifest {
  const [kind, sourceName] = source.split('/');
  return object(
    'Kustomization',
    name,
    { interval: '10m', prune: true, wait: true, path: './app', sourceRef: { kind, name: sourceName }, ...spec },
    { labels: { ...labels } as Record<string, string>, annotations },
  );
}

export function object(kind: string, name: string, spec: Spec, metadata: Partial<Manifest['metadata']> = {}): Manifest {
  return { kind, metadata: { name, namespace: NAMESPACE, ...metadata }, spec };
}

/** Held by its source, which only Lynceus moves; another one follows the branch. */
export function gatedBySource(repository: string, branch = 'main'): Manifest[] {
  return [
    gitRepository('checkout', repository, branch),
    gitRepository('checkout-gated', repository, branch, { suspend: true }),
    kustomization('checkout', 'GitRepository/checkout-gated', {
      annotations: { 'lynceus.dev/gate': 'source', 'lynceus.dev/follows': 'GitRepository/checkout' },
    }),
  ];
}

const PAGE = readFileSync(new URL('../../docs/flux.md', import.meta.url), 'utf8');

/** The manifests that docs/flux.md shows, as people copy them. */
export function manifestsOfDocs(): Manifest[] {
  const blocks = [...PAGE.matchAll(/^```yaml\n# flux\n([\s\S]*?)^```$/gm)].map((match) => match[1] ?? '');
  return blocks.flatMap((block) => parseAllDocuments(block).map((document) => document.toJS() as Manifest));
}

/** What it tells people to write: opens for one request, and closes with it. */
export const READY_EXPR: string = manifestsOfDocs().flatMap(({ spec }) => spec['dependsOn'] ?? [])[0].readyExpr;

/** Held by a dependency that is ready only for a request of ours. */
export function gatedByDependency(repository: string, branch = 'main'): Manifest[] {
  return [
    gitRepository('checkout', repository, branch),
    kustomization('checkout-gate', 'GitRepository/checkout', { labels: {}, spec: { path: './gate', wait: false } }),
    kustomization('checkout', 'GitRepository/checkout', {
      annotations: { 'lynceus.dev/gate': 'dependency' },
      spec: { dependsOn: [{ name: 'checkout-gate', readyExpr: READY_EXPR }] },
    }),
  ];
}

/** Every patch that reached the API, held to what Flux and Kubernetes want of it. */
export function patchProblems(flux: Pick<SandboxFlux, 'requests'>): string[] {
  return flux.requests
    .filter(({ method }) => method !== 'GET')
    .flatMap(({ method, path, headers, query, body }) => {
      if (method === 'POST' && path.endsWith('/selfsubjectaccessreviews')) return [];
      const patch = JSON.parse(body) as { metadata?: { resourceVersion?: unknown } };
      const wrong = [
        ...(method === 'PATCH' ? [] : [`method ${method}`]),
        ...(headers['content-type'] === 'application/merge-patch+json' ? [] : [`type ${headers['content-type']}`]),
        ...(query['fieldManager']?.join() === 'lynceus' ? [] : [`field manager ${query['fieldManager']}`]),
        ...(typeof patch.metadata?.resourceVersion === 'string' ? [] : ['no lock']),
      ];
      return wrong.map((what) => `${method} ${path}: ${what}`);
    });
}
