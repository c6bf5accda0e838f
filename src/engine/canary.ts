import type { TaskName } from '../events/types.ts';
import type { SequenceState, TaskState } from './sequence.ts';

/** What judges a canary while it stands still. */
const JUDGES: ReadonlySet<TaskName> = new Set(['test', 'evaluation']);

/**
 * Whether a failure leaves a canary behind that waits for our word: it is taken back before anything else is done.
 * Where none is paused, the task that would do so finds nothing to do.
 */
export function mustTakeBack(state: SequenceState, failed: Pick<TaskState, 'name'>): boolean {
  const planned = state.plan?.steps.some(({ name }) => name === 'release') === true;
  return planned && JUDGES.has(failed.name) && !state.tasks.some(({ name }) => name === 'release');
}

/** Why the canary is taken back; absent: it is let go on. */
export function reasonToTakeBack(state: SequenceState): TaskState | undefined {
  return state.tasks.find(({ name, result }) => JUDGES.has(name) && result === 'fail');
}
