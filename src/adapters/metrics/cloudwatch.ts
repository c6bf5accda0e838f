import { AwsV4Signer } from 'aws4fetch';
import type { Static } from 'typebox';
import Type from 'typebox';
import { AdapterError, type FailureReason } from '../../base/adapter-error.ts';
import { isJsonObject, type JsonObject } from '../../base/json.ts';
import { type AdapterTools, defineAdapter } from '../adapter-kind.ts';
import { createHttpClient, HttpFailure } from '../http-client.ts';
import { httpSettings, toClientOptions } from '../http-settings.ts';
import { type AwsCredentials, awsCredentials, credentialSettings } from './cloudwatch-credentials.ts';
import { type Aggregate, type CloudWatchQuestion, toQuestion } from './cloudwatch-query.ts';
import type { MetricsSource, Reading, SeriesReading } from './metrics-source.ts';
import { jsonSeries, noData, severalValues } from './missing.ts';
import { type Period, periodOf } from './placeholders.ts';

const TARGET = 'GraniteServiceVersion20100801.GetMetricData';
const CONTENT_TYPE = 'application/x-amz-json-1.0';
/** Steps that CloudWatch has below a minute, in seconds. */
const SHORT_STEPS = [1, 5, 10, 20, 30];

const CloudWatchConfig = Type.Object(
  {
    ...httpSettings,
    url: Type.Optional(Type.String({ format: 'uri', description: 'follows from the region otherwise' })),
    region: Type.String({ pattern: '^[a-z0-9-]+$', description: 'such as eu-central-1' }),
    ...credentialSettings,
  },
  { additionalProperties: false },
);

/** Amazon CloudWatch: metrics, metric math, SEARCH and SELECT by GetMetricData. */
export const cloudwatch = defineAdapter<MetricsSource, typeof CloudWatchConfig>({
  kind: 'cloudwatch',
  schema: CloudWatchConfig,
  create: createCloudWatch,
});

function createCloudWatch(name: string, config: Static<typeof CloudWatchConfig>, tools: AdapterTools): MetricsSource {
  const who = `CloudWatch ${name}`;
  const { region } = config;
  const url = (config.url ?? `https://monitoring.${region}.amazonaws.com`).replace(/\/+$/, '');
  const options = toClientOptions(who, { ...config, url }, tools);
  const client = createHttpClient(options);
  const credentials = awsCredentials(options, config, tools);

  async function ask(question: CloudWatchQuestion, period: Period, signal: AbortSignal | undefined): Promise<unknown> {
    const body = {
      MetricDataQueries: question.queries,
      StartTime: period.startMs / 1000,
      EndTime: period.endMs / 1000,
      ScanBy: 'TimestampAscending',
    };
    const login = await credentials.get();
    const signed = await sign(`${url}/`, JSON.stringify(body), region, login);
    const secrets = [login.secretAccessKey, ...(login.sessionToken ? [login.sessionToken] : [])];
    const request = { method: 'POST', path: '/', body, headers: signed, secrets } as const;
    try {
      return (await client.json({ ...request, ...(signal ? { signal } : {}) })).data;
    } catch (error) {
      const known = translate(error);
      if (known instanceof AdapterError && known.reason === 'unauthenticated') credentials.drop();
      throw known;
    }
  }

  return {
    kind: 'cloudwatch',
    name,
    read: async (query, { signal } = {}) => {
      const period = periodOf(query);
      const question = toQuestion(query.query, period);
      return toReading(toSeries(await ask(question, period, signal), who), question.aggregate);
    },
    series: async (query, { signal } = {}) => {
      const period = periodOf(query, query.stepMs);
      const seconds = query.stepMs / 1000;
      if (seconds % 60 !== 0 && !SHORT_STEPS.includes(seconds)) {
        throw new AdapterError('rejected', 'CloudWatch has points of whole minutes, or of 1, 5, 10, 20 or 30 seconds');
      }
      return toSeries(await ask(toQuestion(query.query, period, query.stepMs), period, signal), who);
    },
  };
}

