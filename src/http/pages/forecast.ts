import { Router } from 'express';
import type { ForecastView } from '../../forecast/forecast-view.ts';
import type { ForecastFilter } from '../../runtime/forecast-view.ts';
import { forecastPage } from '../../ui/pages/forecast.ts';
import type { Authentication } from '../authentication.ts';
import { forecastFilter } from '../forecast-query.ts';
import type { FrameOf } from './frame.ts';

/** How long and how likely: the screen, and the same as JSON. */
export function forecastRoutes(
  read: (filter: ForecastFilter) => Promise<ForecastView>,
  authentication: Pick<Authentication, 'require'>,
  frameOf: FrameOf,
): Router {
  const router = Router();
  router.get('/api/v1/forecast', authentication.require('read'), async (request, response) => {
    response.json(await read(forecastFilter(request)));
  });
  router.get('/forecast', authentication.require('read'), async (request, response) => {
    const frame = frameOf(request, response, 'forecast');
    response.type('html').send(forecastPage(frame, await read(forecastFilter(request))));
  });
  return router;
}
