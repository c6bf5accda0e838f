import { AdapterError } from '../../base/adapter-error.ts';
import { isJsonObject, type Json, type JsonObject } from '../../base/json.ts';
import { fillPlaceholders, fillText, type Period, type QueryLanguage } from './placeholders.ts';

const MINUTE_S = 60;
const AGGREGATES = ['sum', 'avg', 'max', 'min', 'last'] as const;
/** Metric math, SEARCH and SELECT nest quotes in quotes: only what is a name in all of them. */
const EXPRESSION: QueryLanguage = { quotes: [] };

export type Aggregate = (typeof AGGREGATES)[number];

export interface CloudWatchQuestion {
  queries: JsonObject[];
  /** How several points become one number; without it there must be one. */
  aggregate: Aggregate | undefined;
}

/**
 * Reads a question: the `MetricDataQueries` of GetMetricData in JSON, or `{"queries": [...], "aggregate":
 * "sum"}`. Values are put into its texts after it was read, so none can change its shape. Metrics without
 * a `Period` get the whole period, or the step.
 *
 * @throws {AdapterError} `rejected` when it is none, or a value cannot stand in it
 */
export function toQuestion(text: string, period: Period, stepMs?: number): CloudWatchQuestion {
  const document = parse(text);
  const { queries, aggregate } = Array.isArray(document) ? { queries: document } : document;
  if (!Array.isArray(queries) || queries.length === 0 || !queries.every(isJsonObject)) {
    throw new AdapterError('rejected', 'the query has no list of metric data queries');
  }
  if (aggregate !== undefined && !AGGREGATES.includes(aggregate as Aggregate)) {
    throw new AdapterError('rejected', `"aggregate" must be one of ${AGGREGATES.join(', ')}`);
  }
  const seconds = stepMs === undefined ? wholePeriod(period) : stepMs / 1000;
  return {
    queries: queries.map((query) => withPeriod(fill(query, period.variables) as JsonObject, seconds)),
    aggregate: aggregate as Aggregate | undefined,
  };
}

function parse(text: string): Json[] | JsonObject {
  try {
    const value = JSON.parse(text) as Json;
    if (Array.isArray(value) || isJsonObject(value)) return value;
  } catch {
    // Said below.
  }
  throw new AdapterError('rejected', 'the query must be JSON: the MetricDataQueries of GetMetricData');
}

function fill(value: Json, variables: Period['variables'], key = ''): Json {
  if (typeof value === 'string') {
    return key === 'Expression' ? fillPlaceholders(value, variables, EXPRESSION) : fillText(value, variables);
  }
  if (Array.isArray(value)) return value.map((item) => fill(item, variables));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, fill(item, variables, name)]));
}

/** CloudWatch counts in whole minutes, and rounds the start down to one. */
function wholePeriod({ startMs, endMs }: Period): number {
  const start = Math.floor(startMs / 1000 / MINUTE_S) * MINUTE_S;
  return Math.max(MINUTE_S, Math.ceil((endMs / 1000 - start) / MINUTE_S) * MINUTE_S);
}

function withPeriod(query: JsonObject, seconds: number): JsonObject {
  const { MetricStat: stat, Expression: expression } = query;
  if (isJsonObject(stat)) return { ...query, MetricStat: { Period: seconds, ...stat } };
  const selects = typeof expression === 'string' && /^\s*SELECT\b/i.test(expression);
  return selects ? { Period: seconds, ...query } : query;
}
