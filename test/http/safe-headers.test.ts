import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { Router } from 'express';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anyone } from '../../src/http/access.ts';
import { Refusal } from '../../src/http/problem.ts';
import { createHttpApp, createHttpServer } from '../../src/http/server.ts';
import { createLog } from '../../src/runtime/log.ts';

const router = Router();
router.post('/taken', anyone, (_request, response) => void response.status(202).end());
router.get('/taken', anyone, (_request, response) => void response.status(202).end());
router.get('/said', anyone, (_request, response) => void response.json({ said: 'it' }));
router.get('/sent-on', anyone, (_request, response) => response.redirect('/said'));
router.get('/refused', anyone, () => {
  throw new Refusal(403, 'forbidden', 'not you');
});
router.get('/kept', anyone, (_request, response) => void response.setHeader('Cache-Control', 'max-age=9').end());
router.get('/streamed', anyone, (_request, response) => {
  response.writeHead(200, { 'Content-Type': 'text/plain', 'cache-control': 'no-cache' });
  response.end('line by line');
});

const server = createHttpServer(createHttpApp([router], createLog({ level: 'silent', secrets: [] })));
let port = 0;
beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});
afterAll(() => void server.close());

const SAFE = {
  'content-security-policy': expect.stringContaining("default-src 'none'"),
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'permissions-policy': expect.stringContaining('camera=()'),
};

async function headersOf(path: string, method = 'GET') {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method, redirect: 'manual' });
  return { status: answer.status, headers: Object.fromEntries(answer.headers) };
}

describe('headers that make an answer safe', () => {
  it.each([
    ['nothing else', 'POST', '/taken', 202],
    ['nothing else, found by Express', 'GET', '/taken', 202],
    ['a body', 'GET', '/said', 200],
    ['another address', 'GET', '/sent-on', 302],
    ['a refusal', 'GET', '/refused', 403],
    ['no address of ours', 'GET', '/nowhere', 404],
    ['another method', 'DELETE', '/said', 405],
    ['a broken address', 'GET', '/%00', 400],
  ])('stand on an answer with %s', async (_what, method, path, status) => {
    const answer = await headersOf(path, method);
    expect(answer).toMatchObject({ status, headers: SAFE });
    expect(answer.headers).not.toHaveProperty('strict-transport-security');
  });

  it('tell that an empty answer is empty', async () => {
    expect((await headersOf('/taken', 'POST')).headers).toHaveProperty('content-length', '0');
  });

  it.each([
    ['/kept', 'max-age=9'],
    ['/streamed', 'no-cache'],
  ])('give way to what %s says itself', async (path, said) => {
    expect((await headersOf(path)).headers).toMatchObject({ ...SAFE, 'cache-control': said });
  });

  it('stand on what Node refuses by itself', async () => {
    const socket = connect(port, '127.0.0.1');
    socket.write('GET /said HTTP/1.1\r\n\r\n');
    const answer = await text(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('\r\nX-Content-Type-Options: nosniff\r\n');
  });
});
