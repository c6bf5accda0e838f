import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { calibrationOf, wilson } from '../../src/risk/reliability.ts';

const judged = (probability: number, failed: boolean) => ({ probability, failed });

describe('how predictions came true', () => {
  it('is said by Brier score, skill, log-loss and buckets', () => {
    const found = calibrationOf([judged(0.2, false), judged(0.2, true), judged(0.6, true), judged(0.1, false)]);
    // Squares: 0.04, 0.64, 0.16, 0.01 = 0.85 / 4. Base rate 0.5: 0.25. Skill: 1 - 0.2125 / 0.25.
    // Log-loss: -(ln 0.8 + ln 0.2 + ln 0.6 + ln 0.9) / 4 = (0.22314 + 1.60944 + 0.51083 + 0.10536) / 4.
    expect(found).toMatchObject({ count: 4, failures: 2, baseRate: 0.5, brierOfBaseRate: 0.25 });
    expect(found?.brier).toBeCloseTo(0.2125, 12);
    expect(found?.skill).toBeCloseTo(0.15, 12);
    expect(found?.logLoss).toBeCloseTo(0.61219, 5);
    expect(found?.reliability.map(({ from, to, count, failures }) => ({ from, to, count, failures }))).toEqual([
      { from: 0.1, to: 0.15, count: 1, failures: 0 },
      { from: 0.15, to: 0.25, count: 2, failures: 1 },
      { from: 0.5, to: 1, count: 1, failures: 1 },
    ]);
  });

  it('is not said without any, and has no skill to show when nothing ever failed', () => {
    expect(calibrationOf([])).toBeUndefined();
    expect(calibrationOf([judged(0.1, false)])).toMatchObject({ baseRate: 0, skill: null });
  });

  it('puts every prediction into exactly one bucket', () => {
    const outcome = fc.record({ probability: fc.double({ min: 0, max: 1, noNaN: true }), failed: fc.boolean() });
    fc.assert(
      fc.property(fc.array(outcome, { minLength: 1 }), (outcomes) => {
        const { reliability = [], failures } = calibrationOf(outcomes) ?? {};
        expect(reliability.reduce((sum, { count }) => sum + count, 0)).toBe(outcomes.length);
        expect(reliability.reduce((sum, bucket) => sum + bucket.failures, 0)).toBe(failures);
      }),
    );
  });
});

describe('the Wilson interval', () => {
  it.each([
    // By hand with z = 1.96: p = 0.1, n = 10: (0.1 + 0.19208 ± 1.96 * sqrt(0.009 + 0.0096)) / 1.38416.
    [1, 10, 0.0179, 0.4042],
    [0, 20, 0, 0.1611],
    [20, 20, 0.8389, 1],
  ])('of %i in %i is %d to %d', (failures, count, low, high) => {
    const found = wilson(failures, count);
    expect(found.low).toBeCloseTo(low, 3);
    expect(found.high).toBeCloseTo(high, 3);
  });
});
