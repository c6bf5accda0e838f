import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allows, closedBy, forecast } from '../../src/engine/sync-windows.ts';
import type { SyncWindow } from '../../src/events/sync-windows.ts';

const window = (changes: Partial<SyncWindow>): SyncWindow => ({
  kind: 'deny',
  schedule: '0 22 * * *',
  duration: '1h',
  manualSync: false,
  timeZone: 'UTC',
  active: false,
  ...changes,
});
const at = (time: string) => new Date(time);

describe('a deny window', () => {
  it('is closed from its beginning for its duration', () => {
    const windows = [window({})];
    expect(forecast(windows, at('2026-11-21T21:59:59Z'), 'request')).toEqual({
      open: true,
      changesAt: '2026-11-21T22:00:00.000Z',
    });
    expect(forecast(windows, at('2026-11-21T22:00:00Z'), 'request')).toEqual({
      open: false,
      changesAt: '2026-11-21T23:00:00.000Z',
    });
    expect(forecast(windows, at('2026-11-21T23:00:00Z'), 'request')).toMatchObject({ open: true });
  });

  it('that begins anew before it is over stays closed until the last one ends', () => {
    const windows = [window({ schedule: '0 22,23 * * *', duration: '90m' })];
    expect(forecast(windows, at('2026-11-21T22:10:00Z'), 'request')?.changesAt).toBe('2026-11-22T00:30:00.000Z');
  });

  it('lets a sync by request pass only when all that are on say so', () => {
    const both = [window({ manualSync: true, active: true }), window({ manualSync: false, active: true })];
    expect(allows(both, 'request')).toBe(false);
    expect(allows([both[0]!], 'request')).toBe(true);
    expect(allows([both[0]!], 'itself')).toBe(false);
    expect(closedBy({ windows: both }, 'request')).toEqual([both[1]]);
  });

  it('beats an allow window that is on at the same time', () => {
    const both = [
      window({ kind: 'allow', schedule: '0 9 * * *', duration: '10h' }),
      window({ schedule: '0 12 * * *' }),
    ];
    expect(forecast(both, at('2026-11-21T10:00:00Z'), 'request')).toEqual({
      open: true,
      changesAt: '2026-11-21T12:00:00.000Z',
    });
    expect(forecast(both, at('2026-11-21T12:30:00Z'), 'request')).toEqual({
      open: false,
      changesAt: '2026-11-21T13:00:00.000Z',
    });
  });

  it('whose schedule has no date at all is always on, as in Argo CD', () => {
    expect(forecast([window({ schedule: '0 0 30 2 *' })], at('2026-11-21T10:00:00Z'), 'request')).toEqual({
      open: false,
    });
  });
});

describe('an allow window', () => {
  const office = window({ kind: 'allow', schedule: '0 9 * * 1-5', duration: '8h', timeZone: 'Europe/Vienna' });

  it('closes everything outside of it', () => {
    // A Saturday.
    expect(forecast([office], at('2026-11-21T10:00:00Z'), 'request')).toEqual({
      open: false,
      changesAt: '2026-11-23T08:00:00.000Z',
    });
  });

  it('lets a sync by request pass outside of it when all say so', () => {
    const lenient = { ...office, manualSync: true };
    expect(forecast([lenient], at('2026-11-21T10:00:00Z'), 'request')).toEqual({ open: true });
    expect(forecast([lenient, office], at('2026-11-21T10:00:00Z'), 'request')?.open).toBe(false);
    expect(forecast([lenient], at('2026-11-21T10:00:00Z'), 'itself')?.open).toBe(false);
  });
});

describe('a clock that is changed', () => {
  it('moves the end of a window that is on', () => {
    // Vienna goes back from 03:00 to 02:00 on 25 October 2026: the hour from 02:00 is there twice.
    const night = window({ schedule: '0 22 * * *', duration: '10h', timeZone: 'Europe/Vienna' });
    expect(forecast([night], at('2026-10-24T21:00:00Z'), 'request')?.changesAt).toBe('2026-10-25T07:00:00.000Z');
    expect(forecast([night], at('2026-03-28T22:00:00Z'), 'request')?.changesAt).toBe('2026-03-29T06:00:00.000Z');
  });

  it('skips the beginning of a window that would be in the hour that is not there', () => {
    const gone = window({ schedule: '15 2 * * *', duration: '30m', timeZone: 'Europe/Vienna' });
    expect(forecast([gone], at('2026-03-29T00:30:00Z'), 'request')?.changesAt).toBe('2026-03-30T00:15:00.000Z');
  });
});

