import { type EffectSizeMeasure, meanRatio } from './canary-statistics.ts';
import { type MannWhitney, mannWhitney } from './mann-whitney.ts';

export interface ComparisonCriteria {
  failOn: 'increase' | 'decrease' | 'either';
  /** Of the interval, 0 < confidence < 1. */
  confidence: number;
  /** Share of the estimate that the interval must stay away from zero. */
  tolerance: number;
  effectSizeMeasure: EffectSizeMeasure;
  /** A difference of less effect than this is let pass; without it every difference counts. */
  allowedIncrease?: number | undefined;
  allowedDecrease?: number | undefined;
}

export interface Comparison {
  classification: 'Pass' | 'High' | 'Low';
  test: MannWhitney;
  /** Absent: the means do not allow a ratio. Then it limits nothing. */
  effectSize?: number;
  /** The control never moves, so the interval says nothing; the ranks decided. */
  byRanks?: boolean;
}

export interface ComparisonRules {
  /** As NetflixACAJudge computes, to the digit; without it what that one overlooks counts as well. */
  asKayenta: boolean;
}

/** Kayenta searches roots to 1e-4 whatever the unit: too coarse for seconds and error rates. */
const FINEST_SHARE = 1e-6;
const KAYENTA_TOLERANCE = 1e-4;

/** Compares two groups of finite values; undefined when one is empty or the values lie too far apart to subtract. */
export function compareGroups(
  control: readonly number[],
  experiment: readonly number[],
  criteria: ComparisonCriteria,
  { asKayenta }: ComparisonRules,
): Comparison | undefined {
  const test = mannWhitney(experiment, control, {
    confidence: criteria.confidence,
    correctedEstimate: asKayenta,
    tolerance: asKayenta ? KAYENTA_TOLERANCE : fineTolerance(control, experiment),
  });
  if (test === undefined) return undefined;
  const effectSize =
    criteria.effectSizeMeasure === 'cles' ? test.superiority : meanRatio(control, experiment, asKayenta);
  const facts = { test, ...(effectSize === undefined ? {} : { effectSize }) };
  const moved = movedTo(test, criteria.tolerance);
  if (counts(moved, effectSize, criteria)) return { ...facts, classification: moved };
  if (moved !== 'Pass' || asKayenta || !control.every((value) => value === control[0])) {
    return { ...facts, classification: 'Pass' };
  }
  const ranked = movedByRanks(test, criteria.confidence);
  return counts(ranked, effectSize, criteria)
    ? { ...facts, classification: ranked, byRanks: true }
    : { ...facts, classification: 'Pass' };
}

function fineTolerance(control: readonly number[], experiment: readonly number[]): number {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const group of [control, experiment])
    for (const value of group) [low, high] = [Math.min(low, value), Math.max(high, value)];
  return Math.min(KAYENTA_TOLERANCE, (high - low) * FINEST_SHARE);
}

/** The whole interval lies on one side of zero, and away from it by a share of the estimate. */
function movedTo({ lower, upper, estimate }: MannWhitney, tolerance: number): Comparison['classification'] {
  const margin = tolerance * Math.abs(estimate);
  if (lower > margin) return 'High';
  return upper < -margin ? 'Low' : 'Pass';
}

/**
 * Against a control that never moves (no errors at all, say) most of an experiment may be equal to it: the typical
 * difference is then zero, and the interval too, however bad the rest is. The test itself still tells.
 */
function movedByRanks({ pValue, superiority }: MannWhitney, confidence: number): Comparison['classification'] {
  if (pValue >= 1 - confidence) return 'Pass';
  return superiority > 0.5 ? 'High' : 'Low';
}

function counts(
  moved: Comparison['classification'],
  effectSize: number | undefined,
  { failOn, allowedIncrease, allowedDecrease }: ComparisonCriteria,
): boolean {
  if (moved === 'High') return failOn !== 'decrease' && reaches('High', effectSize, allowedIncrease);
  return moved === 'Low' && failOn !== 'increase' && reaches('Low', effectSize, allowedDecrease);
}

/** Whether an effect is as large as a limit; an effect that cannot be computed is taken to be. */
export function reaches(moved: 'High' | 'Low', effectSize: number | undefined, limit: number | undefined): boolean {
  if (effectSize === undefined || limit === undefined) return true;
  return moved === 'High' ? effectSize >= limit : effectSize <= limit;
}
