import pg from 'pg';
import { Secret } from '../base/secret.ts';
import { isTransient, toStoreError } from './postgres-errors.ts';
import { StoreUnavailableError } from './store.ts';

/** Enough to hide the round trips of commits; PostgreSQL allows 100 connections for all replicas. */
const DEFAULT_POOL_SIZE = 10;
const CONNECT_TIMEOUT_MS = 5_000;
/** The server gives a statement up before the client gives the server up. */
const STATEMENT_TIMEOUT_MS = 10_000;
const ANSWER_TIMEOUT_MS = 15_000;
const LOCK_TIMEOUT_MS = 5_000;
/** A process frozen inside a transaction must not hold its locks for longer. */
const IDLE_IN_TRANSACTION_MS = 10_000;
const KEEP_ALIVE_MS = 10_000;
const ATTEMPTS_AFTER_DEADLOCK = 3;
const BIGINT_OID = 20;

/** The server's clock in milliseconds since 1970: one clock for all replicas. */
export const NOW = '(extract(epoch from statement_timestamp()) * 1000)::bigint';

export interface PostgresOptions {
  connectionString: Secret | string;
  /** Connections of this process, besides the one that listens. Default 10. */
  poolSize?: number;
}

export interface PostgresSession {
  /** The server for messages: host, port and database, never user or password. */
  server: string;
  /** One statement by itself, again when it met a deadlock. With a name it is prepared once per connection. */
  run<Row extends pg.QueryResultRow>(query: pg.QueryConfig): Promise<pg.QueryResult<Row>>;
  /** Runs `body` in a transaction of its own, again when it met a deadlock. `body` does the commit. */
  transaction<T>(body: (client: pg.PoolClient) => Promise<T>): Promise<T>;
  /** Runs `body` on a connection that is thrown away afterwards, with whatever was set on it. */
  apart<T>(body: (client: pg.PoolClient) => Promise<T>): Promise<T>;
  /** A connection of its own, not connected yet. */
  newClient(): pg.Client;
  /** Refuses what comes from now on, waits for what is under way, and closes. */
  close(): Promise<void>;
}

export function openSession(options: PostgresOptions): PostgresSession {
  const config = clientConfig(options);
  const server = serverName(config);
  const pool = new pg.Pool({ ...config, pipeline: true, max: options.poolSize ?? DEFAULT_POOL_SIZE });
  // A connection that breaks while idle leaves the pool; the next statement opens another one.
  pool.on('error', () => {});
  pool.on('connect', keepDurable);
  const underWay = new Set<Promise<unknown>>();
  let closed = false;

  async function tracked<T>(work: () => Promise<T>): Promise<T> {
    if (closed) throw new StoreUnavailableError('The store is closed: the process is shutting down');
    const promise = work();
    underWay.add(promise);
    try {
      return await promise;
    } catch (error) {
      throw toStoreError(error, server);
    } finally {
      underWay.delete(promise);
    }
  }

  async function onClient<T>(body: (client: pg.PoolClient) => Promise<T>, keep: boolean): Promise<T> {
    const client = await pool.connect();
    try {
      const result = await body(client);
      client.release(!keep);
      return result;
    } catch (error) {
      // Statements may still be under way behind the one that failed: this connection is not reused.
      client.release(true);
      throw error;
    }
  }

  return {
    server,
    run: (query) => tracked(() => afterDeadlockAgain(() => pool.query(query))),
    transaction: (body) => tracked(() => afterDeadlockAgain(() => onClient(body, true))),
    apart: (body) => tracked(() => onClient(body, false)),
    newClient: () => new pg.Client(config),
    async close() {
      closed = true;
      await Promise.allSettled(underWay);
      await pool.end();
    },
  };
}

async function afterDeadlockAgain<T>(body: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await body();
    } catch (error) {
      if (!isTransient(error) || attempt === ATTEMPTS_AFTER_DEADLOCK) throw error;
    }
  }
}

function clientConfig({ connectionString }: PostgresOptions): pg.ClientConfig {
  return {
    connectionString: connectionString instanceof Secret ? connectionString.reveal() : connectionString,
    application_name: 'lynceus',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: ANSWER_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    lock_timeout: LOCK_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    types: { getTypeParser: numberForBigint },
  };
}

/** Sequence numbers and milliseconds fit into a double until the year 287396. */
const numberForBigint: pg.CustomTypesConfig['getTypeParser'] = (oid, format) =>
  oid === BIGINT_OID ? Number : pg.types.getTypeParser(oid, format);

/** A server may be set to answer before the disk has it; our answers promise more than that. */
function keepDurable(client: pg.PoolClient): void {
  client
    .query("select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off'")
    // A connection that fails here fails the statement behind it too, which reports it.
    .catch(() => {});
}

function serverName(config: pg.ClientConfig): string {
  try {
    const { host, port, database } = new pg.Client(config);
    return `${host}:${port}/${database ?? ''}`;
  } catch {
    // The driver's own error would quote the whole URL.
    throw new Error('The database URL cannot be read: expected postgresql://user:password@host:5432/database');
  }
}
