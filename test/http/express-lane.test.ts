import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express, { Router } from 'express';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anyone, guards } from '../../src/http/access.ts';
import { Refusal } from '../../src/http/problem.ts';
import { rawBody } from '../../src/http/raw-body.ts';
import { createHttpApp, createHttpServer } from '../../src/http/server.ts';
import { createLog } from '../../src/runtime/log.ts';

const router = Router();
const guard = guards('sender', (request, _response, next) => {
  if (request.headers.authorization === undefined) throw new Refusal(401, 'unauthenticated', 'say who you are');
  next();
});
router.post('/webhooks/one', guard, rawBody(100), async (request, response) => {
  const said = String(request.body);
  if (said === 'refuse') throw new Refusal(422, 'unknown-shape', `not at ${request.originalUrl.split('?')[0]}`);
  if (said === 'break') throw new Error('our own mistake');
  if (said === 'store') throw Object.assign(new Error('the disk'), { name: 'StoreUnavailableError' });
  if (said === 'nothing') throw undefined;
  response.locals['said'] = said;
  response.status(202).end();
});
router.get('/webhooks/one', anyone, (_request, response) => void response.send('read'));
const behind = Router();
behind.use(express.text());
behind.post('/behind', anyone, (request, response) => void response.send(`read ${String(request.body)}`));

const server = createHttpServer(createHttpApp([router, behind], createLog({ level: 'silent', secrets: [] })));
let origin = '';
beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());

async function post(path: string, body: string, headers: Record<string, string> = { Authorization: 'Bearer x' }) {
  const answer = await fetch(origin + path, { method: 'POST', body, headers });
  const told = Object.fromEntries([...answer.headers].filter(([name]) => name !== 'date'));
  const text = (await answer.text()).replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '<id>');
  return { status: answer.status, headers: told, text };
}

describe('a route that is run without a search for it', () => {
  it.each([
    ['takes', 'fine', 202],
    ['refuses', 'refuse', 422],
    ['fails', 'break', 500],
    ['fails without a word', 'nothing', 500],
    ['cannot store', 'store', 503],
    ['is sent too much', 'x'.repeat(101), 413],
  ])('answers when it %s as one that was searched for', async (_what, body, status) => {
    const quick = await post('/webhooks/one', body);
    expect(quick.status).toBe(status);
    expect(quick.headers).toHaveProperty('x-content-type-options', 'nosniff');
    expect(await post('/webhooks/one?', body)).toEqual(quick);
    expect(await post('/Webhooks/One/', body)).toMatchObject({ status });
  });

  it('lets nobody past its guard', async () => {
    const quick = await post('/webhooks/one', 'fine', {});
    expect(quick.status).toBe(401);
    expect(await post('/webhooks/one?', 'fine', {})).toEqual(quick);
  });

  it('leaves other methods, and what stands behind others, to Express', async () => {
    expect(await (await fetch(`${origin}/webhooks/one`)).text()).toBe('read');
    expect((await fetch(`${origin}/webhooks/one`, { method: 'DELETE' })).status).toBe(405);
    expect(await post('/behind', 'it', { 'Content-Type': 'text/plain' })).toMatchObject({ text: 'read it' });
  });
});
