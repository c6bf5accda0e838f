import { AdapterError } from '../../base/adapter-error.ts';
import type { QueryVariables } from './metrics-source.ts';
import { fillPlaceholders, type QueryLanguage } from './placeholders.ts';

/** How the points of a period become one number: https://docs.datadoghq.com/api/latest/metrics/ */
const AGGREGATORS = ['avg', 'min', 'max', 'sum', 'last', 'mean', 'l2norm', 'area'];
const NAMED_QUERY = /^([a-z][a-z0-9_]*)\s*=\s*(.+)$/;
const WITH_AGGREGATOR = /^([a-z0-9]+)\s*;\s*(.+)$/;

/** Datadog's metric queries have no quotes: what is no name cannot be asked for. */
const DATADOG: QueryLanguage = { quotes: [] };

export interface DatadogQuestion {
  queries: { data_source: 'metrics'; name: string; query: string; aggregator: string }[];
  formula: string;
}

/**
 * Reads a question: one metric query, or lines `name = query` and then a formula of those names. A query
 * may begin with how its points become one number (`max; avg:...`); counts are summed otherwise, all
 * else is averaged.
 *
 * @throws {AdapterError} `rejected` when it is none, or a value cannot stand in it
 */
export function toQuestion(text: string, variables: QueryVariables): DatadogQuestion {
  const lines = fillPlaceholders(text, variables, DATADOG)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (lines.length === 0) throw new AdapterError('rejected', 'the query is empty');
  if (lines.length === 1) return { queries: [toQuery('query', lines[0] ?? '')], formula: 'query' };
  const formula = lines.at(-1) ?? '';
  const queries = lines.slice(0, -1).map((line) => {
    const [, name, query] = NAMED_QUERY.exec(line) ?? [];
    if (name !== undefined && query !== undefined) return toQuery(name, query);
    throw new AdapterError('rejected', `"${line.slice(0, 60)}" is no line "name = query" before the formula`);
  });
  if (NAMED_QUERY.test(formula)) throw new AdapterError('rejected', 'the last line must be a formula such as "a / b"');
  return { queries, formula };
}

function toQuery(name: string, text: string): DatadogQuestion['queries'][number] {
  const [, aggregator, query] = WITH_AGGREGATOR.exec(text) ?? [];
  if (aggregator === undefined || query === undefined) {
    return { data_source: 'metrics', name, query: text, aggregator: text.includes('.as_count()') ? 'sum' : 'avg' };
  }
  if (AGGREGATORS.includes(aggregator)) return { data_source: 'metrics', name, query, aggregator };
  throw new AdapterError('rejected', `"${aggregator};" is no way to make one number: take ${AGGREGATORS.join(', ')}`);
}
