import type { Static } from 'typebox';
import Type from 'typebox';
import { AdapterError } from '../../base/adapter-error.ts';
import { type AdapterTools, defineAdapter } from '../adapter-kind.ts';
import { createHttpClient, type HttpClient } from '../http-client.ts';
import { httpSettings, loginSettings, toClientOptions, withLogin } from '../http-settings.ts';
import { type Column, columnOfCsv, columnOfInfluxql } from './influxdb-answer.ts';
import { fillFlux, INFLUXQL } from './influxdb-languages.ts';
import type { MetricQuery, MetricsSource } from './metrics-source.ts';
import { fillPlaceholders, periodOf } from './placeholders.ts';
import { onlyValue, toPoints } from './points.ts';

const InfluxConfig = Type.Object(
  {
    ...httpSettings,
    ...loginSettings,
    language: Type.Optional(
      Type.Union([Type.Literal('flux'), Type.Literal('influxql')], { default: 'flux', description: 'of the queries' }),
    ),
    org: Type.Optional(Type.String({ minLength: 1, description: 'organisation, for flux' })),
    database: Type.Optional(Type.String({ minLength: 1, description: 'database, for influxql' })),
    retentionPolicy: Type.Optional(Type.String({ minLength: 1, description: 'for influxql, else the default one' })),
  },
  { additionalProperties: false },
);
type InfluxConfig = Static<typeof InfluxConfig>;

/** InfluxDB: Flux as version 2 speaks it, InfluxQL as versions 1, 2 and 3 do. */
export const influxdb = defineAdapter<MetricsSource, typeof InfluxConfig>({
  kind: 'influxdb',
  schema: InfluxConfig,
  create: createInflux,
});

type Ask = (query: MetricQuery, stepMs: number | undefined, signal: AbortSignal | undefined) => Promise<Column>;

function createInflux(name: string, config: InfluxConfig, tools: AdapterTools): MetricsSource {
  const who = `InfluxDB ${name}`;
  const client = createHttpClient(withToken(who, config, tools));
  const ask = config.language === 'influxql' ? askInfluxql(who, client, config) : askFlux(who, client, config);
  return {
    kind: 'influxdb',
    name,
    async read(query, { signal } = {}) {
      const column = await ask(query, undefined, signal);
      return 'failed' in column ? column.failed : onlyValue(column.values, 'take one, for example with last()');
    },
    async series(query, { signal } = {}) {
      const column = await ask(query, query.stepMs, signal);
      return 'failed' in column ? column.failed : toPoints(column.values);
    },
  };
}

/** A token has a scheme of its own, which all versions know. */
function withToken(who: string, config: InfluxConfig, tools: AdapterTools) {
  const { token, ...options } = withLogin(toClientOptions(who, config, tools), config, tools);
  if (token === undefined) return options;
  const headers = { ...options.headers, Authorization: `Token ${token.reveal()}` };
  return { ...options, headers, secrets: [...options.secrets, token] };
}

/** `now()` is the end of the period, so that `range(start: -5m)` means the last five minutes of it. */
function askFlux(who: string, client: HttpClient, { org }: InfluxConfig): Ask {
  if (org === undefined) throw new AdapterError('rejected', `${who}: Flux needs "org", or set language: influxql`);
  return async (query, stepMs, signal) => {
    const { endMs, variables } = periodOf(query, stepMs);
    const flux = fillFlux(query.query, variables);
    const { data } = await client.text({
      method: 'POST',
      path: '/api/v2/query',
      query: { org },
      body: {
        query: flux,
        type: 'flux',
        now: new Date(endMs).toISOString(),
        dialect: { header: true, delimiter: ',', annotations: ['datatype', 'group', 'default'] },
      },
      headers: { Accept: 'application/csv' },
      ...(signal ? { signal } : {}),
    });
    return columnOfCsv(data, who, client.quote);
  };
}

/** By GET, with which the server takes no statement that changes anything. */
function askInfluxql(who: string, client: HttpClient, { database, retentionPolicy }: InfluxConfig): Ask {
  if (database === undefined) throw new AdapterError('rejected', `${who}: InfluxQL needs "database"`);
  return async (query, stepMs, signal) => {
    const q = fillPlaceholders(query.query, periodOf(query, stepMs).variables, INFLUXQL);
    const { data } = await client.json({
      method: 'GET',
      path: '/query',
      query: { db: database, rp: retentionPolicy, epoch: 'ms', q },
      ...(signal ? { signal } : {}),
    });
    return columnOfInfluxql(data, who, client.quote);
  };
}
