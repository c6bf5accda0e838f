import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { NO_RIGHTS } from '../../src/base/rights.ts';
import { createAuthentication } from '../../src/http/authentication.ts';
import { createCookies } from '../../src/http/cookies.ts';
import { liveRoutes } from '../../src/http/live/routes.ts';
import { createHttpApp, createHttpServer } from '../../src/http/server.ts';
import type { Holder } from '../../src/runtime/holder.ts';
import { createLog } from '../../src/runtime/log.ts';
import { readEvents } from '../support/event-stream.ts';

/** By the secret of their sessions. */
const sessions = new Map<string, Holder>();
const holder = (name: string): Holder => ({
  ...{ ...NO_RIGHTS, may: ['read'], roles: ['viewer'] },
  ...{ id: name, name, groups: [], method: 'session' },
});
const stopping = new AbortController();
const server = createHttpServer(
  createHttpApp(
    [
      liveRoutes({
        live: {
          position: () => '1.00000000.1',
          state: () => ({ at: '2026-03-02T12:00:00.000Z', ok: true }),
          subscribe: () => ({ caughtUp: Promise.resolve(), end: () => {} }),
          close: () => {},
        },
        authentication: createAuthentication({
          signIn: { byToken: async () => undefined, bySession: async (secret) => sessions.get(secret) },
          cookies: createCookies({}),
          anonymousRead: false,
        }),
        stopping: stopping.signal,
        heartbeatMs: 30,
      }),
    ],
    createLog({ level: 'info', secrets: [], stream: { write: () => {} } }),
  ),
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
