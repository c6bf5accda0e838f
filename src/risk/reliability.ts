import type { Outcome } from './deployments.ts';

/** One bucket of predictions that were alike. */
export interface ReliabilityBucket {
  /** Of the predicted chance, 0..1; the last bucket includes its end. */
  from: number;
  to: number;
  count: number;
  failures: number;
  /** What was predicted on average, and what came true. */
  predicted: number;
  observed: number;
  /** 95 % interval of what came true (Wilson). */
  low: number;
  high: number;
}

export interface Calibration {
  count: number;
  failures: number;
  /** Share that failed. */
  baseRate: number;
  /** Mean squared error of the predicted chance: 0 is perfect. */
  brier: number;
  /** The same of somebody who always says the base rate. */
  brierOfBaseRate: number;
  /** 1 - brier / brierOfBaseRate; above 0 the prediction is worth something. `null`: nothing, or everything, failed. */
  skill: number | null;
  logLoss: number;
  reliability: ReliabilityBucket[];
}

/** Narrow where most changes are; the levels' own limits are among them. */
const EDGES = [0, 0.05, 0.1, 0.15, 0.25, 0.5, 1];
/** Of the normal distribution, for 95 %. */
const Z = 1.959963984540054;

type Judged = Pick<Outcome, 'probability' | 'failed'>;

/** How well predictions came true; `undefined` without any. */
export function calibrationOf(outcomes: readonly Judged[]): Calibration | undefined {
  const count = outcomes.length;
  if (count === 0) return undefined;
  const failures = failuresIn(outcomes);
  const baseRate = failures / count;
  const brier = mean(outcomes.map(({ probability, failed }) => (probability - Number(failed)) ** 2));
  const brierOfBaseRate = baseRate * (1 - baseRate);
  return {
    count,
    failures,
    baseRate,
    brier,
    brierOfBaseRate,
    skill: brierOfBaseRate === 0 ? null : 1 - brier / brierOfBaseRate,
    logLoss: logLoss(outcomes),
    reliability: EDGES.slice(0, -1).flatMap((from, at) => bucket(outcomes, from, EDGES[at + 1] ?? 1)),
  };
}

/** Mean of -ln(chance given to what came true). */
export function logLoss(outcomes: readonly Judged[]): number {
  return mean(outcomes.map(({ probability, failed }) => -Math.log(failed ? probability : 1 - probability)));
}

/**
 * The Wilson score interval of a share, which stays within 0..1 and means something for few cases too
 * (Wilson, JASA 22, 1927).
 */
export function wilson(successes: number, count: number, z: number = Z): { low: number; high: number } {
  const share = successes / count;
  const scale = 1 + z ** 2 / count;
  const middle = (share + z ** 2 / (2 * count)) / scale;
  const half = (z / scale) * Math.sqrt((share * (1 - share)) / count + z ** 2 / (4 * count ** 2));
  return { low: Math.max(0, middle - half), high: Math.min(1, middle + half) };
}

function bucket(outcomes: readonly Judged[], from: number, to: number): ReliabilityBucket[] {
  const inside = outcomes.filter(({ probability: p }) => p >= from && (p < to || (to === 1 && p === 1)));
  if (inside.length === 0) return [];
  const failures = failuresIn(inside);
  return [
    {
      from,
      to,
      count: inside.length,
      failures,
      predicted: mean(inside.map(({ probability }) => probability)),
      observed: failures / inside.length,
      ...wilson(failures, inside.length),
    },
  ];
}

function failuresIn(outcomes: readonly Judged[]): number {
  return outcomes.filter(({ failed }) => failed).length;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
