import type { PlannedTask } from './plan.ts';
import { finishedTask, type SequenceState, type TaskState } from './sequence.ts';

/** What judges a change once it is deployed. A sync that failed is not among them: nothing says what runs then. */
const GATES: ReadonlySet<string> = new Set(['rollout', 'test', 'evaluation', 'release', 'soak']);

/** The step to go on with when a task ended like this; `undefined`: nothing is rolled back. */
export function rollbackAfter(
  state: SequenceState,
  task: TaskState,
): Extract<PlannedTask, { name: 'rollback' }> | undefined {
  const step = state.plan?.steps.find((planned) => planned.name === 'rollback');
  return step && wasSynced(state) && isVerdict(task) ? step : undefined;
}

/** Said where a rollback was asked for and does not happen, because nobody could tell whether the change is bad. */
export function whyNoRollback(state: SequenceState, task: TaskState): string {
  const asked = state.plan?.steps.some(({ name }) => name === 'rollback') && !state.abort;
  if (!asked || !wasSynced(state) || !GATES.has(task.name) || task.status !== 'errored') return '';
  return '; not rolled back, because it could not be judged';
}

/** A person asked to go back: the sequence has the commit that is taken back, and does nothing else. */
export function isGoingBack({ triggered }: Pick<SequenceState, 'triggered'>): boolean {
  return triggered?.asked?.what === 'rollback';
}

/** The stage went back from it, as far as the sequence itself saw to that. */
export function wasRolledBack({ tasks }: SequenceState): boolean {
  return tasks.some(({ name, result }) => name === 'rollback' && result === 'pass');
}

/** Its sync succeeded: it was deployed, whatever came of it. */
export function wasSynced(state: SequenceState): boolean {
  const sync = finishedTask(state, 'sync');
  return sync?.status === 'succeeded' && sync.result !== 'fail';
}

/**
 * A measured failure, or a rollout that never became healthy in its time. An outage, an unreadable metric or another
 * commit in its place says nothing about the change.
 */
function isVerdict({ name, status, result, blocker }: TaskState): boolean {
  if (!GATES.has(name)) return false;
  if (status === 'succeeded') return result === 'fail';
  return (name === 'rollout' || name === 'release') && status === 'errored' && blocker?.kind === 'health';
}

/** What failed and what its rollback came to, in one sentence. */
export function rollbackOutcome(
  state: SequenceState,
  rollback: TaskState,
): { failed: TaskState | undefined; message: string } {
  if (isGoingBack(state)) return { failed: undefined, message: askedOutcome(state, rollback) };
  const failed = state.tasks.findLast(({ name, result }) => name !== 'rollback' && result === 'fail');
  const why = failed?.message ?? 'the change failed';
  const what = rollback.message ?? 'the rollback ended without a word';
  if (rollback.result === 'pass') return { failed, message: `${why}; ${what}` };
  // An open question is none of a failure: a newer change or a person decided otherwise.
  if (rollback.data['notRolledBack'] === true) return { failed, message: `${why}; not rolled back: ${what}` };
  return { failed, message: `ROLLBACK FAILED: ${what} (${why})` };
}

function askedOutcome({ triggered }: SequenceState, { result, message, data }: TaskState): string {
  const what = message ?? 'the rollback ended without a word';
  const why = `asked for by ${triggered?.asked?.actor ?? 'somebody'}: ${triggered?.asked?.reason ?? ''}`;
  if (result === 'pass') return `${what} (${why})`;
  return data['notRolledBack'] === true ? `not rolled back: ${what} (${why})` : `ROLLBACK FAILED: ${what} (${why})`;
}

/**
 * A change that ran here and passed everything that the stage asks for after the sync. A promotion that somebody
 * refused makes it doubtful; one that only made room for a newer one does not.
 */
export function wasGood(state: SequenceState): boolean {
  if (!finishedTask(state, 'rollout') || !wasSynced(state)) return false;
  const gates = state.tasks.filter(({ name }) => GATES.has(name) || name === 'sync');
  if (!gates.every(({ status, result }) => status === 'succeeded' && result !== 'fail')) return false;
  const promotion = state.tasks.findLast(({ name }) => name === 'promotion');
  if (promotion) return !(promotion.status === 'succeeded' && promotion.result === 'fail');
  return state.finished?.reason === 'completed' && state.finished.result !== 'fail';
}

/** The newest good change of a place, unless its commit is the failed one or has failed here since. */
export function lastGood(newestFirst: readonly SequenceState[], revision: string): SequenceState | undefined {
  const failed = new Set([revision]);
  for (const state of newestFirst) {
    const commit = state.triggered?.revision ?? revision;
    if (wasGood(state) && !failed.has(commit)) return state;
    if (state.tasks.some(({ name, status, result }) => GATES.has(name) && status !== 'aborted' && result === 'fail'))
      failed.add(commit);
    // A person found it bad, whatever the gates said of it.
    if (isGoingBack(state) && state.finished?.reason !== 'aborted') failed.add(commit);
  }
  return undefined;
}
