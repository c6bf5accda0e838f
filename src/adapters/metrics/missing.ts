import type { Reading, SeriesReading } from './metrics-source.ts';

const MAX_NAMED = 3;
const MAX_NAME = 150;

type Missed = Extract<Reading, { ok: false }>;

/** A number that is none: `NaN`, or infinite. */
export function notANumber(text: string): Missed {
  return { ok: false, missing: 'not-a-number', message: `the query gives ${text}, for example by a division by zero` };
}

/** More than one value, three of them named; `what` they are in the plural, and the remedy. */
export function severalValues(what: string, names: readonly string[], remedy: string): Missed {
  const named = names
    .slice(0, MAX_NAMED)
    .map((name) => (name.length > MAX_NAME ? `${name.slice(0, MAX_NAME)}...` : name));
  const more = names.length > MAX_NAMED ? ', ...' : '';
  const message = `the query gives ${names.length} ${what} (${named.join(', ')}${more}): ${remedy}`;
  return { ok: false, missing: 'several-values', message };
}

export function noData(message = 'the query gives no data'): Missed {
  return { ok: false, missing: 'no-data', message };
}

/** A value of a JSON answer, where `null` means that there is none; `undefined` when it is neither. */
export function jsonNumber(value: unknown): Reading | undefined {
  if (value === null) return noData();
  if (typeof value !== 'number') return undefined;
  return Number.isFinite(value) ? { ok: true, value } : notANumber(String(value));
}

/** Points of a JSON answer without its gaps (`null`); `undefined` when something in it is no number. */
export function jsonSeries(values: readonly unknown[]): SeriesReading | undefined {
  const there = values.filter((value) => value !== null);
  const points = there.filter((value): value is number => typeof value === 'number');
  if (points.length < there.length) return undefined;
  if (points.length === 0) return noData();
  const odd = points.find((point) => !Number.isFinite(point));
  return odd === undefined ? { ok: true, points } : notANumber(String(odd));
}
