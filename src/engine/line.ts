import type { Line } from './decide.ts';
import { currentTask, type SequenceState } from './sequence.ts';

/**
 * Whether a sequence keeps others from starting: it is at work on the application. Waiting in front of
 * the sync or for a promotion's review does not block the line.
 */
export function occupiesLine(state: SequenceState): boolean {
  if (state.phase !== 'running') return false;
  const task = currentTask(state);
  if (!task) return true;
  if (task.name === 'approval' || task.name === 'promotion') return false;
  // With its pull request open it waits for people, and once that is merged for the revert to be delivered.
  if (task.name === 'rollback' && task.memo['pullRequest'] !== undefined) return false;
  return !(task.name === 'checks' && task.blocker !== undefined);
}

/**
 * The neighbours of one sequence among the unfinished ones of its project, stage and service.
 * @param oldestFirst in the order in which they were triggered
 */
export function lineFor(sequence: string, oldestFirst: readonly SequenceState[]): Line {
  const at = oldestFirst.findIndex((other) => other.triggered?.sequence === sequence);
  // What was asked for of an older change takes nobody's place, whatever their times say.
  const active = ({ phase, triggered }: SequenceState) =>
    (phase === 'triggered' || phase === 'running') && triggered?.asked === undefined;
  const newer = oldestFirst.slice(at + 1).findLast(active)?.triggered?.sequence;
  const busyWith = oldestFirst.find((other, position) => position !== at && occupiesLine(other))?.triggered?.sequence;
  return { ...(newer === undefined ? {} : { newer }), ...(busyWith === undefined ? {} : { busyWith }) };
}
