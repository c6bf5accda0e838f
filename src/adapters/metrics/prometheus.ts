import type { Static } from 'typebox';
import Type from 'typebox';
import { type AdapterTools, defineAdapter } from '../adapter-kind.ts';
import { createHttpClient } from '../http-client.ts';
import { httpSettings, loginSettings, toClientOptions, withLogin } from '../http-settings.ts';
import type { MetricsSource } from './metrics-source.ts';
import { readByPromql } from './prometheus-api.ts';

const PrometheusConfig = Type.Object(
  {
    ...httpSettings,
    ...loginSettings,
    tenant: Type.Optional(
      Type.String({ pattern: "^[A-Za-z0-9!._*'()|-]{1,512}$", description: 'sent as X-Scope-OrgID (Mimir, Cortex)' }),
    ),
    acceptWarnings: Type.Optional(
      Type.Boolean({ default: false, description: 'take answers that lack data, or that a warning comes with' }),
    ),
  },
  { additionalProperties: false },
);

/** Prometheus and what speaks its query API (Thanos, Mimir, Cortex, VictoriaMetrics). */
export const prometheus = defineAdapter<MetricsSource, typeof PrometheusConfig>({
  kind: 'prometheus',
  schema: PrometheusConfig,
  create: createPrometheus,
});

function createPrometheus(name: string, config: Static<typeof PrometheusConfig>, tools: AdapterTools): MetricsSource {
  const who = `Prometheus ${name}`;
  const options = withLogin(toClientOptions(who, config, tools), config, tools);
  const tenant = config.tenant === undefined ? {} : { 'X-Scope-OrgID': config.tenant };
  const client = createHttpClient({ ...options, headers: { ...options.headers, ...tenant } });
  return {
    kind: 'prometheus',
    name,
    ...readByPromql(client, { who, acceptWarnings: config.acceptWarnings ?? false }),
  };
}
