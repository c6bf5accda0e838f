import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { calendarPeriod, localTime } from '../../src/slo/budget-calendar.ts';
import type { BudgetWindow, CalendarUnit } from '../../src/slo/budget-objective.ts';

type CalendarWindow = Extract<BudgetWindow, { kind: 'calendar' }>;

const window = (unit: CalendarUnit, count: number, start: string, timeZone = 'UTC'): CalendarWindow => ({
  kind: 'calendar',
  unit,
  count,
  start,
  timeZone,
});
const periodAt = (of: CalendarWindow, at: string) => {
  const { startMs, endMs } = calendarPeriod(of, new Date(at));
  return [new Date(startMs).toISOString().slice(0, 16), new Date(endMs).toISOString().slice(0, 16)];
};

describe('a calendar period', () => {
  it.each([
    ['a month', window('month', 1, '2022-01-01T00:00:00'), '2026-03-15T00:00Z', '2026-03-01T00:00', '2026-04-01T00:00'],
    [
      'its first moment',
      window('month', 1, '2022-01-01T00:00:00'),
      '2026-03-01T00:00Z',
      '2026-03-01T00:00',
      '2026-04-01T00:00',
    ],
    [
      'the moment before',
      window('month', 1, '2022-01-01T00:00:00'),
      '2026-02-28T23:59Z',
      '2026-02-01T00:00',
      '2026-03-01T00:00',
    ],
    [
      'a quarter',
      window('quarter', 1, '2022-01-01T00:00:00'),
      '2026-08-15T00:00Z',
      '2026-07-01T00:00',
      '2026-10-01T00:00',
    ],
    ['a year', window('year', 1, '2022-04-01T00:00:00'), '2026-03-31T00:00Z', '2025-04-01T00:00', '2026-04-01T00:00'],
    [
      'two weeks',
      window('week', 2, '2026-01-05T00:00:00'),
      '2026-01-20T00:00Z',
      '2026-01-19T00:00',
      '2026-02-02T00:00',
    ],
    [
      'before the first start',
      window('week', 1, '2026-01-05T00:00:00'),
      '2026-01-04T00:00Z',
      '2025-12-29T00:00',
      '2026-01-05T00:00',
    ],
    [
      'from the 31st',
      window('month', 1, '2026-01-31T00:00:00'),
      '2026-03-15T00:00Z',
      '2026-02-28T00:00',
      '2026-03-31T00:00',
    ],
    // In New York noon is 17:00 in winter and 16:00 in summer; the clocks change on 8 March 2026.
    [
      'a month in New York that changes its clocks',
      window('month', 1, '2022-01-01T12:00:00', 'America/New_York'),
      '2026-03-15T00:00Z',
      '2026-03-01T17:00',
      '2026-04-01T16:00',
    ],
    // Vienna skips 02:00 to 03:00 on 29 March 2026: a day of 23 hours.
    [
      'a day of 23 hours',
      window('day', 1, '2026-01-01T00:00:00', 'Europe/Vienna'),
      '2026-03-29T12:00Z',
      '2026-03-28T23:00',
      '2026-03-29T22:00',
    ],
    [
      'a day of 25 hours',
      window('day', 1, '2026-01-01T00:00:00', 'Europe/Vienna'),
      '2026-10-25T12:00Z',
      '2026-10-24T22:00',
      '2026-10-25T23:00',
    ],
    // 02:30 does not exist that day; the clock shows 03:30 then.
    [
      'a start that is skipped',
      window('day', 1, '2026-03-01T02:30:00', 'Europe/Vienna'),
      '2026-03-29T12:00Z',
      '2026-03-29T01:30',
      '2026-03-30T00:30',
    ],
  ])('that is %s', (_what, of, at, start, end) => {
    expect(periodAt(of, at)).toEqual([start, end]);
  });

  it('always contains its moment, and is followed by the next one without a gap', () => {
    const unit = fc.constantFrom<CalendarUnit>('hour', 'day', 'week', 'month', 'quarter', 'year');
    const zone = fc.constantFrom(
      'UTC',
      'Europe/Vienna',
      'America/New_York',
      'Australia/Lord_Howe',
      'Asia/Kathmandu',
      'Pacific/Apia',
    );
    const start = fc.constantFrom(
      '2020-01-31T00:00:00',
      '2022-01-01T12:00:00',
      '2026-03-29T02:30:00',
      '2024-02-29T23:59:59',
    );
    const moment = fc.date({ min: new Date('2015-01-01Z'), max: new Date('2035-01-01Z'), noInvalidDate: true });
    fc.assert(
      fc.property(unit, fc.integer({ min: 1, max: 5 }), start, zone, moment, (each, count, from, timeZone, at) => {
        const of = window(each, count, from, timeZone);
        const { startMs, endMs } = calendarPeriod(of, at);
        expect(startMs).toBeLessThanOrEqual(at.getTime());
        expect(endMs).toBeGreaterThan(at.getTime());
        expect(calendarPeriod(of, new Date(endMs)).startMs).toBe(endMs);
        expect(calendarPeriod(of, new Date(startMs - 1)).endMs).toBe(startMs);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a time on a clock', () => {
  it.each([
    ['2026-01-31 12:00:00', '2026-01-31T12:00:00'],
    ['2026-01-31T12:00', '2026-01-31T12:00:00'],
    ['2026-02-31 12:00:00', undefined],
    ['2026-01-01 24:00:00', undefined],
    ['2026-01-01', undefined],
    ['soon', undefined],
  ])('%s', (text, time) => {
    expect(localTime(text)).toBe(time);
  });
});
