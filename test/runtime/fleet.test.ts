import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/base/json.ts';
import { noSequence } from '../../src/engine/sequence.ts';
import { createFleetRefresher, refreshFleet } from '../../src/runtime/fleet.ts';
import { createFleetBoard } from '../../src/runtime/fleet-board.ts';
import { fleetJob, fleetKey } from '../../src/runtime/fleet-job.ts';
import { rebuildHere } from '../../src/runtime/rebuild.ts';
import { sequenceCommit } from '../../src/runtime/sequences.ts';
import { openStore } from '../../src/store/open.ts';
import type { Document, Store } from '../../src/store/store.ts';
import type { FleetService } from '../../src/views/fleet.ts';
import type { FleetQuery } from '../../src/views/fleet-page.ts';
import { planned, START, taskFinished, taskTriggered, triggered } from '../support/sequence.ts';

const PLACE = { project: 'shop', stage: 'staging', service: 'checkout' };
const QUERY: FleetQuery = { group: 'team', by: 'stage', differs: false, sort: 'name', open: [] };

describe('the row of a service', () => {
  const folder = { path: '' };
  let store: Store;
  let now = Date.parse(START);
  const clock = { now: () => new Date(now) };
  beforeEach(async () => {
    now = Date.parse(START);
    folder.path = mkdtempSync(join(tmpdir(), 'lynceus-fleet-'));
    store = await openStore({ dataDir: folder.path, clock });
  });
  afterEach(async () => {
    await store.close();
    rmSync(folder.path, { recursive: true, force: true });
  });

  function application(cluster: string, version: string, status = 'seen'): Document {
    const ref = { system: 'main', namespace: 'argocd', name: `checkout-${cluster}`, uid: cluster, systemProject: 'p' };
    const runs = { images: [`ghcr.io/acme/checkout:${version}`], health: 'Healthy', sync: 'Synced', cluster };
    const data = { ref, fingerprint: 'f', runs } as unknown as JsonObject;
    const common = {
      kind: 'application',
      id: `main/argocd/${ref.name}`,
      version: 1,
      ...PLACE,
      context: fleetKey(PLACE),
    };
    return { ...common, status, sort: now, data };
  }

  /** Works on what is due by then, and answers how often. */
  async function work(): Promise<number> {
    now += 2_000;
    const jobs = await store.claim({ limit: 10, leaseMs: 60_000, queues: ['fleet'] });
    for (const job of jobs) await refreshFleet({ store, clock }, job);
    return jobs.length;
  }

  async function deliver(): Promise<void> {
    const history = [
      triggered({ context: 'the-change' }),
      ...planned(),
      taskTriggered(1, 'sync'),
      taskFinished('sync', 'pass'),
      taskTriggered(2, 'rollout'),
      taskFinished('rollout', 'pass', { data: { images: ['ghcr.io/acme/checkout:1.8.2'] } }),
      {
        name: 'sequence.finished' as const,
        at: START,
        data: { status: 'succeeded' as const, result: 'pass' as const, reason: 'completed' as const, message: 'done' },
      },
    ];
    const { commit } = sequenceCommit({ state: noSequence, version: 0 }, history);
    await store.commit(commit);
  }

  const row = async () => (await store.document('fleet', 'shop/checkout'))?.data as unknown as FleetService | undefined;

  it('is written once for all that happens to the service at about the same time', async () => {
    await store.commit({ documents: [application('eu-1', '1.8.2'), application('us-1', '1.8.1')] });
    await deliver();
    expect(await work()).toBe(1);
    expect(await row()).toMatchObject({
      differs: true,
      units: [
        { cluster: 'eu-1', version: '1.8.2' },
        { cluster: 'us-1', version: '1.8.1' },
      ],
      stages: [{ stage: 'staging', last: { change: 'the-change', label: '1.8.2' } }],
    });
    expect(await work()).toBe(0);
  });

  it('is drawn for one service at a time, however many have moved, and whatever became of the one before', async () => {
    const services = ['checkout', 'cart', 'ledger'];
    await store.commit({ jobs: services.map((service) => fleetJob({ ...PLACE, service })) });
    now += 2_000;
    let [reading, most, failures] = [0, 0, 1];
    const watched: Store = {
      ...store,
      async documents(query) {
        most = Math.max(most, ++reading);
        await nextTurn();
        reading -= 1;
        if (failures-- > 0) throw new Error('the store is away');
        return store.documents(query);
      },
    };
    const refresh = createFleetRefresher({ store: watched, clock });
    const jobs = await store.claim({ limit: 10, leaseMs: 60_000, queues: ['fleet'] });
    const outcomes = await Promise.allSettled(jobs.map(refresh));
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
    expect(most).toBe(1);
    const rows = await store.documents({ kind: 'fleet' });
    expect(rows.map(({ service }) => service).sort()).toEqual(
      jobs
        .slice(1)
        .map(({ key }) => key.split('/')[1])
        .sort(),
    );
  });

  it('leaves out applications that are gone', async () => {
    await store.commit({ documents: [application('eu-1', '1.8.2'), application('us-1', '1.8.1', 'gone')] });
    await deliver();
    await work();
    expect((await row())?.units.map(({ cluster }) => cluster)).toEqual(['eu-1']);
  });

  it('is found by a board that was asked before, also by that of another replica', async () => {
    const boards = [createFleetBoard({ store, clock }), createFleetBoard({ store, clock })];
    for (const board of boards) expect((await board.page(QUERY)).page.total).toBe(0);
    await store.commit({ documents: [application('eu-1', '1.8.2')] });
    await deliver();
    await work();
    for (const board of boards) expect((await board.page(QUERY)).page).toMatchObject({ total: 1, units: 1 });
  });

  it('is not green where its delivery system was not heard of for long', async () => {
    await store.commit({ documents: [application('eu-1', '1.8.2')] });
    await deliver();
    await work();
    const board = createFleetBoard({ store, clock });
    const listed = { kind: 'listed-system', id: 'main', version: 1, sort: 1 };
    await store.commit({ documents: [{ ...listed, data: { at: START, everyMs: 30_000 } }] });
    expect((await board.page({ ...QUERY, in: 'no team' })).silent).toEqual(new Map());
    now += 2 * 3_600_000;
    expect((await board.page({ ...QUERY, in: 'no team' })).silent).toEqual(new Map([['main', START]]));
  });

  it('is made anew from the log', async () => {
    await deliver();
    await work();
    const before = await row();
    await store.commit({
      documents: [{ kind: 'fleet', id: 'shop/checkout', version: 99, status: 'gone', sort: now, data: {} }],
    });
    await rebuildHere({ store, stops: async () => [] }, clock.now());
    expect(await row()).toEqual(before);
    expect(before?.stages[0]?.last?.change).toBe('the-change');
  });
});
