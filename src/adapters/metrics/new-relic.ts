import type { Static } from 'typebox';
import Type from 'typebox';
import { AdapterError, type FailureReason } from '../../base/adapter-error.ts';
import { isJsonObject, type JsonObject } from '../../base/json.ts';
import { type AdapterTools, defineAdapter, SecretRef } from '../adapter-kind.ts';
import { createHttpClient, type HttpClient } from '../http-client.ts';
import { httpSettings, toClientOptions } from '../http-settings.ts';
import type { MetricsSource, Reading, SeriesReading } from './metrics-source.ts';
import { jsonNumber, jsonSeries, noData, severalValues } from './missing.ts';
import { toNrql } from './nrql.ts';
import { periodOf } from './placeholders.ts';

const MAX_POINTS = 366;
/** The query of a user never becomes part of the GraphQL text: it travels as a variable. */
const GRAPHQL = `query ($account: Int!, $nrql: Nrql!, $timeout: Seconds) {
  actor { account(id: $account) { nrql(query: $nrql, timeout: $timeout) { results } } }
}`;
/** What a result tells besides its values. */
const NO_VALUES = ['beginTimeSeconds', 'endTimeSeconds', 'facet', 'comparison', 'inspectedCount'];

const NewRelicConfig = Type.Object(
  {
    ...httpSettings,
    url: Type.Optional(
      Type.String({ format: 'uri', default: 'https://api.newrelic.com', description: 'where NerdGraph answers' }),
    ),
    account: Type.Integer({ minimum: 1, description: 'id of the account' }),
    apiKey: SecretRef,
  },
  { additionalProperties: false },
);

/** New Relic: NRQL by NerdGraph (https://docs.newrelic.com/docs/apis/nerdgraph/examples/nerdgraph-nrql-tutorial/). */
export const newRelic = defineAdapter<MetricsSource, typeof NewRelicConfig>({
  kind: 'new-relic',
  schema: NewRelicConfig,
  create: createNewRelic,
});

function createNewRelic(name: string, config: Static<typeof NewRelicConfig>, tools: AdapterTools): MetricsSource {
  const who = `New Relic ${name}`;
  const options = toClientOptions(who, { ...config, url: config.url ?? 'https://api.newrelic.com' }, tools);
  const apiKey = tools.secret(config.apiKey);
  const client = createHttpClient({
    ...options,
    headers: { ...options.headers, 'API-Key': apiKey.reveal() },
    secrets: [...options.secrets, apiKey],
  });
  // A little less than our own limit, so that New Relic says itself what took too long; 5 to 120 s are allowed.
  const timeout = Math.min(120, Math.max(5, Math.floor((options.timeoutMs ?? 15_000) / 1000) - 2));
  const results = async (nrql: string, signal: AbortSignal | undefined) => {
    const variables = { account: config.account, nrql, timeout };
    const body = { query: GRAPHQL, variables };
    const answer = await client.json({ method: 'POST', path: '/graphql', body, ...(signal ? { signal } : {}) });
    return resultsOf(answer.data, who, client);
  };
  return {
    kind: 'new-relic',
    name,
    read: async (query, { signal } = {}) => {
      const { variables, ...period } = periodOf(query);
      return toReading(await results(toNrql(query.query, variables, period), signal), who);
    },
    series: async (query, { signal } = {}) => {
      const { variables, ...period } = periodOf(query, query.stepMs);
      if (query.stepMs % 1000 !== 0) throw new AdapterError('rejected', 'New Relic has points of whole seconds');
      const points = Math.ceil((period.endMs - period.startMs) / query.stepMs);
      if (points > MAX_POINTS) {
        throw new AdapterError('rejected', `the step is too short: the period has ${points}, at most ${MAX_POINTS}`);
      }
      const nrql = toNrql(query.query, variables, { ...period, stepMs: query.stepMs });
      return toSeries(await results(nrql, signal), who);
    },
  };
}

function resultsOf(body: unknown, who: string, client: HttpClient): JsonObject[] {
  const errors = isJsonObject(body) ? body['errors'] : undefined;
  if (Array.isArray(errors) && errors.length > 0) throw refusal(errors[0], who, client);
  const results = ['data', 'actor', 'account', 'nrql', 'results'].reduce<unknown>(
    (value, key) => (isJsonObject(value) ? value[key] : undefined),
    body,
  );
  if (Array.isArray(results) && results.every(isJsonObject)) return results;
  throw new AdapterError('bad-response', `${who} answered no result of a query: is its URL right?`);
}

/** NerdGraph says what is wrong with status 200. */
function refusal(error: unknown, who: string, client: HttpClient): AdapterError {
  const { message, extensions } = isJsonObject(error) ? error : {};
  const errorClass = isJsonObject(extensions) ? String(extensions['errorClass'] ?? extensions['code'] ?? '') : '';
  const words = typeof message === 'string' ? client.quote(message) : 'an error without a message';
  return new AdapterError(reasonOf(errorClass), `${who} could not answer: ${words}`);
}

function reasonOf(errorClass: string): FailureReason {
  if (/TIMEOUT/i.test(errorClass)) return 'timeout';
  if (/ACCESS_DENIED|FORBIDDEN/i.test(errorClass)) return 'forbidden';
  if (/UNAUTH/i.test(errorClass)) return 'unauthenticated';
  if (/TOO_MANY|RATE|LIMIT/i.test(errorClass)) return 'rate-limited';
  return /SERVER_ERROR|INTERNAL|UNAVAILABLE/i.test(errorClass) ? 'unavailable' : 'rejected';
}

function toReading(results: JsonObject[], who: string): Reading {
  const [result] = results;
  if (result === undefined) return noData();
  if (results.length > 1) {
    const names = results.map((one) => (one['facet'] === undefined ? '?' : String(one['facet'])));
    return severalValues('results', names, 'leave out FACET');
  }
  const found = onlyValue(result);
  return found.ok ? (jsonNumber(found.value) ?? badValue(who)) : found;
}

/** The points by their time; each must have the one same value. */
function toSeries(results: JsonObject[], who: string): SeriesReading {
  const values: unknown[] = [];
  for (const result of results) {
    if (typeof result['beginTimeSeconds'] !== 'number') throw badResponse(who);
    if (result['facet'] !== undefined) return severalValues('series', [String(result['facet'])], 'leave out FACET');
    const found = onlyValue(result);
    if (!found.ok) return found;
    values.push(found.value);
  }
  return jsonSeries(values) ?? badValue(who);
}

type Missed = Extract<Reading, { ok: false }>;

/** `{"average.duration": 0.2}`, `{"percentile.duration": {"95": 0.2}}`, `{"apdex.duration": {"score": 0.9, ...}}`. */
function onlyValue(result: JsonObject): { ok: true; value: unknown } | Missed {
  const values = Object.entries(result)
    .filter(([name]) => !NO_VALUES.includes(name))
    .flatMap(([name, value]): [string, unknown][] => {
      if (!isJsonObject(value)) return [[name, value]];
      if (typeof value['score'] === 'number') return [[name, value['score']]];
      return Object.entries(value).map(([part, one]) => [`${name}.${part}`, one]);
    });
  const [only] = values;
  if (only === undefined) return noData();
  if (values.length === 1) return { ok: true, value: only[1] };
  const names = values.map(([name]) => name);
  return severalValues('values', names, 'select one');
}

function badValue(who: string): Missed {
  return { ok: false, missing: 'not-numeric', message: `${who} gives something that is not one number` };
}

function badResponse(who: string): AdapterError {
  return new AdapterError('bad-response', `${who} answered no points: is its URL right?`);
}
