import type { Reading, SeriesReading } from './metrics-source.ts';
import { noData, severalValues } from './missing.ts';

/** More points than any comparison needs, and what keeps an answer small. */
const MAX_POINTS = 11_000;

/** The one number among the values of a column. */
export function onlyValue(values: readonly Reading[], remedy: string): Reading {
  const [only, second] = values;
  if (only === undefined) return noData();
  if (second === undefined) return only;
  const named = values.slice(0, 4).map((one) => (one.ok ? String(one.value) : 'none'));
  return severalValues('values', [...named, ...Array<string>(Math.max(0, values.length - 4)).fill('')], remedy);
}

/** The values as points: a gap is left out, anything else that is no number spoils them. */
export function toPoints(values: readonly Reading[]): SeriesReading {
  const spoilt = values.find((one) => !one.ok && one.missing !== 'no-data');
  if (spoilt !== undefined && !spoilt.ok) return spoilt;
  if (values.length > MAX_POINTS) {
    const message = `the query gives ${values.length} points, at most ${MAX_POINTS}: take a longer step`;
    return { ok: false, missing: 'several-values', message };
  }
  const points = values.flatMap((one) => (one.ok ? [one.value] : []));
  return points.length === 0 ? noData() : { ok: true, points };
}
