import { clip } from '../base/clip.ts';
import type { Application, Deployment, Hydration, Operation } from '../events/application.ts';
import { isSame, type Revisions, revisionsOf, sayInstead, short } from './revisions.ts';
import { systemName } from './system-name.ts';

export { short } from './revisions.ts';

/** Keys under which a sync carries who asked for it. */
export const INFO = { context: 'lynceus.dev/context', task: 'lynceus.dev/task' } as const;

export type RolloutJudgement =
  | { kind: 'deployed'; healthySince: string }
  | { kind: 'progressing'; sentence: string; healthySince?: string }
  | { kind: 'failed'; sentence: string };

export interface RolloutQuestion extends Revisions {
  /** The commit that was hydrated, where it is known. */
  drySha?: string;
  /** How long it must have been healthy without a break. */
  settleMs: number;
  /** When we first saw it healthy with this commit, from the look before. */
  healthySince?: string;
  /** What a paused rollout or a suspended CronJob means. Default `wait`. */
  suspended?: 'wait' | 'accept';
  now: string;
}

/**
 * Whether a commit is deployed: a full, real sync of exactly this commit succeeded, the status is newer
 * than that sync, and it has been healthy without a break for the settle time. `Degraded` is not final
 * before the time limit: a rollout often passes through it.
 */
export function judgeRollout(application: Application, question: RolloutQuestion): RolloutJudgement {
  const hydrating = isRendered(application, question) ? undefined : sayHydration(application, question.drySha);
  if (hydrating !== undefined) return { kind: 'progressing', sentence: hydrating };
  // A dry run takes the place of the last operation and changes nothing.
  const operation = application.operation?.dryRun === true ? undefined : application.operation;
  if (application.operationRequested || (operation && isUnfinished(operation))) {
    return { kind: 'progressing', sentence: clip(operation?.message || 'a sync is running') };
  }
  const deployed = deployedRevisions(application);
  if (deployed === undefined && application.operation === undefined) {
    return { kind: 'progressing', sentence: 'no sync has run yet' };
  }
  if (!isSame(deployed, question)) return { kind: 'failed', sentence: sayOther(application, question) };
  if (isStale(application, operation?.finishedAt ?? application.history.at(-1)?.deployedAt))
    return { kind: 'progressing', sentence: `${systemName(application.ref)} has not yet looked at the result` };
  return judgeHealth(application, question);
}

/**
 * Why a commit cannot be what the cluster runs yet: it is still being hydrated, or could not be.
 * What is done with another commit is no news about this one.
 */
export function sayHydration({ hydration, ref }: Application, drySha?: string): string | undefined {
  if (hydration === undefined || hydration.phase === 'Hydrated') return undefined;
  if (drySha && isOfAnother(hydration, drySha)) return undefined;
  const what = hydration.drySha === undefined ? 'the commit' : short(hydration.drySha);
  if (hydration.phase === 'Hydrating') return clip(`${systemName(ref)} is hydrating ${what} for ${hydration.branch}`);
  return clip(`${systemName(ref)} could not hydrate ${what}: ${hydration.message ?? 'no reason given'}`);
}

/** Argo CD names no commit while it renders one: not the one that it has rendered already. */
function isOfAnother({ drySha, last }: Hydration, asked: string): boolean {
  return drySha === undefined ? last?.drySha === asked : drySha !== asked;
}

/** What is deployed was rendered before: a commit without a name, at work or failed, is a newer one. */
function isRendered(application: Application, question: RolloutQuestion): boolean {
  if (!question.drySha || application.hydration?.drySha !== undefined) return false;
  return isDeployed(application, question);
}

function judgeHealth(
  { health }: Application,
  { healthySince, now, settleMs, suspended }: RolloutQuestion,
): RolloutJudgement {
  const accepted = health.status === 'Suspended' && suspended === 'accept';
  if (health.status !== 'Healthy' && !accepted) {
    const detail = health.message ? `: ${health.message}` : '';
    return { kind: 'progressing', sentence: clip(`health is ${health.status}${detail}`) };
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
function isStale({ reconciledAt }: Application, endedAt: string | undefined): boolean {
  if (endedAt === undefined || reconciledAt === undefined) return true;
  return Date.parse(reconciledAt) < Date.parse(endedAt);
}

/** A phase `Running` with a finished attempt waits for its retry: it is not over either. */
export function isUnfinished(operation: Operation): boolean {
  return operation.phase === 'Running' || operation.phase === 'Terminating';
}

/**
 * What the last successful, full, real sync deployed. A dry run or a sync of some resources
 * overwrites the operation, but not the history.
 */
export function deployedRevisions(application: Application): Revisions | undefined {
  const { operation, history } = application;
  const counts = operation?.phase === 'Succeeded' && !operation.dryRun && !operation.partial;
  const found = counts && operation.revision ? operation : history.at(-1);
  if (found?.revision === undefined) return undefined;
  return { revision: found.revision, ...(found.revisions === undefined ? {} : { revisions: found.revisions }) };
}

/** The leading one of {@link deployedRevisions}. */
export function deployedRevision(application: Application): string | undefined {
  return deployedRevisions(application)?.revision;
}

/** Whether what is deployed is, in every source, what a change brought. */
export function isDeployed(application: Application, wanted: Revisions): boolean {
  return isSame(deployedRevisions(application), wanted);
}

/**
 * Whether what runs may be of a change already: it is deployed, or a sync of it has begun, however it ends. What is
 * applied runs long before it counts as deployed.
 */
export function hasBegun(application: Application, wanted: Revisions): boolean {
  const { operation } = application;
  return isDeployed(application, wanted) || (operation?.dryRun === false && isSame(operation, wanted));
}

/** Whether Git asks for exactly this now; where it is not resolved, nothing says that it asks for another one. */
export function isAskedFor({ targetRevision, targetRevisions }: Application, wanted: Revisions): boolean {
  if (targetRevision === undefined) return true;
  return isSame(revisionsOf({ targetRevision, targetRevisions }), wanted);
}

/** What is deployed instead: by a newer change, or because somebody went back to an older one. */
export function sayOther(application: Application, wanted: Revisions): string {
  const back = rollbackIn(application, wanted);
  if (!back) return sayInstead(deployedRevisions(application), 'is deployed', wanted);
  const number = back.earlier.id === undefined ? '' : ` (number ${back.earlier.id} of its history)`;
  return `${back.by ?? 'somebody'} rolled back to ${short(back.to)} in ${systemName(application.ref)}${number}, which is deployed instead of ${short(wanted.revision)}`;
}

/**
 * A rollback that somebody made in the delivery system itself: after a commit, one is deployed again
 * that was deployed before it. Git still asks for the commit, so it is no change to be delivered.
 */
export function rollbackIn(
  { history }: Application,
  from: Revisions,
): { to: string; earlier: Deployment; by?: string } | undefined {
  const last = history.at(-1);
  const at = history.findLastIndex((deployment) => isSame(deployment, from));
  if (last === undefined || at < 0 || at === history.length - 1) return undefined;
  const earlier = history.slice(0, at).findLast((deployment) => isSame(deployment, last));
  return earlier && { to: last.revision, earlier, ...(last.by === undefined ? {} : { by: last.by }) };
}
