import { type Foreseen, needsOf } from '../answers/answer.ts';
import type { ChangeFacts } from '../answers/change-facts.ts';
import type { Viewer } from '../answers/viewer.ts';
import type { Clock } from '../base/clock.ts';
import type { CountQuery } from '../store/changes.ts';
import type { Store } from '../store/store.ts';
import { type BoardQuery, meanings, storeQuery } from './board-query.ts';
import { beginOfNeed, NEEDS_FROM, timeOfNeed } from './change-record.ts';

/** What the store is asked for a list, as it is now. */
export type StoreQuestion = (query: BoardQuery, viewer: Viewer | undefined) => Promise<CountQuery>;

export interface QuestionTools {
  store: Pick<Store, 'changes'>;
  clock: Clock;
  /** Absent: nothing is foreseen. */
  forecast?: ((facts: ChangeFacts) => Foreseen) | undefined;
}

/** So many changes at most are looked at for what only time has made of them. */
const MOST_LOOKED_AT = 1000;

/**
 * As `storeQuery`, with those that came to wait for the reader by time alone: how long something usually takes is learnt, so
 * no index can tell.
 */
export function createStoreQuestion({ store, clock, forecast }: QuestionTools): StoreQuestion {
  async function timely(viewer: Viewer, now: Date): Promise<string[]> {
    const mine = new Set(meanings(viewer));
    const filter = { names: [NEEDS_FROM], values: [...mine].map(beginOfNeed), upTo: timeOfNeed(now.getTime()) };
    const { records } = await store.changes({ keys: [filter], count: false, limit: MOST_LOOKED_AT });
    return records.flatMap(({ id, data }) => {
      const facts = data as unknown as ChangeFacts;
      const needs = needsOf(facts, now.toISOString(), forecast?.(facts).stepP90);
      return needs.some((key) => mine.has(key)) ? [id] : [];
    });
  }

  return async (query, viewer) => {
    const now = clock.now();
    const also = query.needs === undefined || viewer === undefined ? [] : await timely(viewer, now);
    return storeQuery(query, viewer, now, also);
  };
}
