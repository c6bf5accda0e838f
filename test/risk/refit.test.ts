import { describe, expect, it } from 'vitest';
import type { RiskSignalKey } from '../../src/definitions/delivery-risk.ts';
import type { Outcome } from '../../src/risk/deployments.ts';
import { defaultModel, raises, SIGNAL_KEYS, sigmoid, toLogit } from '../../src/risk/model.ts';
import { predictedBy, refit } from '../../src/risk/refit.ts';
import { calibrationOf } from '../../src/risk/reliability.ts';

const NOW = new Date('2026-06-01T00:00:00Z');
const DAY = 86_400_000;

/** Numbers that look random and are the same every time (mulberry32). */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Truth {
  intercept: number;
  coefficients: Partial<Record<RiskSignalKey, number>>;
}

const SEEN: readonly RiskSignalKey[] = ['size', 'diffusion', 'sensitivePaths', 'time', 'alerts'];

/** Deployments of a world where these coefficients are true, one every few hours until now. */
function world(truth: Truth, count: number, seed = 1): Outcome[] {
  const roll = dice(seed);
  return Array.from({ length: count }, (_, at): Outcome => {
    const strengths = Object.fromEntries(
      SEEN.map((key) => [key, key === 'size' || key === 'diffusion' ? roll() : roll() < 0.3 ? 1 : 0]),
    );
    const base = toLogit(0.15);
    const logit = SEEN.reduce(
      (sum, key) => sum + (truth.coefficients[key] ?? 0) * (strengths[key] ?? 0),
      base + truth.intercept,
    );
    const outcome = {
      base,
      strengths,
      failed: roll() < sigmoid(logit),
      at: new Date(NOW.getTime() - (count - at) * (170 / count) * DAY).toISOString(),
      probability: 0.5,
    };
    return predictedBy(defaultModel, outcome);
  });
}

/** Alerts mean much more here than by default, the time means nothing, and all in all less fails. */
const TRUTH: Truth = {
  intercept: -1.2,
  coefficients: { size: 0.4, diffusion: 0.5, sensitivePaths: 0.7, time: 0, alerts: 2.5 },
};

describe('a model that is refit to what became of deployments', () => {
  it.each([1, 2, 3])('moves towards what is true, and predicts better what it has not seen (world %i)', (seed) => {
    const { model, why, heldOut } = refit(world(TRUTH, 1000, seed), NOW);
    expect(why).toMatch(/^fitted to 1000 outcomes: better on the newest 250/);
    expect(model).toMatchObject({ origin: 'fitted', outcomes: 1000 });
    const wrongBy = (at: typeof model) =>
      Math.hypot(
        at.intercept - TRUTH.intercept,
        ...SEEN.map((key) => at.coefficients[key] - (TRUTH.coefficients[key] ?? 0)),
      );
    expect(wrongBy(model)).toBeLessThan(wrongBy(defaultModel) / 2);
    expect(heldOut?.logLossOfFit).toBeLessThan(heldOut?.logLossOfDefault ?? 0);
    const unseen = world(TRUTH, 2000, seed + 100);
    const brier = (with_: typeof model) => calibrationOf(unseen.map((one) => predictedBy(with_, one)))?.brier ?? 1;
    expect(brier(model)).toBeLessThan(brier(defaultModel));
  });

  it('keeps what it never saw, and lets no signal turn against its direction', () => {
    const { model } = refit(world({ ...TRUTH, coefficients: { ...TRUTH.coefficients, time: -3 } }, 1000), NOW);
    expect(model.origin).toBe('fitted');
    expect(model.coefficients.time).toBe(0);
    expect(model.coefficients.rollback).toBe(defaultModel.coefficients.rollback);
    expect(SIGNAL_KEYS.filter((key) => model.coefficients[key] * (raises(key) ? 1 : -1) < 0)).toEqual([]);
  });

  it('is the same for the same outcomes, in whatever order they come', () => {
    const outcomes = world(TRUTH, 300);
    expect(refit(outcomes.toReversed(), NOW)).toEqual(refit(outcomes, NOW));
  });

  it('is not used where it is no better, and says so', () => {
    // What was true for the older three quarters is the opposite of what is true now.
    const outcomes = world({ intercept: 2, coefficients: {} }, 400).map((outcome, at) =>
      at < 300 ? outcome : { ...outcome, failed: at % 10 === 0 },
    );
    const { model, why } = refit(outcomes, NOW);
    expect(model).toBe(defaultModel);
    expect(why).toMatch(/^the defaults are used: the fit is no better on the newest 100 outcomes \(log-loss /);
  });

  it('needs a hundred outcomes of 180 days, and five of each kind', () => {
    const outcomes = world(TRUTH, 120);
    expect(refit(outcomes.slice(0, 99), NOW).why).toBe(
      'the defaults are used: 99 outcomes in 180 days, 100 are needed',
    );
    expect(refit(outcomes, new Date(NOW.getTime() + 90 * DAY)).why).toMatch(/outcomes in 180 days, 100 are needed/);
    expect(
      refit(
        outcomes.map((one) => ({ ...one, failed: false })),
        NOW,
      ).why,
    ).toBe('the defaults are used: 0 of 120 failed, at least 5 of each kind are needed');
    expect(refit([], NOW).model).toBe(defaultModel);
  });
});
