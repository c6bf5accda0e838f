import type { Clock } from '../base/clock.ts';
import type { Secret } from '../base/secret.ts';
import { openPostgresStore } from './postgres.ts';
import { openSqliteStore } from './sqlite.ts';
import type { Store } from './store.ts';

export interface StoreOptions {
  /** A PostgreSQL to share between replicas; without it the data stays in `dataDir`. */
  databaseUrl?: Secret | string;
  dataDir: string;
  /** Only for the embedded store: PostgreSQL brings its own clock. */
  clock?: Clock;
  logger?: { info(fields: object, message: string): void };
}

/**
 * Opens the store that the configuration asks for, with its schema up to date.
 *
 * @throws {StoreLockedError | MigrationError | StoreUnavailableError}
 */
export async function openStore({ databaseUrl, dataDir, clock, logger }: StoreOptions): Promise<Store> {
  if (databaseUrl !== undefined) {
    const store = await openPostgresStore({ connectionString: databaseUrl });
    logger?.info({ store: store.kind }, 'store opened');
    return store;
  }
  const store = await openSqliteStore({ dir: dataDir, ...(clock === undefined ? {} : { clock }) });
  logger?.info({ store: store.kind, dataDir }, 'store opened');
  return store;
}
