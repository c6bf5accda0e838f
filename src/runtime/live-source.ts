import { aheadOfChange, changeRow, type Foreseen } from '../answers/answer.ts';
import type { ChangeFacts } from '../answers/change-facts.ts';
import type { Viewer } from '../answers/viewer.ts';
import type { Clock } from '../base/clock.ts';
import type { ChangesQuery } from '../store/changes.ts';
import type { Store } from '../store/store.ts';
import type { BoardQuery } from './board-query.ts';
import { type ChangeBoard, DEFAULT_PAGE, positionIn } from './change-board.ts';
import type { LiveSource } from './live-types.ts';
import { createStoreQuestion } from './needs-reader.ts';

export interface LiveSourceTools {
  store: Pick<Store, 'changes' | 'changesWritten' | 'onChanged'>;
  board: Pick<ChangeBoard, 'facts'>;
  clock: Clock;
  /** Absent: nothing is foreseen. */
  forecast?: (facts: ChangeFacts) => Foreseen;
  /** What the query string of a list asks for. */
  readQuery(filter: string): BoardQuery;
}

/** At most so many ids go into one question to the store. */
const MAX_IDS = 1000;

/** The news of changes, out of the store. */
export function createLiveSource({ store, board, clock, forecast, readQuery }: LiveSourceTools): LiveSource {
  const question = createStoreQuestion({ store, clock, forecast });
  return {
    changesWritten: (query) => store.changesWritten(query),
    onChanged: (listener) => store.onChanged(() => listener()),
    async read(ids) {
      const facts = await board.facts(ids);
      const known = new Map(facts.map((one) => [one.id, one]));
      const ahead = [...new Set(facts.flatMap(aheadOfChange))].filter((id) => !known.has(id));
      for (const one of ahead.length === 0 ? [] : await board.facts(ahead)) known.set(one.id, one);
      const now = clock.now().toISOString();
      const changeOf = (id: string) => known.get(id);
      return facts.map((one) => ({
        id: one.id,
        row: (viewer) => changeRow(one, { now, viewer, forecast, changeOf }),
        names: namesIn([one, ...aheadOfChange(one).map(changeOf)]),
      }));
    },
    async matching(ids, filter, viewer) {
      const { cursor: _cursor, limit: _limit, ...query } = readQuery(filter);
      const asked: ChangesQuery = { ...(await question(query, viewer)), count: false, limit: MAX_IDS };
      const found = new Set<string>();
      for (let at = 0; at < ids.length; at += MAX_IDS) {
        const { records } = await store.changes({ ...asked, id: ids.slice(at, at + MAX_IDS) });
        for (const { id } of records) found.add(id);
      }
      return found;
    },
    async page(filter, viewer) {
      const { cursor, limit = DEFAULT_PAGE, ...query } = readQuery(filter);
      const after = cursor === undefined ? undefined : positionIn(cursor);
      const asked = { ...(await question(query, viewer)), limit, ...(after === undefined ? {} : { after }) };
      const { records, facets, total } = await store.changes(asked);
      return { ids: records.map(({ id }) => id), facets, total };
    },
    isPersonal(filter) {
      const { mine, needs } = readQuery(filter);
      return mine === true || needs !== undefined;
    },
  };
}

/** Who is named nowhere in what a row is drawn from cannot tell it from that of others with the same rights. */
function namesIn(facts: readonly (ChangeFacts | undefined)[]): (viewer: Viewer) => boolean {
  let text: string | undefined;
  return ({ name }) => {
    text ??= JSON.stringify(facts).toLowerCase();
    return text.includes(JSON.stringify(name.toLowerCase()).slice(1, -1));
  };
}
