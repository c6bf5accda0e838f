import { sayDuration } from '../base/duration.ts';
import type { Window } from '../definitions/delivery.ts';
import type { CheckAnswer } from './check.ts';

const DAYS = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'] as const;
const MINUTE_MS = 60_000;
const DAY_MINUTES = 1440;
const WEEK_MINUTES = 7 * DAY_MINUTES;
/** Clocks change at full quarter hours of UTC everywhere, so between two of them local time is steady. */
const STEADY_MINUTES = 15;
/** Nothing repeats less often than a week; two weeks also cover a week with a changing clock. */
const SEARCH_MINUTES = 14 * DAY_MINUTES;

export type Spans = Window['spans'];
export type ParsedWindow = { ok: true; spans: Spans } | { ok: false; message: string };

/**
 * Reads when a window is: comma-separated parts, each one of
 * - `FR 15:00/MO 07:00` from one time of the week to another,
 * - `MO-FR 09:00/17:00` the same hours on some days (`MO`, `MO-FR`, `SA+SU`),
 * - `22:00/06:00` every day; an end before the start is on the next day.
 */
export function parseWindow(text: string): ParsedWindow {
  if (text.length > 500) return { ok: false, message: 'the window is longer than 500 characters' };
  const spans: Spans = [];
  for (const part of text.toUpperCase().split(',')) {
    const read = parsePart(part.trim());
    if (read === undefined) return { ok: false, message: `"${part.trim().slice(0, 60)}" is not like ${EXAMPLES}` };
    spans.push(...read);
  }
  return { ok: true, spans };
}

export const EXAMPLES = '"FR 15:00/MO 07:00", "MO-FR 09:00/17:00" or "22:00/06:00" (times 00:00 to 24:00)';

function parsePart(part: string): Spans | undefined {
  const across = /^([A-Z]{2}) +(\d{2}:\d{2}) *\/ *([A-Z]{2}) +(\d{2}:\d{2})$/.exec(part);
  if (across) return spanAcross(across[1] ?? '', across[2] ?? '', across[3] ?? '', across[4] ?? '');
  const daily = /^(?:([A-Z]{2}(?:[-+][A-Z]{2})*) +)?(\d{2}:\d{2}) *\/ *(\d{2}:\d{2})$/.exec(part);
  return daily ? spansDaily(daily[1] ?? 'MO-SU', daily[2] ?? '', daily[3] ?? '') : undefined;
}

function spanAcross(fromDay: string, fromTime: string, toDay: string, toTime: string): Spans | undefined {
  const [startDay, startMinute] = [dayIndex(fromDay), minuteOfDay(fromTime)];
  const [endDay, endMinute] = [dayIndex(toDay), minuteOfDay(toTime)];
  if (startDay === undefined || endDay === undefined || startMinute === undefined || endMinute === undefined)
    return undefined;
  const start = (startDay * DAY_MINUTES + startMinute) % WEEK_MINUTES;
  const end = endDay * DAY_MINUTES + endMinute;
  return start === end ? undefined : [{ start, end }];
}

function spansDaily(days: string, fromTime: string, toTime: string): Spans | undefined {
  const [indexes, from, to] = [dayIndexes(days), minuteOfDay(fromTime), minuteOfDay(toTime)];
  if (indexes === undefined || from === undefined || to === undefined || from === to || from === DAY_MINUTES)
    return undefined;
  const length = to > from ? to - from : to - from + DAY_MINUTES;
  return indexes.map((day) => {
    const start = day * DAY_MINUTES + from;
    const end = start + length;
    return { start, end: end > WEEK_MINUTES ? end - WEEK_MINUTES : end };
  });
}

function dayIndexes(text: string): number[] | undefined {
  const days: number[] = [];
  for (const part of text.split('+')) {
    const [first, last = first, ...more] = part.split('-').map(dayIndex);
    if (first === undefined || last === undefined || more.length > 0) return undefined;
    for (let day = first; ; day = (day + 1) % 7) {
      days.push(day);
      if (day === last) break;
    }
  }
  return days;
}

function dayIndex(day: string): number | undefined {
  const index = (DAYS as readonly string[]).indexOf(day);
  return index < 0 ? undefined : index;
}

function minuteOfDay(time: string): number | undefined {
  const [hour = Number.NaN, minute = Number.NaN] = time.split(':').map(Number);
  if (minute > 59 || hour > 24 || (hour === 24 && minute !== 0)) return undefined;
  return hour * 60 + minute;
}

