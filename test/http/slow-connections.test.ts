import { type AddressInfo, connect } from 'node:net';
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

/** What a connection is told until it is closed. */
function toldAfter(said: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let told = '';
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1', () => socket.write(said));
    socket.on('data', (chunk) => {
      told += String(chunk);
    });
    socket.on('close', () => resolve(told));
    socket.on('error', reject);
  });
}

it('a connection that a browser opened ahead is closed without a word', async () => {
  expect(await toldAfter('')).toBe('');
});

it('half a request is answered with what to do', async () => {
  const told = await toldAfter('POST /webhooks/argocd HTTP/1.1\r\nHost: here\r\n');
  expect(told).toMatch(/^HTTP\/1\.1 503 /);
  expect(told).toContain('urn:lynceus:problem:overloaded');
});
