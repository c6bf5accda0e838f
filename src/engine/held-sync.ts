import type { JsonObject } from '../base/json.ts';
import type { Blocker, TaskName } from '../events/types.ts';

interface Task {
  name: TaskName;
  deadline: string;
  blocker?: Blocker & { since: string };
  memo: JsonObject;
}

/** What keeps a sync from starting, and is nobody's slowness. */
const HOLDS: ReadonlySet<Blocker['kind']> = new Set(['window', 'stopped']);
/** As long as checks may wait for windows of ours. */
const LONGEST_HELD_MS = 14 * 86_400_000;

/**
 * When a task has failed for want of time, in milliseconds since 1970. A sync that a window of the delivery system, or a
 * stopped line, keeps waiting has its own limit for that: over a weekend nobody is slow.
 */
export function deadlineOf(task: Task): number {
  const deadline = Date.parse(task.deadline);
  if (!isHeld(task)) return deadline;
  return Math.max(deadline, Date.parse(task.blocker?.since ?? task.deadline) + LONGEST_HELD_MS);
}

/** The deadline that is left once it may start: what was spent waiting for it does not count. */
export function withoutTimeHeld(task: Task, next: Blocker, at: string): Pick<Task, 'deadline'> {
  if (!isHeld(task) || HOLDS.has(next.kind)) return { deadline: task.deadline };
  const heldMs = Math.max(0, Date.parse(at) - Date.parse(task.blocker?.since ?? at));
  return { deadline: new Date(Date.parse(task.deadline) + heldMs).toISOString() };
}

/** Nothing was asked for yet, so that a newer change may take its place as it may before the sync. */
export function isKeptFromStarting(task: Task): boolean {
  return isHeld(task) && Object.keys(task.memo['intents'] ?? {}).length === 0;
}

function isHeld({ name, blocker }: Task): boolean {
  return name === 'sync' && blocker !== undefined && HOLDS.has(blocker.kind);
}
