import type { DeliverySystem } from '../adapters/delivery-systems/delivery-system.ts';
import type { Clock } from '../base/clock.ts';
import { fingerprint } from '../engine/observe.ts';
import { applicationKey, type Place } from '../events/application.ts';
import type { ClaimedJob, Document, Store } from '../store/store.ts';
import { fleetJob } from './fleet-job.ts';
import type { Lease } from './lease.ts';
import { LISTED, listedDocument } from './listed-system.ts';
import type { Log } from './log.ts';
import { observeJob, type SeenApplication } from './observe-application.ts';

export interface ReconcilerRoom {
  store: Store;
  deliverySystem(name: string): DeliverySystem | undefined;
  everyMs: number;
  clock: Clock;
  log: Log;
}

/** Fits one commit comfortably. */
const BATCH = 200;
/** Pages of the application documents. */
const PAGE = 1000;

/**
 * Lists the labelled applications of one delivery system and asks for a look at each that is not as we
 * last saw it: whatever notification was lost, this finds it. One list call per cycle and system, by
 * whichever replica holds the job.
 */
export async function reconcile(room: ReconcilerRoom, job: ClaimedJob, lease: Lease): Promise<void> {
  const system = String(job.payload['system']);
  const delivery = room.deliverySystem(system);
  if (delivery) {
    const applications = (await delivery.list({ signal: lease.signal })).filter(({ place }) => place !== undefined);
    const known = await knownApplications(room.store, system);
    const moved = applications.filter((one) => {
      const seen = known.get(applicationKey(one.ref))?.seen;
      return seen?.fingerprint !== fingerprint(one) || seen.runs === undefined;
    });
    await inBatches(moved, (some) =>
      room.store.commit({ jobs: some.map(({ ref }) => observeJob(system, ref.namespace, ref.name)) }),
    );
    const listed = new Set(applications.map(({ ref }) => applicationKey(ref)));
    const absent = [...known.values()].filter(({ row }) => !listed.has(row.id) && row.status !== 'gone');
    await inBatches(absent, (some) =>
      room.store.commit({
        documents: some.map(fade),
        // The fleet goes on showing what is absent only once.
        jobs: some.filter(isAway).map(({ row }) => fleetJob(placeOf(row))),
      }),
    );
    if (moved.length > 0)
      room.log.debug({ system, listed: applications.length, moved: moved.length }, 'applications moved');
  }
  await room.store.commit({
    claim: job,
    documents: delivery ? [listedDocument(system, room)] : [],
    settle: delivery ? { kind: 'again', delayMs: room.everyMs } : { kind: 'done' },
  });
}

/**
 * Asks for the first list of every delivery system. One that was ever listed has its next turn already: a process that
 * starts again and again, or ten replicas at once, must not list thousands of applications each time.
 */
export async function askForReconciliation(store: Store, systems: readonly string[], everyMs: number): Promise<void> {
  const jobs = systems.map(async (system) => {
    const delayMs = (await store.document(LISTED, system)) === undefined ? 0 : everyMs;
    return { queue: 'reconcile', key: system, payload: { system }, delayMs };
  });
  if (jobs.length > 0) await store.commit({ jobs: await Promise.all(jobs) });
}

/**
 * Deleted, or its labels were taken off. Lists come from a cache that lags behind, so an application is
 * gone only when it is absent twice; coming back, it is looked at anew.
 */
function fade(one: KnownApplication): Document {
  return {
    ...one.row,
    status: isAway(one) ? 'gone' : 'absent',
    data: { ...one.row.data, fingerprint: '' },
  };
}

function isAway({ row }: KnownApplication): boolean {
  return row.status === 'absent';
}

function placeOf({ project = '', stage = '', service = '' }: Document): Place {
  return { project, stage, service };
}

interface KnownApplication {
  row: Document;
  seen: SeenApplication;
}

async function knownApplications(store: Store, system: string): Promise<Map<string, KnownApplication>> {
  const known = new Map<string, KnownApplication>();
  for (let after: { sort: number; id: string } | undefined; ; ) {
    const rows = await store.documents({ kind: 'application', limit: PAGE, ...(after ? { after } : {}) });
    for (const row of rows) {
      const seen = row.data as unknown as SeenApplication;
      if (seen.ref.system === system) known.set(row.id, { row, seen });
    }
    const last = rows.at(-1);
    if (!last || rows.length < PAGE) return known;
    after = { sort: last.sort, id: last.id };
  }
}

async function inBatches<T>(all: readonly T[], act: (some: readonly T[]) => Promise<unknown>): Promise<void> {
  for (let at = 0; at < all.length; at += BATCH) await act(all.slice(at, at + BATCH));
}