async function sign(url: string, body: string, region: string, login: AwsCredentials): Promise<Record<string, string>> {
  const signer = new AwsV4Signer({
    method: 'POST',
    url,
    body,
    region,
    service: 'monitoring',
    headers: { 'Content-Type': CONTENT_TYPE, 'X-Amz-Target': TARGET },
    accessKeyId: login.accessKeyId,
    secretAccessKey: login.secretAccessKey.reveal(),
    ...(login.sessionToken ? { sessionToken: login.sessionToken.reveal() } : {}),
  });
  return Object.fromEntries((await signer.sign()).headers);
}

/** AWS says with status 400 what elsewhere is a status of its own. */
function translate(error: unknown): unknown {
  if (!(error instanceof AdapterError) || !(error.cause instanceof HttpFailure)) return error;
  const { body } = error.cause;
  const type = isJsonObject(body) ? String(body['__type'] ?? '') : '';
  const reason = reasonOf(type) ?? error.reason;
  return new AdapterError(
    reason,
    type === '' ? error.message : `${error.message} (${type.replace(/^.*#/, '').slice(0, 80)})`,
    {
      cause: error.cause,
      ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
    },
  );
}

function reasonOf(type: string): FailureReason | undefined {
  if (/Throttl|LimitExceeded/.test(type)) return 'rate-limited';
  if (/AccessDenied|NotAuthorized/.test(type)) return 'forbidden';
  if (/ExpiredToken|UnrecognizedClient|InvalidClientTokenId|Signature|MissingAuthentication/.test(type)) {
    return 'unauthenticated';
  }
  return /InternalServi|InternalFailure|ServiceUnavailable/.test(type) ? 'unavailable' : undefined;
}

/** The points of the only result whose data is returned. */
function toSeries(body: unknown, who: string): SeriesReading {
  const results = isJsonObject(body) ? body['MetricDataResults'] : undefined;
  if (!isJsonObject(body) || !Array.isArray(results) || !results.every(isResult)) {
    throw new AdapterError('bad-response', `${who} answered no metric data: is its URL right?`);
  }
  const [result] = results;
  if (result === undefined) return noData();
  if (results.length > 1) {
    const names = results.map(({ Label, Id }) => String(Label ?? Id));
    return severalValues('results', names, 'set "ReturnData": false for all but one');
  }
  const status = result['StatusCode'] ?? 'Complete';
  if (status === 'Forbidden') throw new AdapterError('forbidden', `${who} does not let us read this metric`);
  if (status !== 'Complete' || typeof body['NextToken'] === 'string') {
    throw new AdapterError(
      'unavailable',
      `${who} answered with a part of the data only (${String(status).slice(0, 40)})`,
    );
  }
  const reading = jsonSeries(result.Values);
  if (reading === undefined) throw new AdapterError('bad-response', `${who} answered a value that is not a number`);
  return reading;
}

function isResult(value: unknown): value is JsonObject & { Values: unknown[] } {
  return isJsonObject(value) && Array.isArray(value['Values']);
}

function toReading(series: SeriesReading, aggregate: Aggregate | undefined): Reading {
  if (!series.ok) return series;
  const { points } = series;
  if (aggregate !== undefined) return { ok: true, value: aggregated(points, aggregate) };
  const [value = Number.NaN] = points;
  if (points.length === 1) return { ok: true, value };
  const remedy = 'say how they become one, with {"queries": [...], "aggregate": "sum"}';
  return severalValues('points', points.map(String), remedy);
}

function aggregated(points: readonly number[], aggregate: Aggregate): number {
  const sum = points.reduce((total, point) => total + point, 0);
  switch (aggregate) {
    case 'sum':
      return sum;
    case 'avg':
      return sum / points.length;
    case 'max':
      return points.reduce((most, point) => Math.max(most, point));
    case 'min':
      return points.reduce((least, point) => Math.min(least, point));
    case 'last':
      return points.at(-1) ?? Number.NaN;
  }
}
