import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import express, { type ErrorRequestHandler } from 'express';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Refusal } from '../../src/http/problem.ts';
import { rawBody } from '../../src/http/raw-body.ts';

const LIMIT = 200_000;

let server: Server;
let refusals: unknown[];
let [arrived, left] = [0, 0];

beforeEach(async () => {
  refusals = [];
  const app = express();
  app.post('/later', rawBody(LIMIT), (_request, response) => {
    arrived += 1;
    response.once('close', () => {
      left += 1;
    });
  });
  app.post('/', rawBody(LIMIT), (request, response) => void response.send(request.body));
  const refuse: ErrorRequestHandler = (error, _request, response, _next) => {
    refusals.push(error);
    response.status(error instanceof Refusal ? error.answer.status : 500).end();
  };
  app.use(refuse);
  server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const port = () => (server.address() as AddressInfo).port;
const post = (body: NonNullable<RequestInit['body']> | null, headers: Record<string, string> = {}) =>
  fetch(`http://127.0.0.1:${port()}/`, { method: 'POST', body, headers });

describe('the body of a request', () => {
  it.each([0, 1, LIMIT])('arrives byte by byte with %i bytes', async (size) => {
    const sent = Buffer.alloc(size, 'aé');
    const answer = await post(sent, { 'Content-Type': 'text/plain; charset=latin1' });
    expect(Buffer.from(await answer.arrayBuffer()).equals(sent)).toBe(true);
  });

  it('is empty when there is none', async () => {
    expect((await (await post(null)).arrayBuffer()).byteLength).toBe(0);
  });

  it('is refused above the limit, said in its headers or not, and the sender hears it', async () => {
    const chunks = new ReadableStream({
      start(controller) {
        for (let sent = 0; sent <= LIMIT; sent += 50_000) controller.enqueue(new Uint8Array(50_001));
        controller.close();
      },
    });
    const unannounced = { method: 'POST', body: chunks, duplex: 'half' } as RequestInit;
    expect((await fetch(`http://127.0.0.1:${port()}/`, unannounced)).status).toBe(413);
    expect((await post(Buffer.alloc(LIMIT + 1))).status).toBe(413);
    expect((await post('still well')).status).toBe(200);
  });

  it('is refused when it is compressed', async () => {
    expect((await post('x', { 'Content-Encoding': 'gzip' })).status).toBe(415);
    expect((await post('x', { 'Content-Encoding': 'identity' })).status).toBe(200);
  });

  it('that ends early reaches nobody', async () => {
    const socket = connect(port(), '127.0.0.1');
    socket.write('POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhalf');
    setTimeout(() => socket.destroy(), 50);
    await expect.poll(() => refusals).toHaveLength(1);
    expect((refusals[0] as Refusal).answer).toMatchObject({ status: 400, code: 'invalid-request' });
  });

  it('that came whole stays what it is when its sender hangs up', async () => {
    const socket = connect(port(), '127.0.0.1');
    socket.write('POST /later HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nwhole');
    await expect.poll(() => arrived).toBe(1);
    socket.destroy();
    await expect.poll(() => left).toBe(1);
    expect({ arrived, refusals }).toEqual({ arrived: 1, refusals: [] });
  });
});
