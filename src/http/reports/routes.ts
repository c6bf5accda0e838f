import { Router } from 'express';
import type { Clock } from '../../base/clock.ts';
import { adviceOf } from '../../events/report-advice.ts';
import { checkReport } from '../../runtime/journey.ts';
import type { Store } from '../../store/store.ts';
import type { Authentication } from '../authentication.ts';
import { readCloudEvents } from '../cloud-event.ts';
import { Refusal } from '../problem.ts';
import { reportWithin } from '../project-scope.ts';
import { rawBody } from '../raw-body.ts';
import { readReport } from './read-report.ts';

const MAX_BYTES = 256 * 1024;

export interface ReportTools {
  store: Store;
  clock: Clock;
  authentication: Authentication;
}

/** For pipelines that are being set up: what would a report come to? Nothing is kept. */
export function reportRoutes({ store, clock, authentication }: ReportTools): Router {
  const router = Router();
  router.post(
    '/api/v1/reports/check',
    authentication.require('report'),
    rawBody(MAX_BYTES),
    async (request, response) => {
      const now = clock.now();
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      const answer = readCloudEvents(request.headers, body, now);
      if (!answer.ok) throw new Refusal(answer.status, answer.code, answer.detail);
      const [event] = answer.events;
      const read = event && readReport(event, now);
      const report = read && reportWithin(read, authentication.holder(response));
      if (!report) return void response.json({ understood: false, changes: [], others: [], reports: 0 });
      const advice = adviceOf(report);
      response.json({ understood: true, ...(await checkReport(store, report)), ...(advice ? { advice } : {}) });
    },
  );
  return router;
}
