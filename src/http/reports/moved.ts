import { Router } from 'express';
import { ARRIVED, BUILT, MERGED } from '../../runtime/reports.ts';
import type { Store } from '../../store/store.ts';
import type { Authentication } from '../authentication.ts';

/** Pages and the API find what was a row of its own where it is now: in the change that delivered it. */
export function movedRoutes({
  store,
  authentication,
}: {
  store: Pick<Store, 'document'>;
  authentication: Pick<Authentication, 'require'>;
}): Router {
  const router = Router();
  // No route of its own: those that follow answer for all that has not moved.
  for (const folder of ['/changes', '/api/v1/changes'])
    router.use(
      `${folder}/:id`,
      (request, _response, next) => (request.method === 'GET' && request.path === '/' ? next() : next('router')),
      authentication.require('read'),
      async (request, response, next) => {
        const row = await store.document(BUILT, String(request.params['id']));
        if (row?.context === undefined || (row.status !== MERGED && row.status !== ARRIVED)) return next();
        response.redirect(302, `${folder}/${encodeURIComponent(row.context)}`);
      },
    );
  return router;
}
