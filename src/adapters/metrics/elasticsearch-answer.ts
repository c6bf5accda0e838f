import { AdapterError } from '../../base/adapter-error.ts';
import { isJsonObject, type Json, type JsonObject } from '../../base/json.ts';
import type { NumberPath } from './json-path.ts';
import type { Reading } from './metrics-source.ts';
import { noData, severalValues } from './missing.ts';
import { notNumeric, readJson, readText } from './numbers.ts';

const ONE_NUMBER = 'name the one that counts with "value", such as "$.aggregations.errors.value"';
const NUMERIC = /^(?:long|integer|short|byte|double|float|half_float|scaled_float|unsigned_long|counter_\w+)$/;

/**
 * The number of a search: the only aggregation, or how many documents were found. An answer that lacks
 * shards is none.
 *
 * @throws {AdapterError} `bad-response`, `unavailable` for a part of the data
 */
export function readSearch(
  body: unknown,
  { aggregates, pick }: { aggregates: boolean; pick: NumberPath | undefined },
  who: string,
): Reading {
  if (!isJsonObject(body) || !isJsonObject(body['_shards'])) throw badAnswer(who);
  const { failed } = body['_shards'];
  if (body['timed_out'] !== false || failed !== 0) {
    throw new AdapterError('unavailable', `${who} answered with a part of the data only`);
  }
  if (pick !== undefined) return pick(body);
  if (!aggregates) return readHits(body['hits'], who);
  if (!isJsonObject(body['aggregations'])) throw badAnswer(who);
  return readAggregation(body['aggregations']);
}

function readHits(hits: Json | undefined, who: string): Reading {
  const total = isJsonObject(hits) ? hits['total'] : undefined;
  if (!isJsonObject(total) || typeof total['value'] !== 'number' || total['relation'] !== 'eq') throw badAnswer(who);
  return { ok: true, value: total['value'] };
}

/** Goes down while there is exactly one way: a filter with one metric in it is that metric. */
function readAggregation(aggregations: JsonObject): Reading {
  const named = Object.entries(aggregations).filter((entry): entry is [string, JsonObject] => isJsonObject(entry[1]));
  const [first, second] = named;
  if (first === undefined) return noData();
  if (second !== undefined)
    return severalValues(
      'aggregations',
      named.map(([name]) => name),
      ONE_NUMBER,
    );
  const [, aggregation] = first;
  if ('buckets' in aggregation) return severalValues('buckets', [first[0], '...'], ONE_NUMBER);
  if ('value' in aggregation) return readJson(aggregation['value']);
  if (isJsonObject(aggregation['values'])) return readPercentiles(aggregation['values']);
  const inner = Object.fromEntries(
    Object.entries(aggregation).filter(([key, one]) => key !== 'meta' && isJsonObject(one)),
  );
  if (Object.keys(inner).length > 0) return readAggregation(inner);
  return 'doc_count' in aggregation ? readJson(aggregation['doc_count']) : notNumeric('an aggregation of another kind');
}

function readPercentiles(values: JsonObject): Reading {
  const [first, second] = Object.values(values);
  if (second === undefined) return readJson(first);
  return severalValues('percentiles', Object.keys(values), ONE_NUMBER);
}

/**
 * The number of an ES|QL query: one row with one column
 * (https://www.elastic.co/docs/reference/query-languages/esql/esql-rest).
 *
 * @throws {AdapterError} `bad-response`, `unavailable` for a part of the data
 */
export function readEsql(body: unknown, who: string): Reading {
  if (!isJsonObject(body)) throw badAnswer(who);
  const { columns, values, is_partial: isPartial } = body;
  if (!Array.isArray(columns) || !columns.every(isJsonObject) || !Array.isArray(values)) throw badAnswer(who);
  if (isPartial === true) throw new AdapterError('unavailable', `${who} answered with a part of the data only`);
  const [row, second] = values;
  if (row === undefined) return noData();
  if (!Array.isArray(row) || row.length !== columns.length) throw badAnswer(who);
  if (second !== undefined)
    return severalValues(
      'rows',
      values.map(() => 'row'),
      'bring them together with STATS',
    );
  const [column, other] = columns;
  if (column === undefined) return noData();
  if (other !== undefined)
    return severalValues(
      'columns',
      columns.map(({ name }) => String(name)),
      'KEEP one',
    );
  const type = String(column['type']);
  if (row[0] !== null && !NUMERIC.test(type)) return notNumeric(`a column of the type ${type.slice(0, 40)}`);
  return typeof row[0] === 'string' ? readText(row[0]) : readJson(row[0]);
}

function badAnswer(who: string): AdapterError {
  return new AdapterError('bad-response', `${who} answered no result of a search: is its URL right?`);
}
