import type { Static } from 'typebox';
import Type from 'typebox';
import { AdapterError } from '../../base/adapter-error.ts';
import { isJsonObject, type JsonObject } from '../../base/json.ts';
import { type AdapterTools, defineAdapter, SecretRef } from '../adapter-kind.ts';
import { createHttpClient, type HttpClient, path } from '../http-client.ts';
import { httpSettings, toClientOptions } from '../http-settings.ts';
import { type DynatraceQuestion, toQuestion } from './dynatrace-query.ts';
import type { MetricsSource, Reading, SeriesReading } from './metrics-source.ts';
import { jsonNumber, jsonSeries, noData, severalValues } from './missing.ts';
import { type Period, periodOf } from './placeholders.ts';

const MINUTE_MS = 60_000;

const DynatraceConfig = Type.Object({ ...httpSettings, token: SecretRef }, { additionalProperties: false });
/** Who answered, and how its words are repeated. */
type Answerer = { who: string } & Pick<HttpClient, 'quote'>;
type MetricQuestion = Extract<DynatraceQuestion, { asks: 'metric' }>;

/** Dynatrace by its environment API v2: metrics, SLOs, problems and security problems. */
export const dynatrace = defineAdapter<MetricsSource, typeof DynatraceConfig>({
  kind: 'dynatrace',
  schema: DynatraceConfig,
  create: createDynatrace,
});

function createDynatrace(name: string, config: Static<typeof DynatraceConfig>, tools: AdapterTools): MetricsSource {
  const options = toClientOptions(`Dynatrace ${name}`, config, tools);
  const token = tools.secret(config.token);
  const client = createHttpClient({
    ...options,
    headers: { ...options.headers, Authorization: `Api-Token ${token.reveal()}` },
    secrets: [...options.secrets, token],
  });
  const answerer = { who: options.name, quote: client.quote };
  return {
    kind: 'dynatrace',
    name,
    read: async (query, { signal } = {}) => {
      const period = periodOf(query);
      const question = toQuestion(query.query, period.variables);
      const body = await ask(client, pathOf(question), parametersOf(question, period, 'Inf'), signal);
      return toReading(question, body, answerer);
    },
    series: async (query, { signal } = {}) => {
      const period = periodOf(query, query.stepMs);
      const question = toQuestion(query.query, period.variables);
      if (question.asks !== 'metric') throw new AdapterError('rejected', 'only metrics of Dynatrace have points');
      if (query.stepMs % MINUTE_MS !== 0) throw new AdapterError('rejected', 'Dynatrace has points of whole minutes');
      const parameters = parametersOf(question, period, `${query.stepMs / MINUTE_MS}m`);
      return toSeries(question, await ask(client, pathOf(question), parameters, signal), answerer);
    },
  };
}

async function ask(
  client: HttpClient,
  to: string,
  query: Record<string, string>,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  const request = { method: 'GET', path: to, query } as const;
  return (await client.json({ ...request, ...(signal ? { signal } : {}) })).data;
}

function pathOf(question: DynatraceQuestion): string {
  if (question.asks === 'metric') return '/api/v2/metrics/query';
  return question.asks === 'slo' ? path`/api/v2/slo/${question.id}` : `/api/v2/${question.asks}`;
}

function parametersOf(
  question: DynatraceQuestion,
  { startMs, endMs }: Period,
  resolution: string,
): Record<string, string> {
  const period = { from: new Date(startMs).toISOString(), to: new Date(endMs).toISOString() };
  switch (question.asks) {
    case 'metric':
      return { resolution, ...question.parameters, ...period };
    case 'slo':
      // Otherwise the period would be that of the SLO's own definition.
      return { timeFrame: 'GTF', ...period };
    default:
      return { pageSize: '1', ...question.parameters, ...period };
  }
}

function toReading(question: DynatraceQuestion, body: unknown, answerer: Answerer): Reading {
  if (!isJsonObject(body)) throw badResponse(answerer);
  if (question.asks === 'slo') return toSloReading(body, answerer);
  if (question.asks !== 'metric') return toCount(body, answerer);
  const found = onlySeries(body, answerer);
  if (!Array.isArray(found)) return found;
  if (found.length > 1) {
    const names = found.map((value) => String(value));
    return severalValues('points', names, 'end the metric selector with :fold');
  }
  const reading = found.length === 0 ? noData() : jsonNumber(found[0]);
  if (reading === undefined) throw badResponse(answerer);
  return reading.ok ? { ok: true, value: reading.value * question.factor } : reading;
}

function toSeries({ factor }: MetricQuestion, body: unknown, answerer: Answerer): SeriesReading {
  if (!isJsonObject(body)) throw badResponse(answerer);
  const found = onlySeries(body, answerer);
  if (!Array.isArray(found)) return found;
  const reading = jsonSeries(found);
  if (reading === undefined) throw badResponse(answerer);
  return reading.ok ? { ok: true, points: reading.points.map((point) => point * factor) } : reading;
}

/** The values of the only series, one point for each slot of the resolution. */
function onlySeries(
  { result, nextPageKey }: JsonObject,
  answerer: Answerer,
): unknown[] | Extract<Reading, { ok: false }> {
  if (!Array.isArray(result)) throw badResponse(answerer);
  const series = result.flatMap((metric) => {
    if (!isJsonObject(metric) || !Array.isArray(metric['data'])) throw badResponse(answerer);
    return metric['data'];
  });
  const [first] = series;
  if (first === undefined) return noData(sayWarnings(result, answerer));
  if (series.length > 1 || typeof nextPageKey === 'string') {
    return severalValues('series', series.map(nameOf), 'merge them, for example with :splitBy()');
  }
  if (!isJsonObject(first) || !Array.isArray(first['values'])) throw badResponse(answerer);
  return first['values'];
}

function nameOf(series: unknown): string {
  return isJsonObject(series) && Array.isArray(series['dimensions']) ? series['dimensions'].join(', ') || '-' : '?';
}

/** Why there is nothing, when Dynatrace knows. */
function sayWarnings(result: readonly unknown[], { quote }: Answerer): string {
  const [warning] = result.flatMap((metric) =>
    isJsonObject(metric) && Array.isArray(metric['warnings']) ? metric['warnings'] : [],
  );
  return typeof warning === 'string' ? `the query gives no data: ${quote(warning)}` : 'the query gives no data';
}

/** -1 stands for an SLO that could not be evaluated. */
function toSloReading({ evaluatedPercentage, error }: JsonObject, answerer: Answerer): Reading {
  if (typeof error === 'string' && error !== 'NONE') {
    return noData(`Dynatrace could not evaluate the SLO: ${answerer.quote(error)}`);
  }
  if (evaluatedPercentage === -1) return noData('Dynatrace could not evaluate the SLO');
  const reading = jsonNumber(evaluatedPercentage);
  if (reading === undefined) throw badResponse(answerer);
  return reading;
}

function toCount({ totalCount }: JsonObject, answerer: Answerer): Reading {
  if (typeof totalCount === 'number' && Number.isSafeInteger(totalCount) && totalCount >= 0) {
    return { ok: true, value: totalCount };
  }
  throw badResponse(answerer);
}

function badResponse({ who }: Answerer): AdapterError {
  return new AdapterError('bad-response', `${who} answered no result of a query: is its URL right?`);
}
