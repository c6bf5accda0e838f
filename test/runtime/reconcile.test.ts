import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DeliverySystem } from '../../src/adapters/delivery-systems/delivery-system.ts';
import { AdapterError } from '../../src/base/adapter-error.ts';
import type { Lease } from '../../src/runtime/lease.ts';
import type { Log } from '../../src/runtime/log.ts';
import { askForReconciliation, reconcile } from '../../src/runtime/reconcile.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';

const HOUR_MS = 3_600_000;
const log = { debug: () => undefined } as unknown as Log;
const lease = { signal: new AbortController().signal } as unknown as Lease;

describe('the list of all applications', () => {
  let folder: string;
  let store: Store;
  let lists: number;
  let failing: boolean;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'lynceus-reconcile-'));
    store = await openStore({ dataDir: folder });
    [lists, failing] = [0, false];
  });
  afterEach(async () => {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const system = {
    list: async () => {
      lists++;
      if (failing) throw new AdapterError('unavailable', 'nobody answers');
      return [];
    },
  } as unknown as DeliverySystem;
  const room = { deliverySystem: () => system, everyMs: HOUR_MS, log };

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

  it('is asked for again at the next start where it has never succeeded', async () => {
    failing = true;
    await expect(start()).rejects.toThrow('nobody answers');
    expect(await store.document('listed-system', 'main')).toBeUndefined();
  });
});
