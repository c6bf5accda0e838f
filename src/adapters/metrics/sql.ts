import { Socket } from 'node:net';
import pg from 'pg';
import type { Static } from 'typebox';
import Type from 'typebox';
import { AdapterError } from '../../base/adapter-error.ts';
import { parseDuration } from '../../base/duration.ts';
import { type AdapterTools, defineAdapter, SecretRef } from '../adapter-kind.ts';
import { type AddressPolicy, refusedAddress } from '../addresses.ts';
import { tlsFiles } from '../tls-files.ts';
import type { MetricsSource, Reading } from './metrics-source.ts';
import { noData, notANumber, severalValues } from './missing.ts';
import { notNumeric, readText } from './numbers.ts';
import { periodOf } from './placeholders.ts';
import { toAdapterError } from './sql-errors.ts';
import { placeOf } from './sql-place.ts';
import { type BoundQuery, bindQuery } from './sql-query.ts';

const DEFAULT_TIMEOUT_MS = 15_000;
/** From version 14 the server can notice that we hung up, and end what it still does for us. */
const BEGIN = `begin transaction read only;
  select set_config(name, '1000', true) from pg_settings where name = 'client_connection_check_interval'`;
const { INT2, INT4, INT8, NUMERIC, FLOAT4, FLOAT8 } = pg.types.builtins;
const EXACT: readonly number[] = [INT2, INT4, INT8, NUMERIC];
const NUMBERS: readonly number[] = [...EXACT, FLOAT4, FLOAT8];

const SqlConfig = Type.Object(
  {
    url: Type.String({ pattern: '^postgres(?:ql)?://', description: 'such as postgresql://reader@db:5432/shop' }),
    password: Type.Optional(SecretRef),
    tls: Type.Optional(Type.Boolean({ default: false, description: 'encrypt, and check the certificate' })),
    ca: Type.Optional(Type.String({ minLength: 1, description: 'file with the PEM certificates to trust' })),
    clientCertificate: Type.Optional(
      Type.String({ minLength: 1, description: 'file with the PEM certificate that we show (mTLS)' }),
    ),
    clientKey: Type.Optional(Type.String({ minLength: 1, description: 'file with its PEM key' })),
    timeout: Type.Optional(
      Type.String({ format: 'duration-text', default: '15s', description: 'time limit of one query, e.g. 15s' }),
    ),
  },
  { additionalProperties: false },
);
type SqlConfig = Static<typeof SqlConfig>;

/** PostgreSQL: a query is one SELECT with one row and one column. */
export const sql = defineAdapter<MetricsSource, typeof SqlConfig>({
  kind: 'postgresql',
  schema: SqlConfig,
  create: createSql,
});

function createSql(name: string, config: SqlConfig, tools: AdapterTools): MetricsSource {
  const who = `PostgreSQL ${name}`;
  const password = config.password === undefined ? undefined : tools.secret(config.password);
  const timeoutMs = timeoutOf(who, config);
  const isEncrypted = config.tls || config.ca !== undefined || config.clientCertificate !== undefined;
  const tls = tlsFiles(who, config);
  const settings: pg.ClientConfig = {
    ...placeOf(who, config.url),
    password: () => password?.reveal() ?? '',
    application_name: 'lynceus',
    connectionTimeoutMillis: timeoutMs,
    // The server gives up before we do: then it says so, and nothing goes on.
    statement_timeout: timeoutMs,
    lock_timeout: timeoutMs,
    idle_in_transaction_session_timeout: timeoutMs,
    types: { getTypeParser: () => (text: string) => text },
  };
  const server = (): Server => ({
    who,
    settings: { ...settings, ssl: isEncrypted ? tls() : false },
    timeoutMs,
    addresses: tools.addresses,
  });
  return {
    kind: 'postgresql',
    name,
    async read(query, { signal } = {}) {
      const bound = bindQuery(query.query, periodOf(query).variables);
      const answer = await ask(server(), bound, signal).catch((error) => {
        throw toAdapterError(error, who, password);
      });
      return toReading(answer);
    },
  };
}

interface Server {
  who: string;
  settings: pg.ClientConfig;
  timeoutMs: number;
  addresses: AddressPolicy;
}

/** A connection of its own, so that nothing a query leaves behind meets the next one. */
async function ask(server: Server, bound: BoundQuery, signal: AbortSignal | undefined): Promise<pg.QueryArrayResult> {
  const socket = new Socket();
  const client = new pg.Client({ ...server.settings, stream: () => socket });
  // Whatever ends the connection also ends the query, which reports it.
  client.on('error', () => {});
  const brakes = brakesFor(socket, server, signal);
  try {
    await client.connect();
    await client.query(BEGIN);
    // By the extended protocol, which takes one statement only: none can end the transaction and go on.
    return await client.query({ ...bound, rowMode: 'array', queryMode: 'extended' } as pg.QueryArrayConfig);
  } catch (error) {
    throw brakes.why() ?? error;
  } finally {
    brakes.release();
    socket.destroy();
  }
}

/** What may cut the connection: an address that is not allowed, the time limit, the caller. */
function brakesFor(socket: Socket, { who, timeoutMs, addresses }: Server, signal: AbortSignal | undefined) {
  let reason: AdapterError | undefined;
  const stop = (error: AdapterError) => {
    reason ??= error;
    socket.destroy(error);
  };
  const cancel = () => stop(new AdapterError('cancelled', `${who}: the query was given up`));
  // Longer than the server's own limit, which says more.
  const late = () => stop(new AdapterError('timeout', `${who} did not answer within ${timeoutMs / 1000} s`));
  const timer = setTimeout(late, timeoutMs + 500);
  socket.once('connect', () => {
    const address = socket.remoteAddress ?? '';
    const why = refusedAddress(address, addresses);
    if (why !== undefined) stop(new AdapterError('rejected', `connecting to ${address} is not allowed: it ${why}`));
  });
  if (signal?.aborted) cancel();
  signal?.addEventListener('abort', cancel);
  return {
    why: () => reason,
    release() {
      clearTimeout(timer);
      signal?.removeEventListener('abort', cancel);
    },
  };
}

function toReading({ rows, fields }: pg.QueryArrayResult): Reading {
  const [field, other] = fields;
  if (field === undefined) return noData();
  if (other !== undefined)
    return severalValues(
      'columns',
      fields.map(({ name }) => name),
      'select one',
    );
  const [row, second] = rows;
  if (row === undefined) return noData();
  if (second !== undefined) {
    return {
      ...severalValues('rows', [], ''),
      message: 'the query gives more than one row: bring them together, for example with sum()',
    };
  }
  const value: unknown = row[0];
  if (value === null) return noData('the query gives NULL');
  if (!NUMBERS.includes(field.dataTypeID)) return notNumeric('a column that is not numeric (cast it, as in ::float8)');
  const reading = readText(String(value));
  if (!reading.ok || !EXACT.includes(field.dataTypeID)) return reading;
  if (Math.abs(reading.value) > Number.MAX_SAFE_INTEGER) return notANumber(`${value}, too large to be exact`);
  return reading;
}

function timeoutOf(who: string, { timeout }: SqlConfig): number {
  const timeoutMs = timeout === undefined ? DEFAULT_TIMEOUT_MS : parseDuration(timeout);
  if (timeoutMs) return timeoutMs;
  throw new AdapterError('rejected', `${who}: timeout "${timeout}" is not a duration (e.g. 15s)`);
}
