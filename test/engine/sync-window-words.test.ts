import { describe, expect, it } from 'vitest';
import { sayClosed, sayWindow } from '../../src/engine/sync-window-words.ts';
import type { SyncWindow } from '../../src/events/sync-windows.ts';

const freeze: SyncWindow = {
  kind: 'deny',
  schedule: '0 15 * * 5',
  duration: '64h',
  manualSync: false,
  timeZone: 'Europe/Vienna',
  active: true,
};
const NOW = new Date('2026-11-21T12:00:00Z');
const UNTIL = '2026-11-23T06:00:00.000Z';
const closed = (windows: SyncWindow[], owner = 'AppProject payments', until: string | undefined = UNTIL) =>
  sayClosed({ open: false, windows, owner }, 'request', NOW, until);

describe('a closed window in one sentence', () => {
  it('says until when by its own clock, which one, and whose', () => {
    expect(closed([freeze])).toBe(
      'an Argo CD sync window is closed until Mon 07:00 (deny Fri 15:00, AppProject payments)',
    );
  });

  it('says the day of the year where that of the week is not clear', () => {
    expect(closed([freeze], 'AppProject payments', '2026-12-27T06:00:00.000Z')).toContain('until 2026-12-27 07:00');
  });

  it('says nothing of a time that nobody knows', () => {
    expect(sayClosed({ open: false, windows: [freeze], owner: 'AppProject payments' }, 'request', NOW, undefined)).toBe(
      'an Argo CD sync window is closed (deny Fri 15:00, AppProject payments)',
    );
  });

  it('counts more windows, and names only those because of which it is closed', () => {
    const lenient = { ...freeze, schedule: '0 3 * * *', manualSync: true };
    expect(closed([lenient, freeze, { ...freeze, schedule: '0 1 * * *' }])).toContain('(deny Fri 15:00 and 1 more');
  });

  it.each([['x'.repeat(20)], ['x'.repeat(60)], ['x'.repeat(5_000)]])('has at most 90 characters', (name) => {
    expect(closed([freeze], `AppProject ${name}`).length).toBeLessThanOrEqual(90);
    expect(closed([{ ...freeze, schedule: name }], 'AppProject payments').length).toBeLessThanOrEqual(90);
  });
});

it.each([
  ['0 22 * * *', 'deny daily 22:00'],
  ['5 7 * * 1-5', 'deny Mon-Fri 07:05'],
  ['0 9 * * 0,6', 'deny Sun,Sat 09:00'],
  ['0 9 * * FRI', 'deny FRI 09:00'],
  ['*/5 9 1 * *', 'deny */5 9 1 * *'],
])('the schedule %s is called "%s"', (schedule, said) => {
  expect(sayWindow({ ...freeze, schedule })).toBe(said);
});
