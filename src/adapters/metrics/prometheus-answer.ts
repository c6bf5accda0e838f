import { AdapterError } from '../../base/adapter-error.ts';
import { isJsonObject, type JsonObject } from '../../base/json.ts';
import type { Reading, SeriesReading } from './metrics-source.ts';
import { noData, notANumber, severalValues } from './missing.ts';

/** How Prometheus writes numbers; `NaN`, `+Inf` and `-Inf` are its other values. */
const NUMBER = /^[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i;

type Failed = Extract<Reading, { ok: false }>;
type Found = { found: JsonObject; failed?: never } | { failed: Failed };

/** Who answered and how its words are repeated, for messages; and whether what it warned of may be overlooked. */
export interface Answerer {
  who: string;
  quote(words: string): string;
  acceptWarnings: boolean;
}

/**
 * The one number of an instant query: a scalar, or a vector of exactly one series
 * (https://prometheus.io/docs/prometheus/latest/querying/api/#expression-query-result-formats).
 *
 * @throws {AdapterError} `unavailable`: only a part of the data; `bad-response`: no answer to a query
 */
export function toReading(body: unknown, answerer: Answerer): Reading {
  const data = dataOf(body, answerer);
  if (data.failed) return data.failed;
  const { resultType, result } = data.found;
  if (resultType === 'scalar') return toNumber(result, answerer);
  if (resultType === 'matrix' || resultType === 'string') {
    return { ok: false, missing: 'not-numeric', message: `the query gives a ${resultType}, not one number` };
  }
  const series = onlySeries(resultType === 'vector' ? result : undefined, answerer);
  if (series.failed) return series.failed;
  const { value, histogram } = series.found;
  return value === undefined && histogram !== undefined ? notOneNumber() : toNumber(value, answerer);
}

/** The points of a range query of exactly one series. NaN is a gap: there was nothing to measure. */
export function toSeries(body: unknown, answerer: Answerer): SeriesReading {
  const data = dataOf(body, answerer);
  if (data.failed) return data.failed;
  const series = onlySeries(data.found['resultType'] === 'matrix' ? data.found['result'] : undefined, answerer);
  if (series.failed) return series.failed;
  const { values, histograms } = series.found;
  if (values === undefined && histograms !== undefined) return notOneNumber();
  if (!Array.isArray(values)) throw badResponse(answerer, 'a series that is none');
  const readings = values.filter((sample) => textOf(sample) !== 'NaN').map((sample) => toNumber(sample, answerer));
  const failed = readings.find((reading) => !reading.ok);
  if (failed?.ok === false) return failed;
  const points = readings.flatMap((reading) => (reading.ok ? [reading.value] : []));
  return points.length === 0 ? notANumber('NaN') : { ok: true, points };
}

function dataOf(body: unknown, answerer: Answerer): Found {
  const data = isJsonObject(body) && body['status'] === 'success' ? body['data'] : undefined;
  if (!isJsonObject(body) || !isJsonObject(data)) throw badResponse(answerer, 'no result of a query');
  const failed = answerer.acceptWarnings ? undefined : doubtOf(body, answerer);
  return failed ? { failed } : { found: data };
}

/**
 * An answer without what some store did not deliver is wrong without looking wrong: Thanos says so in
 * `warnings`, VictoriaMetrics by `isPartial`. Warnings of the query engine itself begin with "PromQL".
 */
function doubtOf({ warnings, isPartial }: JsonObject, { who, quote }: Answerer): Failed | undefined {
  const said = Array.isArray(warnings) ? warnings.filter((one) => typeof one === 'string') : [];
  const partial = said.filter((one) => !/^PromQL (?:warning|info)/.test(one));
  if (isPartial === true || partial.length > 0) {
    const why = partial.length === 0 ? '' : `: ${quote(partial[0] ?? '')}`;
    throw new AdapterError('unavailable', `${who} answered with a part of the data only${why}`);
  }
  const doubt = said.find((one) => one.startsWith('PromQL warning'));
  return doubt === undefined ? undefined : { ok: false, missing: 'doubtful', message: quote(doubt) };
}

function onlySeries(result: unknown, answerer: Answerer): Found {
  if (!Array.isArray(result)) throw badResponse(answerer, 'an unknown type of result');
  const [series, second] = result;
  if (series === undefined) return { failed: noData() };
  if (second !== undefined) {
    return { failed: severalValues('series', result.map(labelsOf), 'aggregate them, for example with sum()') };
  }
  if (!isJsonObject(series)) throw badResponse(answerer, 'a series that is none');
  return { found: series };
}

function labelsOf(series: unknown): string {
  const labels = isJsonObject(series) && isJsonObject(series['metric']) ? Object.entries(series['metric']) : [];
  return `{${labels.map(([label, value]) => `${label}=${JSON.stringify(value)}`).join(', ')}}`;
}

function notOneNumber(): Failed {
  return { ok: false, missing: 'not-numeric', message: 'the query gives a histogram, not one number' };
}

function textOf(sample: unknown): unknown {
  return Array.isArray(sample) && sample.length === 2 ? sample[1] : undefined;
}

function toNumber(sample: unknown, answerer: Answerer): Reading {
  const text = textOf(sample);
  if (typeof text !== 'string') throw badResponse(answerer, 'a sample without a value');
  if (/^(?:NaN|[+-]?Inf)$/.test(text)) return notANumber(text);
  if (!NUMBER.test(text)) throw badResponse(answerer, 'a value that is not a number');
  const value = Number(text);
  return Number.isFinite(value) ? { ok: true, value } : notANumber(text.slice(0, 20));
}

function badResponse({ who }: Answerer, what: string): AdapterError {
  return new AdapterError('bad-response', `${who} answered ${what}: is its URL right?`);
}
