import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Rollout } from '../../../examples/sandbox/argocd/controller.ts';
import { backOffMs, type RetryStrategy } from '../../../examples/sandbox/argocd/retries.ts';
import {
  type SandboxArgoCd,
  type SandboxOptions,
  startSandboxArgoCd,
} from '../../../examples/sandbox/argocd/server.ts';
import type { DeliverySystem } from '../../../src/adapters/delivery-systems/delivery-system.ts';
import { Secret } from '../../../src/base/secret.ts';
import type { Application } from '../../../src/events/application.ts';
import { argocdSender } from '../../../src/http/senders/argocd.ts';
import { hasArgoCdFixtures } from '../../support/argocd-fixtures.ts';
import { createSwaggerValidator } from '../../support/argocd-swagger.ts';
import { witnessFile } from '../../support/argocd-witness.ts';
import {
  createArgoCd,
  createGitRepository,
  eventually,
  type GitRepository,
  LABELS,
  QUICK,
  TOKEN,
} from '../../support/argocd-world.ts';

const WEBHOOK_TOKEN = 'webhook-token-of-main-1';
const REF = { namespace: 'argocd', name: 'checkout', systemProject: 'payments' };

const validator = hasArgoCdFixtures() ? createSwaggerValidator() : undefined;
let repository: GitRepository;
let sandbox: SandboxArgoCd | undefined;
let system: DeliverySystem;

beforeEach(() => {
  repository = createGitRepository();
});
afterEach(async () => {
  await sandbox?.close();
  repository.remove();
  const exchanges = sandbox?.requests.filter(({ status }) => status !== 415) ?? [];
  sandbox = undefined;
  expect(exchanges.flatMap((exchange) => validator?.problemsOf(exchange) ?? [])).toEqual([]);
});

const app = () => ({
  name: 'checkout',
  project: 'payments',
  labels: LABELS,
  repoUrl: repository.path,
  path: 'app',
  healthDelayMs: 50,
});
async function start(options: Partial<SandboxOptions> = {}): Promise<SandboxArgoCd> {
  sandbox = await startSandboxArgoCd({
    token: TOKEN,
    apps: [app()],
    ...options,
    timing: { ...QUICK, ...options.timing },
  });
  system = createArgoCd(sandbox.url);
  return sandbox;
}
const until = (isSo: (seen: Application) => boolean) =>
  eventually(async () => {
    const seen = await system.read(REF);
    return isSo(seen) ? seen : undefined;
  });

