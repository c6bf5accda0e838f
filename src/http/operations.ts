import { Router } from 'express';
import type { RuntimeMetrics } from '../runtime/metrics.ts';
import type { Store } from '../store/store.ts';
import { anyone } from './access.ts';
import { Refusal } from './problem.ts';

/** For those who run the service: is it alive, can it take work, how is it doing. */
export function operationsRoutes(store: Store, metrics: RuntimeMetrics, isStopping: () => boolean): Router {
  const router = Router();
  router.get('/healthz', anyone, (_request, response) => {
    response.type('text').send('ok\n');
  });
  router.get('/readyz', anyone, async (_request, response) => {
    if (isStopping()) throw new Refusal(503, 'unavailable', 'shutting down');
    await store.ready();
    response.type('text').send('ok\n');
  });
  router.get('/metrics', anyone, async (_request, response) => {
    response.type(metrics.registry.contentType).send(await metrics.registry.metrics());
  });
  return router;
}
