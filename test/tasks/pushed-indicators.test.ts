import { describe, expect, it } from 'vitest';
import { fittingIndicators } from '../../src/tasks/pushed-indicators.ts';

const REVISION = '8a3d1f0c6b7e4d5a9f2b1c0d3e4f5a6b7c8d9e0f';
const WINDOW = { since: '2026-03-02T10:00:00Z', until: '2026-03-02T11:00:00Z' };
const at = (time: string) => `2026-03-02T${time}:00Z`;

describe('pushed numbers', () => {
  it.each([
    ['its commit', REVISION, true],
    ['the beginning of its commit', REVISION.slice(0, 7), true],
    ['too little of its commit', REVISION.slice(0, 6), false],
    ['another commit', 'f'.repeat(40), false],
  ])('about %s fit a change or not, whenever they came', (_what, revision, fits) => {
    const pushed = [{ revision, at: at('07:00'), indicators: { findings: 0 } }];
    expect(fittingIndicators(pushed, { revision: REVISION, ...WINDOW }).size).toBe(fits ? 1 : 0);
  });

  it.each([
    ['before it', '09:59', false],
    ['while it ran', '10:30', true],
    ['after it', '11:01', false],
  ])('about no commit fit when they came %s or not', (_what, time, fits) => {
    const pushed = [{ at: at(time), indicators: { findings: 0 } }];
    expect(fittingIndicators(pushed, { revision: REVISION, ...WINDOW }).has('findings')).toBe(fits);
  });

  it('about a commit fit nothing whose commit is not known', () => {
    expect(fittingIndicators([{ revision: REVISION, at: at('10:30'), indicators: { a: 1 } }], WINDOW).size).toBe(0);
  });

  it('count by name, the newest first', () => {
    const pushed = [
      { at: at('10:40'), indicators: { a: 3 } },
      { at: at('10:30'), indicators: { a: 2, b: 5 } },
    ];
    expect([...fittingIndicators(pushed, WINDOW)]).toEqual([
      ['a', 3],
      ['b', 5],
    ]);
  });
});
