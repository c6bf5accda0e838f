import { Router } from 'express';
import type { RiskModels } from '../runtime/risk-model.ts';
import type { Authentication } from './authentication.ts';
import { Refusal } from './problem.ts';

/** How the risk of a project's changes is estimated, and how well that went. */
export function riskRoutes(models: RiskModels, authentication: Authentication): Router {
  const router = Router();
  router.get('/api/v1/risk', authentication.require('read'), async (request, response) => {
    const { project } = request.query;
    if (typeof project !== 'string' || project === '' || project.length > 200)
      throw new Refusal(400, 'invalid-request', 'project: name the project whose risk model you want');
    response.json({ project, ...(await models.report(project)) });
  });
  return router;
}
