import { AdapterError } from '../../base/adapter-error.ts';
import { isJsonObject, type JsonObject } from '../../base/json.ts';
import { compileNumberPath, type NumberPath } from './json-path.ts';
import { fillJson } from './json-template.ts';
import type { QueryVariables } from './metrics-source.ts';
import { fillPlaceholders, fillText, type Period, type QueryLanguage } from './placeholders.ts';

/** Below these members a text is a language of its own: scripts, Lucene's query strings, patterns. */
const LANGUAGES = [
  'script',
  'source',
  'init_script',
  'map_script',
  'combine_script',
  'reduce_script',
  'query_string',
  'simple_query_string',
  'regexp',
  'wildcard',
  'include',
  'exclude',
  'runtime_mappings',
];
const INDEX = /^[^\s/\\?"<>|#]+$/;

/** A search, or an ES|QL query, ready to be sent. */
export type ElasticQuery =
  | { kind: 'search'; index: string; body: JsonObject; aggregates: boolean; pick: NumberPath | undefined }
  | { kind: 'esql'; body: JsonObject };

/** https://www.elastic.co/docs/reference/query-languages/esql/esql-syntax */
const ESQL: QueryLanguage = {
  quotes: [
    { open: '"""', close: '"""' },
    { open: '"', close: '"', escape: '\\', fill: inString },
    { open: '//', close: '\n', comment: true },
    { open: '/*', close: '*/', comment: true },
    { open: '`', close: '`', doubled: true },
  ],
  patternOperators: ['LIKE', 'RLIKE', ':'],
};

/**
 * Reads a query: JSON is the body of a search, with `index` and `value` (a JSONPath into the answer) beside
 * what Elasticsearch knows; anything else is ES|QL. Both see the period only, by `timeField`.
 *
 * @throws {AdapterError} `rejected`
 */
export function toElasticQuery(
  query: string,
  { startMs, endMs, variables }: Period,
  defaults: { index: string | undefined; timeField: string },
): ElasticQuery {
  const [gte, lt] = [startMs, endMs].map((ms) => new Date(ms).toISOString());
  const range = defaults.timeField === '' ? [] : [{ range: { [defaults.timeField]: { gte, lt } } } as JsonObject];
  if (!query.trimStart().startsWith('{')) {
    const esql = fillPlaceholders(query, variables, ESQL);
    return { kind: 'esql', body: { query: esql, ...(range[0] ? { filter: range[0] } : {}) } };
  }
  const { value, ...template } = parse(query);
  const { index = defaults.index, ...search } = fillJson(template, variables, special) as JsonObject;
  if (typeof index !== 'string' || !INDEX.test(index) || index.startsWith('_')) {
    throw new AdapterError('rejected', 'the search needs an "index": in the query, or in the configuration');
  }
  if (value !== undefined && typeof value !== 'string') {
    throw new AdapterError('rejected', '"value" of the search must be a JSONPath');
  }
  const filter = [...range, ...(search['query'] === undefined ? [] : [search['query']])];
  const body = {
    ...search,
    size: 0,
    track_total_hits: true,
    ...(filter.length > 0 ? { query: { bool: { filter } } } : {}),
  };
  return {
    kind: 'search',
    index,
    body,
    aggregates: 'aggs' in search || 'aggregations' in search,
    pick: value === undefined ? undefined : compileNumberPath(value, variables),
  };
}

function parse(query: string): JsonObject {
  try {
    const search: unknown = JSON.parse(query);
    if (isJsonObject(search)) return search;
  } catch {
    // Said below.
  }
  throw new AdapterError('rejected', 'the query begins like a search but is not a JSON object');
}

function special(member: string): ((text: string, variables: QueryVariables) => string) | undefined {
  // What a script is given is not part of it.
  if (member === 'params') return fillText;
  return LANGUAGES.includes(member) ? fillWords : undefined;
}

/** Where a text has a syntax that is not read here, a value must be a single word. */
function fillWords(text: string, variables: QueryVariables): string {
  return fillPlaceholders(text, variables, {
    quotes: [],
    bare(value, name) {
      if (/^[A-Za-z0-9_]+$/.test(value)) return value;
      throw new AdapterError('rejected', `the value of $${name} could be syntax there: use "term" or script params`);
    },
  });
}

/** After an operator a string is a pattern; what it would match exactly depends on the operator. */
function inString(value: string, operator: string | undefined): string | undefined {
  if (operator !== undefined) return /^[A-Za-z0-9_ -]+$/.test(value) ? value : undefined;
  if (/[^\P{Cc}\n\r\t]/u.test(value)) return undefined;
  const named: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };
  return value.replace(/[\\"\n\r\t]/g, (character) => named[character] ?? `\\${character}`);
}
