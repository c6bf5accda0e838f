import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DeliverySystem } from '../../src/adapters/delivery-systems/delivery-system.ts';
import { AdapterError } from '../../src/base/adapter-error.ts';
import type { Lease } from '../../src/runtime/lease.ts';
import type { Log } from '../../src/runtime/log.ts';
import { refreshApplications } from '../../src/runtime/refresh-applications.ts';
import { refreshJob } from '../../src/runtime/sequences.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';

const PLACE = { project: 'shop', stage: 'staging', service: 'checkout' };
const REF = { system: 'main', namespace: 'argocd', name: 'checkout', uid: 'u', systemProject: 'default' };
const log = { info: () => undefined, warn: () => undefined } as unknown as Log;
const lease = { signal: new AbortController().signal, guard: () => undefined } as unknown as Lease;

describe('an application whose branch we have moved', () => {
  let folder: string;
  let store: Store;
  let now: number;
  let asked: boolean[];
  let failing: boolean;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'lynceus-refresh-'));
    store = await openStore({ dataDir: folder });
    [now, asked, failing] = [Date.parse('2026-03-02T10:00:00Z'), [], false];
    const data = { ref: REF, fingerprint: '' };
    const application = { kind: 'application', id: 'main/argocd/checkout', version: 1, ...PLACE };
    await store.commit({ documents: [{ ...application, status: 'seen', sort: 1, data }] });
  });
  afterEach(async () => {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const system = {
    read: async (_: unknown, options: { refresh?: boolean }) => {
      asked.push(options.refresh === true);
      if (failing) throw new AdapterError('timeout', 'application refresh deadline exceeded');
    },
  } as unknown as DeliverySystem;

  /** Works on everything that is due; answers the queues that are left to others. */
  async function work(): Promise<string[]> {
    const others: string[] = [];
    for (;;) {
      const jobs = await store.claim({ limit: 10, leaseMs: 60_000 });
      if (jobs.length === 0) return others;
      for (const job of jobs) {
        if (job.queue !== 'refresh') others.push(job.queue);
        else {
          const room = { store, clock: { now: () => new Date(now) }, deliverySystem: () => system, log };
          await refreshApplications(room, job, lease);
        }
      }
    }
  }

  it('is looked at anew by its delivery system, then by us', async () => {
    await store.commit({ jobs: [refreshJob(PLACE)] });
    expect(await work()).toEqual(['observe']);
    expect(asked).toEqual([true]);
  });

  it('is not asked for again within half a minute, however often it is wished', async () => {
    for (let wish = 0; wish < 5; wish++) {
      await store.commit({ jobs: [refreshJob(PLACE)] });
      await work();
      now += 5_000;
    }
    expect(asked).toHaveLength(1);
    now += 10_000;
    await store.commit({ jobs: [refreshJob(PLACE)] });
    await work();
    expect(asked).toHaveLength(2);
  });

  it('loses nothing but time when the delivery system cannot look now', async () => {
    failing = true;
    await store.commit({ jobs: [refreshJob(PLACE)] });
    expect(await work()).toEqual(['observe']);
  });
});
