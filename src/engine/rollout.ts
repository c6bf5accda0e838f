import type { Application, Operation } from '../events/application.ts';

/** Keys under which a sync carries who asked for it. */
export const INFO = { context: 'lynceus.dev/context', task: 'lynceus.dev/task' } as const;

export type RolloutJudgement =
  | { kind: 'deployed'; healthySince: string }
  | { kind: 'progressing'; sentence: string; healthySince?: string }
  | { kind: 'failed'; sentence: string };

export interface RolloutQuestion {
  revision: string;
  /** How long it must have been healthy without a break. */
  settleMs: number;
  /** When we first saw it healthy with this commit, from the look before. */
  healthySince?: string;
  now: string;
}

/**
 * Whether a commit is deployed: a full, real sync of exactly this commit succeeded, the status is newer
 * than that sync, and it has been healthy without a break for the settle time. `Degraded` is not final
 * before the time limit: a rollout often passes through it.
 */
export function judgeRollout(application: Application, question: RolloutQuestion): RolloutJudgement {
  const { operation } = application;
  const { revision } = question;
  if (!operation) return { kind: 'progressing', sentence: 'no sync has run yet' };
  if (isUnfinished(operation) || application.operationRequested) {
    return { kind: 'progressing', sentence: operation.message || 'a sync is running' };
  }
  const deployed = deployedRevision(application);
  if (deployed !== revision) {
    return { kind: 'failed', sentence: `${short(deployed ?? 'nothing')} is deployed instead of ${short(revision)}` };
  }
  if (isStale(application, operation))
    return { kind: 'progressing', sentence: 'Argo CD has not yet looked at the result' };
  return judgeHealth(application, question);
}

function judgeHealth({ health }: Application, { healthySince, now, settleMs }: RolloutQuestion): RolloutJudgement {
  if (health.status !== 'Healthy') {
    const detail = health.message ? `: ${health.message}` : '';
    return { kind: 'progressing', sentence: `health is ${health.status}${detail}` };
  }
  const since = healthySince ?? now;
  const settled = Date.parse(now) - Date.parse(since);
  if (settled >= settleMs) return { kind: 'deployed', healthySince: since };
  return {
    kind: 'progressing',
    sentence: `healthy for ${Math.round(settled / 1000)} of ${Math.round(settleMs / 1000)} s`,
    healthySince: since,
  };
}

/** Times have second precision, so equal means "not before". */
function isStale({ reconciledAt }: Application, { finishedAt }: Operation): boolean {
  if (finishedAt === undefined || reconciledAt === undefined) return true;
  return Date.parse(reconciledAt) < Date.parse(finishedAt);
}

/** A phase `Running` with a finished attempt waits for its retry: it is not over either. */
export function isUnfinished(operation: Operation): boolean {
  return operation.phase === 'Running' || operation.phase === 'Terminating';
}

/**
 * The commit that the last successful, full, real sync deployed. A dry run or a sync of some resources
 * overwrites the operation, but not the history.
 */
export function deployedRevision(application: Application): string | undefined {
  const { operation, history } = application;
  if (operation?.phase === 'Succeeded' && !operation.dryRun && !operation.partial && operation.revision)
    return operation.revision;
  return history.at(-1)?.revision;
}

export function short(revision: string): string {
  return /^[0-9a-f]{40,64}$/.test(revision) ? revision.slice(0, 8) : revision;
}
