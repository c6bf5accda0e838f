import { currentTask, type SequenceState, type TaskState } from './sequence.ts';

/** What a sync says that nobody does by itself: Argo CD is to sync, and does not do so without being asked. */
const LEFT_TO_PEOPLE = 'somebody has to sync it';

/** Says so, with where. */
export function sayLeftToPeople(system: string): string {
  return `${LEFT_TO_PEOPLE} in ${system}`;
}

/** The sync that waits until somebody asks for it: here, or in the delivery system. */
export function syncByHand(state: SequenceState): TaskState | undefined {
  const task = currentTask(state);
  const isLeft = task?.name === 'sync' && task.blocker?.kind === 'sync' && isLeftToPeople(task.blocker.sentence);
  return isLeft && !state.paused ? task : undefined;
}

export function isLeftToPeople(sentence: string): boolean {
  return sentence.startsWith(LEFT_TO_PEOPLE);
}

/** How often somebody has asked for it here. */
export function syncsAskedFor({ decisions }: Pick<TaskState, 'decisions'>): number {
  return decisions.filter(({ verdict }) => verdict === 'sync').length;
}
