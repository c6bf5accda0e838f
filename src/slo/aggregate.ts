import type { Slo } from './evaluation.ts';

const PERCENTILES = { p50: 0.5, p90: 0.9, p95: 0.95 } as const;

/** One number for several earlier values; `undefined` when there are none. */
export function aggregate(values: readonly number[], by: Slo['comparison']['aggregate']): number | undefined {
  if (values.length === 0) return undefined;
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
