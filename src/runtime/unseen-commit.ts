import type { DeliverySystem } from '../adapters/delivery-systems/delivery-system.ts';
import { AdapterError } from '../base/adapter-error.ts';
import { observe } from '../engine/observe.ts';
import type { Place } from '../events/application.ts';
import type { Store } from '../store/store.ts';
import { sequenceFromRow } from '../views/sequence-document.ts';
import { observeJob, type SeenApplication } from './observe-application.ts';

const MOST_APPLICATIONS = 1000;

/**
 * Whether Git asks for a commit in a place that no change is about yet, in a sentence; also when that
 * cannot be known. `undefined`: what is known of the place is all there is.
 */
export type FindUnseenCommit = (place: Place, patienceMs: number) => Promise<string | undefined>;

/** A notification may still be on its way, or lost: only the delivery system itself knows. */
export function createUnseenCommitFinder(
  store: Store,
  deliverySystem: (name: string) => DeliverySystem | undefined,
): FindUnseenCommit {
  return async (place, patienceMs) => {
    const signal = AbortSignal.timeout(patienceMs);
    const rows = await store.documents({
      kind: 'application',
      ...place,
      status: ['seen', 'absent'],
      limit: MOST_APPLICATIONS,
    });
    const [newest] = await store.documents({ kind: 'sequence', ...place, limit: 1 });
    const triggered = newest && sequenceFromRow(newest.data).triggered;
    const found = await Promise.all(
      rows.map(async ({ data }) => {
        const seen = data as unknown as SeenApplication;
        const { system, namespace, name, uid } = seen.ref;
        const delivery = deliverySystem(system);
        if (!delivery) return `The delivery system ${system} is not configured any more`;
        try {
          const application = await delivery.read(seen.ref, { signal });
          const remembered = application.ref.uid === uid && seen.targetRevision !== undefined;
          const { targetRevision = '', targetRevisions } = seen;
          const before = { targetRevision, ...(targetRevisions === undefined ? {} : { targetRevisions }) };
          // Labels that were taken off meanwhile do not make the commit an older one.
          const observed = observe({ ...application, place }, remembered ? before : undefined, triggered);
          if (observed.kind !== 'deliver') return undefined;
          await store.commit({ jobs: [observeJob(system, namespace, name)] });
          return `Commit ${observed.targetRevision.slice(0, 12)} of ${name} was not seen yet`;
        } catch (error) {
          if (!(error instanceof AdapterError)) throw error;
          return `Whether there is a newer commit is not known: ${error.message}`;
        }
      }),
    );
    return found.find((sentence) => sentence !== undefined);
  };
}
