import type { Static } from 'typebox';
import Type from 'typebox';
import { AdapterError } from '../../base/adapter-error.ts';
import type { Json } from '../../base/json.ts';
import { type AdapterTools, defineAdapter } from '../adapter-kind.ts';
import { createHttpClient } from '../http-client.ts';
import { httpSettings, loginSettings, toClientOptions, withLogin } from '../http-settings.ts';
import { compileNumberPath } from './json-path.ts';
import { fillJson } from './json-template.ts';
import type { MetricsSource, QueryVariables } from './metrics-source.ts';
import { fillPlaceholders, periodOf, type QueryLanguage } from './placeholders.ts';

/** What a path and a query string may be written with; a `#` would end them early. */
const PATH = /^\/[A-Za-z0-9\-._~!$&'()*+,;=:@%/?]*$/;
/** `/stats/$SERVICE?since=$START $.errors.rate`, or the JSONPath alone. */
const QUERY = /^\s*(?:(\/\S*)\s+)?(\$(?:[.[].*)?)$/s;

const HttpJsonConfig = Type.Object(
  {
    ...httpSettings,
    ...loginSettings,
    method: Type.Optional(Type.Union([Type.Literal('GET'), Type.Literal('POST')], { default: 'GET' })),
    path: Type.Optional(Type.String({ pattern: '^/', default: '/', description: 'below url, where a query has none' })),
    body: Type.Optional(Type.Unknown({ description: 'sent as JSON by POST; texts in it may have placeholders' })),
  },
  { additionalProperties: false },
);

/** Anything that answers JSON: a query is a JSONPath, with the path of the request before it or without. */
export const httpJson = defineAdapter<MetricsSource, typeof HttpJsonConfig>({
  kind: 'http-json',
  schema: HttpJsonConfig,
  create: createHttpJson,
});

function createHttpJson(name: string, config: Static<typeof HttpJsonConfig>, tools: AdapterTools): MetricsSource {
  const who = `HTTP ${name}`;
  const client = createHttpClient(withLogin(toClientOptions(who, config, tools), config, tools));
  if (config.body !== undefined && config.method !== 'POST') {
    throw new AdapterError('rejected', `${who}: a body is sent by method: POST only`);
  }
  return {
    kind: 'http-json',
    name,
    async read(query, { signal } = {}) {
      const { variables } = periodOf(query);
      const [, path = config.path ?? '/', jsonPath = ''] = QUERY.exec(query.query) ?? [];
      if (jsonPath === '') throw new AdapterError('rejected', 'the query is neither "$.path" nor "/path $.path"');
      const pick = compileNumberPath(jsonPath, variables);
      const { data } = await client.json<Json | undefined>({
        method: config.method ?? 'GET',
        path: fillPath(path, variables),
        ...(config.body === undefined ? {} : { body: fillJson(config.body as Json, variables) }),
        ...(signal ? { signal } : {}),
      });
      if (data === undefined) throw new AdapterError('bad-response', `${who} answered nothing`);
      return pick(data);
    },
  };
}

const PATH_LANGUAGE: QueryLanguage = {
  quotes: [],
  bare(value, name) {
    if (value !== '') return encodeURIComponent(value);
    throw new AdapterError('rejected', `the value of $${name} is empty: the path would be another one`);
  },
};

/** The credentials are meant for what is below `url`: no path leads above it. */
function fillPath(template: string, variables: QueryVariables): string {
  const path = fillPlaceholders(template, variables, PATH_LANGUAGE);
  const [segments = ''] = path.split('?');
  const leadsAway = segments.split('/').some((segment) => /^(?:\.|%2e){1,2}$/i.test(segment));
  if (PATH.test(path) && !leadsAway && !segments.includes('//')) return path;
  throw new AdapterError(
    'rejected',
    `${JSON.stringify(template.slice(0, 100))} with its values is not a path below the URL`,
  );
}
