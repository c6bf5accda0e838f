import type pg from 'pg';
import type { ChangeColumns, ChangeRow } from './change-columns.ts';
import { inOrderOf, toChangesPage } from './change-page.ts';
import {
  CHANGE_COLUMNS,
  type CountRow,
  changesById,
  changesCount,
  changesList,
  changesTotal,
  changesWithKey,
  changesWritten,
  ON_CHANGE_CONFLICT,
} from './change-statements.ts';
import type {
  ChangeMoved,
  ChangesPage,
  ChangesQuery,
  CountQuery,
  KeyQuery,
  StoredChange,
  WrittenChange,
} from './changes.ts';
import { NOW, type PostgresSession } from './postgres-session.ts';
import type { PreparedCommit } from './prepared-commit.ts';

const REMOVE =
  'with gone as (delete from changes where id = any($1::text[])) delete from change_keys where change = any($1::text[])';

const WRITE = `insert into changes (${CHANGE_COLUMNS})
  select id, version, project, service, team, author, state, stage, kind, rank, created_at, moved_at, position, ${NOW}, data
  from unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
    $10::int[], $11::bigint[], $12::bigint[], $13::bigint[], $14::text[])
    as input (id, version, project, service, team, author, state, stage, kind, rank, created_at, moved_at, position, data)
  order by id collate "C"
  ${ON_CHANGE_CONFLICT}
  returning id, version as rev`;

/**
 * A statement of its own, after the rows are locked: it must see the keys that another transaction has written for them
 * meanwhile. Only rows that are at the version of this write are ours to change.
 */
const WRITE_KEYS = `with ours as (
    select changes.id from unnest($1::text[], $2::bigint[]) as input (id, version)
    join changes on changes.id = input.id and changes.version = input.version),
  wanted as (select change, name, value from unnest($3::text[], $4::text[], $5::text[]) as key (change, name, value)
    join ours on ours.id = change),
  gone as (delete from change_keys using ours where change = ours.id and not exists (
    select from wanted where wanted.change = change_keys.change and wanted.name = change_keys.name
      and wanted.value = change_keys.value))
  insert into change_keys (name, value, change) select name, value, change from wanted on conflict do nothing`;

/** Within the transaction of a commit; answers what was really written. */
export async function writeChanges(
  client: pg.PoolClient,
  { changes, changesGone }: Pick<PreparedCommit, 'changes' | 'changesGone'>,
): Promise<ChangeMoved[]> {
  const removed =
    changesGone.length === 0
      ? undefined
      : client.query({ name: 'remove-changes', text: REMOVE, values: [[...changesGone]] });
  if (changes.length === 0) {
    await removed;
    return [];
  }
  const latest = latestVersions(changes);
  const keys = latest.flatMap((change) => change.keys.map(([name, value]) => ({ change: change.id, name, value })));
  const [, { rows }] = await Promise.all([
    removed,
    client.query<ChangeMoved>({ name: 'write-changes', text: WRITE, values: columnsOf(latest) }),
    client.query({
      name: 'write-change-keys',
      text: WRITE_KEYS,
      values: [
        latest.map((change) => change.id),
        latest.map((change) => change.version),
        keys.map((key) => key.change),
        keys.map((key) => key.name),
        keys.map((key) => key.value),
      ],
    }),
  ]);
  return rows;
}

function columnsOf(changes: readonly ChangeColumns[]): unknown[] {
  return [
    changes.map((change) => change.id),
    changes.map((change) => change.version),
    changes.map((change) => change.project),
    changes.map((change) => change.service),
    changes.map((change) => change.team),
    changes.map((change) => change.author),
    changes.map((change) => change.state),
    changes.map((change) => change.stage),
    changes.map((change) => change.kind),
    changes.map((change) => change.rank),
    changes.map((change) => change.created_at),
    changes.map((change) => change.moved_at),
    changes.map((change) => change.position),
    changes.map((change) => change.data),
  ];
}

/** An upsert takes each row once: what the writes would do one after another is decided here. */
function latestVersions(changes: readonly ChangeColumns[]): ChangeColumns[] {
  const latest = new Map<string, ChangeColumns>();
  for (const change of changes) {
    const before = latest.get(change.id);
    if (before === undefined || change.version >= before.version) latest.set(change.id, change);
  }
  return [...latest.values()];
}

export const within = (column: string, parameter: string) => `${column} = any(${parameter}::text[])`;

/** Without names: with its own values each query gets a plan that uses the right index. */
export async function listChanges(session: PostgresSession, query: ChangesQuery): Promise<ChangesPage> {
  const [list, counts] = await Promise.all([
    session.run<ChangeRow>(changesList(query, within)),
    query.count === false ? { rows: [] } : session.run<CountRow>(changesCount(query, within)),
  ]);
  return toChangesPage(query, list.rows, counts.rows);
}

export async function countChanges(session: PostgresSession, query: CountQuery): Promise<number> {
  return (await session.run<{ count: number }>(changesTotal(query, within))).rows[0]?.count ?? 0;
}

export async function readChanges(session: PostgresSession, ids: readonly string[]): Promise<StoredChange[]> {
  return inOrderOf(ids, (await session.run<ChangeRow>(changesById(ids, within))).rows);
}

export async function writtenChanges(
  session: PostgresSession,
  query: { since: number; limit: number },
): Promise<WrittenChange[]> {
  return (await session.run<WrittenChange>(changesWritten(query))).rows;
}

export async function findChanges(session: PostgresSession, query: KeyQuery): Promise<string[]> {
  const { name, value, ...rest } = query;
  const { rows } = await session.run<{ id: string }>(
    changesWithKey({ names: [name], values: [value], ...rest }, within),
  );
  return rows.map(({ id }) => id);
}
