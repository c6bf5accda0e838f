import { type Comparison, compareGroups, reaches } from './canary-comparison.ts';
import { type EffectSizeMeasure, withoutOutliers } from './canary-statistics.ts';

/** How an objective compares an experiment with a control group that is measured at the same time. */
export interface ControlCriteria {
  failOn: 'increase' | 'decrease' | 'either';
  /** Of the test, 0 < confidence < 1; 0.98 is usual. */
  confidence: number;
  effectSizeMeasure: EffectSizeMeasure;
  /** A significant increase of less effect than this passes, e.g. 1.1 for a mean that is 10 % higher. */
  allowedIncrease?: number;
  /** A significant decrease of less effect than this passes, e.g. 0.9. */
  allowedDecrease?: number;
  /** From this effect on a failed critical objective decides alone; without it always. */
  criticalIncrease?: number;
  criticalDecrease?: number;
  /** A failure decides alone, like a key objective. */
  critical: boolean;
  onNoData: 'fail' | 'ignore';
  /** The interval must stay away from zero by this share of the estimate. Default 0.25. */
  tolerance?: number;
  /** Drops values this many interquartile ranges outside the quartiles. Without it none. */
  outlierFactor?: number;
}

export interface ControlVerdict {
  /** `Nodata`: could not be judged, and so is never a pass. */
  classification: 'Pass' | 'High' | 'Low' | 'Nodata';
  /** It did not pass, and that decides alone. */
  critical: boolean;
  reason: string;
  effectSize?: number;
  /** Confidence interval of how far the experiment lies above the control, in the metric's unit. */
  lower?: number;
  upper?: number;
  estimate?: number;
  pValue?: number;
}

const DEFAULT_TOLERANCE = 0.25;

/**
 * Judges one metric by comparing two groups with a Mann-Whitney test. NaN counts as no value; an infinite value
 * cannot be judged.
 */
export function judgeControl(
  control: readonly number[],
  experiment: readonly number[],
  criteria: ControlCriteria,
): ControlVerdict {
  const groups = { control: usable(control, criteria), experiment: usable(experiment, criteria) };
  const noData = (reason: string): ControlVerdict => ({
    classification: 'Nodata',
    critical: criteria.critical,
    reason,
  });
  for (const [name, { length, infinite }] of Object.entries(groups)) {
    if (infinite) return noData(`The ${name} has infinite values, which cannot be compared.`);
    if (length === 0) return noData(`The ${name} has no values.`);
  }
  const [ofControl, ofExperiment] = [groups.control.values, groups.experiment.values];
  const comparison = compareGroups(
    ofControl,
    ofExperiment,
    { ...criteria, tolerance: criteria.tolerance ?? DEFAULT_TOLERANCE },
    { asKayenta: false },
  );
  if (comparison === undefined) return noData('The values lie too far apart to be compared.');
  const { estimate, lower, upper, pValue } = comparison.test;
  return {
    classification: comparison.classification,
    critical: isCritical(comparison, criteria),
    reason: say(comparison, criteria, ofControl.length, ofExperiment.length),
    ...(comparison.effectSize === undefined ? {} : { effectSize: comparison.effectSize }),
    lower,
    upper,
    estimate,
    pValue,
  };
}

function usable(
  values: readonly number[],
  { outlierFactor }: ControlCriteria,
): { values: number[]; length: number; infinite: boolean } {
  const numbers = values.filter((value) => !Number.isNaN(value));
  const infinite = numbers.some((value) => !Number.isFinite(value));
  const kept = outlierFactor === undefined || infinite ? numbers : withoutOutliers(numbers, outlierFactor);
  return { values: kept, length: kept.length, infinite };
}

function isCritical({ classification, effectSize }: Comparison, criteria: ControlCriteria): boolean {
  if (!criteria.critical || classification === 'Pass') return false;
  const limit = classification === 'High' ? criteria.criticalIncrease : criteria.criticalDecrease;
  return reaches(classification, effectSize, limit);
}

function say(comparison: Comparison, criteria: ControlCriteria, ofControl: number, ofExperiment: number): string {
  const { classification, test, effectSize, byRanks } = comparison;
  const percent = `${Number((criteria.confidence * 100).toPrecision(6))} %`;
  const interval = `${short(test.lower)} to ${short(test.upper)} at ${percent} confidence`;
  const effect = effectSize === undefined ? '' : `, ${sayEffect(effectSize, criteria.effectSizeMeasure)}`;
  const against = `${ofExperiment} values against ${ofControl}`;
  if (byRanks === true) {
    const side = classification === 'High' ? 'higher' : 'lower';
    return `The control never moves, and the experiment is ${side} too often for chance (p ${short(test.pValue)}; ${against}).`;
  }
  const figures = `by ${short(test.estimate)} (${interval}${effect}; ${against})`;
  if (classification === 'High') return `The experiment lies above the control ${figures}.`;
  if (classification === 'Low') return `The experiment lies below the control ${figures}.`;
  const least = tooFew(ofControl, ofExperiment, criteria.confidence)
    ? ` So few values prove nothing at ${percent} confidence.`
    : '';
  return `No difference that counts: the experiment differs ${figures}.${least}`;
}

function sayEffect(effectSize: number, measure: EffectSizeMeasure): string {
  return measure === 'cles'
    ? `higher in ${short(100 * effectSize)} % of the pairs`
    : `${short(effectSize)} times the control's mean`;
}

function short(value: number): string {
  return `${Number(value.toPrecision(4))}`;
}

/** Even samples without any overlap have a two-sided probability of 2 / (n + m choose n) by chance. */
function tooFew(n: number, m: number, confidence: number): boolean {
  let arrangements = 1;
  for (let at = 1; at <= Math.min(n, m); at++) arrangements *= (Math.max(n, m) + at) / at;
  return 2 / arrangements > 1 - confidence;
}
