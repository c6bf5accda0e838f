import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createHttpApp, createHttpServer } from '../../src/http/server.ts';
import { createLog } from '../../src/runtime/log.ts';

const LIMIT_MS = 200;
const server = createHttpServer(
  createHttpApp([], createLog({ level: 'info', secrets: [], stream: { write: () => {} } })),
  { requestMs: LIMIT_MS, headersMs: LIMIT_MS, lookEveryMs: 50 },
);
beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
afterAll(() => new Promise((resolve) => server.close(resolve)));

function open(): Socket {
  return connect((server.address() as AddressInfo).port, '127.0.0.1');
}

/** What a connection is told until it is closed. */
async function told(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk) => {
    text += String(chunk);
  });
  await once(socket, 'close');
  return text;
}

function beBusy(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

it('a connection that a browser opened ahead is closed without a word', async () => {
  expect(await told(open())).toBe('');
});

it('half a request is answered with what to do', async () => {
  const socket = open();
  socket.write('POST /webhooks/argocd HTTP/1.1\r\nHost: here\r\n');
  const answer = await told(socket);
  expect(answer).toMatch(/^HTTP\/1\.1 503 /);
  expect(answer).toContain('urn:lynceus:problem:overloaded');
});

it.each([
  ['a request', '\r\n', 404],
  ['half a request', '', 503],
])('%s that came while nobody read it is answered as ever', async (_what, end, status) => {
  const socket = open();
  await once(server, 'connection');
  socket.write(`GET /nowhere HTTP/1.1\r\nHost: here\r\nConnection: close\r\n${end}`);
  beBusy(2 * LIMIT_MS);
  expect(await told(socket)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
});
