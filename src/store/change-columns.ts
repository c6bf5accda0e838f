import type { ChangePosition, ChangeRecord, StoredChange } from './changes.ts';
import { checkedColumn, checkedInteger, checkedJson, checkedName, MAX_COLUMN_BYTES, toJson } from './records.ts';
import { InvalidEventError } from './store.ts';

/** Ten entries share an index entry of PostgreSQL, which holds about 2,700 bytes. */
const MAX_FILTER_BYTES = 250;
const MAX_RANK = 99;
/** Milliseconds since 1970 stay below this until the year 2286. */
const TIMES = 10_000_000_000_000;
/** What a change is found by is short; whoever sends more than this is not a person's pipeline. */
const MAX_KEYS = 1000;

export interface ChangeColumns {
  id: string;
  version: number;
  project: string;
  service: string;
  team: string | null;
  author: string | null;
  state: string;
  stage: string | null;
  kind: string;
  rank: number;
  created_at: number;
  moved_at: number;
  position: number;
  data: string;
  keys: [name: string, value: string][];
}

export type ChangeRow = Omit<ChangeColumns, 'keys' | 'position'>;

/** @throws {InvalidEventError} when no store can keep it as it is */
export function changeColumns(record: ChangeRecord): ChangeColumns {
  return {
    id: checkedName('id of the change', record.id, MAX_FILTER_BYTES),
    version: checkedInteger('version of the change', record.version),
    project: filter('project', record.project),
    service: filter('service', record.service),
    team: optional('team', record.team),
    author: optional('author', record.author),
    state: filter('state', record.state),
    stage: optional('stage', record.stage),
    kind: filter('kind', record.kind),
    rank: inRange('rank', record.rank, MAX_RANK + 1),
    created_at: inRange('createdAt', record.createdAt, TIMES),
    moved_at: inRange('movedAt', record.movedAt, TIMES),
    position: positionOf(record),
    data: checkedJson('data of the change', record.data),
    keys: distinctKeys(record),
  };
}

/** Rank and age as one number: lowest rank first, within it the newest. */
export function positionOf({ rank, createdAt }: Omit<ChangePosition, 'id'>): number {
  return rank * TIMES + (TIMES - 1 - createdAt);
}

export function toStoredChange(row: ChangeRow): StoredChange {
  return {
    id: row.id,
    version: row.version,
    project: row.project,
    service: row.service,
    ...(row.team === null ? {} : { team: row.team }),
    ...(row.author === null ? {} : { author: row.author }),
    state: row.state,
    ...(row.stage === null ? {} : { stage: row.stage }),
    kind: row.kind,
    rank: row.rank,
    createdAt: row.created_at,
    movedAt: row.moved_at,
    data: toJson(row.data),
  };
}

function filter(column: string, text: string): string {
  return checkedName(`${column} of the change`, text, MAX_FILTER_BYTES);
}

function optional(column: string, text: string | undefined): string | null {
  return checkedColumn(`${column} of the change`, text, MAX_FILTER_BYTES);
}

function inRange(column: string, value: number, end: number): number {
  checkedInteger(`${column} of the change`, value);
  if (value < 0 || value >= end) throw new InvalidEventError(`The ${column} of the change is not in 0..${end - 1}`);
  return value;
}

function distinctKeys({ keys }: ChangeRecord): [string, string][] {
  if (keys.length > MAX_KEYS) throw new InvalidEventError(`The change has more than ${MAX_KEYS} keys`);
  const found = new Map<string, [string, string]>();
  for (const { name, value } of keys) {
    checkedName('name of a key of the change', name, MAX_COLUMN_BYTES);
    checkedName('value of a key of the change', value, MAX_COLUMN_BYTES);
    found.set(`${name}\u0000${value}`, [name, value]);
  }
  return [...found.values()];
}
