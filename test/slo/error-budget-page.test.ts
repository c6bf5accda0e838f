import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { burnPairs } from '../../src/slo/budget-pairs.ts';
import { sayShare } from '../../src/slo/budget-policy.ts';
import { wilsonLowerBound } from '../../src/slo/budget-wilson.ts';
import {
  attributedBurn,
  burnRate,
  exhaustedInMs,
  expectedCost,
  remainingBudget,
  shareBurned,
} from '../../src/slo/error-budget.ts';
import { DAY, HOUR, objective } from '../support/budgets.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/error-budget.md'), 'utf8').replace(/\s+/g, ' ');
const W = 30 * DAY;

describe('the page about error budgets', () => {
  const cost = expectedCost({ deployments: 30, failures: 4, burns: [0.01, 0.06, 0.08, 0.3] });
  const slices = (30 * DAY) / (5 * 60_000);

  it.each([
    ['what is left', `250 failed | remaining 1 - 250 / 1,000 = ${sayShare(remainingBudget(0.999, 250 / 1e6))}`],
    ['what is overspent', `2,000 failed | remaining ${sayShare(remainingBudget(0.999, 2000 / 1e6))}`],
    [
      'a burn',
      `burn 0.0144 / 0.001 = ${Number(burnRate(0.999, 0.0144).toFixed(6))}, took ${sayShare(shareBurned(14.4, HOUR, W))}`,
    ],
    ['how long the whole lasts', `720 / 14.4 = ${Math.round((exhaustedInMs(1, 14.4, W) ?? 0) / HOUR)} h`],
    ['how long the rest lasts', `0.75 x 720 / 14.4 = ${((exhaustedInMs(0.75, 14.4, W) ?? 0) / HOUR).toFixed(1)} h`],
    [
      'what a deployment burned',
      `(60 - 10) / 1,000 = ${sayShare(attributedBurn({ target: 0.999, errorRatio: 0.006, errorRatioBefore: 0.001, share: 0.01 }))}`,
    ],
    ['what the next one costs', `x ${sayShare(cost.costOfFailure)} = ${sayShare(cost.cost)}`],
    ['occurrences', `= 0.686 % | ${(100 * remainingBudget(0.99, 6_000 / 874_800)).toFixed(1)} %`],
    ['timeslices', `= 0.139 % | ${(100 * remainingBudget(0.99, 12 / slices)).toFixed(1)} %`],
    ['the mean of ratios', `= 0.069 % | ${(100 * remainingBudget(0.99, (12 * 0.5) / slices)).toFixed(1)} %`],
    ['a calendar by events', `31 days before, ${sayShare(remainingBudget(0.999, 100 / 20_000, 20_000 / 1e6))} is left`],
    ['a calendar by time', `/ 0.001 = ${(100 - 100 * remainingBudget(0.999, 0.01, 0.5 / 31)).toFixed(1)} %`],
    ["Wilson's bound", `For 1 of 20 it is ${(100 * wilsonLowerBound(1 / 20, 20, 0.95)).toFixed(1)} %`],
    ['the pairs for 7 days', `(7 d: ${(burnPairs(objective(), 7 * DAY)[0]?.longMs ?? 0) / 60_000} min and 1 min)`],
    ["Sloth's factor for 28 days", `(28 d: ${burnPairs({ measure: { kind: 'sloth', id: '' } }, 28 * DAY)[0]?.factor})`],
  ])('says %s as it is computed', (_what, said) => {
    expect(page).toContain(said);
  });
});
