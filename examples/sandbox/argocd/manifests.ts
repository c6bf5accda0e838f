import { parseAllDocuments } from 'yaml';

/** What the sandbox needs to know of a Kubernetes object in a repository. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; annotations?: Record<string, string> };
  spec?: Record<string, unknown>;
}

export interface HookJob {
  name: string;
  phase: 'PreSync' | 'PostSync';
  /** It waits until somebody resumes or terminates it. */
  suspend: boolean;
  manifest: Manifest;
}

/** Runs a hook's Job to its end; answers whether it succeeded. */
export type RunHook = (job: HookJob, app: { name: string; namespace: string; revision: string }) => Promise<boolean>;

const HOOK = 'argocd.argoproj.io/hook';

/** The Kubernetes objects in files; what is none is left out, as what Lynceus reads is. */
export function manifestsIn(files: Readonly<Record<string, string>>): Manifest[] {
  return Object.entries(files)
    .filter(([name]) => /\.ya?ml$/.test(name))
    .flatMap(([, text]) => parseAllDocuments(text))
    .map((document) => document.toJS() as unknown)
    .filter(isManifest);
}

function isManifest(value: unknown): value is Manifest {
  const { apiVersion, kind, metadata } = (value ?? {}) as Partial<Manifest>;
  if (typeof apiVersion !== 'string' || apiVersion.startsWith('lynceus.dev/')) return false;
  return typeof kind === 'string' && typeof metadata?.name === 'string';
}

export function isHook({ metadata }: Manifest): boolean {
  return metadata.annotations?.[HOOK] !== undefined;
}

export function preSyncJobs(manifests: readonly Manifest[]): HookJob[] {
  return manifests
    .filter(({ kind, metadata }) => kind === 'Job' && metadata.annotations?.[HOOK] === 'PreSync')
    .map((manifest) => ({
      name: manifest.metadata.name,
      phase: 'PreSync',
      suspend: manifest.spec?.['suspend'] === true,
      manifest,
    }));
}

/** A Rollout of Argo Rollouts whose canary stops until somebody lets it go on. */
export function pausingRollout(manifests: readonly Manifest[]): string | undefined {
  const paused = manifests.find(({ kind, spec }) => {
    const { canary } = (spec?.['strategy'] ?? {}) as { canary?: { steps?: { pause?: object }[] } };
    return kind === 'Rollout' && canary?.steps?.some(({ pause }) => pause !== undefined) === true;
  });
  return paused?.metadata.name;
}
