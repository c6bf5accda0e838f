import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Window } from '../../src/definitions/delivery.ts';
import { checkWindows, localMinuteOfWeek, parseWindow } from '../../src/engine/windows.ts';

const DAY = 1440;

function window(kind: 'allow' | 'deny', text: string, timeZone = 'Europe/Vienna'): Window {
  const parsed = parseWindow(text);
  if (!parsed.ok) throw new Error(parsed.message);
  return { kind, spans: parsed.spans, timeZone, reason: '', text };
}

/** The answer, and when it opens. */
function at(windows: Window[], time: string): string {
  const { answer, askAgainAt } = checkWindows(windows, new Date(time));
  return askAgainAt === undefined ? answer : `${answer} until ${askAgainAt}`;
}

describe('the text of a window', () => {
  it.each([
    ['FR 15:00/MO 07:00', [{ start: 4 * DAY + 900, end: 420 }]],
    ['mo 09:00 / mo 17:00', [{ start: 540, end: 1020 }]],
    [
      'SA+SU 00:00/24:00',
      [
        { start: 5 * DAY, end: 6 * DAY },
        { start: 6 * DAY, end: 7 * DAY },
      ],
    ],
    ['SU 22:00/06:00', [{ start: 6 * DAY + 1320, end: 360 }]],
    [
      'SA-MO 08:00/09:00',
      [
        { start: 5 * DAY + 480, end: 5 * DAY + 540 },
        { start: 6 * DAY + 480, end: 6 * DAY + 540 },
        { start: 480, end: 540 },
      ],
    ],
    ['MO 00:00/SU 24:00', [{ start: 0, end: 7 * DAY }]],
    [
      'FR 12:00/MO 00:00, WE 01:00/02:00',
      [
        { start: 4 * DAY + 720, end: 0 },
        { start: 2 * DAY + 60, end: 2 * DAY + 120 },
      ],
    ],
  ])('%s is understood', (text, spans) => {
    expect(parseWindow(text)).toEqual({ ok: true, spans });
  });

  it('without a day is every day', () => {
    const parsed = parseWindow('22:00/06:00');
    expect(parsed.ok && parsed.spans).toHaveLength(7);
  });

  it.each([
    '',
    'FR',
    'FRI 15:00/MO 07:00',
    'FR 15/MO 07',
    'FR 25:00/MO 07:00',
    'FR 15:60/MO 07:00',
    'FR 24:01/MO 07:00',
    'MO 07:00/MO 07:00',
    '09:00/09:00',
    'MO-FR-SU 09:00/10:00',
    'MO 09:00',
    'MO 09:00/10:00,',
    'x'.repeat(600),
  ])('%j is refused with examples or the limit', (text) => {
    expect(parseWindow(text)).toMatchObject({ ok: false, message: expect.stringMatching(/FR 15:00\/MO 07:00|500/) });
  });
});

describe('a weekend freeze in Vienna', () => {
  const freeze = [window('deny', 'FR 15:00/MO 07:00')];

  it.each([
    ['2026-01-09T13:59:59.999Z', 'pass'],
    ['2026-01-09T14:00:00Z', 'deny until 2026-01-12T06:00:00.000Z'],
    ['2026-01-11T23:59:00Z', 'deny until 2026-01-12T06:00:00.000Z'],
    ['2026-01-12T05:59:59Z', 'deny until 2026-01-12T06:00:00.000Z'],
    ['2026-01-12T06:00:00Z', 'pass'],
    // Summer time: an hour earlier by UTC.
    ['2026-07-10T13:00:00Z', 'deny until 2026-07-13T05:00:00.000Z'],
  ])('at %s says %s', (time, answer) => {
    expect(at(freeze, time)).toBe(answer);
  });

  it('ends at 07:00 on the wall when clocks change in between', () => {
    expect(at(freeze, '2026-03-27T14:00:00Z')).toBe('deny until 2026-03-30T05:00:00.000Z');
    expect(at(freeze, '2026-10-23T13:00:00Z')).toBe('deny until 2026-10-26T06:00:00.000Z');
  });

  it('says why, and how long it takes', () => {
    const said = checkWindows([{ ...freeze[0], reason: 'weekend freeze' } as Window], new Date('2026-01-12T05:00:00Z'));
    expect(said.reasons).toEqual(['closed: deny FR 15:00/MO 07:00 Europe/Vienna (weekend freeze); it opens in 1 h']);
  });
});

