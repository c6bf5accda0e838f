import { Router } from 'express';
import type { Store, StoredEvent } from '../store/store.ts';
import type { Authentication } from './authentication.ts';
import { wholeNumber } from './whole-number.ts';

const DEFAULT_PAGE = 50;
const MAX_PAGE = 1000;

/** The log, for programs. */
export function eventLogRoutes(store: Pick<Store, 'readLog'>, authentication: Pick<Authentication, 'require'>): Router {
  const router = Router();
  router.get('/api/v1/events', authentication.require('read'), async (request, response) => {
    const { stream, after, limit } = request.query;
    const events = await store.readLog({
      limit: wholeNumber(limit, 'limit', DEFAULT_PAGE, 1, MAX_PAGE),
      afterSeq: wholeNumber(after, 'after', 0, 0, Number.MAX_SAFE_INTEGER),
      ...(typeof stream === 'string' ? { stream } : {}),
    });
    const last = events.at(-1);
    response.json({ events: events.map(toCloudEvent), ...(last ? { next: last.seq } : {}) });
  });
  return router;
}

/** An event of the log in CloudEvents form; the log's own columns are extensions. */
function toCloudEvent({ id, source, type, subject, time, data, seq, stream, version }: StoredEvent) {
  return {
    specversion: '1.0',
    id,
    source,
    type,
    ...(subject === undefined ? {} : { subject }),
    time,
    datacontenttype: 'application/json',
    sequencenumber: seq,
    stream,
    ...(version === undefined ? {} : { streamversion: version }),
    data,
  };
}
