import type pg from 'pg';
import { type AppliedMigration, MIGRATIONS_TABLE, pendingMigrations } from './migrations.ts';
import { NOW, type PostgresSession } from './postgres-session.ts';

/** Any number, the same in every version: replicas that start together migrate one after another. */
const MIGRATION_LOCK = 5_196_237_001;
/** Time for another replica to build its indexes. */
const MIGRATION_LOCK_TIMEOUT = '5min';

/**
 * Applies what is missing, each migration in a transaction; answers how many.
 *
 * @throws {MigrationError} when database and program do not fit together
 */
export function migratePostgres(session: PostgresSession): Promise<number> {
  return session.apart(async (client) => {
    // The lock and these settings end with the connection, which is thrown away.
    await client.query(`set lock_timeout = '${MIGRATION_LOCK_TIMEOUT}'; set statement_timeout = 0`);
    await client.query({ text: 'select pg_advisory_lock($1)', values: [MIGRATION_LOCK] });
    await client.query(MIGRATIONS_TABLE);
    const applied = await client.query<AppliedMigration>(
      'select id, name, checksum from lynceus_migrations order by id',
    );
    const pending = pendingMigrations('postgres', applied.rows);
    for (const { id, name, sql, checksum } of pending) await apply(client, sql, [id, name, checksum]);
    return pending.length;
  });
}

async function apply(client: pg.PoolClient, sql: string, note: readonly (string | number)[]): Promise<void> {
  await client.query('begin');
  await client.query(sql);
  await client.query({
    text: `insert into lynceus_migrations (id, name, checksum, applied_at) values ($1, $2, $3, ${NOW})`,
    values: [...note],
  });
  await client.query('commit');
}
