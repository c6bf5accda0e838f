import type { DeliverySystem } from '../adapters/delivery-systems/delivery-system.ts';
import { AdapterError } from '../base/adapter-error.ts';
import type { Clock } from '../base/clock.ts';
import { type ApplicationRef, applicationKey, type Place } from '../events/application.ts';
import type { ClaimedJob, NewJob, Store } from '../store/store.ts';
import { createHistory } from './history.ts';
import type { Lease } from './lease.ts';
import type { Log } from './log.ts';
import { observeJob } from './observe-application.ts';

export interface RefreshRoom {
  store: Store;
  clock: Clock;
  deliverySystem(name: string): DeliverySystem | undefined;
  log: Log;
}

/** A refresh makes the delivery system fetch and render; one application is not asked for more often. */
const PAUSE_MS = 30_000;

/**
 * A branch was moved by us: have the delivery system look at Git now, instead of when it polls next
 * (Argo CD: up to three minutes). Only a hint, as everything that makes things quicker: it may fail.
 */
export async function refreshApplications(room: RefreshRoom, job: ClaimedJob, lease: Lease): Promise<void> {
  const { place, ref } = job.payload as unknown as { place?: Place; ref?: ApplicationRef };
  if (place) return refreshPlace(room, job, place);
  const delivery = ref && room.deliverySystem(ref.system);
  if (!delivery) return room.store.commit({ claim: job, settle: { kind: 'done' } }).then(() => undefined);
  const key = applicationKey(ref);
  const before = await room.store.document('refresh', key);
  const now = room.clock.now().getTime();
  const waitMs = before === undefined ? 0 : before.sort + PAUSE_MS - now;
  if (waitMs > 0) {
    await room.store.commit({ claim: job, settle: { kind: 'again', delayMs: waitMs } });
    return;
  }
  const asked = { kind: 'refresh', id: key, version: (before?.version ?? 0) + 1, status: 'asked', sort: now, data: {} };
  await room.store.commit({ documents: [asked] });
  await refresh(room, delivery, ref, lease);
  const jobs = [observeJob(ref.system, ref.namespace, ref.name)];
  await room.store.commit({ jobs, claim: job, settle: { kind: 'done' } });
}

async function refreshPlace({ store }: RefreshRoom, job: ClaimedJob, place: Place): Promise<void> {
  const refs = await createHistory(store).applications(place);
  await store.commit({ jobs: refs.map(refreshJobOf), claim: job, settle: { kind: 'done' } });
}

/** Work that has the delivery system look at Git for one application. */
export function refreshJobOf(ref: ApplicationRef): NewJob {
  return { queue: 'refresh', key: `application/${applicationKey(ref)}`, payload: { ref: { ...ref } } };
}

async function refresh({ log }: RefreshRoom, delivery: DeliverySystem, ref: ApplicationRef, lease: Lease) {
  try {
    await delivery.read(ref, { refresh: true, signal: lease.signal });
  } catch (error) {
    if (!(error instanceof AdapterError) || error.reason === 'cancelled') throw error;
    log.info({ ...ref, reason: error.reason }, 'the delivery system could not be made to look at Git now');
  }
}
