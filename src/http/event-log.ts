import { Router } from 'express';
import { isJsonObject, type JsonObject } from '../base/json.ts';
import { inCloudEvent } from '../events/cd-events.ts';
import { type CdEventWords, createTeller } from '../runtime/emit.ts';
import type { Store, StoredEvent } from '../store/store.ts';
import type { Authentication } from './authentication.ts';
import { Refusal } from './problem.ts';
import { wholeNumber } from './whole-number.ts';

const DEFAULT_PAGE = 50;
const MAX_PAGE = 1000;

/** The log, for programs. */
export function eventLogRoutes(
  store: Store,
  authentication: Pick<Authentication, 'require'>,
  words: CdEventWords,
): Router {
  const router = Router();
  router.get('/api/v1/events', authentication.require('read'), async (request, response) => {
    const { stream, after, limit, format = 'lynceus' } = request.query;
    if (format !== 'lynceus' && format !== 'cdevents')
      throw new Refusal(400, 'invalid-request', 'format must be lynceus or cdevents');
    const events = await store.readLog({
      limit: wholeNumber(limit, 'limit', DEFAULT_PAGE, 1, MAX_PAGE),
      afterSeq: wholeNumber(after, 'after', 0, 0, Number.MAX_SAFE_INTEGER),
      ...(typeof stream === 'string' ? { stream } : {}),
    });
    const last = events.at(-1);
    const shown = format === 'cdevents' ? await asCdEvents(store, words, events) : events.map(toCloudEvent);
    response.json({ events: shown, ...(last ? { next: last.seq } : {}) });
  });
  return router;
}

/** Those that others have words for; one event may be several, or none. */
async function asCdEvents(store: Store, words: CdEventWords, events: readonly StoredEvent[]) {
  const tell = createTeller(store, words);
  const told = await Promise.all(events.map(tell));
  return told.flat().map(inCloudEvent);
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
    data: withoutMail(data),
  };
}

/** What recognises an author is nobody's business: whoever guesses an address could try it. */
function withoutMail(data: JsonObject): JsonObject {
  const found = data['data'];
  const commit = isJsonObject(found) ? found['commit'] : undefined;
  if (!isJsonObject(found) || !isJsonObject(commit) || commit['mail'] === undefined) return data;
  const { mail: _, ...shown } = commit;
  return { ...data, data: { ...found, commit: shown } };
}
