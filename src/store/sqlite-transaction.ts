import type { DatabaseSync } from 'node:sqlite';
import type { Written } from './sqlite-commit.ts';
import { toStoreError } from './sqlite-errors.ts';

export type Write = () => Written<unknown>;

/** All or each: a write that fails takes back only what it did itself. */
export function inOneTransaction(db: DatabaseSync, batch: readonly Write[]): PromiseSettledResult<Written<unknown>>[] {
  try {
    db.exec('begin immediate');
    const outcomes = allTogether(db, batch) ?? batch.map((write) => inSavepoint(db, write));
    db.exec('commit');
    return outcomes;
  } catch (error) {
    if (db.isTransaction) db.exec('rollback');
    throw toStoreError(error);
  }
}

/**
 * The usual case, in which nothing fails: savepoints would cost as much as the writes themselves.
 * `undefined` when one failed: then none of them happened yet.
 */
function allTogether(
  db: DatabaseSync,
  batch: readonly Write[],
): PromiseFulfilledResult<Written<unknown>>[] | undefined {
  try {
    return batch.map((write) => ({ status: 'fulfilled', value: write() }));
  } catch (error) {
    if (!db.isTransaction) throw error;
    db.exec('rollback');
    db.exec('begin immediate');
    return undefined;
  }
}

function inSavepoint(db: DatabaseSync, write: Write): PromiseSettledResult<Written<unknown>> {
  db.exec('savepoint write');
  try {
    const value = write();
    db.exec('release write');
    return { status: 'fulfilled', value };
  } catch (error) {
    // A full disk ends the whole transaction, and with it what the others wrote.
    if (!db.isTransaction) throw error;
    db.exec('rollback to write; release write');
    return { status: 'rejected', reason: toStoreError(error) };
  }
}

export function inTransaction(db: DatabaseSync, body: () => void): void {
  db.exec('begin immediate');
  try {
    body();
    db.exec('commit');
  } catch (error) {
    if (db.isTransaction) db.exec('rollback');
    throw error;
  }
}
