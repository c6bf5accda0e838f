import type { Static } from 'typebox';
import Type from 'typebox';
import { AdapterError } from '../../base/adapter-error.ts';
import type { Secret } from '../../base/secret.ts';
import { type AdapterTools, defineAdapter } from '../adapter-kind.ts';
import { createHttpClient, type HttpClient, path } from '../http-client.ts';
import { httpSettings, toClientOptions } from '../http-settings.ts';
import { credentialSettings, googleTokens } from './google-credentials.ts';
import type { MetricsSource } from './metrics-source.ts';
import { readByPromql } from './prometheus-api.ts';
import type { Renewed } from './renewed.ts';

const GoogleConfig = Type.Object(
  {
    ...httpSettings,
    url: Type.Optional(Type.String({ format: 'uri', default: 'https://monitoring.googleapis.com' })),
    project: Type.String({ pattern: '^[a-z0-9.:-]+$', description: 'id of the project' }),
    ...credentialSettings,
    acceptWarnings: Type.Optional(Type.Boolean({ default: false })),
  },
  { additionalProperties: false },
);

/**
 * Google Cloud Monitoring, Managed Prometheus included, by its PromQL endpoint
 * (https://cloud.google.com/monitoring/promql/promql-in-cloud-monitoring).
 */
export const googleCloudMonitoring = defineAdapter<MetricsSource, typeof GoogleConfig>({
  kind: 'google-cloud-monitoring',
  schema: GoogleConfig,
  create: createGoogle,
});

function createGoogle(name: string, config: Static<typeof GoogleConfig>, tools: AdapterTools): MetricsSource {
  const who = `Google Cloud Monitoring ${name}`;
  const root = (config.url ?? 'https://monitoring.googleapis.com').replace(/\/+$/, '');
  const url = root + path`/v1/projects/${config.project}/location/global/prometheus`;
  const options = toClientOptions(who, { ...config, url }, tools);
  const client = withTokens(createHttpClient(options), googleTokens(options, config, tools));
  const answerer = { who, acceptWarnings: config.acceptWarnings ?? false };
  return { kind: 'google-cloud-monitoring', name, ...readByPromql(client, answerer) };
}

/** A token that is refused is asked for anew with the next request. */
function withTokens(client: HttpClient, tokens: Renewed<Secret>): HttpClient {
  return {
    ...client,
    async json(request) {
      const token = await tokens.get();
      const headers = { ...request.headers, Authorization: `Bearer ${token.reveal()}` };
      return client.json<never>({ ...request, headers, secrets: [token] }).catch((error: unknown) => {
        if (error instanceof AdapterError && error.reason === 'unauthenticated') tokens.drop();
        throw error;
      });
    },
  };
}