describe('an application of the sandbox', () => {
  it('syncs by itself when it is automatic, once for each commit', async () => {
    const first = repository.commit('checkout:1');
    const { controller } = await start({ apps: [{ ...app(), automated: true }] });
    await until((seen) => seen.health.status === 'Healthy' && seen.operation?.revision === first);
    const second = repository.commit('checkout:2');
    const seen = await until((one) => one.history.length === 2 && one.syncStatus === 'Synced');
    expect(seen.operation).toMatchObject({ revision: second, automated: true, infos: {} });
    expect(seen.images).toEqual(['checkout:2']);
    expect(controller.syncs.map(({ revisions }) => revisions)).toEqual([[first], [second]]);
  });

  const twice = (duration: string): RetryStrategy => ({ limit: 2, backoff: { duration } });
  const broken = () => Promise.reject(new Error('no such image'));

  it('tries a failed sync again by itself, and tells how often and when next', async () => {
    repository.commit('checkout:broken');
    let attempts = 0;
    const deploy = async () => (++attempts < 3 ? broken() : { healthy: () => true });
    const { controller } = await start({ apps: [{ ...app(), automated: true, retry: twice('1h') }], deploy });
    for (const retries of [1, 2]) {
      const { operation } = await until((one) => one.operation?.retrying === true && one.operation.retries === retries);
      expect(operation).toMatchObject({ phase: 'Running', retryLimit: 2, finishedAt: expect.any(String) });
      expect(operation?.message).toMatch(
        new RegExp(`no such image\\. Retrying attempt #${retries} at 1?\\d:[0-5]\\d[AP]M\\.$`),
      );
      controller.retryNow('checkout');
    }
    const { operation } = await until((one) => one.operation?.phase === 'Succeeded');
    expect(operation).toMatchObject({ retries: 2, message: 'successfully synced (all tasks run)' });
  });

  it('waits twice as long before each attempt, from five seconds to three minutes where nothing is said', () => {
    expect([0, 1, 5, 6].map((retries) => backOffMs({ limit: 9 }, retries))).toEqual([5_000, 10_000, 160_000, 180_000]);
    expect(
      [0, 1].map((retries) => backOffMs({ backoff: { duration: '1m', factor: 3, maxDuration: '2m' } }, retries)),
    ).toEqual([60_000, 120_000]);
  });

  it('can be told to end while it waits for its next attempt', async () => {
    repository.commit('checkout:broken');
    const retry = { limit: 1, backoff: { duration: '1h' } };
    await start({ apps: [{ ...app(), automated: true, retry }], deploy: broken });
    const { ref } = await until((one) => one.operation?.retrying === true);
    await system.terminate(ref);
    await until((one) => one.operation?.phase === 'Failed' && one.operation.message === 'Operation terminated');
  });

  it('does not try a commit again once its retries are used up, and says so', async () => {
    repository.commit('checkout:broken');
    const { controller } = await start({ apps: [{ ...app(), automated: true, retry: twice('20ms') }], deploy: broken });
    const seen = await until((one) => one.operation?.phase === 'Failed');
    expect(seen.operation?.message).toMatch(/no such image \(retried 2 times\)\.$/);
    expect(seen.conditions.map(({ type }) => type)).toContain('SyncError');
    await new Promise((resolve) => setTimeout(resolve, 4 * QUICK.pollMs));
    expect(controller.syncs).toHaveLength(1);
  });

  it('waits for somebody when it is manual', async () => {
    repository.commit('checkout:1');
    const { controller } = await start({ apps: [{ ...app(), deployed: true }] });
    await until((seen) => seen.syncStatus === 'Synced' && seen.health.status === 'Healthy');
    const moved = repository.commit('checkout:2');
    const seen = await until((one) => one.syncStatus === 'OutOfSync');
    expect(seen).toMatchObject({ targetRevision: moved, images: ['checkout:1'] });
    expect(controller.syncs).toEqual([]);
  });

  it('stays in sync when a commit changes nothing of it', async () => {
    repository.commit('checkout:1');
    await start({ apps: [{ ...app(), deployed: true }] });
    const same = repository.commit('checkout:1');
    const seen = await until((one) => one.targetRevision === same);
    expect(seen.syncStatus).toBe('Synced');
  });

  it('hands the real work to whoever runs it, with the files of the synced commit', async () => {
    const revision = repository.commit('checkout:1');
    const deployed: unknown[] = [];
    let well = false;
    const deploy = async (...given: unknown[]): Promise<Rollout> => {
      deployed.push(given);
      return { healthy: () => well };
    };
    await start({ deploy, timing: { progressDeadlineMs: 300 } });
    await system.sync((await system.read(REF)).ref, { revision, prune: true, infos: {} });
    await until((seen) => seen.health.status === 'Progressing');
    expect(deployed).toEqual([
      [
        { name: 'checkout', namespace: 'argocd', labels: LABELS },
        revision,
        { 'app/deployment.yaml': expect.stringContaining('image: checkout:1') },
      ],
    ]);
    await until((seen) => seen.health.status === 'Degraded');
    well = true;
    await until((seen) => seen.health.status === 'Healthy');
  });

  it('reports its old health for a while after a sync', async () => {
    repository.commit('checkout:1');
    await start({ apps: [{ ...app(), deployed: true, healthDelayMs: 0 }], timing: { staleHealthMs: 200 } });
    const before = await until((seen) => seen.health.status === 'Healthy');
    const revision = repository.commit('checkout:2');
    await system.sync(before.ref, { revision, prune: true, infos: {} });
    const ended = await until((seen) => seen.operation?.phase === 'Succeeded');
    expect(ended.health).toEqual(before.health);
  });

  it('does not deploy in a dry run, nor remember it', async () => {
    repository.commit('checkout:1');
    const { controller } = await start();
    await controller.requestSync('checkout', 'argocd', { dryRun: true }, 'somebody');
    const seen = await until((one) => one.operation?.phase === 'Succeeded');
    expect(seen).toMatchObject({ operation: { dryRun: true }, history: [], syncStatus: 'OutOfSync' });
  });

  it('ends a sync to a commit that does not exist in an error', async () => {
    repository.commit('checkout:1');
    await start();
    await system.sync((await system.read(REF)).ref, { revision: 'a'.repeat(40), prune: true, infos: {} });
    expect((await until((seen) => seen.operation?.finishedAt !== undefined)).operation?.phase).toBe('Error');
  });

  it('refuses unknown tokens, other content types, and what the token may not see', async () => {
    repository.commit('checkout:1');
    const { url } = await start({ allowedProjects: ['another'] });
    await expect(createArgoCd(url, {}, 'wrong').list()).rejects.toMatchObject({ reason: 'unauthenticated' });
    await expect(system.read(REF)).rejects.toMatchObject({ reason: 'forbidden' });
    expect(await system.list()).toEqual([]);
    const headers = { Authorization: `Bearer ${TOKEN}`, 'Content-Type': 'application/json; charset=utf-8' };
    const answer = await fetch(`${url}/api/v1/applications/checkout/sync`, { method: 'POST', headers, body: '{}' });
    expect([answer.status, await answer.text()]).toEqual([415, 'Invalid content type\n']);
  });
});

