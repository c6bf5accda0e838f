import { createHash } from 'node:crypto';
import type { Repositories } from '../argocd/repositories.ts';
import { type Controller, recordRequest, startController } from './controller.ts';
import { dropCondition, type KubernetesObject, setCondition, timestamp } from './objects.ts';
import type { ObjectStore } from './store.ts';

export interface SourceTools {
  store: ObjectStore;
  repositories: Repositories;
  registry: Registry;
  /** How often a source is looked at. */
  pollMs: number;
  /** How long fetching takes. */
  fetchMs: number;
  pause(ms: number, signal: AbortSignal): Promise<void>;
  /** Whether a source cannot fetch what its spec asks for. */
  cannotFetch(name: string, wanted: string): boolean;
}

/** An artifact as `flux push artifact` makes it, or a chart. */
export interface PushedArtifact {
  digest: string;
  /** The commit that it was made of, and where that is. */
  origin?: { repoUrl: string; commit: string };
}

/** OCI repositories: what was pushed, and where the tags point. */
export interface Registry {
  push(url: string, tag: string, content: string, origin?: PushedArtifact['origin']): string;
  byTag(url: string, tag: string): PushedArtifact | undefined;
  byDigest(url: string, digest: string): PushedArtifact | undefined;
  tagOf(url: string, digest: string): string | undefined;
}

export function createRegistry(): Registry {
  const pushed = new Map<string, PushedArtifact & { tag: string }>();
  const tags = new Map<string, string>();
  return {
    push(url, tag, content, origin) {
      const digest = `sha256:${createHash('sha256').update(`${url} ${tag} ${content}`).digest('hex')}`;
      pushed.set(`${url}@${digest}`, { digest, tag, ...(origin ? { origin } : {}) });
      tags.set(`${url}:${tag}`, digest);
      return digest;
    },
    byTag: (url, tag) => pushed.get(`${url}@${tags.get(`${url}:${tag}`)}`),
    byDigest: (url, digest) => pushed.get(`${url}@${digest}`),
    tagOf: (url, digest) => pushed.get(`${url}@${digest}`)?.tag,
  };
}

const SOURCE_CONTROLLER = 'source-controller';

/** GitRepositories over real Git repositories, OCIRepositories over a registry in memory. */
export function startSourceControllers(tools: SourceTools): Controller[] {
  return [
    startController({
      store: tools.store,
      kind: 'GitRepository',
      reconcile: (object, signal) => reconcileSource(tools, object, signal, gitArtifact),
    }),
    startController({
      store: tools.store,
      kind: 'OCIRepository',
      reconcile: (object, signal) => reconcileSource(tools, object, signal, ociArtifact),
    }),
  ];
}

interface Found {
  revision: string;
  metadata?: Record<string, string>;
}

async function reconcileSource(
  tools: SourceTools,
  object: KubernetesObject,
  signal: AbortSignal,
  fetchArtifact: (tools: SourceTools, object: KubernetesObject) => Promise<Found | string>,
): Promise<number | undefined> {
  if (object.spec['suspend'] === true) {
    const handled = object.status['lastHandledReconcileAt'];
    recordRequest(object);
    if (object.status['lastHandledReconcileAt'] !== handled) tools.store.saveStatus(object, SOURCE_CONTROLLER);
    return undefined;
  }
  const before = JSON.stringify(object.status);
  const isNew = object.status['observedGeneration'] !== object.metadata.generation;
  if (isNew) {
    setCondition(object, 'Reconciling', 'True', 'Progressing', 'reconciliation in progress');
    setCondition(object, 'Ready', 'Unknown', 'Progressing', 'reconciliation in progress');
    tools.store.saveStatus(object, SOURCE_CONTROLLER);
    await tools.pause(tools.fetchMs, signal);
  }
  const { commit, digest, branch, tag } = object.spec['ref'] ?? {};
  const wanted = String(commit ?? digest ?? branch ?? tag);
  const found = tools.cannotFetch(object.metadata.name, wanted)
    ? `failed to fetch ${wanted}: connection refused`
    : await fetchArtifact(tools, object);
  if (typeof found === 'string') {
    setCondition(object, 'Ready', 'False', 'GitOperationFailed', found);
  } else {
    if (object.status['artifact']?.revision !== found.revision) {
      object.status['artifact'] = {
        ...found,
        path: 'x.tar.gz',
        url: 'http://source-controller/x',
        lastUpdateTime: timestamp(),
      };
    }
    setCondition(object, 'Ready', 'True', 'Succeeded', `stored artifact for revision '${found.revision}'`);
    dropCondition(object, 'Reconciling');
    object.status['observedGeneration'] = object.metadata.generation;
  }
  recordRequest(object);
  if (JSON.stringify(object.status) !== before) tools.store.saveStatus(object, SOURCE_CONTROLLER);
  return tools.pollMs;
}

async function gitArtifact({ repositories }: SourceTools, { spec }: KubernetesObject): Promise<Found | string> {
  const { branch = 'master', commit } = spec['ref'] ?? {};
  const sha = await repositories.resolve(spec['url'], commit ?? branch);
  if (sha === undefined) return `failed to checkout and determine revision: unable to find '${commit ?? branch}'`;
  return { revision: `${branch}@sha1:${sha}` };
}

async function ociArtifact({ registry }: SourceTools, { spec }: KubernetesObject): Promise<Found | string> {
  const { tag = 'latest', digest } = spec['ref'] ?? {};
  const found = digest === undefined ? registry.byTag(spec['url'], tag) : registry.byDigest(spec['url'], digest);
  if (!found) return `failed to pull artifact: ${digest ?? tag} not found`;
  const { origin } = found;
  return {
    revision: digest === undefined ? `${tag}@${found.digest}` : found.digest,
    ...(origin
      ? {
          metadata: {
            'org.opencontainers.image.source': origin.repoUrl,
            'org.opencontainers.image.revision': `main@sha1:${origin.commit}`,
          },
        }
      : {}),
  };
}

/** Wakes whoever names the changed source, once its artifact is another one. */
export function consumersOf(store: ObjectStore, kind: 'Kustomization' | 'HelmRelease', source: KubernetesObject) {
  return store.all(kind).flatMap((object) => {
    const ref = object.spec['sourceRef'] ?? object.spec['chartRef'];
    const isIt =
      ref?.kind === source.kind &&
      ref?.name === source.metadata.name &&
      (ref?.namespace ?? object.metadata.namespace) === source.metadata.namespace;
    return isIt ? [{ namespace: object.metadata.namespace, name: object.metadata.name }] : [];
  });
}
