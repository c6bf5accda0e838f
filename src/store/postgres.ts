import { newId } from '../base/ids.ts';
import { credentialStore } from './credential-statements.ts';
import { createGroupCommit } from './group-commit.ts';
import { MigrationError } from './migrations.ts';
import { openChangeChannel } from './postgres-change-channel.ts';
import { countChanges, findChanges, listChanges, readChanges, writtenChanges } from './postgres-changes.ts';
import { openChannels } from './postgres-channel.ts';
import { commitOn } from './postgres-commit.ts';
import { readLog } from './postgres-log.ts';
import { migratePostgres } from './postgres-migrate.ts';
import { CLAIMED, type Received, type Reception, receiveAll } from './postgres-receive.ts';
import { NOW, openSession, type PostgresOptions, type PostgresSession } from './postgres-session.ts';
import { openWorkChannel } from './postgres-work-channel.ts';
import { firstDelay, type PreparedCommit, prepareCommit } from './prepared-commit.ts';
import {
  checkedName,
  type DocumentColumns,
  type EventRow,
  eventColumns,
  jobColumns,
  toDocument,
  toJson,
  toStoredEvent,
} from './records.ts';
import {
  documentList,
  FORGIVE,
  HEARTBEAT,
  pageSize,
  queueStats,
  READ_DOCUMENT,
  READ_STREAM,
  type Statement,
  type StatsRow,
} from './statements.ts';
import {
  type Claim,
  type ClaimedJob,
  type Document,
  type DocumentQuery,
  type NewEvent,
  type NewJob,
  type QueueStats,
  type Receipt,
  type Store,
  type StoredEvent,
  StoreUnavailableError,
} from './store.ts';
import { createWakeUp } from './wake-up.ts';

/** One statement per flush: large enough to share a disk write, small enough to stay quick. */
const MAX_FLUSH_ITEMS = 512;
const MAX_FLUSH_BYTES = 8 * 1024 * 1024;
const OLDEST_VERSION = 150_000;

const CLAIM = `with due as materialized (
  select queue, key, run_at from jobs
  where dead_at is null and run_at <= ${NOW} and ($3::text[] is null or queue = any($3::text[]))
  order by run_at limit $1 for update skip locked)
update jobs set run_at = ${NOW} + $2::bigint, token = gen_random_uuid()::text, attempt = jobs.attempt + 1,
  again_at = case when jobs.again_at <= ${NOW} then null else jobs.again_at end
from due where jobs.queue = due.queue and jobs.key = due.key
returning jobs.queue, jobs.key, jobs.token, jobs.payload, jobs.attempt, due.run_at as due_at`;

const EXTEND = `update jobs set run_at = ${NOW} + $4::bigint
  where queue = $1 and key = $2 and token = $3 and run_at > ${NOW}`;

const IS_HELD = `select 1 from jobs where queue = $1 and key = $2 and token = $3 and run_at > ${NOW}`;

/**
 * Connects to PostgreSQL 15 or newer and brings its schema up to date.
 *
 * @throws {MigrationError | StoreUnavailableError}
 */
export async function openPostgresStore(options: PostgresOptions): Promise<Store> {
  const session = openSession(options);
  try {
    await checkVersion(session);
    await migratePostgres(session);
    return createStore(session);
  } catch (error) {
    await session.close();
    throw error;
  }
}

