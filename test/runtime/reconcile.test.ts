import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toApplication } from '../../src/adapters/delivery-systems/argocd-application.ts';
import type { DeliverySystem } from '../../src/adapters/delivery-systems/delivery-system.ts';
import { AdapterError } from '../../src/base/adapter-error.ts';
import { systemClock } from '../../src/base/clock.ts';
import { fingerprint } from '../../src/engine/observe.ts';
import type { Application } from '../../src/events/application.ts';
import type { Lease } from '../../src/runtime/lease.ts';
import type { Log } from '../../src/runtime/log.ts';
import { askForReconciliation, reconcile } from '../../src/runtime/reconcile.ts';
import { openStore } from '../../src/store/open.ts';
import type { Document, Store } from '../../src/store/store.ts';
import { runningOf } from '../../src/views/fleet.ts';

const HOUR_MS = 3_600_000;
const log = { debug: () => undefined } as unknown as Log;
const lease = { signal: new AbortController().signal } as unknown as Lease;

describe('the list of all applications', () => {
  let folder: string;
  let store: Store;
  let lists: number;
  let failing: boolean;
  let listed: Application[];

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'lynceus-reconcile-'));
    store = await openStore({ dataDir: folder });
    [lists, failing, listed] = [0, false, []];
  });
  afterEach(async () => {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const system = {
    list: async () => {
      lists++;
      if (failing) throw new AdapterError('unavailable', 'nobody answers');
      return listed;
    },
  } as unknown as DeliverySystem;
  const room = { deliverySystem: () => system, everyMs: HOUR_MS, clock: systemClock, log };

  /** A process starts, and works on what is due. */
  async function start(): Promise<void> {
    await askForReconciliation(store, ['main'], HOUR_MS);
    for (const job of await store.claim({ limit: 10, leaseMs: 60_000 }))
      await reconcile({ ...room, store }, job, lease);
  }

  it('is asked for as soon as there is a delivery system to list', async () => {
    await start();
    expect(lists).toBe(1);
  });

  it('is not asked for again because processes start, however many and often', async () => {
    for (let starts = 0; starts < 10; starts++) await start();
    expect(lists).toBe(1);
  });

  it('is asked for at once where its turn has come while nobody ran', async () => {
    await start();
    await store.commit({ jobs: [{ queue: 'reconcile', key: 'main', payload: { system: 'main' } }] });
    await start();
    expect(lists).toBe(2);
  });

  it('finds what moved though no notification and no stream told, and only that', async () => {
    listed = [application('checkout', 'a'), application('cart', 'a')];
    await start();
    for (const job of await store.claim({ limit: 10, leaseMs: 60_000 })) {
      const { name } = job.payload as { name: string };
      const one = listed.find(({ ref }) => ref.name === name) as Application;
      await store.commit({ claim: job, documents: [seen(one)], settle: { kind: 'done' } });
    }
    listed = [application('checkout', 'b'), application('cart', 'a')];
    await store.commit({ jobs: [{ queue: 'reconcile', key: 'main', payload: { system: 'main' } }] });
    await start();
    expect((await store.claim({ limit: 10, leaseMs: 60_000 })).map(({ key }) => key)).toEqual(['main/argocd/checkout']);
  });

  it('looks once at what an earlier version saw without noting down what it runs', async () => {
    listed = [application('checkout', 'a')];
    const row = seen(listed[0] as Application);
    const { runs: _, ...data } = row.data;
    await store.commit({ documents: [{ ...row, data }] });
    await start();
    expect((await store.claim({ limit: 10, leaseMs: 60_000 })).map(({ key }) => key)).toEqual(['main/argocd/checkout']);
  });

  it('leaves a look that a notification asked for as it is, so that nobody forgets that there was one', async () => {
    const heardAt = '2026-03-02T10:00:00.000Z';
    const payload = { system: 'main', namespace: 'argocd', name: 'checkout', heardAt };
    const event = { id: 'e', source: 's', type: 't', time: heardAt, data: {} };
    await store.receive('inbox', event, [{ queue: 'observe', key: 'main/argocd/checkout', payload }]);
    listed = [application('checkout', 'b'), application('cart', 'b')];
    await askForReconciliation(store, ['main'], HOUR_MS);
    for (const job of await store.claim({ limit: 10, leaseMs: 60_000, queues: ['reconcile'] }))
      await reconcile({ ...room, store }, job, lease);
    const looks = await store.claim({ limit: 10, leaseMs: 60_000, queues: ['observe'] });
    expect(looks.map(({ payload: asked }) => [asked['name'], asked['heardAt']]).sort()).toEqual([
      ['cart', undefined],
      ['checkout', heardAt],
    ]);
  });

  it('draws the fleet anew once an application is gone, not when one list only left it out', async () => {
    const place = { project: 'shop', stage: 'dev', service: 'checkout' };
    await store.commit({ documents: [{ ...seen(application('checkout', 'a')), ...place }] });
    const services: string[][] = [];
    for (let list = 0; list < 3; list++) {
      await store.commit({ jobs: [{ queue: 'reconcile', key: 'main', payload: { system: 'main' } }] });
      for (const job of await store.claim({ limit: 10, leaseMs: 60_000, queues: ['reconcile'] }))
        await reconcile({ ...room, store }, job, lease);
      const stats = await store.stats();
      const asked = stats.filter(({ queue, waiting, due }) => queue === 'fleet' && waiting + due > 0);
      services.push([(await store.document('application', 'main/argocd/checkout'))?.status ?? '', `${asked.length}`]);
    }
    expect(services).toEqual([
      ['absent', '0'],
      ['gone', '1'],
      ['gone', '1'],
    ]);
  });

  it('is asked for again at the next start where it has never succeeded', async () => {
    failing = true;
    await expect(start()).rejects.toThrow('nobody answers');
    expect(await store.document('listed-system', 'main')).toBeUndefined();
  });
});

function application(name: string, commit: string): Application {
  const labels = { 'lynceus.dev/project': 'shop', 'lynceus.dev/stage': 'dev', 'lynceus.dev/service': name };
  const raw = {
    metadata: { name, namespace: 'argocd', uid: name, labels },
    status: { sync: { status: 'Synced', revision: commit.repeat(40) } },
  };
  const context = {
    system: 'main',
    url: 'https://argocd',
    labelPrefix: 'lynceus.dev',
    controlPlaneNamespace: 'argocd',
  };
  return toApplication(raw, context);
}

function seen(one: Application): Document {
  const data = { ref: { ...one.ref }, fingerprint: fingerprint(one), runs: { ...runningOf(one) } };
  return { kind: 'application', id: `main/argocd/${one.ref.name}`, version: 1, status: 'seen', sort: 1, data };
}