describe('what cannot be read', () => {
  it.each([
    [{ schedule: 'every night' }],
    [{ schedule: '0 22 * * * *' }],
    [{ schedule: '61 22 * * *' }],
    [{ duration: '2d' }],
    [{ duration: '-1h' }],
    [{ duration: '' }],
    [{ timeZone: 'Mars/Olympus' }],
  ])('has no forecast: %o', (changes) => {
    expect(forecast([window(changes)], at('2026-11-21T10:00:00Z'), 'request')).toBeUndefined();
  });

  it('has none without a time zone either: nobody knows when it begins', () => {
    const { timeZone: _, ...unknown } = window({});
    expect(forecast([unknown], at('2026-11-21T10:00:00Z'), 'request')).toBeUndefined();
  });

  it('does not keep us busy for long', () => {
    const busy = Array.from({ length: 20 }, () => window({ schedule: '* * * * *', duration: '2m' }));
    expect(forecast(busy, at('2026-11-21T10:00:00Z'), 'request')).toEqual({ open: false });
  });
});

/** An own, slow reading of five cron fields, minute by minute, on the clock of the wall. */
function isOn({ schedule, duration, timeZone = 'UTC' }: SyncWindow, moment: number): boolean {
  const fields = schedule.split(' ').map((field) => (field === '*' ? undefined : field.split(',').map(Number)));
  const wall = wallOf(moment, timeZone);
  const first = wall - Number.parseInt(duration, 10) * 60_000;
  for (let minute = Math.floor(wall / 60_000); minute * 60_000 > first; minute--)
    if (begins(fields, new Date(minute * 60_000))) return true;
  return false;
}

const clocks = new Map<string, Intl.DateTimeFormat>();

function wallOf(moment: number, timeZone: string): number {
  const clock =
    clocks.get(timeZone) ?? new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' });
  clocks.set(timeZone, clock);
  return Date.parse(`${clock.format(new Date(moment)).replace(' ', 'T')}Z`);
}

function begins([minute, hour, day, month, weekday]: (number[] | undefined)[], wall: Date): boolean {
  const fits = (field: number[] | undefined, value: number) => field?.includes(value) ?? true;
  const days = [fits(day, wall.getUTCDate()), fits(weekday, wall.getUTCDay())];
  return (
    fits(minute, wall.getUTCMinutes()) &&
    fits(hour, wall.getUTCHours()) &&
    fits(month, wall.getUTCMonth() + 1) &&
    (day && weekday ? days.includes(true) : !days.includes(false))
  );
}

const list = (min: number, max: number) =>
  fc.uniqueArray(fc.integer({ min, max }), { minLength: 1, maxLength: 3 }).map((numbers) => numbers.join(','));
const field = (min: number, max: number) => fc.oneof(fc.constant('*'), list(min, max));
const anyWindow: fc.Arbitrary<SyncWindow> = fc.record({
  kind: fc.constantFrom('allow' as const, 'deny' as const),
  schedule: fc
    .tuple(list(0, 59), field(0, 23), field(1, 28), fc.constant('*'), field(0, 6))
    .map((fields) => fields.join(' ')),
  duration: fc.integer({ min: 1, max: 1_200 }).map((minutes) => `${minutes}m`),
  manualSync: fc.boolean(),
  timeZone: fc.constantFrom('UTC', 'Europe/Vienna', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe'),
  active: fc.constant(false),
});
const HALF_DAY = 12 * 3_600_000;
/** Around the days on which clocks are changed, and elsewhere. */
const anyMoment = fc.oneof(
  fc.integer({ min: Date.parse('2026-01-01'), max: Date.parse('2027-12-31') }),
  ...['2026-03-29T01:00:00Z', '2026-10-25T01:00:00Z', '2026-11-01T06:00:00Z', '2026-04-04T15:00:00Z'].map((change) =>
    fc.integer({ min: Date.parse(change) - HALF_DAY, max: Date.parse(change) + HALF_DAY }),
  ),
);

describe('for any windows at any moment', () => {
  const openAt = (windows: SyncWindow[], moment: number, by: 'request' | 'itself') =>
    allows(
      windows.map((one) => ({ ...one, active: isOn(one, Math.floor(moment / 1000) * 1000) })),
      by,
    );

  it('says what a minute-by-minute look at the wall says, and it changes exactly when it says', () => {
    fc.assert(
      fc.property(
        fc.array(anyWindow, { minLength: 1, maxLength: 3 }),
        anyMoment,
        fc.constantFrom('request' as const, 'itself' as const),
        (windows, moment, by) => {
          const told = forecast(windows, new Date(moment), by);
          expect(told?.open).toBe(openAt(windows, moment, by));
          if (told?.changesAt === undefined) return;
          const change = Date.parse(told.changesAt);
          expect(change).toBeGreaterThan(moment - 1000);
          expect(openAt(windows, change - 1000, by)).toBe(told.open);
          expect(openAt(windows, change + 1000, by)).toBe(!told.open);
          // Nothing was missed in between.
          for (let share = 1; share < 10; share++)
            expect(openAt(windows, moment + ((change - 1 - moment) * share) / 10, by)).toBe(told.open);
        },
      ),
      { numRuns: 100 },
    );
  });
});
