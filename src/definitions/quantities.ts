import Type from 'typebox';
import { parseDuration } from '../base/duration.ts';

/** Longest period that anything in a definition may ask for: a year and a day. */
const MAX_DURATION_MS = 366 * 86_400_000;

/** `30m`, `1h30m`, `90s`; more than nothing, at most 366 days. */
export const Duration = Type.String({
  format: 'duration-text',
  description: 'a duration such as 30s, 15m, 1h30m or 7d',
});

/** `20%` or `0.2`. */
export const Ratio = Type.Union(
  [Type.Number({ minimum: 0, maximum: 1 }), Type.String({ pattern: '^(100(\\.0+)?|\\d{1,2}(\\.\\d+)?) ?%$' })],
  { description: 'a share such as 20% or 0.2' },
);

/** The milliseconds of a duration within the limits, or `undefined`. */
export function durationMs(text: string): number | undefined {
  const ms = parseDuration(text);
  return ms === undefined || ms <= 0 || ms > MAX_DURATION_MS ? undefined : ms;
}

/** For text that the schema has accepted. */
export function toMs(duration: string): number {
  return durationMs(duration) ?? Number.NaN;
}

/** 0..1 of a ratio that the schema has accepted. */
export function toRatio(ratio: number | string): number {
  if (typeof ratio === 'number') return ratio;
  // 99.9 / 100 is not the number that 0.999 is; fifteen digits are.
  return Number((Number(ratio.replace('%', '').trim()) / 100).toPrecision(15));
}