describe('notifications of the sandbox', () => {
  const sender = argocdSender({ sources: [{ system: 'main', tokens: [new Secret(WEBHOOK_TOKEN)] }] });

  /** A receiver that answers with these statuses in turn, then 202. */
  async function receiver(...statuses: number[]) {
    const triggers: string[] = [];
    const told: (string | undefined)[] = [];
    const server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const rawBody = Buffer.concat(chunks);
      const source = sender.authenticate({ headers: request.headers, rawBody })?.source ?? 'nobody';
      const translation = sender.translate(source, rawBody, new Date());
      triggers.push(translation.ok ? String(translation.event.data['trigger']) : translation.detail);
      told.push(translation.ok ? `${source} ${translation.event.source} ${translation.event.id}` : undefined);
      response.writeHead(statuses.shift() ?? 202).end();
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    return {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks/argocd`,
      triggers,
      told,
      async [Symbol.asyncDispose]() {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      },
    };
  }

  const syncOnce = async () => {
    const { ref, targetRevision = '' } = await system.read(REF);
    await system.sync(ref, { revision: targetRevision, prune: true, infos: {} });
    await until((seen) => seen.history.length === 1 && seen.health.status === 'Healthy');
  };

  it('tell a sync from its start to good health, each occasion once', async () => {
    repository.commit('checkout:1');
    await using webhook = await receiver();
    const { controller } = await start({ notifications: { url: webhook.url, token: WEBHOOK_TOKEN, resyncMs: 50 } });
    await syncOnce();
    await eventually(() => webhook.triggers.includes('lynceus-healthy') || undefined);
    expect(new Set(webhook.triggers)).toEqual(
      new Set(['lynceus-out-of-sync', 'lynceus-sync-running', 'lynceus-sync-finished', 'lynceus-healthy']),
    );
    expect(webhook.triggers).toHaveLength(4);
    expect(webhook.told.every((id) => id?.startsWith('main argocd/main '))).toBe(true);
    await controller.setHealth('checkout', 'Degraded');
    await eventually(() => webhook.triggers.includes('lynceus-health-degraded') || undefined);
  });

  it('are tried four times, then lost for ever', async () => {
    repository.commit('checkout:1');
    await using webhook = await receiver(500, 503, 429, 500);
    const { notifier } = await start({
      notifications: { url: webhook.url, token: WEBHOOK_TOKEN, retryWaitMs: 5, resyncMs: 50 },
    });
    await eventually(() => (notifier?.stats.lost === 1 ? true : undefined));
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(webhook.triggers).toEqual(Array(4).fill('lynceus-out-of-sync'));
    expect(notifier?.stats).toEqual({ sent: 0, lost: 1, dropped: 0 });
  });

  it('are not tried again when they are refused', async () => {
    repository.commit('checkout:1');
    await using webhook = await receiver(422);
    const { notifier } = await start({ notifications: { url: webhook.url, token: WEBHOOK_TOKEN, retryWaitMs: 5 } });
    await eventually(() => (notifier?.stats.lost === 1 ? true : undefined));
    expect(webhook.triggers).toHaveLength(1);
  });

  it('can be dropped and doubled', async () => {
    repository.commit('checkout:1');
    await using webhook = await receiver();
    const { notifier } = await start({
      notifications: {
        url: webhook.url,
        token: WEBHOOK_TOKEN,
        drop: ({ trigger }) => trigger !== 'lynceus-healthy',
        duplicates: 2,
      },
    });
    await syncOnce();
    await eventually(() => (notifier?.stats.sent === 3 ? true : undefined));
    expect(webhook.triggers).toEqual(Array(3).fill('lynceus-healthy'));
    expect(new Set(webhook.told).size).toBe(1);
    expect(notifier?.stats.dropped).toBeGreaterThan(0);
  });
});

describe('the sandbox as a process of its own', () => {
  it('runs from a configuration and lets tests look behind the stage', async () => {
    repository.commit('checkout:1');
    const main = fileURLToPath(new URL('../../../examples/sandbox/argocd/main.ts', import.meta.url));
    const config = JSON.stringify({ token: TOKEN, apps: [app()], timing: QUICK });
    const folder = mkdtempSync(join(tmpdir(), 'lynceus-exchanges-'));
    const SANDBOX_ARGOCD_EXCHANGES = join(folder, 'exchanges.jsonl');
    const env = { ...process.env, SANDBOX_ARGOCD: config, SANDBOX_ARGOCD_EXCHANGES };
    const child = spawn(process.execPath, [main], { env });
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    try {
      const [line] = await once(createInterface({ input: child.stdout }), 'line');
      const { url } = JSON.parse(String(line)) as { url: string };
      const post = (path: string, body: object) =>
        fetch(`${url}/sandbox/${path}`, { method: 'POST', body: JSON.stringify(body) });
      system = createArgoCd(url);
      await post('faults', { effect: { kind: 'answer', status: 503 } });
      await expect(system.list()).rejects.toMatchObject({ reason: 'unavailable' });
      const { ref, targetRevision = '' } = await system.read(REF);
      await system.sync(ref, { revision: targetRevision, prune: true, infos: { task: 't-1' } });
      await post('health', { name: 'checkout', health: 'Suspended' });
      await until((seen) => seen.health.status === 'Suspended');
      const state = (await (await fetch(`${url}/sandbox/state`)).json()) as { syncs: { infos: object }[] };
      expect(state.syncs.map(({ infos }) => infos)).toEqual([{ task: 't-1' }]);
      const requests = await (await fetch(`${url}/sandbox/requests`)).text();
      expect(requests).not.toContain(TOKEN);
    } finally {
      child.kill('SIGTERM');
    }
    expect(await ended).toBe(0);
    expect(witnessFile(SANDBOX_ARGOCD_EXCHANGES)).toBeGreaterThan(3);
    rmSync(folder, { recursive: true });
  });
});
