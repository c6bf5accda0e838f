import type { Static } from 'typebox';
import Type from 'typebox';
import { AdapterError } from '../../base/adapter-error.ts';
import { isJsonObject, type JsonObject } from '../../base/json.ts';
import { type AdapterTools, defineAdapter, SecretRef } from '../adapter-kind.ts';
import { createHttpClient, type HttpClient } from '../http-client.ts';
import { httpSettings, toClientOptions } from '../http-settings.ts';
import { type DatadogQuestion, toQuestion } from './datadog-query.ts';
import type { MetricQuery, MetricsSource, Reading, SeriesReading } from './metrics-source.ts';
import { jsonNumber, jsonSeries, noData, severalValues } from './missing.ts';
import { periodOf } from './placeholders.ts';

const REMEDY = 'leave out "by {...}", or add the groups up';

const DatadogConfig = Type.Object(
  {
    ...httpSettings,
    url: Type.Optional(Type.String({ format: 'uri', description: 'of the API; follows from the site otherwise' })),
    site: Type.Optional(
      Type.String({ pattern: '^[a-z0-9.-]+$', default: 'datadoghq.com', description: 'such as datadoghq.eu' }),
    ),
    apiKey: SecretRef,
    applicationKey: SecretRef,
  },
  { additionalProperties: false },
);

/** Datadog, by its API for scalars and time series over formulas. */
export const datadog = defineAdapter<MetricsSource, typeof DatadogConfig>({
  kind: 'datadog',
  schema: DatadogConfig,
  create: createDatadog,
});

function createDatadog(name: string, config: Static<typeof DatadogConfig>, tools: AdapterTools): MetricsSource {
  const who = `Datadog ${name}`;
  const url = config.url ?? `https://api.${config.site ?? 'datadoghq.com'}`;
  const options = toClientOptions(who, { ...config, url }, tools);
  const [apiKey, applicationKey] = [tools.secret(config.apiKey), tools.secret(config.applicationKey)];
  const client = createHttpClient({
    ...options,
    headers: { ...options.headers, 'DD-API-KEY': apiKey.reveal(), 'DD-APPLICATION-KEY': applicationKey.reveal() },
    secrets: [...options.secrets, apiKey, applicationKey],
  });
  return {
    kind: 'datadog',
    name,
    read: async (query, { signal } = {}) => {
      const { period, question } = prepare(query);
      const { queries, formula } = question;
      const attributes = { ...period, queries, formulas: [{ formula }] };
      return toReading(await ask(client, who, 'scalar', attributes, signal), who);
    },
    series: async (query, { signal } = {}) => {
      const { period, question } = prepare(query, query.stepMs);
      const queries = question.queries.map(({ aggregator: _, ...one }) => one);
      const attributes = { ...period, interval: query.stepMs, queries, formulas: [{ formula: question.formula }] };
      return toSeries(await ask(client, who, 'timeseries', attributes, signal), who);
    },
  };
}

function prepare(query: MetricQuery, stepMs?: number): { period: JsonObject; question: DatadogQuestion } {
  const { startMs, endMs, variables } = periodOf(query, stepMs);
  return { period: { from: startMs, to: endMs }, question: toQuestion(query.query, variables) };
}

async function ask(
  client: HttpClient,
  who: string,
  what: 'scalar' | 'timeseries',
  attributes: object,
  signal: AbortSignal | undefined,
): Promise<JsonObject> {
  const { data: body } = await client.json({
    method: 'POST',
    path: `/api/v2/query/${what}`,
    body: { data: { type: `${what}_request`, attributes } },
    ...(signal ? { signal } : {}),
  });
  const errors = isJsonObject(body) ? body['errors'] : undefined;
  if (typeof errors === 'string' && errors !== '') {
    throw new AdapterError('rejected', `${who} could not answer: ${client.quote(errors)}`);
  }
  const data = isJsonObject(body) ? body['data'] : undefined;
  const answered = isJsonObject(data) && data['type'] === `${what}_response` ? data['attributes'] : undefined;
  if (!isJsonObject(answered)) throw badResponse(who);
  return answered;
}

/** Columns: one of numbers for the formula, and one for each tag that it is grouped by. */
function toReading({ columns }: JsonObject, who: string): Reading {
  if (!Array.isArray(columns) || !columns.every(isColumn)) throw badResponse(who);
  const numbers = columns.filter((column) => column.type !== 'group');
  const [column, second] = numbers;
  if (column === undefined) return noData();
  const groups = columns.filter((one) => one.type === 'group');
  const names = column.values.map((_, at) => groups.map((group) => String(group.values[at])).join(', ') || '?');
  if (second !== undefined)
    return severalValues(
      'columns',
      numbers.map(({ name }) => String(name)),
      'take one formula',
    );
  if (names.length > 1) return severalValues('values', names, REMEDY);
  if (names.length === 0) return noData();
  const reading = jsonNumber(column.values[0]);
  if (reading === undefined) throw badResponse(who);
  return reading;
}

interface Column {
  type: unknown;
  name: unknown;
  values: unknown[];
}

function isColumn(value: unknown): value is Column & JsonObject {
  return isJsonObject(value) && Array.isArray(value['values']);
}

function toSeries({ values }: JsonObject, who: string): SeriesReading {
  if (!Array.isArray(values)) throw badResponse(who);
  const [points, second] = values;
  if (points === undefined) return noData();
  if (second !== undefined)
    return severalValues(
      'series',
      values.map((_, at) => `series ${at + 1}`),
      REMEDY,
    );
  const reading = Array.isArray(points) ? jsonSeries(points) : undefined;
  if (reading === undefined) throw badResponse(who);
  return reading;
}

function badResponse(who: string): AdapterError {
  return new AdapterError('bad-response', `${who} answered no result of a query: is its URL right?`);
}
