import { Router } from 'express';
import type { Clock } from '../base/clock.ts';
import { askForRebuild, readRebuild } from '../runtime/rebuild.ts';
import type { Store } from '../store/store.ts';
import type { Authentication } from './authentication.ts';
import { refuseProject } from './project-scope.ts';

/** Has all rows written anew from the log, and says how far that is. */
export function rebuildRoutes(
  { store, clock }: { store: Store; clock: Clock },
  authentication: Pick<Authentication, 'require' | 'holder'>,
): Router {
  const router = Router();
  router.get('/api/v1/rebuild', authentication.require('read'), async (_request, response) => {
    response.json(await readRebuild(store));
  });
  router.post('/api/v1/rebuild', authentication.require('operate'), async (_request, response) => {
    refuseProject(authentication.holder(response), undefined);
    await askForRebuild(store, clock.now());
    response.status(202).json(await readRebuild(store));
  });
  return router;
}
