import { normalProbability, normalQuantile } from './normal-distribution.ts';
import { findRoot } from './root-search.ts';

export interface MannWhitneyOptions {
  /** Of the interval, 0 < confidence < 1. Default 0.95. */
  confidence?: number;
  /** How exactly estimate and interval are searched for, in the samples' unit. Default 1e-4, as R's `tol.root`. */
  tolerance?: number;
  /** Continuity correction in the estimate, as Kayenta has it; R corrects the interval only. Default false. */
  correctedEstimate?: boolean;
}

export interface MannWhitney {
  /** Hodges-Lehmann estimate of how far the first sample lies above the second. */
  estimate: number;
  /** Confidence interval of the estimate. */
  lower: number;
  upper: number;
  /** Two-sided, normal approximation with continuity correction. */
  pValue: number;
  /** R's W: pairs in which the first sample is greater, ties counted half. */
  statistic: number;
  /** Statistic per pair: 0.5 when neither tends to be greater (Vargha and Delaney's A). */
  superiority: number;
}

/**
 * Mann-Whitney U test (Wilcoxon rank sum) as R's `wilcox.test(x, y, conf.int = TRUE, exact = FALSE)`: estimate and
 * interval are the shifts at which the standardised statistic of the shifted first sample meets 0 and the quantiles.
 * Only finite values count. Undefined when a sample has none, or when they lie too far apart for a difference.
 */
export function mannWhitney(
  first: readonly number[],
  second: readonly number[],
  { confidence = 0.95, tolerance = 1e-4, correctedEstimate = false }: MannWhitneyOptions = {},
): MannWhitney | undefined {
  const [x, y] = [sampleOf(first), sampleOf(second)];
  const [lowest, highest] = shifts(x, y);
  if (lowest === undefined || highest === undefined || !Number.isFinite(highest - lowest)) return undefined;
  const unshifted = rank(x, y, 0);
  const facts = {
    pValue: pValueOf(standardise(unshifted, x.size, y.size, true)),
    statistic: unshifted.greater,
    superiority: unshifted.greater / (x.size * y.size),
  };
  // Both constant: the shift is known exactly, and the statistic has no variance there.
  if (lowest === highest) return { estimate: lowest, lower: lowest, upper: lowest, ...facts };
  const search = (quantile: number, corrected: boolean) => {
    const at = (shift: number) => standardise(rank(x, y, shift), x.size, y.size, corrected) - quantile;
    const [atFrom, atTo] = [at(lowest), at(highest)];
    if (atFrom <= 0) return lowest;
    if (atTo >= 0) return highest;
    return findRoot(at, { from: lowest, to: highest, atFrom, atTo }, tolerance);
  };
  const quantile = normalQuantile((1 - confidence) / 2);
  return {
    estimate: search(0, correctedEstimate),
    lower: search(-quantile, true),
    upper: search(quantile, true),
    ...facts,
  };
}

/** A sorted sample as its distinct values: most of what is measured repeats itself. */
interface Sample {
  size: number;
  values: Float64Array;
  /** How often each occurs, and how many lie below it. */
  counts: Float64Array;
  below: Float64Array;
  /** Sum of t^3 - t over the groups of t equal values. */
  ties: number;
}

function sampleOf(given: readonly number[]): Sample {
  const sorted = Float64Array.from(given.filter(Number.isFinite)).sort();
  const starts: number[] = [];
  for (let at = 0; at < sorted.length; at++) if (at === 0 || sorted[at] !== sorted[at - 1]) starts.push(at);
  const below = Float64Array.from(starts);
  const counts = below.map((start, group) => (below[group + 1] ?? sorted.length) - start);
  const values = below.map((start) => sorted[start] as number);
  return { size: sorted.length, values, counts, below, ties: counts.reduce((sum, count) => sum + tiesOf(count), 0) };
}

function tiesOf(equal: number): number {
  return equal * equal * equal - equal;
}

/** The smallest and the greatest difference between the samples: no estimate lies beyond. */
function shifts({ values: x }: Sample, { values: y }: Sample): [number?, number?] {
  const [xMin, xMax, yMin, yMax] = [x[0], x.at(-1), y[0], y.at(-1)];
  if (xMin === undefined || xMax === undefined || yMin === undefined || yMax === undefined) return [];
  return [xMin - yMax, xMax - yMin];
}

interface Ranked {
  /** Pairs in which `x - shift` is greater, ties counted half. */
  greater: number;
  /** Sum of t^3 - t over the groups of t equal values in both samples together. */
  ties: number;
}

/**
 * Ranks the shifted first sample against the second by merging them. Subtracting keeps the order, so nothing needs
 * sorting again, whatever the shift.
 */
function rank(x: Sample, y: Sample, shift: number): Ranked {
  let greater = 0;
  let ties = x.ties + y.ties;
  let at = 0;
  for (let group = 0; group < x.values.length; group++) {
    const value = (x.values[group] as number) - shift;
    const count = x.counts[group] as number;
    while (at < y.values.length && (y.values[at] as number) < value) at++;
    if (at === y.values.length) {
      greater += count * y.size;
      continue;
    }
    greater += count * (y.below[at] as number);
    if (y.values[at] !== value) continue;
    const equal = y.counts[at] as number;
    greater += (count * equal) / 2;
    ties += tiesOf(count + equal) - tiesOf(count) - tiesOf(equal);
  }
  return { greater, ties };
}

/** How many standard deviations the statistic lies from what equal distributions give; 0 when all are tied. */
function standardise({ greater, ties }: Ranked, n: number, m: number, corrected: boolean): number {
  const distance = greater - (n * m) / 2;
  const deviation = Math.sqrt(((n * m) / 12) * (n + m + 1 - ties / ((n + m) * (n + m - 1))));
  if (!(deviation > 0)) return 0;
  return (distance - (corrected ? Math.sign(distance) * 0.5 : 0)) / deviation;
}

function pValueOf(z: number): number {
  return Math.min(1, 2 * normalProbability(-Math.abs(z)));
}
