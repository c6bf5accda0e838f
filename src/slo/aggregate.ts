import type { Comparison } from './evaluation.ts';
import type { Indicator } from './indicator.ts';

const PERCENTILES = { p50: 0.5, p90: 0.9, p95: 0.95 } as const;

/** One number for several earlier values; `undefined` when there are none. */
export function aggregate(values: readonly number[], by: Comparison['aggregate']): number | undefined {
  if (values.length === 0) return undefined;
  if (by === 'zero') return 0;
  return by === 'avg' ? average(values) : percentile(values, PERCENTILES[by]);
}

function average(values: readonly number[]): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

/** Position p * (n + 1), counted from 1, with linear interpolation: Keptn's way, kept for its numbers. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const position = p * (sorted.length + 1);
  if (position < 1) return sorted[0] ?? 0;
  if (position >= sorted.length) return sorted.at(-1) ?? 0;
  const below = Math.floor(position);
  const lower = sorted[below - 1] ?? 0;
  return lower + (position - below) * ((sorted[below] ?? 0) - lower);
}

/** The answers of an indicator's sources as one number; without any it is no number, and never a pass. */
export function aggregateSources(
  { aggregation, better }: Pick<Indicator, 'aggregation' | 'better'>,
  values: readonly number[],
): number {
  // Math.max would give -Infinity for none, and a sum 0.
  if (values.length === 0 || values.some(Number.isNaN)) return Number.NaN;
  switch (aggregation) {
    case 'sum':
      return values.reduce((sum, value) => sum + value, 0);
    case 'avg':
      return average(values);
    case 'max':
      return Math.max(...values);
    case 'min':
      return Math.min(...values);
    case 'worst':
      return better === 'higher' ? Math.min(...values) : Math.max(...values);
  }
}
