import { ConflictError, StoreUnavailableError } from './store.ts';

/** Primary result codes (https://sqlite.org/rescode.html) after which trying again can help. */
const UNAVAILABLE: ReadonlyMap<number, string> = new Map([
  [5, 'the database is locked by another process'],
  [6, 'the database is locked'],
  [8, 'the database is read-only'],
  [10, 'the disk cannot be written or read'],
  [11, 'the database file is damaged: restore a backup'],
  [13, 'the disk is full'],
  [14, 'the database file cannot be opened'],
  [26, 'the file is not a database: restore a backup'],
]);
/** Extended codes of a violated unique index and primary key. */
const UNIQUE_VIOLATIONS: ReadonlySet<number> = new Set([2067, 1555]);

/** Turns an error of SQLite into one of the port; anything else stays what it is. */
export function toStoreError(error: unknown): unknown {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return error;
  if (UNIQUE_VIOLATIONS.has(error.errcode)) return new ConflictError('An event of the commit is in the log already');
  const reason = UNAVAILABLE.get(error.errcode & 0xff);
  return reason === undefined ? error : new StoreUnavailableError(`The store cannot work: ${reason}`, { cause: error });
}
