import type { DeliverySystem } from '../adapters/delivery-systems/delivery-system.ts';
import { fingerprint } from '../engine/observe.ts';
import { applicationKey } from '../events/application.ts';
import type { ClaimedJob, Store } from '../store/store.ts';
import type { Lease } from './lease.ts';
import type { Log } from './log.ts';
import { observeJob, type SeenApplication } from './observe-application.ts';

export interface ReconcilerRoom {
  store: Store;
  deliverySystem(name: string): DeliverySystem | undefined;
  everyMs: number;
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
    const applications = await delivery.list({ signal: lease.signal });
    const seen = await fingerprints(room.store);
    const moved = applications.filter(
      (one) => one.place !== undefined && seen.get(applicationKey(one.ref)) !== fingerprint(one),
    );
    for (let at = 0; at < moved.length; at += BATCH) {
      const jobs = moved.slice(at, at + BATCH).map(({ ref }) => observeJob(system, ref.namespace, ref.name));
      await room.store.commit({ jobs });
    }
    if (moved.length > 0)
      room.log.debug({ system, listed: applications.length, moved: moved.length }, 'applications moved');
  }
  await room.store.commit({
    claim: job,
    settle: delivery ? { kind: 'again', delayMs: room.everyMs } : { kind: 'done' },
  });
}

async function fingerprints(store: Store): Promise<Map<string, string>> {
  const seen = new Map<string, string>();
  for (let after: { sort: number; id: string } | undefined; ; ) {
    const rows = await store.documents({ kind: 'application', limit: PAGE, ...(after ? { after } : {}) });
    for (const row of rows) seen.set(row.id, (row.data as unknown as SeenApplication).fingerprint);
    const last = rows.at(-1);
    if (!last || rows.length < PAGE) return seen;
    after = { sort: last.sort, id: last.id };
  }
}
