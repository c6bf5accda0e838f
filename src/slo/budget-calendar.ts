import type { BudgetWindow, CalendarUnit } from './budget-objective.ts';

type CalendarWindow = Extract<BudgetWindow, { kind: 'calendar' }>;

/** A stretch of time in epoch milliseconds; `end` is its first moment after it. */
export interface Period {
  startMs: number;
  endMs: number;
}

const DAY_MS = 86_400_000;
/** Mean lengths: only to guess which period a moment is in. */
const ABOUT_MS: Readonly<Record<CalendarUnit, number>> = {
  hour: 3_600_000,
  day: DAY_MS,
  week: 7 * DAY_MS,
  month: 30.436875 * DAY_MS,
  quarter: 91.310625 * DAY_MS,
  year: 365.2425 * DAY_MS,
};
const MONTHS: Partial<Readonly<Record<CalendarUnit, number>>> = { month: 1, quarter: 3, year: 12 };

/**
 * The period of a calendar window that contains a moment. Periods are counted on the clock of the time
 * zone from the first start, so a month that begins at 00:00 there does so in summer and winter, and one
 * that starts on the 31st starts on the last day of a shorter month.
 */
export function calendarPeriod(window: CalendarWindow, at: Date): Period {
  const start = (index: number) => startOf(window, index);
  const about = ABOUT_MS[window.unit] * window.count;
  let index = Math.floor((at.getTime() - start(0)) / about);
  while (start(index) > at.getTime()) index--;
  while (start(index + 1) <= at.getTime()) index++;
  return { startMs: start(index), endMs: start(index + 1) };
}

/** Whether text is a moment on a clock, such as `2026-01-31 12:00:00`; answered as `2026-01-31T12:00:00`. */
export function localTime(text: string): string | undefined {
  const match = /^(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2})(?::(\d{2}))?$/.exec(text.trim());
  if (match === null) return undefined;
  const time = `${match[1]}T${match[2]}:${match[3] ?? '00'}`;
  const ms = Date.parse(`${time}Z`);
  // 31 February would roll over into March.
  return Number.isFinite(ms) && new Date(ms).toISOString().startsWith(time) ? time : undefined;
}

function startOf({ start, unit, count, timeZone }: CalendarWindow, index: number): number {
  const anchor = Date.parse(`${start}Z`);
  const months = MONTHS[unit];
  if (unit === 'hour') return toEpoch(anchor, timeZone) + index * count * ABOUT_MS.hour;
  if (months === undefined) return toEpoch(anchor + index * count * ABOUT_MS[unit], timeZone);
  return toEpoch(addMonths(anchor, index * count * months), timeZone);
}

/** On a clock that is read as if it showed UTC. */
function addMonths(clockMs: number, months: number): number {
  const clock = new Date(clockMs);
  const day = clock.getUTCDate();
  clock.setUTCDate(1);
  clock.setUTCMonth(clock.getUTCMonth() + months);
  const days = new Date(Date.UTC(clock.getUTCFullYear(), clock.getUTCMonth() + 1, 0)).getUTCDate();
  clock.setUTCDate(Math.min(day, days));
  return clock.getTime();
}

/**
 * The moment at which a clock in the zone shows that time: the first one when it shows it twice, and
 * the one as far after the jump when it is skipped.
 */
function toEpoch(clockMs: number, timeZone: string): number {
  const before = clockMs - offsetAt(clockMs - DAY_MS, timeZone);
  const after = clockMs - offsetAt(clockMs + DAY_MS, timeZone);
  if (before + offsetAt(before, timeZone) === clockMs) return before;
  return after + offsetAt(after, timeZone) === clockMs ? after : before;
}

const clocks = new Map<string, Intl.DateTimeFormat>();

/** What the clock in the zone is ahead of UTC, in milliseconds. */
function offsetAt(epochMs: number, timeZone: string): number {
  const parts = clockOf(timeZone).formatToParts(new Date(epochMs));
  const part = (type: string) => Number(parts.find((each) => each.type === type)?.value);
  const shown = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
  return shown - Math.floor(epochMs / 1000) * 1000;
}

function clockOf(timeZone: string): Intl.DateTimeFormat {
  const known = clocks.get(timeZone);
  if (known !== undefined) return known;
  const clock = new Intl.DateTimeFormat('en-US', {
    timeZone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  });
  clocks.set(timeZone, clock);
  return clock;
}
