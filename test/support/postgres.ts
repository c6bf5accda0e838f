import pg from 'pg';
import { afterAll, beforeAll, describe, inject } from 'vitest';
import { binaries } from './postgres-cluster.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where workers ask for the cluster of this run; the first to ask starts it. */
    postgresBroker: string;
  }
}

const given = process.env['LYNCEUS_TEST_DATABASE_URL'];

/** Whether tests can have a PostgreSQL: one that was given, or binaries to start our own. */
export const postgresAvailable = given !== undefined || binaries !== undefined;

/**
 * A suite with a fresh database of its own. Without PostgreSQL it is skipped with a notice, or fails
 * when CI=true.
 */
export function withPostgres(name: string, body: (database: { readonly url: string }) => void): void {
  if (!postgresAvailable && process.env['CI'] !== 'true') {
    console.warn(`Skipped, no PostgreSQL here: ${name} (install PostgreSQL 15+ or set LYNCEUS_TEST_DATABASE_URL)`);
  }
  describe.skipIf(!postgresAvailable && process.env['CI'] !== 'true')(name, () => {
    const database = { url: '' };
    let drop: () => Promise<void> = async () => {};
    beforeAll(async () => {
      const fresh = await postgresUrl(name);
      database.url = fresh.url;
      drop = fresh.drop;
    });
    afterAll(() => drop());
    body(database);
  });
}

/** Creates an empty database; `drop` removes it again. */
export async function postgresUrl(name: string): Promise<{ url: string; drop: () => Promise<void> }> {
  const server = given ?? (await askBroker());
  const database = `test_${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '_')}_${crypto.randomUUID().slice(0, 8)}`;
  await administrate(server, `create database ${database.slice(-60)}`);
  const url = new URL(server);
  url.pathname = `/${database.slice(-60)}`;
  return {
    url: url.href,
    drop: () => administrate(server, `drop database if exists ${database.slice(-60)} with (force)`),
  };
}

async function askBroker(): Promise<string> {
  const response = await fetch(inject('postgresBroker'));
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return text;
}

async function administrate(server: string, statement: string): Promise<void> {
  const client = new pg.Client(server);
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
