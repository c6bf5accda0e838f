import pg from 'pg';
import { MigrationError } from './migrations.ts';
import { ConflictError, InvalidEventError, LeaseLostError, StoreUnavailableError } from './store.ts';

/** Classes and codes (https://www.postgresql.org/docs/15/errcodes-appendix.html) that pass by themselves. */
const UNAVAILABLE_CLASSES: ReadonlySet<string> = new Set(['08', '28', '53', '57', '58', 'XX']);
const UNAVAILABLE_CODES: ReadonlySet<string> = new Set([
  '25006', // a standby: failover is under way
  '25P03', // idle in transaction for too long: we were frozen
  '3D000', // the database is not there (yet)
  '40001',
  '40P01', // a deadlock that repeating did not resolve
  '42501', // rights are missing: an operator mends them
  '55P03', // a lock was not free in time
]);
const UNIQUE_VIOLATION = '23505';
/** The same transaction, repeated, is expected to work. */
const TRANSIENT: ReadonlySet<string> = new Set(['40001', '40P01']);

/** Turns an error of the driver into one of the port. `server` names it without its password. */
export function toStoreError(error: unknown, server: string): unknown {
  if (isOurs(error) || !(error instanceof Error)) return error;
  const code = sqlState(error);
  if (code === UNIQUE_VIOLATION) return new ConflictError('An event of the commit is in the log already');
  if (code !== undefined && !isUnavailable(code)) return error;
  return new StoreUnavailableError(`PostgreSQL at ${server} cannot work: ${reason(error, code)}`, { cause: error });
}

export function isTransient(error: unknown): boolean {
  return error instanceof Error && TRANSIENT.has(sqlState(error) ?? '');
}

/** An error of the server has a SQLSTATE; everything else comes from the connection. */
export function sqlState(error: Error): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined;
}

function isOurs(error: unknown): boolean {
  return (
    error instanceof ConflictError ||
    error instanceof LeaseLostError ||
    error instanceof InvalidEventError ||
    error instanceof StoreUnavailableError ||
    error instanceof MigrationError
  );
}

function isUnavailable(code: string): boolean {
  return UNAVAILABLE_CLASSES.has(code.slice(0, 2)) || UNAVAILABLE_CODES.has(code);
}

/** Our own words where the driver's may quote what they were given. */
function reason(error: Error, code: string | undefined): string {
  if (code !== undefined) return `${code} ${error.message}`;
  if ('code' in error && typeof error.code === 'string') return `the connection failed (${error.code})`;
  return 'the connection failed or did not answer in time';
}
