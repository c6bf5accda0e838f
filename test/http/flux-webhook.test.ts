import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../src/base/secret.ts';
import { receiveRoutes } from '../../src/http/receive.ts';
import { argocdSender } from '../../src/http/senders/argocd.ts';
import { fluxSender } from '../../src/http/senders/flux.ts';
import { createHttpApp, createHttpServer } from '../../src/http/server.ts';
import { noFailpoints } from '../../src/runtime/failpoint.ts';
import { createLog } from '../../src/runtime/log.ts';
import { createMetrics, type RuntimeMetrics } from '../../src/runtime/metrics.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { notification } from '../support/http-world.ts';
import { eventually } from '../support/lynceus.ts';
import { authenticationOfNobody } from '../support/sign-in.ts';

const NOW = new Date('2026-08-20T10:00:05.000Z');
const EU = 'token-of-the-cluster-eu-01';
const US = 'token-of-the-cluster-us-02';
const ARGOCD = 'token-of-an-argo-cd-000003';

const event = (change: object = {}) =>
  JSON.stringify({
    involvedObject: { kind: 'Kustomization', namespace: 'apps', name: 'webapp', uid: 'uid-of-webapp' },
    severity: 'info',
    timestamp: '2026-08-20T10:00:04Z',
    message: 'Reconciliation finished in 449ms, next run in 10m0s',
    reason: 'ReconciliationSucceeded',
    ...change,
  });
const signed = (body: string, key = EU) => ({
  'X-Signature': `sha256=${createHmac('sha256', key).update(body).digest('hex')}`,
});

let folder: string;
let store: Store;
let metrics: RuntimeMetrics;
let url: string;
let close: () => Promise<void>;

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'lynceus-flux-'));
  store = await openStore({ dataDir: folder });
  metrics = createMetrics(store);
  const senders = [
    argocdSender({ sources: [{ system: 'main', tokens: [new Secret(ARGOCD)] }] }),
    fluxSender({
      sources: [
        { system: 'eu', tokens: [new Secret(EU)] },
        { system: 'us', tokens: [new Secret(US)] },
      ],
    }),
  ];
  const router = receiveRoutes({
    store,
    clock: { now: () => NOW },
    senders,
    authentication: authenticationOfNobody(),
    metrics,
    failpoint: noFailpoints,
  });
  const server = createHttpServer(createHttpApp([router], createLog({ level: 'silent', secrets: [] })));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  close = () =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
});

afterEach(async () => {
  await close();
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const post = (body: string, headers: Record<string, string>, to = '/webhooks/flux') =>
  fetch(url + to, { method: 'POST', body, headers });
const answered = (body: string, status: number) =>
  eventually(async () => (await post(body, signed(body))).status === status, { within: 5_000, what: `${status}` });
const inbox = async () =>
  (await store.readLog({ stream: 'inbox' })).map(({ source, data }) => [source, data['meaning']]);
const jobs = async () =>
  (await store.claim({ limit: 100, leaseMs: 60_000 })).map(({ queue, key }) => `${queue} ${key}`).sort();

describe('the webhook of Flux', () => {
  it('stores an event once, with the work it asks for, and then answers', async () => {
    const body = event();
    expect((await post(body, signed(body))).status).toBe(202);
    expect((await post(body, signed(body))).status).toBe(202);
    expect(await inbox()).toEqual([['flux/eu', 'applied']]);
    expect(await jobs()).toEqual(['observe eu/apps/kustomization/webapp']);
  });

  it('knows the cluster by its token, and keeps the clusters apart', async () => {
    const body = event();
    expect((await post(body, signed(body, US))).status).toBe(202);
    expect((await post(body, { Authorization: `Bearer ${EU}` })).status).toBe(202);
    expect(await inbox()).toEqual([
      ['flux/us', 'applied'],
      ['flux/eu', 'applied'],
    ]);
    expect(await jobs()).toEqual(['observe eu/apps/kustomization/webapp', 'observe us/apps/kustomization/webapp']);
  });

  it('hears thousands of repeated successes once', async () => {
    for (let nth = 0; nth < 1_000; nth += 50) {
      const bodies = Array.from({ length: 50 }, (_, at) =>
        event({ message: `Reconciliation finished in ${nth + at}ms` }),
      );
      const answers = await Promise.all(bodies.map((body) => post(body, signed(body))));
      expect(answers.every(({ status }) => status === 202)).toBe(true);
    }
    expect(await inbox()).toHaveLength(1);
  });

  it('answers whoever it does not know alike, and keeps nothing of it', async () => {
    const body = event();
    const answers = await Promise.all(
      [
        {},
        signed(body, 'a key that nobody has'),
        signed(`${body} `),
        { 'X-Signature': 'sha256=' },
        { Authorization: 'x' },
      ].map(async (headers) => {
        const answer = await post(body, headers as Record<string, string>);
        return [answer.status, ((await answer.json()) as { detail: string }).detail];
      }),
    );
    expect([...new Set(answers.map(String))]).toEqual(['401,the credentials of this webhook are missing or wrong']);
    expect(await inbox()).toEqual([]);
    expect(await jobs()).toEqual([]);
  });

  it('opens nothing to an Argo CD, nor the other way round', async () => {
    const told = JSON.stringify(notification('checkout'));
    expect((await post(event(), { Authorization: `Bearer ${ARGOCD}` })).status).toBe(401);
    expect((await post(told, { Authorization: `Bearer ${EU}` }, '/webhooks/argocd')).status).toBe(401);
    expect((await post(told, { Authorization: `Bearer ${ARGOCD}` }, '/webhooks/argocd')).status).toBe(202);
  });

  it('refuses a recorded event with the reason, and counts it', async () => {
    const body = event({ timestamp: '2026-08-20T09:00:05Z' });
    const answer = await post(body, signed(body));
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([422, 'outside-time-window']);
    expect(await metrics.registry.metrics()).toContain('sender="flux",outcome="outside-time-window"');
    expect(await inbox()).toEqual([]);
  });

  it('lets strangers make it hold two hundred bodies, and asks everybody else to come again', async () => {
    const { port } = new URL(url);
    const sockets: Socket[] = [];
    try {
      for (let nth = 0; nth < 200; nth++) {
        const socket = connect(Number(port), '127.0.0.1');
        socket.on('error', () => {});
        socket.write('POST /webhooks/flux HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{');
        sockets.push(socket);
      }
      const body = event();
      await answered(body, 503);
      // Flux pauses longer each time; told to come again after a second it would give up after five.
      expect((await post(body, signed(body))).headers.get('retry-after')).toBeNull();
      // Those who are known before their body is read have room of their own.
      const told = JSON.stringify(notification('checkout'));
      expect((await post(told, { Authorization: `Bearer ${ARGOCD}` }, '/webhooks/argocd')).status).toBe(202);
    } finally {
      for (const socket of sockets) socket.destroy();
    }
    const later = event({ reason: 'HealthCheckFailed' });
    await answered(later, 202);
  });
});
