import { type LineStop, scopeOf } from '../engine/stop-the-line.ts';

export type { LineStop } from '../engine/stop-the-line.ts';

/** What is stopped, by whom and since when, as a sentence about now or about what was. */
export function sayLine(stop: LineStop, isOver: boolean): string {
  const { actor, at, reason } = stop;
  const scope = scopeOf(stop);
  const what = `${scope.charAt(0).toUpperCase()}${scope.slice(1)}`;
  const why = `stopped by ${actor} since ${at.slice(0, 16)}Z: ${reason}`;
  return isOver ? `${what} goes on; it was ${why}` : `${what} is ${why}`;
}
