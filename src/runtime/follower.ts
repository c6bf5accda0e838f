import { setTimeout as sleep } from 'node:timers/promises';
import type { Document, Store } from '../store/store.ts';
import { REPORTED } from '../views/reported-run.ts';

/** So few that whoever asks for something meanwhile hardly waits. */
const PAGE = 50;
const MOST_ROWS = 50_000;
const LOOK_BACK_MS = 180 * 86_400_000;
/** A commit may become visible so long after the moment that it tells of. */
const OVERLAP_MS = 120_000;

/** Reads documents of a kind, then again and again those that are new. */
export interface Follower {
  follow(now: number): Promise<void>;
}

/**
 * The first time from the newest backwards, a page at a time and as long a pause after it as it took: SQLite answers at
 * once, so nobody else would have a turn. Later what moved since.
 *
 * @param learn with what moved after `since`; `older` than all that was learnt before
 */
export function createFollower(
  store: Store,
  kind: string,
  learn: (row: Document, since: number, older: boolean) => void,
): Follower {
  /** Up to when each of the rows was learnt that may still move unnoticed; older ones are learnt up to the floor. */
  const learnt = new Map<string, { sort: number; version: number }>();
  let newest: number | undefined;
  /** How far the first time has come; undefined: to the end, or not begun. */
  let broken: { sort: number; id: string } | undefined;

  async function* pages(from: number, begin?: { sort: number; id: string }): AsyncGenerator<Document[]> {
    let after = begin;
    for (let rows = 0; rows < MOST_ROWS; rows += PAGE) {
      const began = performance.now();
      const page = await store.documents({ kind, limit: PAGE, ...(after ? { after } : {}) });
      yield page.filter(({ sort }) => sort >= from);
      const last = page.at(-1);
      if (!last || page.length < PAGE || last.sort < from) return;
      after = { sort: last.sort, id: last.id };
      await sleep(performance.now() - began);
    }
  }

  async function first(now: number): Promise<void> {
    for await (const page of pages(now - LOOK_BACK_MS, broken)) {
      for (const row of page) {
        // Moved while this was going on: the next time.
        if (learnt.has(row.id)) continue;
        newest ??= row.sort;
        if (row.sort >= newest - OVERLAP_MS) learnt.set(row.id, { sort: row.sort, version: row.version });
        learn(row, Number.NEGATIVE_INFINITY, true);
      }
      // The store may fail on the next one: then it is gone on from here.
      broken = page.at(-1) ?? broken;
    }
    broken = undefined;
  }

  async function news(known: number): Promise<void> {
    const floor = known - OVERLAP_MS;
    const rows: Document[] = [];
    for await (const page of pages(floor))
      rows.push(...page.filter(({ id, version }) => version > (learnt.get(id)?.version ?? 0)));
    for (const row of rows.reverse()) {
      // What CI reported is written once, long after it happened.
      const unseen = row.id.startsWith(REPORTED) ? Number.NEGATIVE_INFINITY : floor;
      learn(row, learnt.get(row.id)?.sort ?? unseen, false);
      learnt.set(row.id, { sort: row.sort, version: row.version });
      newest = Math.max(newest ?? row.sort, row.sort);
    }
    for (const [id, { sort }] of learnt) if (sort < (newest ?? known) - OVERLAP_MS) learnt.delete(id);
  }

  return { follow: (now) => (newest === undefined || broken ? first(now) : news(newest)) };
}
