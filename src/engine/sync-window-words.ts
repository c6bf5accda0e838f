import type { SyncWindow, SyncWindows } from '../events/sync-windows.ts';
import { closedBy, type SyncedBy } from './sync-windows.ts';
import { Clock } from './wall-clock.ts';

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const DAY_MS = 86_400_000;
const MAX_SENTENCE = 90;

/**
 * Why a sync has to wait, in one sentence of at most 90 characters, with the time on the clock of the window:
 * `an Argo CD sync window is closed until Mon 07:00 (deny Fri 15:00, AppProject payments)`.
 */
export function sayClosed(windows: SyncWindows, by: SyncedBy, now: Date, until: string | undefined): string {
  const [first, ...more] = closedBy(windows, by);
  const when = until === undefined ? '' : ` until ${sayMoment(until, now, first?.timeZone ?? 'UTC')}`;
  const closed = `an Argo CD sync window is closed${when}`;
  const which = first === undefined ? '' : `${sayWindow(first)}${more.length > 0 ? ` and ${more.length} more` : ''}`;
  const details = [[which, windows.owner], [which], [windows.owner]].map((parts) => parts.filter(Boolean).join(', '));
  const sentences = details.filter(Boolean).map((detail) => `${closed} (${detail})`);
  return sentences.find((sentence) => sentence.length <= MAX_SENTENCE) ?? closed;
}

/** `deny Fri 15:00`, `outside of allow Mon-Fri 09:00`; schedules that are not so simple as they are. */
export function sayWindow({ kind, schedule }: SyncWindow): string {
  return `${kind === 'allow' ? 'outside of allow' : 'deny'} ${sayBegin(schedule.trim())}`;
}

function sayBegin(schedule: string): string {
  const [, minute = '', hour = '', days = ''] = /^(\d{1,2}) (\d{1,2}) \* \* ([\dA-Z,*-]+)$/i.exec(schedule) ?? [];
  if (days === '') return schedule;
  const named = days.replaceAll(/\d/g, (day) => DAYS[Number(day) % 7] ?? day);
  const time = `${hour.padStart(2, '0')}:${minute.padStart(2, '0')}`;
  return named === '*' ? `daily ${time}` : `${named} ${time}`;
}

/** The day of the week is enough for those within reach. */
function sayMoment(moment: string, now: Date, timeZone: string): string {
  const at = Date.parse(moment);
  const wall = new Date(at + (Clock.in(timeZone)?.offsetAt(at) ?? 0));
  const day = at - now.getTime() < 6 * DAY_MS ? DAYS[wall.getUTCDay()] : wall.toISOString().slice(0, 10);
  return `${day} ${wall.toISOString().slice(11, 16)}`;
}
