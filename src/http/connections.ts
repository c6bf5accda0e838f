import { Router } from 'express';
import type { ConnectionsView } from '../views/connections.ts';
import type { Authentication } from './authentication.ts';
import { Refusal } from './problem.ts';

const DEFAULT_LIMIT = 1000;
const MAX_LIMIT = 10_000;

/** What is connected, what is labelled, what is silent and what cannot be read. */
export function connectionsRoutes(
  read: (limit: number) => Promise<ConnectionsView>,
  authentication: Authentication,
): Router {
  const router = Router();
  router.get('/api/v1/connections', authentication.require('read'), async (request, response) => {
    const limit = Number(request.query['limit'] ?? DEFAULT_LIMIT);
    if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT)
      throw new Refusal(400, 'invalid-request', `limit: must be a whole number from 1 to ${MAX_LIMIT}`);
    response.json(await read(limit));
  });
  return router;
}
