import { describe, expect, it } from 'vitest';
import { createRuns } from '../../../src/http/senders/runs.ts';

const at = (minute: number) => new Date(Date.UTC(2026, 7, 20, 10, minute)).toISOString();
const HOUR = 3_600_000;

describe('since when it is said to be so', () => {
  it('is when it was said first, for as long as it is said alike', () => {
    const runs = createRuns();
    expect([0, 5, 59].map((minute) => runs.since('a', 'fails', at(minute), HOUR))).toEqual([at(0), at(0), at(0)]);
    expect(runs.since('a', 'fails', at(60), HOUR)).toBe(at(60));
  });

  it('is another time after a change, and of another subject', () => {
    const runs = createRuns();
    expect(runs.since('a', 'fails', at(0), HOUR)).toBe(at(0));
    expect(runs.since('b', 'fails', at(1), HOUR)).toBe(at(1));
    expect(runs.since('a', 'works', at(2), HOUR)).toBe(at(2));
    expect(runs.since('a', 'fails', at(3), HOUR)).toBe(at(3));
  });

  it('is the same for what comes late', () => {
    const runs = createRuns();
    runs.since('a', 'fails', at(10), HOUR);
    expect(runs.since('a', 'fails', at(4), HOUR)).toBe(at(10));
  });

  it('is forgotten of whom nothing was heard for longest, so that memory stays small', () => {
    const runs = createRuns();
    runs.since('silent', 'works', at(0), HOUR);
    runs.since('lively', 'works', at(0), HOUR);
    for (let nth = 0; nth < 9_999; nth++) {
      runs.since(`one-${nth}`, 'works', at(1), HOUR);
      if (nth % 1_000 === 0) runs.since('lively', 'works', at(2), HOUR);
    }
    expect(runs.since('lively', 'works', at(3), HOUR)).toBe(at(0));
    expect(runs.since('silent', 'works', at(3), HOUR)).toBe(at(3));
  });
});