/**
 * Whether a sync may start now. Deny beats allow; where there is an allow window, everything outside
 * of all of them is closed. Local time is what a clock on the wall in the window's time zone shows,
 * so an hour that a changing clock skips never comes and one that it repeats comes twice.
 */
export function checkWindows(windows: readonly Window[], now: Date): CheckAnswer {
  const minute = Math.floor(now.getTime() / MINUTE_MS);
  const closed = closedBy(windows, minute);
  if (closed === undefined) return open(windows);
  const opensAt = nextOpening(windows, minute);
  const soon =
    opensAt === undefined ? 'it does not open within 14 days' : `it opens in ${sayDuration(opensAt - now.getTime())}`;
  return {
    check: 'window',
    answer: 'deny',
    reasons: [`${closed}; ${soon}`],
    figures: {
      windows: windows.map(describe),
      opensAt: opensAt === undefined ? null : new Date(opensAt).toISOString(),
    },
    askAgainAt: new Date(opensAt ?? (minute + SEARCH_MINUTES) * MINUTE_MS).toISOString(),
  };
}

/** How long until a window closes, in milliseconds; `undefined`: not within the horizon, or it is closed now. */
export function untilClosing(windows: readonly Window[], now: Date, horizonMs: number): number | undefined {
  const start = Math.floor(now.getTime() / MINUTE_MS);
  if (closedBy(windows, start) !== undefined) return undefined;
  const end = start + horizonMs / MINUTE_MS;
  for (let at = start; at < end; ) {
    at += stepTo(windows, at);
    if (closedBy(windows, at) !== undefined) return at * MINUTE_MS - now.getTime();
  }
  return undefined;
}

function open(windows: readonly Window[]): CheckAnswer {
  const reason = windows.length === 0 ? 'no windows are defined' : 'the window is open';
  return { check: 'window', answer: 'pass', reasons: [reason], figures: { windows: windows.map(describe) } };
}

function closedBy(windows: readonly Window[], minute: number): string | undefined {
  const deny = windows.find((window) => window.kind === 'deny' && contains(window, minute));
  if (deny !== undefined) return `closed: ${describe(deny)}`;
  const allows = windows.filter((window) => window.kind === 'allow');
  if (allows.length === 0 || allows.some((window) => contains(window, minute))) return undefined;
  return `closed outside ${allows.map(describe).join(' and ')}`;
}

function describe(window: Window): string {
  const reason = window.reason === '' ? '' : ` (${window.reason})`;
  return `${window.kind} ${window.text} ${window.timeZone}${reason}`;
}

function nextOpening(windows: readonly Window[], minute: number): number | undefined {
  const end = minute + SEARCH_MINUTES;
  let at = minute;
  while (at < end) {
    at += stepTo(windows, at);
    if (closedBy(windows, at) === undefined) return at * MINUTE_MS;
  }
  return undefined;
}

/** Minutes until something can change: the nearest end of a span, or the next possible change of clocks. */
function stepTo(windows: readonly Window[], minute: number): number {
  let step = STEADY_MINUTES - (minute % STEADY_MINUTES);
  for (const window of windows) {
    const local = localMinuteOfWeek(new Date(minute * MINUTE_MS), window.timeZone);
    for (const edge of window.spans.flatMap((span) => [span.start, span.end])) {
      const distance = (edge - local + WEEK_MINUTES) % WEEK_MINUTES;
      if (distance > 0) step = Math.min(step, distance);
    }
  }
  return step;
}

function contains(window: Window, minute: number): boolean {
  const local = localMinuteOfWeek(new Date(minute * MINUTE_MS), window.timeZone);
  return window.spans.some(({ start, end }) =>
    start < end ? local >= start && local < end : local >= start || local < end,
  );
}

const clocks = new Map<string, Intl.DateTimeFormat>();

/** Minutes since Monday 00:00 on a clock in that time zone. */
export function localMinuteOfWeek(at: Date, timeZone: string): number {
  const parts = clockOf(timeZone).formatToParts(at);
  const part = (type: string) => parts.find((each) => each.type === type)?.value ?? '';
  const day = (DAYS as readonly string[]).indexOf(part('weekday').slice(0, 2).toUpperCase());
  return day * DAY_MINUTES + Number(part('hour')) * 60 + Number(part('minute'));
}

function clockOf(timeZone: string): Intl.DateTimeFormat {
  const known = clocks.get(timeZone);
  if (known !== undefined) return known;
  const clock = new Intl.DateTimeFormat('en-US', {
    timeZone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  clocks.set(timeZone, clock);
  return clock;
}
