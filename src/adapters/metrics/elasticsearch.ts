import type { Static } from 'typebox';
import Type from 'typebox';
import { AdapterError } from '../../base/adapter-error.ts';
import { type AdapterTools, defineAdapter, SecretRef } from '../adapter-kind.ts';
import { createHttpClient, path } from '../http-client.ts';
import { httpSettings, loginSettings, toClientOptions, withLogin } from '../http-settings.ts';
import { readEsql, readSearch } from './elasticsearch-answer.ts';
import { toElasticQuery } from './elasticsearch-query.ts';
import type { MetricsSource } from './metrics-source.ts';
import { periodOf } from './placeholders.ts';

const ElasticConfig = Type.Object(
  {
    ...httpSettings,
    ...loginSettings,
    apiKey: Type.Optional(SecretRef),
    index: Type.Optional(Type.String({ minLength: 1, description: 'of searches that name none, such as logs-*' })),
    timeField: Type.Optional(
      Type.String({ default: '@timestamp', description: 'by which documents belong to the period; "": do not filter' }),
    ),
  },
  { additionalProperties: false },
);

/** Elasticsearch and OpenSearch: a query is the body of a search, or ES|QL (Elasticsearch only). */
export const elasticsearch = defineAdapter<MetricsSource, typeof ElasticConfig>({
  kind: 'elasticsearch',
  schema: ElasticConfig,
  create: createElasticsearch,
});

function createElasticsearch(name: string, config: Static<typeof ElasticConfig>, tools: AdapterTools): MetricsSource {
  const who = `Elasticsearch ${name}`;
  const client = createHttpClient(withApiKey(who, config, tools));
  const defaults = { index: config.index, timeField: config.timeField ?? '@timestamp' };
  return {
    kind: 'elasticsearch',
    name,
    async read(query, { signal } = {}) {
      const asked = toElasticQuery(query.query, periodOf(query), defaults);
      const { data } = await client.json({
        method: 'POST',
        path: asked.kind === 'esql' ? '/_query' : path`/${asked.index}/_search`,
        // A part of the data is refused by the server already, where it knows how.
        query: asked.kind === 'esql' ? {} : { allow_partial_search_results: 'false' },
        body: asked.body,
        ...(signal ? { signal } : {}),
      });
      return asked.kind === 'esql' ? readEsql(data, who) : readSearch(data, asked, who);
    },
  };
}

function withApiKey(who: string, config: Static<typeof ElasticConfig>, tools: AdapterTools) {
  const options = withLogin(toClientOptions(who, config, tools), config, tools);
  if (config.apiKey === undefined) return options;
  if (config.token ?? config.basicAuth) {
    throw new AdapterError('rejected', `${who}: take one of apiKey, token and basicAuth`);
  }
  const apiKey = tools.secret(config.apiKey);
  const headers = { ...options.headers, Authorization: `ApiKey ${apiKey.reveal()}` };
  return { ...options, headers, secrets: [...options.secrets, apiKey] };
}
