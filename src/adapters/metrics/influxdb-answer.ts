import { AdapterError } from '../../base/adapter-error.ts';
import { isJsonObject, type Json, type JsonObject } from '../../base/json.ts';
import type { Reading } from './metrics-source.ts';
import { noData, severalValues } from './missing.ts';
import { notNumeric, readJson, readText } from './numbers.ts';
import { eachRecord } from './reports/csv.ts';

/** The values of one series, oldest first, or why there is not exactly one. */
export type Column = { values: Reading[] } | { failed: Extract<Reading, { ok: false }> };

const NUMERIC = ['double', 'long', 'unsignedLong'];
const REMEDY = 'bring them together, for example with group() and sum(), or with last()';

interface Table {
  name: string;
  type: string | undefined;
  fallback: string;
  values: string[];
}

/**
 * Annotated CSV as InfluxDB 2 answers Flux queries
 * (https://docs.influxdata.com/influxdb/v2/reference/syntax/annotated-csv/), with datatype and default.
 *
 * @throws {AdapterError} `bad-response`, or `rejected` when the query failed half way
 */
export function columnOfCsv(text: string, who: string, quote: (words: string) => string): Column {
  // Even without data there is the end of a line: nothing at all is no answer.
  if (text === '') throw badAnswer(who);
  const tables = readTables(text, who, quote);
  const [table, second] = tables;
  if (table === undefined) return { failed: noData() };
  if (second !== undefined)
    return {
      failed: severalValues(
        'tables',
        tables.map(({ name }) => name),
        REMEDY,
      ),
    };
  if (table.type === undefined || !NUMERIC.includes(table.type)) {
    return { failed: notNumeric(table.type === undefined ? 'no column _value' : `a _value of the type ${table.type}`) };
  }
  return { values: table.values.map((value) => readText(value === '' ? table.fallback : value)) };
}

function readTables(text: string, who: string, quote: (words: string) => string): Table[] {
  const tables = new Map<string, Table>();
  let annotations: Record<string, string[]> = {};
  let header: string[] | undefined;
  const problem = eachRecord(text, ',', (cells) => {
    const [first = ''] = cells;
    if (cells.length === 1 && first === '') {
      header = undefined;
      annotations = {};
    } else if (first.startsWith('#')) {
      header = undefined;
      annotations[first] = cells;
    } else if (first !== '' || annotations['#datatype'] === undefined) {
      throw badAnswer(who);
    } else if (header === undefined) {
      header = cells;
    } else {
      addRecord(tables, header, annotations, cells, (words) => new AdapterError('rejected', `${who}: ${quote(words)}`));
    }
    return undefined;
  });
  if (problem !== undefined) throw badAnswer(who);
  return [...tables.values()];
}

function addRecord(
  tables: Map<string, Table>,
  header: readonly string[],
  annotations: Record<string, string[]>,
  cells: readonly string[],
  failure: (words: string) => AdapterError,
): void {
  const cell = (column: string) => {
    const at = header.indexOf(column);
    return at < 0 ? '' : cells[at] || (annotations['#default']?.[at] ?? '');
  };
  if (header.includes('error')) throw failure(cell('error'));
  const name = `${cell('result')} ${cell('table')} ${cell('_measurement')} ${cell('_field')}`.trim();
  const at = header.indexOf('_value');
  const key = `${cell('result')}/${cell('table')}`;
  const table = tables.get(key) ?? {
    name,
    type: at < 0 ? undefined : annotations['#datatype']?.[at],
    fallback: annotations['#default']?.[at] ?? '',
    values: [],
  };
  tables.set(key, table);
  table.values.push(at < 0 ? '' : (cells[at] ?? ''));
}

/**
 * The JSON answer to InfluxQL (https://docs.influxdata.com/influxdb/v1/tools/api/#query-http-endpoint).
 *
 * @throws {AdapterError} `bad-response`, `rejected` for an error in it, `unavailable` for a part of the data
 */
export function columnOfInfluxql(body: unknown, who: string, quote: (words: string) => string): Column {
  const results = isJsonObject(body) ? body['results'] : undefined;
  if (!Array.isArray(results) || results.length === 0 || !results.every(isJsonObject)) throw badAnswer(who);
  for (const { error } of results) {
    if (error !== undefined) throw new AdapterError('rejected', `${who}: ${quote(String(error))}`);
  }
  const series = results.flatMap((result) => result['series'] ?? []);
  if (!series.every(isJsonObject)) throw badAnswer(who);
  if ([...results, ...series].some((one) => one['partial'] === true)) {
    throw new AdapterError('unavailable', `${who} answered with a part of the data only`);
  }
  const [only, second] = series;
  if (only === undefined) return { failed: noData() };
  if (second !== undefined) return { failed: severalValues('series', series.map(nameOf), REMEDY) };
  return columnOfSeries(only, who);
}

function columnOfSeries(series: JsonObject, who: string): Column {
  const { columns, values } = series;
  if (!Array.isArray(columns) || !Array.isArray(values)) throw badAnswer(who);
  const named = columns.map(String).filter((column) => column !== 'time');
  if (named.length !== 1) return { failed: severalValues('columns', named, 'select one') };
  const at = columns.findIndex((column) => column !== 'time');
  return {
    values: values.map((row: Json) => {
      if (!Array.isArray(row) || row.length !== columns.length) throw badAnswer(who);
      return readJson(row[at]);
    }),
  };
}

function nameOf(series: JsonObject): string {
  return `${String(series['name'] ?? '')} ${series['tags'] === undefined ? '' : JSON.stringify(series['tags'])}`.trim();
}

function badAnswer(who: string): AdapterError {
  return new AdapterError('bad-response', `${who} answered no result of a query: is its URL right?`);
}
