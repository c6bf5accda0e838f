import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Router } from 'express';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { NO_RIGHTS } from '../../src/base/rights.ts';
import { createAuthentication } from '../../src/http/authentication.ts';
import { createCookies } from '../../src/http/cookies.ts';
import { liveRoutes } from '../../src/http/live/routes.ts';
import { createHttpApp, createHttpServer } from '../../src/http/server.ts';
import type { Holder } from '../../src/runtime/holder.ts';
import { createLog } from '../../src/runtime/log.ts';
import { readEvents } from '../support/event-stream.ts';

/** Of a request; a stream is held for longer. */
const LIMIT_MS = 300;
/** By the secret of their sessions. */
const sessions = new Map<string, Holder>();
/** Whose sessions were used, as they would note it. */
const used: string[] = [];
const holder = (name: string): Holder => ({
  ...{ ...NO_RIGHTS, may: ['read'], roles: ['viewer'] },
  ...{ id: name, name, groups: [], method: 'session' },
});
const stopping = new AbortController();
const authentication = createAuthentication({
  signIn: {
    byToken: async () => undefined,
    async bySession(secret, isUse = true) {
      if (isUse) used.push(secret);
      return sessions.get(secret);
    },
  },
  cookies: createCookies({}),
  anonymousRead: false,
});
const live = {
  position: () => '1.00000000.1',
  state: () => ({ at: '2026-03-02T12:00:00.000Z', ok: true }),
  subscribe: () => ({ caughtUp: Promise.resolve(), end: () => {} }),
  close: () => {},
};
const page = Router();
page.get('/page', authentication.require('read'), (_request, response) => void response.send('page'));
const server = createHttpServer(
  createHttpApp(
    [page, liveRoutes({ live, authentication, stopping: stopping.signal, trustedProxies: 0, heartbeatMs: 30 })],
    createLog({ level: 'info', secrets: [], stream: { write: () => {} } }),
  ),
  { requestMs: LIMIT_MS, headersMs: LIMIT_MS, lookEveryMs: 50 },
);
beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
afterAll(async () => {
  stopping.abort();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

async function listen(name: string, accept: string) {
  sessions.set(name, holder(name));
  const { port } = server.address() as AddressInfo;
  return readEvents(`http://127.0.0.1:${port}/events?topics=fleet`, { Accept: accept, Cookie: `lynceus=${name}` });
}

it('who signs out hears no more, whatever others who signed out before them asked to be answered in', async () => {
  // A browser's own window, which would be sent to sign in.
  const window = await listen('ada', 'text/html');
  const script = await listen('lin', 'text/event-stream');
  const rights = await listen('tess', 'text/event-stream');
  sessions.delete('ada');
  await window.ended;
  expect(window.events.at(-1)).toMatchObject({ event: 'end', data: { reason: 'signed-out' } });
  sessions.delete('lin');
  await script.ended;
  expect(script.events.at(-1)).toMatchObject({ event: 'end', data: { reason: 'signed-out' } });
  sessions.set('tess', { ...holder('tess'), groups: ['payments'] });
  await rights.ended;
});

it('is held for longer than a request may take to arrive, and is no use of the session', async () => {
  const reader = await listen('kim', 'text/event-stream');
  const slow = connect((server.address() as AddressInfo).port, '127.0.0.1');
  slow.write('GET /page HTTP/1.1\r\nHost: localhost\r\n');
  const [refusal] = (await once(slow, 'data')) as [Buffer];
  expect(refusal.toString()).toMatch(/^HTTP\/1\.1 503 .*"code":"overloaded"/s);
  // By now the stream is as old; it is looked at some times more.
  await sleep(LIMIT_MS);
  const beats = reader.comments.length;
  expect(beats).toBeGreaterThan(3);
  await reader.until(() => reader.comments.length > beats + 1);
  expect(used).toEqual([]);
  reader.close();
});

it.each([
  ['somebody opens', {}, ['eva']],
  ['reads itself again', { 'X-Lynceus-By-Itself': '1' }, []],
] as [string, Record<string, string>, string[]][])(
  'a page that %s uses the session so often',
  async (_what, headers, uses) => {
    sessions.set('eva', holder('eva'));
    used.length = 0;
    const { port } = server.address() as AddressInfo;
    const answer = await fetch(`http://127.0.0.1:${port}/page`, { headers: { ...headers, Cookie: 'lynceus=eva' } });
    expect([answer.status, used]).toEqual([200, uses]);
  },
);
