import type { Static } from 'typebox';
import Type from 'typebox';
import { AdapterError } from '../../base/adapter-error.ts';
import { isJsonObject } from '../../base/json.ts';
import type { Secret } from '../../base/secret.ts';
import { type AdapterTools, defineAdapter, SecretRef } from '../adapter-kind.ts';
import { createHttpClient, type HttpClient } from '../http-client.ts';
import { httpSettings, toClientOptions } from '../http-settings.ts';
import type { MetricQuery, MetricsSource, Reading } from './metrics-source.ts';
import { fillPlaceholders, periodOf } from './placeholders.ts';
import { PROMQL } from './promql.ts';

const MAX_NAMED_SERIES = 3;
const MAX_SERIES_NAME = 150;
/** How Prometheus writes numbers; `NaN`, `+Inf` and `-Inf` are its other values. */
const NUMBER = /^[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i;

const PrometheusConfig = Type.Object(
  {
    ...httpSettings,
    token: Type.Optional(SecretRef),
    basicAuth: Type.Optional(
      Type.Object({ username: Type.String({ minLength: 1 }), password: SecretRef }, { additionalProperties: false }),
    ),
    headers: Type.Optional(
      Type.Record(Type.String(), Type.String(), { description: 'sent along, such as {X-Scope-OrgID: tenant}' }),
    ),
  },
  { additionalProperties: false },
);

/**
 * Prometheus and what speaks its query API (Thanos, Mimir, Cortex, VictoriaMetrics). A query is asked
 * once, at the end of the period (https://prometheus.io/docs/prometheus/latest/querying/api/), and must
 * come down to one number: a scalar, or a vector of exactly one series.
 */
export const prometheus = defineAdapter<MetricsSource, typeof PrometheusConfig>({
  kind: 'prometheus',
  schema: PrometheusConfig,
  create: createPrometheus,
});

function createPrometheus(name: string, config: Static<typeof PrometheusConfig>, tools: AdapterTools): MetricsSource {
  const login = config.basicAuth && {
    username: config.basicAuth.username,
    password: tools.secret(config.basicAuth.password),
  };
  const client = createHttpClient({
    ...toClientOptions(`Prometheus ${name}`, config, tools),
    headers: { ...config.headers, ...(login ? { Authorization: basic(login.username, login.password) } : {}) },
    ...(config.token ? { token: tools.secret(config.token) } : {}),
  });
  return {
    kind: 'prometheus',
    name,
    read: async (query, { signal } = {}) => {
      const body = await ask(client, query, signal).catch((error: unknown) => {
        throw login ? withoutLogin(error, login.username, login.password) : error;
      });
      return toReading(body, name);
    },
  };
}

async function ask(client: HttpClient, query: MetricQuery, signal: AbortSignal | undefined): Promise<unknown> {
  const { endMs, variables } = periodOf(query);
  const promql = fillPlaceholders(query.query, variables, PROMQL);
  const answer = await client.json({
    method: 'GET',
    path: '/api/v1/query',
    query: { query: promql, time: (endMs / 1000).toFixed(3) },
    ...(signal ? { signal } : {}),
  });
  return answer.data;
}

function basic(username: string, password: Secret): string {
  return `Basic ${Buffer.from(`${username}:${password.reveal()}`).toString('base64')}`;
}

/** The HTTP client masks tokens; a server that echoes a login is on us. */
function withoutLogin(error: unknown, username: string, password: Secret): unknown {
  if (!(error instanceof AdapterError)) return error;
  const secrets = [basic(username, password).slice('Basic '.length), password.reveal()].filter(
    (secret) => secret !== '',
  );
  if (!secrets.some((secret) => error.message.includes(secret))) return error;
  const message = secrets.reduce((text, secret) => text.replaceAll(secret, '<secret>'), error.message);
  return new AdapterError(
    error.reason,
    message,
    error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs },
  );
}

function toReading(body: unknown, name: string): Reading {
  const data = isJsonObject(body) && body['status'] === 'success' ? body['data'] : undefined;
  if (!isJsonObject(data)) throw badResponse(name, 'no result of a query');
  const { resultType, result } = data;
  if (resultType === 'scalar') return toNumber(result, name);
  if (resultType === 'matrix' || resultType === 'string') {
    return { ok: false, missing: 'not-numeric', message: `the query gives a ${resultType}, not one number` };
  }
  if (resultType !== 'vector' || !Array.isArray(result)) throw badResponse(name, 'an unknown type of result');
  const [series, second] = result;
  if (series === undefined) return { ok: false, missing: 'no-data', message: 'the query gives no data' };
  if (second !== undefined) return severalValues(result);
  if (!isJsonObject(series)) throw badResponse(name, 'a series that is none');
  if (series['value'] === undefined && series['histogram'] !== undefined) {
    return { ok: false, missing: 'not-numeric', message: 'the query gives a histogram, not one number' };
  }
  return toNumber(series['value'], name);
}

function toNumber(sample: unknown, name: string): Reading {
  const text = Array.isArray(sample) && sample.length === 2 ? sample[1] : undefined;
  if (typeof text !== 'string') throw badResponse(name, 'a sample without a value');
  if (/^(?:NaN|[+-]?Inf)$/.test(text)) return notANumber(text);
  if (!NUMBER.test(text)) throw badResponse(name, 'a value that is not a number');
  const value = Number(text);
  return Number.isFinite(value) ? { ok: true, value } : notANumber(text.slice(0, 20));
}

function notANumber(text: string): Reading {
  return { ok: false, missing: 'not-a-number', message: `the query gives ${text}, for example by a division by zero` };
}

function severalValues(result: readonly unknown[]): Reading {
  const named = result.slice(0, MAX_NAMED_SERIES).map(sayLabels).join(', ');
  const more = result.length > MAX_NAMED_SERIES ? ', ...' : '';
  const message = `the query gives ${result.length} series (${named}${more}): aggregate them, for example with sum()`;
  return { ok: false, missing: 'several-values', message };
}

function sayLabels(series: unknown): string {
  const labels = isJsonObject(series) && isJsonObject(series['metric']) ? Object.entries(series['metric']) : [];
  const text = `{${labels.map(([label, value]) => `${label}=${JSON.stringify(value)}`).join(', ')}}`;
  return text.length > MAX_SERIES_NAME ? `${text.slice(0, MAX_SERIES_NAME)}...` : text;
}

function badResponse(name: string, what: string): AdapterError {
  return new AdapterError('bad-response', `Prometheus ${name} answered ${what}: is its URL right?`);
}
