import { newId } from '../base/ids.ts';
import type { WrittenChange } from '../store/changes.ts';
import type { LiveSource } from './live-types.ts';

/** What changed, in the order in which this process learned of it. */
export interface LiveLog {
  /** Where the log ends: who reads on from there misses nothing, on whichever replica. */
  position(): string;
  /** Reads what was written since it was read last. `flood`: more than it keeps, so `ids` is not all. */
  look(): Promise<{ ids: string[]; flood: boolean }>;
  /** What changed after a position, here or on another replica; `undefined`: nobody knows any more. */
  after(position: string): Promise<string[] | undefined>;
}

/** How many changes are kept for those who come back. */
export const KEPT_CHANGES = 1_000;
/** Who moves more changes at once than this is rebuilding everything. */
const MAX_WRITTEN = 5_000;
/** A transaction becomes visible later than the time that it wrote, at most this much in milliseconds. */
const OVERLAP_MS = 15_000;

/** Of a process that has not looked yet: whoever read before that has to read again. */
const BEFORE_ALL = '0.00000000.0';

/**
 * Notifications are hints: the truth is what the store has written since the newest that was seen. A position names that
 * time for other replicas, and for this one its exact place, so that who comes back here is told nothing twice.
 */
export function createLiveLog(source: Pick<LiveSource, 'changesWritten'>): LiveLog {
  const instance = newId().slice(0, 8);
  const seen = new Map<string, WrittenChange>();
  let kept: { place: number; id: string }[] = [];
  let place = 0;
  let horizon: number | undefined;

  function take(written: readonly WrittenChange[]): string[] {
    const fresh = written.filter(({ id, rev, at }) => {
      const before = seen.get(id);
      return before === undefined || at > before.at || (at === before.at && rev > before.rev);
    });
    for (const change of [...fresh].reverse()) {
      seen.delete(change.id);
      seen.set(change.id, change);
    }
    horizon = Math.max(horizon ?? 0, written[0]?.at ?? 0);
    forget(horizon - OVERLAP_MS);
    return fresh.map(({ id }) => id).reverse();
  }

  /** What is older than the next look reads is not needed to tell it apart. */
  function forget(before: number): void {
    for (const [id, { at }] of seen) {
      if (at >= before) break;
      seen.delete(id);
    }
  }

  function keep(ids: readonly string[]): void {
    kept = [...kept, ...ids.map((id) => ({ place: ++place, id }))].slice(-KEPT_CHANGES);
  }

  return {
    position: () => (horizon === undefined ? BEFORE_ALL : `${horizon}.${instance}.${place}`),
    async look() {
      const first = horizon === undefined;
      const since = Math.max(0, (horizon ?? 0) - OVERLAP_MS);
      const written = await source.changesWritten({ since, limit: MAX_WRITTEN });
      const ids = take(written);
      // Whoever listens since before that may have missed any of them.
      if (first) return { ids: [], flood: true };
      keep(ids);
      const flood = written.length === MAX_WRITTEN;
      // A hole that nobody may read across.
      if (flood) kept = [];
      return { ids, flood };
    },
    async after(position) {
      const asked = parsePosition(position);
      if (asked === undefined || position === BEFORE_ALL) return undefined;
      if (asked.instance === instance && asked.place >= (kept[0]?.place ?? place + 1) - 1)
        return unique(kept.filter((one) => one.place > asked.place).map(({ id }) => id));
      const since = Math.max(0, asked.horizon - OVERLAP_MS);
      const written = await source.changesWritten({ since, limit: KEPT_CHANGES });
      return written.length === KEPT_CHANGES ? undefined : written.map(({ id }) => id).reverse();
    },
  };
}

/** `<time>.<instance>.<place>`; anything else was not given by us. */
function parsePosition(position: string): { horizon: number; instance: string; place: number } | undefined {
  const [, horizon, instance, place] = /^(\d{1,15})\.([0-9a-f]{8})\.(\d{1,15})$/.exec(position) ?? [];
  if (horizon === undefined || instance === undefined || place === undefined) return undefined;
  return { horizon: Number(horizon), instance, place: Number(place) };
}

function unique(ids: readonly string[]): string[] {
  return [...new Set(ids)];
}
