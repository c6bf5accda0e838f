import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { burnPairs } from '../../src/slo/budget-pairs.ts';
import { normalQuantile, wilsonLowerBound } from '../../src/slo/budget-wilson.ts';
import {
  attributedBurn,
  bucketOf,
  burnRate,
  exhaustedInMs,
  expectedCost,
  remainingBudget,
  shareBurned,
} from '../../src/slo/error-budget.ts';
import { DAY, HOUR, MINUTE, objective } from '../support/budgets.ts';

describe('an error budget', () => {
  // Of 1,000,000 events 1,000 may fail at 99.9 %. 250 did: three quarters are left. 2,000 did: twice of it is gone.
  it.each([
    [250, 0.75],
    [1_000, 0],
    [2_000, -1],
  ])('after %d of 1,000,000 failed has %d of itself left', (bad, left) => {
    expect(remainingBudget(0.999, bad / 1_000_000)).toBe(left);
  });

  it('in a calendar period is measured by the events of the whole period', () => {
    // 500 bad of the first 100,000 events of a month that will see 1,000,000: half of the allowed 1,000,
    // not 500 / (0.1 % of 100,000) = five times all of it.
    expect(remainingBudget(0.999, 500 / 100_000, 100_000 / 1_000_000)).toBeCloseTo(0.5, 9);
  });

  it.each([
    [14.4, HOUR, 0.02],
    [6, 6 * HOUR, 0.05],
    [3, DAY, 0.1],
    [1, 3 * DAY, 0.1],
  ])('loses by a burn of %d that lasts %d ms a share of %d of 30 days', (rate, lasts, share) => {
    expect(shareBurned(rate, lasts, 30 * DAY)).toBeCloseTo(share, 12);
  });

  it('lasts 50 h at a burn of 14.4, which is two days and not two hours', () => {
    // 30 d * 24 h / 14.4 = 50 h.
    expect((exhaustedInMs(1, 14.4, 30 * DAY) ?? 0) / HOUR).toBeCloseTo(50, 9);
    expect((exhaustedInMs(0.5, 14.4, 30 * DAY) ?? 0) / HOUR).toBeCloseTo(25, 9);
  });

  it('that does not burn or is spent has no time of exhaustion', () => {
    expect(exhaustedInMs(1, 0, DAY)).toBeUndefined();
    expect(exhaustedInMs(0, 1, DAY)).toBeUndefined();
    expect(exhaustedInMs(-1, 1, DAY)).toBeUndefined();
  });

  it.each([
    [0.76, 'plenty'],
    [0.75, 'good'],
    [0.5, 'low'],
    [0.25, 'critical'],
    [0, 'spent'],
    [-1, 'spent'],
  ])('with %d left is called %s', (remaining, bucket) => {
    expect(bucketOf(remaining)).toBe(bucket);
  });
});

describe('what a deployment burned', () => {
  it('is what failed beyond what failed before it', () => {
    // 10,000 events while it was watched, 60 bad; before it 1 in 1,000 failed, so 10 would have anyway.
    // 50 of the 1,000 that may fail in the month: 5 %.
    const burned = attributedBurn({ target: 0.999, errorRatio: 0.006, errorRatioBefore: 0.001, share: 0.01 });
    expect(burned).toBeCloseTo(0.05, 9);
  });

  it('is negative when it mended something', () => {
    expect(attributedBurn({ target: 0.9, errorRatio: 0, errorRatioBefore: 0.1, share: 0.1 })).toBeCloseTo(-0.1, 9);
  });
});

describe('what the next deployment is expected to cost', () => {
  it('is the chance of a failure times what failures cost', () => {
    // (4 + 1.5) / (30 + 10) = 13.75 %; the median of 1, 6, 8 and 30 % is 7 %; 0.9625 % together.
    const cost = expectedCost({ deployments: 30, failures: 4, burns: [0.3, 0.01, 0.08, 0.06] });
    expect(cost.failureProbability).toBeCloseTo(0.1375, 12);
    expect(cost.costOfFailure).toBeCloseTo(0.07, 12);
    expect(cost.cost).toBeCloseTo(0.009625, 12);
  });

  it('without history is 15 % of 2 %', () => {
    expect(expectedCost({ deployments: 0, failures: 0, burns: [] }).cost).toBeCloseTo(0.003, 12);
    expect(expectedCost({ deployments: 0, failures: 0, burns: [0.001] }).costOfFailure).toBe(0.02);
  });
});