describe('the hour of a change of clocks', () => {
  it('that is skipped never comes: a window in it never opens, one over it is an hour shorter', () => {
    // 2026-03-29 in Vienna: 02:00 becomes 03:00.
    const skipped = [window('allow', 'SU 02:15/SU 02:45')];
    expect(at(skipped, '2026-03-29T00:59:00Z')).toBe('deny until 2026-04-05T00:15:00.000Z');
    const over = [window('deny', 'SU 01:30/SU 03:30')];
    expect(at(over, '2026-03-29T00:30:00Z')).toBe('deny until 2026-03-29T01:30:00.000Z');
  });

  it('that is repeated comes twice', () => {
    // 2026-10-25 in Vienna: 03:00 becomes 02:00.
    const repeated = [window('allow', 'SU 02:15/SU 02:45')];
    expect(at(repeated, '2026-10-25T00:15:00Z')).toBe('pass');
    expect(at(repeated, '2026-10-25T00:45:00Z')).toBe('deny until 2026-10-25T01:15:00.000Z');
    expect(at(repeated, '2026-10-25T01:15:00Z')).toBe('pass');
    expect(at(repeated, '2026-10-25T01:45:00Z')).toBe('deny until 2026-11-01T01:15:00.000Z');
  });

  it('of half an hour (Lord Howe Island) is right too', () => {
    // 2026-10-04 there: 02:00 becomes 02:30.
    const over = [window('deny', 'SU 01:00/SU 03:00', 'Australia/Lord_Howe')];
    expect(at(over, '2026-10-03T14:30:00Z')).toBe('deny until 2026-10-03T16:00:00.000Z');
  });
});

describe('several windows', () => {
  it('without any, it is open', () => {
    expect(checkWindows([], new Date())).toMatchObject({ check: 'window', answer: 'pass' });
  });

  it('with an allow window, everything outside of it is closed', () => {
    const hours = [window('allow', 'MO-FR 09:00/17:00', 'UTC')];
    expect(at(hours, '2026-01-07T09:00:00Z')).toBe('pass');
    expect(at(hours, '2026-01-07T17:00:00Z')).toBe('deny until 2026-01-08T09:00:00.000Z');
    expect(at(hours, '2026-01-09T17:00:00Z')).toBe('deny until 2026-01-12T09:00:00.000Z');
  });

  it('a deny window beats an allow window', () => {
    const both = [window('allow', 'MO-FR 09:00/17:00', 'UTC'), window('deny', 'WE 08:00/WE 12:00', 'UTC')];
    expect(at(both, '2026-01-07T10:00:00Z')).toBe('deny until 2026-01-07T12:00:00.000Z');
  });

  it('one allow window is enough, each in its own time zone', () => {
    const teams = [window('allow', '09:00/12:00', 'Asia/Tokyo'), window('allow', '09:00/12:00', 'America/New_York')];
    expect(at(teams, '2026-01-07T01:00:00Z')).toBe('pass');
    expect(at(teams, '2026-01-07T15:00:00Z')).toBe('pass');
    expect(at(teams, '2026-01-07T03:00:00Z')).toBe('deny until 2026-01-07T14:00:00.000Z');
  });

  it('that never open together say so, and are asked again', () => {
    const never = [window('allow', 'MO 09:00/10:00', 'UTC'), window('deny', 'MO 08:00/12:00', 'UTC')];
    const said = checkWindows(never, new Date('2026-01-07T00:00:00Z'));
    expect(said).toMatchObject({ answer: 'deny', askAgainAt: '2026-01-21T00:00:00.000Z', figures: { opensAt: null } });
    expect(said.reasons[0]).toContain('does not open within 14 days');
  });
});

describe('whatever the windows', () => {
  const time = fc
    .nat(1439)
    .map((minute) => `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`);
  const day = fc.constantFrom('MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU');
  const text = fc
    .tuple(day, time, day, time)
    .map(([from, start, to, end]) => `${from} ${start}/${to} ${end}`)
    .filter((each) => parseWindow(each).ok);
  const zone = fc.constantFrom('UTC', 'Europe/Vienna', 'America/New_York', 'Asia/Kathmandu', 'Australia/Lord_Howe');
  const windows = fc.array(
    fc
      .tuple(fc.constantFrom('allow' as const, 'deny' as const), text, zone)
      .map(([kind, each, where]) => window(kind, each, where)),
    { minLength: 1, maxLength: 3 },
  );
  const moment = fc.date({ min: new Date('2026-03-01'), max: new Date('2026-11-30'), noInvalidDate: true });

  it('the time it names is the first minute at which it is open', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(windows, moment, (all, now) => {
        const said = checkWindows(all, now);
        const opens = said.figures['opensAt'];
        if (typeof opens !== 'string') return;
        expect(checkWindows(all, new Date(opens)).answer).toBe('pass');
        expect(checkWindows(all, new Date(Date.parse(opens) - 60_000)).answer).toBe('deny');
        // Nothing opens before: sampled, because every minute of a week takes too long.
        for (let sample = 1; sample < 20; sample++) {
          const between = now.getTime() + ((Date.parse(opens) - now.getTime()) * sample) / 20;
          expect(checkWindows(all, new Date(between)).answer).toBe('deny');
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('the minute of the week', () => {
  it('is the one on the wall', () => {
    expect(localMinuteOfWeek(new Date('2026-01-05T00:00:00Z'), 'UTC')).toBe(0);
    expect(localMinuteOfWeek(new Date('2026-01-04T23:59:59Z'), 'UTC')).toBe(7 * DAY - 1);
    expect(localMinuteOfWeek(new Date('2026-01-05T00:00:00Z'), 'Asia/Kathmandu')).toBe(345);
  });
});
