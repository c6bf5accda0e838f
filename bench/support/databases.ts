import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { openStore } from '../../src/store/open.ts';
import { binaries, type PostgresCluster, startPostgres } from '../../test/support/postgres-cluster.ts';

export type StoreKind = 'sqlite' | 'postgres';

/** An empty database with the schema of Lynceus in it. */
export interface Database {
  kind: StoreKind;
  /** The data folder; for PostgreSQL the folder of caches. */
  dataDir: string;
  databaseUrl?: string;
  remove(): Promise<void>;
}

export interface Databases {
  kinds: readonly StoreKind[];
  fresh(kind: StoreKind): Promise<Database>;
  stop(): Promise<void>;
}

/** Databases on this machine, durable as in production: SQLite waits for the disk, PostgreSQL with `fsync=on`. */
export function createDatabases(say: (line: string) => void): Databases {
  let cluster: Promise<PostgresCluster> | undefined;
  let made = 0;
  if (binaries === undefined) say('PostgreSQL is not installed: only SQLite is measured');

  async function postgres(dataDir: string): Promise<Database> {
    cluster ??= startPostgres();
    const { url } = await cluster;
    const name = `bench_${made++}`;
    await execute(url, `create database ${name}`);
    return {
      kind: 'postgres',
      dataDir,
      databaseUrl: url.replace(/\/postgres$/, `/${name}`),
      async remove() {
        await execute(url, `drop database ${name} with (force)`);
        rmSync(dataDir, { recursive: true, force: true });
      },
    };
  }

  return {
    kinds: binaries === undefined ? ['sqlite'] : ['sqlite', 'postgres'],
    async fresh(kind) {
      const dataDir = mkdtempSync(join(tmpdir(), 'lynceus-bench-'));
      const database: Database =
        kind === 'postgres'
          ? await postgres(dataDir)
          : { kind, dataDir, remove: async () => rmSync(dataDir, { recursive: true, force: true }) };
      await (await openStore(database)).close();
      return database;
    },
    stop: async () => (await cluster)?.stop(),
  };
}

async function execute(url: string, sql: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    await client.query(sql);
    // Nobody shall pay for the writes of the round before.
    await client.query('checkpoint');
  } finally {
    await client.end();
  }
}
