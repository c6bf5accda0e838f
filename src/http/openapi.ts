import { Router } from 'express';
import type { Route } from './access.ts';
import type { Authentication } from './authentication.ts';
import { connectionsPaths, connectionsSchemas } from './connections-openapi.ts';
import { fleetPaths, fleetSchemas } from './fleet-openapi.ts';
import { forecastPaths, forecastSchemas } from './forecast-openapi.ts';
import { gatePaths, gateSchemas } from './gates/openapi.ts';
import { gitWebhookPaths } from './git-webhooks-openapi.ts';
import { changesPaths, changesSchemas, findPaths, rebuildPaths } from './openapi/changes.ts';
import { evaluationPaths, evaluationSchemas } from './openapi/evaluations.ts';
import { eventPaths, eventSchemas } from './openapi/events.ts';
import { decisionPaths, journeySchemas } from './openapi/journeys.ts';
import { livePaths } from './openapi/live.ts';
import { ref } from './openapi/parts.ts';
import { riskPaths, riskSchemas } from './openapi/risk.ts';
import { securitySchemes, withSecurity } from './openapi/security.ts';
import { documentPaths, operationsPaths, problemSchemas, webhookPaths } from './openapi/service.ts';
import { reportPaths, reportSchemas } from './reports/openapi.ts';
import { stopTheLinePaths, stopTheLineSchemas } from './stop-the-line-openapi.ts';
import { tokenPaths, tokenSchemas } from './tokens-openapi.ts';

const problem = {
  description: 'Refused; see code',
  content: { 'application/problem+json': { schema: ref('Problem') } },
};

/** The API as a document; test/http/access.test.ts holds routes and answers to it. */
export const openApi = {
  openapi: '3.1.0',
  info: {
    title: 'Lynceus',
    version: '1',
    description: 'Gates, tests, SLO evaluations and promotion pull requests beside Argo CD and Flux.',
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
  },
  security: [{ token: [] }],
  paths: {
    ...changesPaths(problem),
    ...findPaths(problem),
    ...rebuildPaths(problem),
    ...livePaths(problem),
    ...decisionPaths(problem),
    ...eventPaths(problem),
    ...connectionsPaths(problem),
    ...fleetPaths(problem),
    ...reportPaths,
    ...stopTheLinePaths(problem),
    ...forecastPaths(problem),
    ...tokenPaths(problem),
    ...riskPaths(problem),
    ...evaluationPaths(problem),
    ...gatePaths,
    ...documentPaths(problem),
    ...webhookPaths(problem),
    ...gitWebhookPaths(problem),
    ...operationsPaths(problem),
  },
  components: {
    securitySchemes,
    schemas: {
      ...gateSchemas,
      ...connectionsSchemas,
      ...fleetSchemas,
      ...reportSchemas,
      ...stopTheLineSchemas,
      ...forecastSchemas,
      ...tokenSchemas,
      ...problemSchemas,
      ...riskSchemas,
      ...eventSchemas,
      ...evaluationSchemas,
      ...changesSchemas,
      ...journeySchemas,
    },
  },
} as const;

export interface OpenApiTools {
  authentication: Pick<Authentication, 'require'>;
  anonymousRead: boolean;
  /** All of the service, once they are there. */
  routes(): readonly Route[];
}

/** The document, with what each route of this service takes. */
export function openApiRoutes({ authentication, anonymousRead, routes }: OpenApiTools): Router {
  const router = Router();
  let document: object | undefined;
  router.get('/api/v1/openapi.json', authentication.require('read'), (_request, response) => {
    document ??= { ...openApi, paths: withSecurity(openApi.paths, routes(), anonymousRead) };
    response.json(document);
  });
  return router;
}
