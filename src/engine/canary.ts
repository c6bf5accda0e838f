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

/** Which judgement takes the canary back; absent: none does. */
export function reasonToTakeBack(state: SequenceState): TaskState | undefined {
  return state.tasks.find(({ name, status, result }) => JUDGES.has(name) && status !== 'aborted' && result === 'fail');
}

/** Whether the canary is taken back and not let go on: it was found bad, or somebody aborted the change. */
export function isTakenBack(state: SequenceState): boolean {
  return state.abort !== undefined || reasonToTakeBack(state) !== undefined;
}

/** Whether an abort leaves a canary behind that nobody but us would let go on or take back. */
export function leavesCanary(state: SequenceState): boolean {
  const planned = state.plan?.steps.some(({ name }) => name === 'release') === true;
  const begun = state.tasks.some(({ name }) => name === 'rollout');
  return planned && begun && !state.tasks.some(({ name }) => name === 'release');
}

/** What an abort leaves paused where a person lets canaries go on, and how. */
export function leftPaused({ name, memo }: Pick<TaskState, 'name' | 'memo'>): string | undefined {
  const [sentence] = name === 'rollout' ? Object.values(memo['paused'] ?? {}) : [];
  return typeof sentence === 'string' ? sentence : undefined;
}
