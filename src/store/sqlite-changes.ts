import type { DatabaseSync } from 'node:sqlite';
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
import { bindable, numbered, oneOf } from './sqlite-dialect.ts';
import type { Statement } from './statements.ts';

export interface SqliteChangeWrites {
  remove(id: string): void;
  /** Answers what was really written. */
  write(change: ChangeColumns): ChangeMoved | undefined;
}

/** Each call happens inside a transaction of the caller. */
export function sqliteChangeWrites(db: DatabaseSync, now: () => number): SqliteChangeWrites {
  const upsert = db.prepare(`insert into changes (${CHANGE_COLUMNS})
    values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ${ON_CHANGE_CONFLICT}`);
  const removeChange = db.prepare('delete from changes where id = ?');
  const version = db.prepare('select version from changes where id = ?');
  const keysOf = db.prepare('select name, value from change_keys where change = ?');
  const removeKey = db.prepare('delete from change_keys where name = ? and value = ? and change = ?');
  const removeKeys = db.prepare('delete from change_keys where change = ?');
  const addKey = db.prepare('insert into change_keys (name, value, change) values (?, ?, ?) on conflict do nothing');

  /** Most of them stay what they are: only the difference is written. */
  function replaceKeys({ id, keys }: ChangeColumns): void {
    const wanted = new Map(keys.map(([name, value]) => [`${name}\u0000${value}`, [name, value]] as const));
    for (const { name, value } of keysOf.all(id) as unknown as { name: string; value: string }[]) {
      if (!wanted.delete(`${name}\u0000${value}`)) removeKey.run(name, value, id);
    }
    for (const [name, value] of wanted.values()) addKey.run(name, value, id);
  }

  return {
    remove(id) {
      removeChange.run(id);
      removeKeys.run(id);
    },
    write(change) {
      const { changes } = upsert.run(...changeValues(change, now()));
      const stored = version.get(change.id) as { version: number } | undefined;
      // The same record may still come with other keys.
      if (stored?.version === change.version) replaceKeys(change);
      return changes === 1 ? { id: change.id, rev: change.version } : undefined;
    },
  };
}

export interface SqliteChangeReads {
  list(query: ChangesQuery): ChangesPage;
  count(query: CountQuery): number;
  byId(ids: readonly string[]): StoredChange[];
  written(query: { since: number; limit: number }): WrittenChange[];
  find(query: KeyQuery): string[];
}

/** Without statistics SQLite would take the index of the primary key, and read each row for what is counted. */
export const FOUND = 'changes_found';

export function sqliteChangeReads(db: DatabaseSync): SqliteChangeReads {
  function all<Row>({ text, values }: Statement): Row[] {
    return db.prepare(numbered(text)).all(...values.map(bindable)) as Row[];
  }

  return {
    list(query) {
      const rows = all<ChangeRow>(changesList(query, oneOf));
      const counts = query.count === false ? [] : all<CountRow>(changesCount(query, oneOf, FOUND));
      return toChangesPage(query, rows, counts);
    },
    written: (query) => all<WrittenChange>(changesWritten(query)),
    count: (query) => all<{ count: number }>(changesTotal(query, oneOf, FOUND))[0]?.count ?? 0,
    byId: (ids) => inOrderOf(ids, all<ChangeRow>(changesById(ids, oneOf))),
    find: ({ name, value, ...rest }) =>
      all<{ id: string }>(changesWithKey({ names: [name], values: [value], ...rest }, oneOf)).map(({ id }) => id),
  };
}

function changeValues(row: ChangeColumns, now: number): (string | number | null)[] {
  const { id, version, project, service, team, author, state, stage, kind, rank, created_at, moved_at, position } = row;
  const columns = [id, version, project, service, team, author, state, stage, kind, rank, created_at, moved_at];
  return [...columns, position, now, row.data];
}
