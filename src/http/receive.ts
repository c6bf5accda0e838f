import { type Request, type RequestHandler, Router } from 'express';
import type { Clock } from '../base/clock.ts';
import type { Failpoint } from '../runtime/failpoint.ts';
import type { RuntimeMetrics } from '../runtime/metrics.ts';
import type { NewEvent, NewJob, Store } from '../store/store.ts';
import { guards } from './access.ts';
import type { Authentication } from './authentication.ts';
import { readCloudEvents } from './cloud-event.ts';
import { createLookPace, type LookPace } from './look-pace.ts';
import { Refusal } from './problem.ts';
import { rawBody } from './raw-body.ts';
import { eventOfScope, jobsOfEvent } from './received-event.ts';
import type { WebhookSender } from './senders/sender.ts';

/** Argo CD's largest applications stay below; ten thousand at once still fit into memory. */
const MAX_BODY_BYTES = 1024 * 1024;
/** Requests whose body is held in memory at once; past it 503, which every sender retries. */
const MAX_AT_ONCE = 2_000;
/** Those whose body has to be there before it is known who sends: anybody can make us hold so much. */
const MAX_UNPROVEN_BYTES = 200 * MAX_BODY_BYTES;
const NO_BODY = Buffer.alloc(0);
const RECEIVE = { operation: 'receive' } as const;

export interface ReceiveTools {
  store: Store;
  clock: Clock;
  senders: readonly WebhookSender[];
  authentication: Authentication;
  metrics: RuntimeMetrics;
  failpoint: Failpoint;
}

/** What calls us: webhooks and CloudEvents. Authenticated first, stored second, answered third, worked on later. */
export function receiveRoutes(tools: ReceiveTools): Router {
  const router = Router();
  const brake = brakeAt(MAX_AT_ONCE);
  const pace = createLookPace();
  for (const sender of tools.senders) {
    const own = sender.proof === 'headers' ? brake : brakeAt(unprovenAtOnce(sender));
    const paced: RequestHandler = (_request, response, next) => {
      response.locals['pausesItself'] = sender.pausesItself;
      next();
    };
    router.post(sender.path, paced, own, ...webhook(tools, sender, pace));
  }
  router.post(
    '/api/v1/events',
    brake,
    tools.authentication.require('report'),
    rawBody(MAX_BODY_BYTES),
    async (request, response) => {
      const now = tools.clock.now();
      const answer = readCloudEvents(request.headers, bodyOf(request), now);
      if (!answer.ok) {
        tools.metrics.received.inc({ sender: 'cloudevents', outcome: answer.code });
        throw new Refusal(answer.status, answer.code, answer.detail);
      }
      // All are understood before the first is kept.
      const sender = tools.authentication.holder(response);
      const jobs = answer.events.map((event) => jobsOfEvent(event, now, sender));
      const stored = answer.events.map((event, at) =>
        store(tools, 'cloudevents', eventOfScope(event, sender), jobs[at] ?? []),
      );
      await (stored.length === 1 ? stored[0] : Promise.all(stored));
      response.status(202).end();
    },
  );
  return router;
}

function unprovenAtOnce({ maxBytes = MAX_BODY_BYTES }: WebhookSender): number {
  return Math.floor(MAX_UNPROVEN_BYTES / maxBytes);
}

function webhook(tools: ReceiveTools, sender: WebhookSender, pace: LookPace): RequestHandler[] {
  const raw = rawBody(sender.maxBytes ?? MAX_BODY_BYTES);
  const name = sender.path.split('/').at(-1) ?? sender.path;
  const identify = guards('sender', (request, response, next) => {
    const who = sender.authenticate({ headers: request.headers, rawBody: bodyOf(request) });
    if (!who) {
      tools.metrics.received.inc({ sender: name, outcome: 'unauthenticated' });
      throw new Refusal(401, 'unauthenticated', 'the credentials of this webhook are missing or wrong');
    }
    response.locals['source'] = who.source;
    next();
  });
  return [
    ...(sender.proof === 'headers' ? [identify, raw] : [raw, identify]),
    async (request, response) => {
      const source = String(response.locals['source']);
      const now = tools.clock.now();
      const translation = sender.translate(source, bodyOf(request), now, request.headers);
      if (!translation.ok) {
        tools.metrics.received.inc({ sender: name, outcome: translation.code });
        if (translation.status === 202) return void response.status(202).end();
        throw new Refusal(translation.status, translation.code, translation.detail);
      }
      const jobs = translation.jobs.map((job) => (job.queue === 'observe' ? heardJob(job, now, pace) : job));
      await store(tools, name, translation.event, jobs);
      response.status(202).end();
    },
  ];
}

/**
 * Who looks at an application because of a notification also notes down that there was one. To the second: thousands in
 * it ask for the same, and asking for the same once more writes nothing.
 */
function heardJob(job: NewJob, now: Date, pace: LookPace): NewJob {
  const heardAt = new Date(Math.floor(now.getTime() / 1_000) * 1_000).toISOString();
  return { ...job, payload: { ...job.payload, heardAt }, delayMs: pace(job.key, now.getTime()) };
}

async function store(tools: ReceiveTools, sender: string, event: NewEvent, jobs: readonly NewJob[]): Promise<void> {
  tools.failpoint('receive.before');
  const began = performance.now();
  const outcome = await tools.store.receive('inbox', event, jobs);
  tools.metrics.appendSeconds.observe(RECEIVE, (performance.now() - began) / 1_000);
  tools.failpoint('receive.stored');
  tools.metrics.received.inc({ sender, outcome });
}

/** Without a body the parser leaves nothing at all. */
function bodyOf(request: Request): Buffer {
  return Buffer.isBuffer(request.body) ? request.body : NO_BODY;
}

function brakeAt(most: number): RequestHandler {
  let under = 0;
  const done = () => void under--;
  return (_request, response, next) => {
    if (under >= most) throw new Refusal(503, 'overloaded', 'too many requests at once: send it again');
    under++;
    response.on('close', done);
    next();
  };
}