function createStore(session: PostgresSession): Store {
  const work = createWakeUp();
  const instance = newId();
  const channels = openChannels(session);
  const channel = openWorkChannel(session, channels, instance);
  const changeChannel = openChangeChannel(session, channels, instance);
  const group = createGroupCommit<Received, Reception>({
    maxItems: MAX_FLUSH_ITEMS,
    maxBytes: MAX_FLUSH_BYTES,
    overlaps: true,
    flush: (items) => receiveAll(session, items),
  });
  let closing: Promise<void> | undefined;

  function whileOpen<T>(call: () => Promise<T>): Promise<T> {
    if (closing === undefined) return call();
    return Promise.reject(new StoreUnavailableError('The store is closed: the process is shutting down'));
  }

  function announce(): void {
    work.wake();
    channel.tell();
  }

  async function receive(stream: string, event: NewEvent, jobs: readonly NewJob[]): Promise<Reception> {
    const item = toReceived(stream, event, jobs);
    const reception = await group.add(item, item.event.data.length);
    if (reception === 'stored' && item.jobs.some((job) => job.delayMs === 0)) announce();
    return reception;
  }

  async function commit(prepared: PreparedCommit): Promise<Receipt> {
    const { receipt, due, moved } = await session.transaction((client) => commitOn(client, prepared));
    if (due) announce();
    changeChannel.tell(moved);
    work.wakeIn(firstDelay(prepared));
    return receipt;
  }

  async function close(): Promise<void> {
    await group.drained();
    channel.close();
    changeChannel.close();
    await channels.close();
    await session.close();
  }

  const answer = <Row>(statement: Statement) => whileOpen(async () => (await session.run(statement)).rows as Row[]);

  return {
    kind: 'postgres',
    credentials: credentialStore({ read: answer, write: answer }),
    receive: (stream, event, jobs) => whileOpen(() => receive(stream, event, jobs)),
    commit: (step) => whileOpen(async () => commit(prepareCommit(step))),
    readStream: (stream, afterVersion = 0) => whileOpen(() => readStream(session, stream, afterVersion)),
    readLog: (page) => whileOpen(() => readLog(session, page)),
    claim: (wanted) => whileOpen(() => claim(session, wanted)),
    extend: (held, leaseMs) => whileOpen(() => extend(session, held, leaseMs)),
    isHeld: (claim) => whileOpen(() => isHeld(session, claim)),
    forgive: (lost) => whileOpen(() => forgive(session, lost)),
    document: (kind, id) => whileOpen(() => readDocument(session, kind, id)),
    documents: (query) => whileOpen(() => listDocuments(session, query)),
    changes: (query) => whileOpen(() => listChanges(session, query)),
    countChanges: (query) => whileOpen(() => countChanges(session, query)),
    changesById: (ids) => whileOpen(() => readChanges(session, ids)),
    changesWritten: (query) => whileOpen(() => writtenChanges(session, query)),
    findChanges: (query) => whileOpen(() => findChanges(session, query)),
    onChanged: (listener) => changeChannel.add(listener),
    stats: () => whileOpen(() => stats(session)),
    onWork: (listener) => {
      work.add(listener);
      channel.listen(() => work.wake());
    },
    ready: () => whileOpen(() => beat(session)),
    migrate: () => whileOpen(() => migratePostgres(session)),
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

function toReceived(stream: string, event: NewEvent, jobs: readonly NewJob[]): Received {
  return {
    stream: checkedName('name of the stream', stream),
    event: eventColumns(event),
    jobs: jobs.map(jobColumns),
  };
}

async function readStream(session: PostgresSession, stream: string, afterVersion: number): Promise<StoredEvent[]> {
  const query = { name: 'stream', text: READ_STREAM, values: [stream, afterVersion] };
  return (await session.run<EventRow>(query)).rows.map(toStoredEvent);
}

async function claim(session: PostgresSession, wanted: Parameters<Store['claim']>[0]): Promise<ClaimedJob[]> {
  const { limit, leaseMs, queues } = wanted;
  if (limit < 1) return [];
  const values = [pageSize(limit), Math.ceil(leaseMs), queues ?? null];
  const { rows } = await session.run<ClaimedRow>({ name: 'claim', text: CLAIM, values });
  rows.sort((one, other) => one.due_at - other.due_at);
  return rows.map(({ queue, key, token, payload, attempt }) => ({
    queue,
    key,
    token,
    payload: toJson(payload),
    attempt,
    leaseMs,
  }));
}

interface ClaimedRow {
  queue: string;
  key: string;
  token: string;
  payload: string;
  attempt: number;
  due_at: number;
}

async function extend(session: PostgresSession, { queue, key, token }: Claim, leaseMs: number): Promise<boolean> {
  const values = [queue, key, token, Math.ceil(leaseMs)];
  return (await session.run({ name: 'extend', text: EXTEND, values })).rowCount === 1;
}

async function isHeld(session: PostgresSession, { queue, key, token }: Claim): Promise<boolean> {
  return (await session.run({ name: 'is-held', text: IS_HELD, values: [queue, key, token] })).rowCount === 1;
}

async function forgive(session: PostgresSession, { queue, key }: Claim): Promise<void> {
  await session.run({ name: 'forgive', text: FORGIVE, values: [queue, key] });
}

async function readDocument(session: PostgresSession, kind: string, id: string): Promise<Document | undefined> {
  const { rows } = await session.run<DocumentColumns>({ name: 'document', text: READ_DOCUMENT, values: [kind, id] });
  return rows[0] === undefined ? undefined : toDocument(rows[0]);
}

/** Without a name: with its own values each query gets a plan that uses the right index. */
async function listDocuments(session: PostgresSession, query: DocumentQuery): Promise<Document[]> {
  const list = documentList(query, (column, parameter) => `${column} = any(${parameter}::text[])`);
  return (await session.run<DocumentColumns>(list)).rows.map(toDocument);
}

async function stats(session: PostgresSession): Promise<QueueStats[]> {
  const { rows } = await session.run<StatsRow>({ name: 'stats', text: queueStats(CLAIMED, NOW), values: [] });
  return rows.map(({ oldest, ...counts }) => ({ ...counts, oldestDueMs: Math.max(0, oldest ?? 0) }));
}

async function beat(session: PostgresSession): Promise<void> {
  await session.run({ name: 'heartbeat', text: HEARTBEAT.replace('$1', NOW), values: [] });
}

async function checkVersion(session: PostgresSession): Promise<void> {
  const { rows } = await session.run<{ version: number }>({
    text: "select current_setting('server_version_num')::int as version",
  });
  const version = rows[0]?.version ?? 0;
  if (version < OLDEST_VERSION) {
    throw new MigrationError(
      `PostgreSQL at ${session.server} is version ${Math.floor(version / 10_000)}: Lynceus needs 15 or newer`,
    );
  }
}
