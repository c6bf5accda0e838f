import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../base/clock.ts';
import type { Store } from '../store/store.ts';
import type { FleetService } from '../views/fleet.ts';
import { type FleetEntry, type FleetPage, type FleetQuery, fleetEntry, fleetPage } from '../views/fleet-page.ts';
import { FLEET } from './fleet.ts';
import { silentSystems } from './listed-system.ts';

export interface FleetBoard {
  page(query: FleetQuery): Promise<FleetRead>;
  /** Every service, in no order. */
  entries(): Promise<readonly FleetEntry[]>;
  services(ids: readonly string[]): Promise<FleetService[]>;
}

export interface FleetRead {
  page: FleetPage;
  /** Those that are shown, by id. */
  services: Map<string, FleetService>;
  /** Delivery systems that do not answer, and since when. */
  silent: Map<string, string>;
}

/** Rows that other replicas wrote by a clock that is behind ours are still found. */
const OVERLAP_MS = 15_000;
/** Where much moves at once, not everybody who asks looks for what is new. */
const FRESH_MS = 1_000;
/** Whatever the reason why one was missed: it is found then. */
const ALL_EVERY_MS = 10 * 60_000;
const PAGE = 100;

/**
 * The fleet as it can be asked for. A few words of each service are kept to find and order them, brought up to date by
 * the rows that were written since: nothing that could not be read anew.
 */
export function createFleetBoard({ store, clock }: { store: Store; clock: Clock }): FleetBoard {
  const entries = new Map<string, FleetEntry>();
  let newest = Number.NEGATIVE_INFINITY;
  let readAllAt = Number.NEGATIVE_INFINITY;
  let readAt = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | undefined;

  async function readNew(): Promise<void> {
    const now = clock.now().getTime();
    const isAll = now - readAllAt > ALL_EVERY_MS;
    const until = isAll ? Number.NEGATIVE_INFINITY : newest - OVERLAP_MS;
    const seen = new Set<string>();
    for (let after: { sort: number; id: string } | undefined; ; ) {
      const rows = await store.documents({ kind: FLEET, limit: PAGE, ...(after ? { after } : {}) });
      for (const { id, status, sort, data } of rows) {
        if (sort < until) break;
        seen.add(id);
        if (status === 'gone') entries.delete(id);
        else entries.set(id, fleetEntry(data as unknown as FleetService));
        newest = Math.max(newest, sort);
      }
      const last = rows.at(-1);
      if (!last || rows.length < PAGE || last.sort < until) break;
      after = { sort: last.sort, id: last.id };
      // Others have their turn between the pages of a large fleet.
      await nextTurn();
    }
    if (!isAll) return;
    for (const id of entries.keys()) if (!seen.has(id)) entries.delete(id);
    readAllAt = now;
  }

  /** Those who ask at once share one reading. */
  async function refresh(): Promise<void> {
    const age = clock.now().getTime() - readAt;
    if (age >= 0 && age < FRESH_MS) return;
    reading ??= readNew()
      .then(() => {
        readAt = clock.now().getTime();
      })
      .finally(() => {
        reading = undefined;
      });
    await reading;
  }

  async function services(ids: readonly string[]): Promise<FleetService[]> {
    const rows = await Promise.all(ids.map((id) => store.document(FLEET, id)));
    return rows.flatMap((row) => (row && row.status !== 'gone' ? [row.data as unknown as FleetService] : []));
  }

  return {
    services,
    async entries() {
      await refresh();
      return [...entries.values()];
    },
    async page(query) {
      await refresh();
      const page = fleetPage([...entries.values()], query);
      const found = await services(page.groups.flatMap(({ shown }) => shown));
      const systems = [...new Set(found.flatMap(({ units }) => units.map(({ system }) => system)))];
      return {
        page,
        services: new Map(found.map((one) => [`${one.project}/${one.service}`, one])),
        silent: await silentSystems(store, systems, clock.now()),
      };
    },
  };
}
