import { currentTask, type SequenceState, type TaskState } from './sequence.ts';

/** The sync that waits until somebody asks for it: here, or in the delivery system. */
export function syncByHand(state: SequenceState): TaskState | undefined {
  const task = currentTask(state);
  const isLeft = task?.name === 'sync' && task.blocker?.byHand === true;
  return isLeft && !state.paused ? task : undefined;
}

/** How often somebody has asked for it here. */
export function syncsAskedFor({ decisions }: Pick<TaskState, 'decisions'>): number {
  return decisions.filter(({ verdict }) => verdict === 'sync').length;
}
