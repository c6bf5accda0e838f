import { aheadOfChange, changeRow, type Foreseen } from '../answers/answer.ts';
import type { ChangeFacts } from '../answers/change-facts.ts';
import type { ChangeRow } from '../answers/change-row.ts';
import type { Step } from '../answers/step.ts';
import type { Viewer } from '../answers/viewer.ts';
import type { Clock } from '../base/clock.ts';
import type { ChangeFacets, ChangePosition, ChangesQuery, StoredChange } from '../store/changes.ts';
import type { Store } from '../store/store.ts';
import type { BoardQuery } from './board-query.ts';
import { createStoreQuestion } from './needs-reader.ts';

/** What a list of changes is read from: rows with the five answers, counts, places to go on. */
export interface ChangeBoard {
  /** @throws {TypeError} the cursor was not given by this board */
  list(query: BoardQuery, viewer: Viewer | undefined): Promise<BoardPage>;
  row(id: string, viewer: Viewer | undefined): Promise<ChangeRow | undefined>;
  /** Those that there are, in the order of the ids. */
  rows(ids: readonly string[], viewer: Viewer | undefined): Promise<ChangeRow[]>;
  /** What there is to draw rows from, for readers who draw them several times. */
  facts(ids: readonly string[]): Promise<ChangeFacts[]>;
  /** The journey, as far as it is known. */
  steps(id: string): Promise<Step[]>;
  /** How many the quick filters would leave. */
  counts(query: BoardQuery, viewer: Viewer | undefined): Promise<BoardCounts>;
}

export interface BoardPage {
  rows: ChangeRow[];
  facets: ChangeFacets;
  /** How many the filters leave, on all pages. */
  total: number;
  /** Where the next page begins; absent on the last. */
  next?: string;
  /** When it was read, ISO 8601. */
  asOf: string;
}

/** Absent: it does not apply to who reads. */
export interface BoardCounts {
  /** Without any filter. */
  all: number;
  mine?: number;
  team?: number;
  needsMe?: number;
}

export interface BoardTools {
  store: Store;
  clock: Clock;
  /** Absent: nothing is foreseen. */
  forecast?: (facts: ChangeFacts) => Foreseen;
  /** Absent: no journey is known. */
  stepsOf?: (id: string) => Promise<Step[]>;
}

export const DEFAULT_PAGE = 50;

export function createChangeBoard({ store, clock, forecast, stepsOf }: BoardTools): ChangeBoard {
  const question = createStoreQuestion({ store, clock, forecast });

  /** Whoever is behind another change is told what that one waits for. */
  async function draw(records: readonly StoredChange[], viewer: Viewer | undefined): Promise<ChangeRow[]> {
    const facts = records.map(toFacts);
    const known = new Map(facts.map((one) => [one.id, one]));
    const ahead = [...new Set(facts.flatMap(aheadOfChange))].filter((id) => !known.has(id));
    for (const one of ahead.length === 0 ? [] : await store.changesById(ahead)) known.set(one.id, toFacts(one));
    const reading = { now: clock.now().toISOString(), viewer, forecast, changeOf: (id: string) => known.get(id) };
    return facts.map((one) => changeRow(one, reading));
  }

  async function rows(ids: readonly string[], viewer: Viewer | undefined): Promise<ChangeRow[]> {
    return draw(await store.changesById(ids), viewer);
  }

  async function count(query: BoardQuery, viewer: Viewer | undefined): Promise<number> {
    return store.countChanges(await question(query, viewer));
  }

  return {
    rows,
    async row(id, viewer) {
      return (await rows([id], viewer))[0];
    },
    async facts(ids) {
      return (await store.changesById(ids)).map(toFacts);
    },
    steps: async (id) => (await stepsOf?.(id)) ?? [],

    async list({ cursor, limit = DEFAULT_PAGE, ...query }, viewer) {
      const asOf = clock.now();
      const wanted: ChangesQuery = {
        ...(await question(query, viewer)),
        limit,
        ...(cursor === undefined ? {} : { after: positionIn(cursor) }),
      };
      const page = await store.changes(wanted);
      return {
        rows: await draw(page.records, viewer),
        facets: page.facets,
        total: page.total,
        ...(page.next === undefined ? {} : { next: sayPosition(page.next) }),
        asOf: asOf.toISOString(),
      };
    },

    async counts({ cursor: _, limit: __, ...query }, viewer) {
      const { mine: _mine, team: _team, ...scope } = query;
      const teams = viewer?.teams ?? [];
      const [all, mine, team, needsMe] = await Promise.all([
        store.countChanges({}),
        viewer && count({ ...scope, mine: true }, viewer),
        teams.length === 0 ? undefined : count({ ...scope, team: teams }, viewer),
        viewer && count({ ...query, needs: 'me' }, viewer),
      ]);
      return {
        all,
        ...(mine === undefined ? {} : { mine }),
        ...(team === undefined ? {} : { team }),
        ...(needsMe === undefined ? {} : { needsMe }),
      };
    },
  };
}

function toFacts({ data }: StoredChange): ChangeFacts {
  return data as unknown as ChangeFacts;
}

function sayPosition({ rank, createdAt, id }: ChangePosition): string {
  return `${rank}~${createdAt}~${id}`;
}

/** @throws {TypeError} it is not one that a page gave */
export function positionIn(cursor: string): ChangePosition {
  const [, rank, createdAt, id] = /^(\d{1,2})~(\d{1,13})~(.{1,250})$/s.exec(cursor) ?? [];
  if (rank === undefined || createdAt === undefined || id === undefined)
    throw new TypeError('take it as it is from "next" of the page before');
  return { rank: Number(rank), createdAt: Number(createdAt), id };
}
