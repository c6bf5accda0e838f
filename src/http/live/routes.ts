import { type Request, type RequestHandler, type Response, Router } from 'express';
import type { Viewer } from '../../answers/viewer.ts';
import type { Live } from '../../runtime/live.ts';
import { type LiveTopic, parseTopic } from '../../runtime/live-topic.ts';
import { LiveFullError, type Subscribed } from '../../runtime/live-types.ts';
import { networkOf } from '../../runtime/network.ts';
import type { Authentication } from '../authentication.ts';
import { clientAddress } from '../client-address.ts';
import { Refusal } from '../problem.ts';
import { createReaders, type Reader, type Readers, type ReadersOptions } from './readers.ts';
import { openEventStream } from './stream.ts';

export interface LiveRoutesTools extends Omit<ReadersOptions, 'live'> {
  live: Live;
  authentication: Pick<Authentication, 'require' | 'holder' | 'viewer'>;
  trustedProxies: number;
}

/** A browser shows so many different pages at once, at most. */
const MAX_TOPICS = 64;

/** `GET /events`: what is different, as soon as it is. */
export function liveRoutes(tools: LiveRoutesTools): Router {
  const router = Router();
  const { live, authentication, trustedProxies } = tools;
  const readers = createReaders(tools);
  // Open pages listen while nobody looks: that keeps no session alive.
  const guard = authentication.require('read', 'no use');
  router.get('/events', guard, (request, response) => {
    const topics = topicsOf(request);
    const viewer = authentication.viewer(response);
    const from = viewer
      ? { id: authentication.holder(response).id, isKnown: true }
      : { id: networkOf(clientAddress(request, trustedProxies)), isKnown: false };
    const full = readers.isFull(from);
    if (full !== undefined) throw new Refusal(503, 'overloaded', full);
    const mayStillRead = () => isStill(viewer, guard, request, response, authentication);
    if (request.method === 'HEAD') return void response.type('text/event-stream').end();
    const since = sinceOf(request);
    open({
      live,
      readers,
      topics,
      viewer,
      response,
      mayStillRead,
      from,
      ...(since ? { since } : {}),
    });
  });
  return router;
}

interface Opening extends Omit<Reader, 'stream'> {
  live: Live;
  readers: Readers;
  topics: readonly LiveTopic[];
  viewer: Viewer | undefined;
  since?: string;
  response: Response;
}

function open({ live, readers, topics, viewer, since, response, from, mayStillRead }: Opening): void {
  const subscribed: Subscribed[] = [];
  const leave = () => {
    for (const { end } of subscribed) end();
  };
  // Not before everything that was missed is sent: who comes back then asks for it again.
  let caughtUp = false;
  const early: Parameters<Reader['stream']['send']>[0][] = [];
  const reader: Reader = {
    from,
    mayStillRead,
    stream: { send: (event) => void early.push(event), end: () => {} },
  };
  const send: Reader['stream']['send'] = (event) => reader.stream.send(event);
  try {
    for (const topic of topics)
      subscribed.push(live.subscribe({ topic, viewer, from: from.id, send, ...(since ? { since } : {}) }));
  } catch (error) {
    leave();
    if (error instanceof LiveFullError) throw new Refusal(503, 'overloaded', error.message);
    throw error;
  }
  const closed = () => {
    readers.remove(reader);
    leave();
  };
  reader.stream = openEventStream(response, () => (caughtUp ? live.position() : since), closed);
  readers.add(reader);
  for (const event of early) send(event);
  const beat = () => send({ name: 'beat', data: live.state() });
  beat();
  void Promise.all(subscribed.map((one) => one.caughtUp)).then(() => {
    caughtUp = true;
    beat();
  });
}

function topicsOf(request: Request): LiveTopic[] {
  const asked = [request.query['topics'] ?? []].flat();
  const topics = [...new Set(asked)].map((name) => {
    const topic = typeof name === 'string' ? parseTopic(name) : undefined;
    if (topic) return topic;
    throw new Refusal(
      400,
      'invalid-request',
      'topics: each must be changes:<query>, change:<id>, evaluations:<service>/<stage>, fleet or connections',
    );
  });
  if (topics.length > 0 && topics.length <= MAX_TOPICS) return topics;
  throw new Refusal(400, 'invalid-request', `topics: name 1 to ${MAX_TOPICS}`);
}

/** Browsers send the header when they come back by themselves; it is the newer one. */
function sinceOf(request: Request): string | undefined {
  const { since } = request.query;
  const header = request.get('Last-Event-ID');
  if (header) return header;
  return typeof since === 'string' && since !== '' ? since : undefined;
}

/** Whether the same request would be let in now, as the same person with the same rights. */
function isStill(
  viewer: Viewer | undefined,
  guard: RequestHandler,
  request: Request,
  response: Response,
  authentication: Pick<Authentication, 'viewer'>,
): Promise<boolean> {
  return new Promise((resolve) => {
    const refused = () => resolve(false);
    // Answers nobody: the stream has its headers already.
    const probe: Response = Object.create(response, {
      locals: { value: {} },
      setHeader: { value: () => probe },
      redirect: { value: refused },
    });
    const done = (error?: unknown) =>
      resolve(error === undefined && JSON.stringify(authentication.viewer(probe)) === JSON.stringify(viewer));
    try {
      void Promise.resolve(guard(request, probe, done)).catch(refused);
    } catch {
      refused();
    }
  });
}
