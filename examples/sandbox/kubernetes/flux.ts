import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Faults } from '../argocd/faults.ts';
import { createRepositories } from '../argocd/repositories.ts';
import type { Exchange } from '../exchange.ts';
import { type HelmOutcome, startHelmController } from './helm-controller.ts';
import { type ApplyOutcome, startKustomizeController } from './kustomize-controller.ts';
import type { Manifest } from './objects.ts';
import { startKubernetesApi } from './server.ts';
import { createRegistry, type Registry, startSourceControllers } from './source-controllers.ts';
import { ObjectStore } from './store.ts';

export interface FluxTiming {
  /** How often sources look at Git. */
  pollMs: number;
  fetchMs: number;
  applyMs: number;
  healthMs: number;
  /** From one look at what is applied to the next. */
  intervalMs: number;
  retryMs: number;
  upgradeMs: number;
  testMs: number;
}

export const FLUX_TIMING: FluxTiming = {
  pollMs: 3_000,
  fetchMs: 100,
  applyMs: 300,
  healthMs: 300,
  intervalMs: 60_000,
  retryMs: 2_000,
  upgradeMs: 300,
  testMs: 200,
};

export interface SandboxFluxOptions {
  token: string;
  manifests?: readonly Manifest[];
  /** Rights that the token lacks: `patch kustomizations`. */
  forbidden?: readonly string[];
  timing?: Partial<FluxTiming>;
  /** Folders to read instead of repository URLs that do not serve Git. */
  aliases?: Readonly<Record<string, string>>;
  bookmarkMs?: number;
}

export interface SandboxFlux {
  readonly url: string;
  /** A kubeconfig file that leads here, with the token. */
  readonly kubeconfig: string;
  readonly store: ObjectStore;
  readonly registry: Registry;
  readonly faults: Faults;
  readonly requests: readonly Exchange[];
  /** What becomes of revisions from now on, by the name of the object and a part of the revision. */
  decide(name: string, revision: string, outcome: ApplyOutcome | HelmOutcome | 'fetch-failed'): void;
  endWatches(): void;
  close(): Promise<void>;
}

/** A cluster with Flux for trying things out: the Kubernetes API, and models of its controllers over real Git. */
export async function startSandboxFlux(options: SandboxFluxOptions): Promise<SandboxFlux> {
  const store = new ObjectStore();
  const repositories = createRepositories(options.aliases);
  const registry = createRegistry();
  const decided: { name: string; revision: string; outcome: string }[] = [];
  const outcomeOf = (name: string, revision: string) =>
    decided.findLast((one) => one.name === name && revision.includes(one.revision))?.outcome;
  const tools = {
    ...FLUX_TIMING,
    ...options.timing,
    store,
    repositories,
    registry,
    pause: (ms: number, signal: AbortSignal) => sleep(ms, undefined, { signal }),
    cannotFetch: (name: string, wanted: string) => outcomeOf(name, wanted) === 'fetch-failed',
    outcome: (name: string, revision: string) => (outcomeOf(name, revision) ?? 'applied') as ApplyOutcome,
    helmOutcome: (name: string, version: string) => (outcomeOf(name, version) ?? 'deployed') as HelmOutcome,
  };
  for (const manifest of options.manifests ?? []) store.apply(manifest);
  const controllers = [...startSourceControllers(tools), startKustomizeController(tools), startHelmController(tools)];
  const api = await startKubernetesApi(store, options);
  const folder = mkdtempSync(join(tmpdir(), 'sandbox-flux-'));
  const kubeconfig = join(folder, 'kubeconfig');
  writeFileSync(kubeconfig, kubeconfigText(api.url, options.token), { mode: 0o600 });
  return {
    url: api.url,
    kubeconfig,
    store,
    registry,
    faults: api.faults,
    requests: api.requests,
    decide: (name, revision, outcome) => void decided.push({ name, revision, outcome }),
    endWatches: api.endWatches,
    async close() {
      for (const controller of controllers) controller.close();
      await api.close();
      await repositories.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export function kubeconfigText(server: string, token: string): string {
  return `apiVersion: v1
kind: Config
current-context: sandbox
clusters: [{name: sandbox, cluster: {server: "${server}", insecure-skip-tls-verify: true}}]
contexts: [{name: sandbox, context: {cluster: sandbox, user: lynceus}}]
users: [{name: lynceus, user: {token: "${token}"}}]
`;
}
