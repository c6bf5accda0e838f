import type { HookJob, Manifest } from './manifests.ts';
import type { HealthStatus } from './resources.ts';

/** A hook's Job that runs, or waits suspended. */
export interface RunningHook {
  job: HookJob;
  /** Ends a suspended one: whether it may go on. */
  decide: ((succeeds: boolean) => void) | undefined;
}

export interface Canary {
  name: string;
  state: 'paused' | 'promoted' | 'aborted';
}

export interface TreeNode {
  group?: string;
  version: string;
  kind: string;
  namespace: string;
  name: string;
  uid: string;
  health?: { status: HealthStatus; message?: string };
}

const PAUSED = { status: 'Suspended', message: 'CanaryPauseStep' } as const;
const ABORTED = { status: 'Degraded', message: 'RolloutAborted: Rollout aborted update to revision 2' } as const;

/** Nodes of `GET /applications/{name}/resource-tree`: what was applied, and the hook that runs. */
export function nodesOf(
  applied: readonly Manifest[],
  namespace: string,
  { health, canary, hook }: { health: HealthStatus; canary: Canary | undefined; hook: RunningHook | undefined },
): TreeNode[] {
  const nodes = applied.map((manifest) => nodeOf(manifest, namespace, healthOf(manifest, health, canary)));
  if (hook === undefined) return nodes;
  const status = hook.decide === undefined ? 'Progressing' : 'Suspended';
  return [...nodes, nodeOf(hook.job.manifest, namespace, { status })];
}

function healthOf({ kind, metadata }: Manifest, health: HealthStatus, canary: Canary | undefined): TreeNode['health'] {
  if (kind !== 'Rollout' && kind !== 'Deployment') return undefined;
  if (kind !== 'Rollout' || canary?.name !== metadata.name) return { status: health };
  if (canary.state === 'paused') return PAUSED;
  return canary.state === 'aborted' ? ABORTED : { status: health };
}

function nodeOf({ apiVersion, kind, metadata }: Manifest, namespace: string, health: TreeNode['health']): TreeNode {
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : [undefined, apiVersion];
  return {
    ...(group === undefined ? {} : { group }),
    version: version ?? 'v1',
    kind,
    namespace: metadata.namespace ?? namespace,
    name: metadata.name,
    uid: `uid-${kind}-${metadata.name}`.toLowerCase(),
    ...(health === undefined ? {} : { health }),
  };
}
