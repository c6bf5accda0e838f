import { sha256 } from '../base/ids.ts';
import { logQueueDocuments } from './migrations/0001-log-queue-documents.ts';
import { changes } from './migrations/0002-changes.ts';
import { credentials } from './migrations/0003-credentials.ts';
import { changeCounts } from './migrations/0004-change-counts.ts';
import type { Migration } from './migrations/migration.ts';

export interface AppliedMigration {
  id: number;
  name: string;
  checksum: string;
}

/** The database and this program do not fit together; a person has to decide. */
export class MigrationError extends Error {
  override name = 'MigrationError';
}

export const MIGRATIONS: readonly Migration[] = [logQueueDocuments, changes, credentials, changeCounts];

/** Where each database notes what was applied; the same statement works on both. */
export const MIGRATIONS_TABLE = `create table if not exists lynceus_migrations (
  id integer primary key,
  name text not null,
  checksum text not null,
  applied_at bigint not null
)`;

/**
 * The migrations that a database still needs, in order.
 *
 * @throws {MigrationError} when it was changed by a newer or by an edited program
 */
export function pendingMigrations(
  dialect: 'sqlite' | 'postgres',
  applied: readonly AppliedMigration[],
  known: readonly Migration[] = MIGRATIONS,
): (Migration & { sql: string; checksum: string })[] {
  for (const row of applied) checkApplied(dialect, row, known);
  const done = new Set(applied.map((row) => row.id));
  return known
    .filter((migration) => !done.has(migration.id))
    .map((migration) => ({ ...migration, sql: migration[dialect], checksum: sha256(migration[dialect]) }));
}

function checkApplied(dialect: 'sqlite' | 'postgres', row: AppliedMigration, known: readonly Migration[]): void {
  const migration = known.find((candidate) => candidate.id === row.id);
  if (migration === undefined) {
    throw new MigrationError(
      `The database has migration ${row.id} (${row.name}), which this version of Lynceus does not know: ` +
        'run the newer version that applied it, or restore a backup from before',
    );
  }
  if (sha256(migration[dialect]) !== row.checksum) {
    throw new MigrationError(
      `Migration ${row.id} (${row.name}) was applied to the database in another form than this program has: ` +
        'run an unmodified version of Lynceus, or restore a backup from before',
    );
  }
}
