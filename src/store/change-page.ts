import { type ChangeRow, toStoredChange } from './change-columns.ts';
import { type CountRow, facetsOf } from './change-statements.ts';
import type { ChangesPage, ChangesQuery, StoredChange } from './changes.ts';
import { pageSize } from './statements.ts';

/** The answer out of what the two statements found; the list has one row more than the page. */
export function toChangesPage(
  query: ChangesQuery,
  rows: readonly ChangeRow[],
  counts: readonly CountRow[],
): ChangesPage {
  const limit = pageSize(query.limit);
  const records = rows.slice(0, limit).map(toStoredChange);
  const last = records.at(-1);
  const isMore = rows.length > limit && last !== undefined;
  return {
    records,
    ...facetsOf(counts, query),
    ...(isMore ? { next: { rank: last.rank, createdAt: last.createdAt, id: last.id } } : {}),
  };
}

/** Those that were found, in the order in which they were asked for. */
export function inOrderOf(ids: readonly string[], rows: readonly ChangeRow[]): StoredChange[] {
  const found = new Map(rows.map((row) => [row.id, row]));
  return ids.flatMap((id) => {
    const row = found.get(id);
    return row === undefined ? [] : [toStoredChange(row)];
  });
}
