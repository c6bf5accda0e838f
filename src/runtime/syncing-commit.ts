import type { DeliverySystem } from '../adapters/delivery-systems/delivery-system.ts';
import { AdapterError } from '../base/adapter-error.ts';
import { systemName } from '../engine/system-name.ts';
import type { Place } from '../events/application.ts';
import type { Store } from '../store/store.ts';
import { observeJob, type SeenApplication } from './observe-application.ts';

const MOST_APPLICATIONS = 1000;

/**
 * The commit that the running sync of an application is about, or a sentence that says why that is not known. A hook
 * of that sync asks, and cannot know its commit out of plain YAML.
 */
export type FindSyncingCommit = (
  place: Place,
  which: { app?: string | undefined; namespace?: string | undefined },
  patienceMs: number,
) => Promise<{ revision: string } | { why: string }>;

export function createSyncingCommitFinder(
  store: Store,
  deliverySystem: (name: string) => DeliverySystem | undefined,
): FindSyncingCommit {
  return async (place, which, patienceMs) => {
    const rows = await store.documents({
      kind: 'application',
      ...place,
      status: ['seen', 'absent'],
      limit: MOST_APPLICATIONS,
    });
    const refs = rows
      .map(({ data }) => (data as unknown as SeenApplication).ref)
      .filter(({ name, namespace }) => name === which.app && (which.namespace ?? namespace) === namespace);
    const [ref] = refs;
    if (!ref) return { why: `No application is known of the name ${which.app}` };
    // One name on several clusters: their syncs need not be about the same commit.
    if (refs.length > 1) return { why: `${refs.length} applications are called ${ref.name}: name the commit` };
    const delivery = deliverySystem(ref.system);
    if (!delivery) return { why: `The delivery system ${ref.system} is not configured any more` };
    try {
      const { operation } = await delivery.read(ref, { signal: AbortSignal.timeout(patienceMs) });
      if (operation?.phase !== 'Running') return { why: `${systemName(ref)} is not syncing ${ref.name} right now` };
      if (operation.revision === undefined)
        return { why: `${systemName(ref)} has not said yet which commit of ${ref.name} it syncs` };
      // The notification may still be on its way.
      await store.commit({ jobs: [observeJob(ref.system, ref.namespace, ref.name)] });
      return { revision: operation.revision };
    } catch (error) {
      if (!(error instanceof AdapterError)) throw error;
      return { why: `Which commit is being synced is not known: ${error.message}` };
    }
  };
}