describe('the pairs of burn windows', () => {
  const pairs = (kind: 'ratio' | 'sloth' | 'pyrra', days: number) => {
    const measure = {
      ratio: objective().measure,
      sloth: { kind: 'sloth', id: 'x' },
      pyrra: { kind: 'pyrra', labels: { slo: 'x' } },
    }[kind] as ReturnType<typeof objective>['measure'];
    return burnPairs({ measure }, days * DAY).map(({ factor, longMs, shortMs }) => [
      factor,
      longMs / MINUTE,
      shortMs / MINUTE,
    ]);
  };

  it('for 30 days are those of the SRE workbook', () => {
    expect(pairs('ratio', 30)).toEqual([
      [14.4, 60, 5],
      [6, 360, 30],
      [3, 1440, 120],
      [1, 4320, 360],
    ]);
  });

  it('for 7 days are shorter by as much', () => {
    // 60 * 7 / 30 = 14 min; 14.4 * 14 min / 7 d is still 2 % of the budget.
    expect(pairs('ratio', 7)).toEqual([
      [14.4, 14, 1],
      [6, 84, 7],
      [3, 336, 28],
      [1, 1008, 84],
    ]);
  });

  it('of Sloth keep their windows and change the factor', () => {
    // 2 % of 28 d in 1 h: 0.02 * 28 * 24 = 13.44.
    expect(pairs('sloth', 28).map(([factor]) => factor)).toEqual([13.44, 5.6, 2.8, 0.933333333333]);
    expect(pairs('sloth', 28)[0]?.[1]).toBe(60);
  });

  it('of Pyrra are its own, for 28 days and scaled', () => {
    expect(pairs('pyrra', 28)).toEqual([
      [14, 60, 5],
      [7, 360, 30],
      [2, 1440, 120],
      [1, 5760, 360],
    ]);
    expect(pairs('pyrra', 30)[0]).toEqual([14, 64, 5]);
  });
});

describe("Wilson's lower bound", () => {
  it('of 1 failure in 20 is 1.1 %, not 5 %', () => {
    // z = 1.645: (0.05 + 2.706/40 - 1.645 * sqrt(0.05*0.95/20 + 2.706/1600)) / (1 + 2.706/20)
    //          = (0.11765 - 0.10489) / 1.1353 = 0.0112
    expect(wilsonLowerBound(1 / 20, 20, 0.95)).toBeCloseTo(0.0112, 3);
  });

  it('of 50,000 in 1,000,000 is as good as the share', () => {
    expect(wilsonLowerBound(0.05, 1_000_000, 0.95)).toBeCloseTo(0.05, 3);
  });

  it('of nothing is nothing', () => {
    expect(wilsonLowerBound(1, 0, 0.95)).toBe(0);
  });

  it.each([
    [0.9, 1.281552],
    [0.95, 1.644854],
    [0.99, 2.326348],
  ])('rests on the quantile of %d', (p, z) => {
    expect(Math.abs(normalQuantile(p) - z)).toBeLessThan(4.5e-4);
  });
});

const share = fc.double({ min: 0, max: 1, noNaN: true });
const target = fc.double({ min: 0.5, max: 0.9999, noNaN: true });

describe('whatever the figures', () => {
  it('no more is left than everything, and more bad events leave less', () => {
    fc.assert(
      fc.property(target, share, share, share, (goal, a, b, part) => {
        const [less, more] = [Math.min(a, b), Math.max(a, b)];
        expect(remainingBudget(goal, a, part)).toBeLessThanOrEqual(1);
        expect(remainingBudget(goal, more, part)).toBeLessThanOrEqual(remainingBudget(goal, less, part));
        expect(burnRate(goal, more)).toBeGreaterThanOrEqual(burnRate(goal, less));
      }),
    );
  });

  it("Wilson's bound lies between nothing and the share, and grows with the number of events", () => {
    const confidence = fc.double({ min: 0.55, max: 0.999, noNaN: true });
    fc.assert(
      fc.property(share, fc.integer({ min: 1, max: 1e9 }), confidence, (seen, events, sure) => {
        const bound = wilsonLowerBound(seen, events, sure);
        expect(bound).toBeGreaterThanOrEqual(0);
        expect(bound).toBeLessThanOrEqual(seen);
        expect(wilsonLowerBound(seen, events * 2, sure)).toBeGreaterThanOrEqual(bound - 1e-9);
      }),
    );
  });

  it('a deployment that is worse than what ran before costs something', () => {
    fc.assert(
      fc.property(target, share, share, share, (goal, errorRatio, errorRatioBefore, part) => {
        const burned = attributedBurn({ target: goal, errorRatio, errorRatioBefore, share: part });
        // Below 1e-300 the difference of two numbers can be lost.
        if (errorRatio > errorRatioBefore) expect(burned).toBeGreaterThanOrEqual(0);
        else expect(burned).toBeLessThanOrEqual(0);
      }),
    );
  });
});
