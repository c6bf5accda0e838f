import express, { type Request, type Response, Router } from 'express';
import type { Clock } from '../../base/clock.ts';
import { kept } from '../../base/kept.ts';
import { readTestEvents } from '../../runtime/test-events.ts';
import { reportSources, unjoinedReports } from '../../runtime/unjoined.ts';
import type { Store } from '../../store/store.ts';
import type { Frame } from '../../ui/frame.ts';
import { page } from '../../ui/layout.ts';
import { connectionsScreen } from '../../ui/pages/connections/page.ts';
import { sourceScreen } from '../../ui/pages/connections/source.ts';
import type { ConnectionsView } from '../../views/connections.ts';
import { type ConnectionsRead, connectionKey, type Refused, type TestEvent } from '../../views/connections-screen.ts';
import type { Authentication } from '../authentication.ts';
import { Refusal } from '../problem.ts';
import { refuseProject } from '../project-scope.ts';
import { isTestable, sendTestEvent, type TestEventTools } from '../test-event.ts';
import { textIn } from './asked.ts';
import type { FrameOf } from './frame.ts';

export interface ConnectionPagesTools {
  store: Store;
  clock: Clock;
  read(limit: number): Promise<ConnectionsView>;
  /** What was received since this process started, by sender and outcome. */
  received(): Promise<readonly Refused[]>;
  tests: Omit<TestEventTools, 'store' | 'clock'>;
  /** Absent: the address by which the page was asked for. */
  publicUrl: string | undefined;
  authentication: Authentication;
  frameOf: FrameOf;
}

/** It looks through every application: those who load the page again and again share an answer. */
const KEPT_MS = 5_000;
const MAX_APPLICATIONS = 1_000;
const MAX_FORM_BYTES = 4 * 1024;
/** How long a page waits for the test event that was just sent. */
const PATIENCE_MS = 3_000;
const POLL_MS = 50;
const PIPELINES = 'pipelines';
const TAKEN: readonly string[] = ['stored', 'duplicate'];

/** What reports to us, what is silent, and how to mend it. */
export function connectionPageRoutes(tools: ConnectionPagesTools): Router {
  const { store, clock, authentication, frameOf } = tools;
  const router = Router();
  const read = authentication.require('read');
  const everything = kept(() => readAll(tools), clock, KEPT_MS);
  router.get('/connections', read, async (request, response) => {
    const frame = frameOf(request, response, 'connections');
    response
      .type('html')
      .send(page(frame, 'Connections', connectionsScreen({ ...(await everything()), now: frame.now })));
  });
  router.get('/connections/:source', read, async (request, response) => {
    await sendSource(request, response, frameOf(request, response, 'connections'));
  });
  router.post(
    '/connections/:source/test',
    express.urlencoded({ extended: false, limit: MAX_FORM_BYTES, inflate: false, parameterLimit: 5 }),
    authentication.require('operate'),
    async (request, response) => {
      const key = String(request.params['source']);
      const holder = authentication.holder(response);
      refuseProject(holder, undefined);
      const sentAt = clock.now().toISOString();
      await sendTestEvent({ ...tools.tests, store, clock }, key, holder.name);
      await arrival(store, key, sentAt);
      response.redirect(303, `/connections/${encodeURIComponent(key)}?sent=${encodeURIComponent(sentAt)}#test`);
    },
  );
  return router;

  async function sendSource(request: Request, response: Response, frame: Frame): Promise<void> {
    const key = String(request.params['source']);
    const { view } = await everything();
    const connection = view.connections.find((one) => connectionKey(one) === key);
    if (!connection && key !== PIPELINES)
      throw new Refusal(404, 'not-found', `there is no connection ${key}: /connections lists them`);
    const { viewer, csrf, now } = frame;
    const allowed = viewer?.roles.some((role) => role === 'operator' || role === 'admin') ?? false;
    const test = pending((await readTestEvents(store)).get(key), textIn(request, 'sent'), viewer?.name);
    const testable = connection !== undefined && isTestable(connection, { ...tools.tests, store, clock });
    const body = sourceScreen({
      key,
      publicUrl: tools.publicUrl ?? `${request.protocol}://${request.get('host') ?? 'lynceus.example.com'}`,
      now,
      ...(connection === undefined ? {} : { connection }),
      ...(test === undefined ? {} : { test }),
      ...(testable ? { testing: { allowed, ...(csrf === undefined ? {} : { csrf }) } } : {}),
    });
    response.type('html').send(page(frame, connection?.name ?? PIPELINES, body));
  }
}

/** One that was sent after the last that came is on its way. */
function pending(last: TestEvent | undefined, sent: string | undefined, by = ''): TestEvent | undefined {
  const isTime = sent !== undefined && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(sent);
  return isTime && (last === undefined || last.sentAt < sent) ? { by, sentAt: sent } : last;
}

async function arrival(store: Store, key: string, sentAt: string): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (performance.now() < deadline) {
    const last = (await readTestEvents(store)).get(key);
    if (last !== undefined && last.sentAt >= sentAt) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function readAll({ store, clock, read, received }: ConnectionPagesTools): Promise<ConnectionsRead> {
  const [view, queues, unjoined, reports, counts, tests] = await Promise.all([
    read(MAX_APPLICATIONS),
    store.stats(),
    unjoinedReports({ store, clock }),
    reportSources({ store, clock }),
    received(),
    readTestEvents(store),
  ]);
  return { view, queues, unjoined, reports, refused: counts.filter(({ outcome }) => !TAKEN.includes(outcome)), tests };
}
