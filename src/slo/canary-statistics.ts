export interface Summary {
  min: number;
  max: number;
  mean: number;
  /** Of the sample: divided by count - 1. */
  std: number;
  count: number;
}

export type EffectSizeMeasure = 'meanRatio' | 'cles';

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** All zero without values, as Kayenta reports it. */
export function summarise(values: readonly number[]): Summary {
  const count = values.length;
  if (count === 0) return { min: 0, max: 0, mean: 0, std: 0, count };
  const middle = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - middle) ** 2, 0);
  const std = count > 1 ? Math.sqrt(squares / (count - 1)) : 0;
  const [min, max] = values.reduce(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  );
  return { min, max, mean: middle, std, count };
}

/**
 * Experiment's mean over the control's. Undefined where such a ratio says nothing: with a mean of 0, and, unless
 * `signed`, with a negative one, where twice as much is less.
 */
export function meanRatio(
  control: readonly number[],
  experiment: readonly number[],
  signed = false,
): number | undefined {
  const [of, to] = [mean(experiment), mean(control)];
  const says = signed ? of !== 0 && to !== 0 : of > 0 && to > 0;
  return says && Number.isFinite(of / to) ? of / to : undefined;
}

/** Linear between the neighbours (R's type 7); `share` from 0 to 1. */
function quantile(sorted: readonly number[], share: number): number {
  const at = (sorted.length - 1) * share;
  const [low, high] = [sorted[Math.floor(at)] ?? 0, sorted[Math.ceil(at)] ?? 0];
  return low + (high - low) * (at - Math.floor(at));
}

/**
 * Drops what lies more than `factor` interquartile ranges outside the quartiles (Tukey), but nothing between the 1st
 * and the 99th percentile: values that are nearly all the same would lose every other one.
 */
export function withoutOutliers(values: readonly number[], factor: number): number[] {
  const sorted = values.toSorted((one, other) => one - other);
  const [first, third] = [quantile(sorted, 0.25), quantile(sorted, 0.75)];
  const reach = factor * (third - first);
  const lowest = Math.min(quantile(sorted, 0.01), first - reach);
  const highest = Math.max(quantile(sorted, 0.99), third + reach);
  return values.filter((value) => value >= lowest && value <= highest);
}
