import type { Clock } from '../base/clock.ts';
import type { Document, Store } from '../store/store.ts';

/** Documents that say which delivery systems were listed, and when last. */
export const LISTED = 'listed-system';
/** So many lists in a row are not missed by chance. */
const MISSED = 3;
const LEAST_MS = 10 * 60_000;

export function listedDocument(system: string, { clock, everyMs }: { clock: Clock; everyMs: number }): Document {
  const now = clock.now();
  return {
    kind: LISTED,
    id: system,
    version: now.getTime(),
    sort: now.getTime(),
    data: { at: now.toISOString(), everyMs },
  };
}

/** Since when each of these systems does not answer, ISO 8601; those that do, or were never listed, are left out. */
export async function silentSystems(store: Store, systems: readonly string[], now: Date): Promise<Map<string, string>> {
  const rows = await Promise.all(systems.map((system) => store.document(LISTED, system)));
  const silent = new Map<string, string>();
  for (const row of rows) {
    const { at, everyMs } = row?.data ?? {};
    if (row === undefined || typeof at !== 'string' || typeof everyMs !== 'number') continue;
    if (now.getTime() - Date.parse(at) > Math.max(LEAST_MS, MISSED * everyMs)) silent.set(row.id, at);
  }
  return silent;
}
