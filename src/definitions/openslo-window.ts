import { localTime } from '../slo/budget-calendar.ts';
import type { BudgetWindow, CalendarUnit } from '../slo/budget-objective.ts';
import { at, entries, type Report, type Spot, textAt } from './openslo-spot.ts';
import { durationMs } from './quantities.ts';
import { isTimeZone, quote } from './validate.ts';

const UNITS: Readonly<Record<string, CalendarUnit>> = {
  h: 'hour',
  d: 'day',
  w: 'week',
  M: 'month',
  Q: 'quarter',
  Y: 'year',
};
/** Longer periods than this many units are a mistake. */
const MAX_COUNT = 366;

/** The one window of `spec.timeWindow`: rolling, or the periods of a calendar. */
export function readWindow(windows: Spot, report: Report): BudgetWindow | undefined {
  const [window, second] = entries(windows);
  if (window === undefined || second !== undefined) {
    report(windows, 'timeWindow must be a list of exactly one window');
    return undefined;
  }
  const rolling = at(window, 'isRolling').value;
  const calendar = at(window, 'calendar');
  if (rolling === true && calendar.value !== undefined) {
    report(window, 'is rolling and has a "calendar": keep one of the two', 'calendar');
    return undefined;
  }
  if (rolling === true) return readRolling(at(window, 'duration'), report);
  if (calendar.value === undefined) {
    report(window, 'needs "isRolling: true", or a "calendar" with startTime and timeZone');
    return undefined;
  }
  return readCalendar(window, calendar, report);
}

function readRolling(duration: Spot, report: Report): BudgetWindow | undefined {
  const text = duration.value;
  const ms = typeof text === 'string' ? durationMs(text) : undefined;
  if (ms !== undefined) return { kind: 'rolling', ms };
  // In OpenSLO `M` is a month, `Q` a quarter and `Y` a year; none of them is a fixed span.
  const months = typeof text === 'string' && /^\d+[MQY]$/.test(text);
  const remedy = months
    ? 'has no fixed length: write days, or give it a "calendar"'
    : 'is not a duration such as 30d, 4w or 12h';
  report(duration, `${quote(text)} ${remedy}`);
  return undefined;
}

function readCalendar(window: Spot, calendar: Spot, report: Report): BudgetWindow | undefined {
  const duration = at(window, 'duration');
  const [zone, startTime] = [at(calendar, 'timeZone'), at(calendar, 'startTime')];
  const match = /^(\d{1,3})([hdwMQY])$/.exec(String(duration.value));
  const count = Number(match?.[1]);
  const unit = UNITS[match?.[2] ?? ''];
  const start = typeof startTime.value === 'string' ? localTime(startTime.value) : undefined;
  const timeZone = textAt(zone);
  if (unit === undefined || !(count >= 1 && count <= MAX_COUNT)) {
    const month = /^\d+m$/.test(String(duration.value)) ? ' ("m" is a minute, "M" a month)' : '';
    report(
      duration,
      `${quote(duration.value)} is not the length of a calendar window such as 1M, 1Q, 1w or 30d${month}`,
    );
  }
  if (start === undefined) report(startTime, `${quote(startTime.value)} is not a time such as 2026-01-01 00:00:00`);
  if (timeZone === undefined || !isTimeZone(timeZone))
    report(zone, `${quote(zone.value)} is not a time zone such as Europe/Vienna`);
  if (unit === undefined || start === undefined || timeZone === undefined) return undefined;
  return { kind: 'calendar', unit, count, start, timeZone };
}
