import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { http } from '../../src/adapters/event-sinks/http.ts';
import { Secret } from '../../src/base/secret.ts';
import { noSequence } from '../../src/engine/sequence.ts';
import { withEmission } from '../../src/runtime/emission-check.ts';
import { cdEventWords, emitEvents, sinkHealth } from '../../src/runtime/emit.ts';
import { sequenceCommit } from '../../src/runtime/sequences.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { assertCdEvent, type CdEventJson } from '../support/cd-events.ts';
import { started, taskFinished, taskTriggered, triggered } from '../support/sequence.ts';

const SECRET = 'a-secret-that-both-sides-know-0123';
const TOKEN = 'a-token-for-the-sink-0123456789';

interface Received {
  headers: IncomingHttpHeaders;
  body: string;
  event: { id: string; type: string; data: CdEventJson };
}

describe('an event sink', () => {
  let folder: string;
  let store: Store;
  let received: Received[];
  /** What the sink answers, one after the other; then 202. */
  let answers: number[];
  let now: Date;
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += String(chunk);
    });
    request.on('end', () => {
      received.push({ headers: request.headers, body, event: JSON.parse(body) });
      response.statusCode = answers.shift() ?? 202;
      response.end(response.statusCode === 422 ? `no ${TOKEN}` : '');
    });
  });
  const clock = { now: () => now };

  beforeEach(async () => {
    [received, answers, now] = [[], [], new Date()];
    folder = mkdtempSync(join(tmpdir(), 'lynceus-emit-'));
    store = await openStore({ dataDir: folder });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  });

  function sinkWith(settings: object = {}) {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hear`;
    const secret = (ref: { env?: string }) => new Secret(ref.env === 'SECRET' ? SECRET : TOKEN);
    const tools = { secret: secret as never, addresses: 'any' as const, cacheDir: folder };
    return http.create('bus', { url, token: { env: 'TOKEN' }, ...settings } as never, tools);
  }

  const log = { info() {}, warn() {}, error() {} } as never;
  const words = cdEventWords(
    'https://lynceus.example.com',
    (change) => `https://lynceus.example.com/changes/${change}`,
  );

  /** One look at the log, as the worker takes it. */
  async function look(sink = sinkWith()) {
    await store.commit({ jobs: [{ queue: 'emit', key: 'bus' }] });
    const [job] = await store.claim({ limit: 1, leaseMs: 10_000, queues: ['emit'] });
    if (!job) throw new Error('nothing to do');
    const lease = { guard: () => undefined, signal: new AbortController().signal, giveUp() {}, end() {} };
    await emitEvents({ store, clock, log, eventSinks: [sink], words }, job, lease);
  }

  async function findings() {
    const check = { section: 'eventSinks', kind: 'http', name: 'bus', hasWebhook: false } as const;
    const [checked] = withEmission([check], { store, clock, eventSinks: [sinkWith()] });
    return (await checked?.diagnose?.()) ?? [];
  }

  async function happen() {
    const history = [triggered(), started, taskTriggered(0, 'sync'), taskFinished('sync', 'pass')];
    const { commit } = sequenceCommit({ state: noSequence, version: 0 }, history);
    await store.commit({ appends: commit.appends });
  }

  it('hears of everything in order, each once, signed and with its token', async () => {
    const sink = sinkWith({ secret: { env: 'SECRET' } });
    await look(sink);
    await happen();
    await look(sink);
    await look(sink);
    expect(received.map(({ event }) => event.type.split('.').slice(2, 4).join('.'))).toEqual([
      ...['pipelinerun.queued', 'pipelinerun.started', 'taskrun.started', 'taskrun.finished'],
    ]);
    for (const { event, headers, body } of received) {
      assertCdEvent(event.data);
      expect(headers['content-type']).toMatch(/^application\/cloudevents\+json/);
      expect(headers.authorization).toBe(`Bearer ${TOKEN}`);
      const signature = createHmac('sha256', SECRET).update(body).digest('hex');
      expect(headers['x-lynceus-signature-256']).toBe(`sha256=${signature}`);
    }
  });

  it('is not told what was before it subscribed', async () => {
    await happen();
    now = new Date(Date.now() + 60_000);
    await look();
    expect(received).toEqual([]);
  });

  it('is tried again where it was not there, and misses nothing', async () => {
    await look();
    await happen();
    answers = [202, 503];
    await look();
    expect(received).toHaveLength(2);
    expect((await sinkHealth(store, clock, [sinkWith()]))[0]).toMatchObject({
      failing: { error: expect.stringContaining('503') },
      dead: [],
    });
    expect(await findings()).toMatchObject([
      { level: 'problem', check: 'events', sentence: expect.stringContaining('503') },
    ]);
    await look();
    expect(received).toHaveLength(5);
    expect(new Set(received.map(({ event }) => event.id)).size).toBe(4);
    const [health] = await sinkHealth(store, clock, [sinkWith()]);
    expect(health?.failing).toBeUndefined();
    expect(health?.sentAt).toBeDefined();
  });

  it('gets the next one where it refuses one for good; that is kept with the reason, without a secret', async () => {
    await look();
    await happen();
    answers = [422];
    await look();
    expect(received).toHaveLength(4);
    const [health] = await sinkHealth(store, clock, [sinkWith()]);
    expect(health?.dead).toMatchObject([
      { type: 'dev.cdevents.pipelinerun.queued.0.3.0', why: expect.stringContaining('422') },
    ]);
    expect(JSON.stringify(health)).not.toContain(TOKEN);
    expect(await findings()).toMatchObject([
      { level: 'ok', check: 'events' },
      { level: 'warning', check: 'dead letters', sentence: expect.stringContaining('pipelinerun.queued') },
    ]);
  });

  it('holds nothing up for more than a day', async () => {
    await look();
    await happen();
    answers = [503];
    await look();
    now = new Date(Date.now() + 25 * 3_600_000);
    answers = [503];
    await look();
    const [health] = await sinkHealth(store, clock, [sinkWith()]);
    expect(health?.dead).toHaveLength(1);
    expect(received).toHaveLength(5);
  });
});
