import type pg from 'pg';
import type { ChangeMoved } from './changes.ts';
import { writeChanges } from './postgres-changes.ts';
import { CLAIMED } from './postgres-receive.ts';
import { NOW } from './postgres-session.ts';
import { leaseLost, type PlannedEvent, type PreparedCommit, planAppends } from './prepared-commit.ts';
import { type DocumentColumns, type JobColumns, toStoredEvent } from './records.ts';
import { ON_DOCUMENT_CONFLICT, onJobConflict, reschedule } from './statements.ts';
import type { Claim, Receipt, Settlement, StoredEvent } from './store.ts';

/** Later than any date: the time of work that nobody asks for any more. */
const NEVER = '9007199254740991::bigint';

/**
 * Locks the claimed row and those of the jobs, all in one order: two commits that ask for each
 * other's work would else deadlock. The number of the transaction is drawn first, see `postgres-log.ts`.
 */
const LOCK_JOBS = `select jobs.queue, jobs.key, token,
  run_at > (extract(epoch from clock_timestamp()) * 1000)::bigint as alive, pg_current_xact_id() as transaction
  from jobs join unnest($1::text[], $2::text[]) as wanted (queue, key)
    on jobs.queue = wanted.queue and jobs.key = wanted.key
  order by jobs.queue, jobs.key for update of jobs`;

const HEADS = `select stream, pg_current_xact_id() as transaction, coalesce((
    select max(version) from events where events.stream = wanted.stream and version is not null), 0) as version
  from unnest($1::text[]) as wanted (stream)`;

const APPEND = `insert into events (stream, version, source, id, key, type, subject, time, data, recorded_at)
  select stream, version, source, id, key, type, subject, time, data, ${NOW}
  from unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[])
    with ordinality as input (stream, version, source, id, key, type, subject, time, data, position)
  order by position
  returning seq, stream, version, recorded_at`;

const INSERT_JOBS = `insert into jobs (queue, key, payload, run_at)
  select queue, key, (array_agg(payload order by nth desc))[1], ${NOW} + min(delay)
  from unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) with ordinality as job (queue, key, payload, delay, nth)
  group by queue, key order by queue collate "C", key collate "C"`;
const ENQUEUE = `${INSERT_JOBS} ${onJobConflict(CLAIMED)}`;
const ENQUEUE_KEEPING = `${INSERT_JOBS} ${onJobConflict(CLAIMED, 'jobs.payload')}`;

const WRITE_DOCUMENTS = `insert into documents
  (kind, id, version, project, stage, service, context, status, sort, data)
  select * from unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[],
    $8::text[], $9::bigint[], $10::text[]) as input (kind, id, version, project, stage, service, context, status, sort, data)
  order by kind collate "C", id collate "C"
  ${ON_DOCUMENT_CONFLICT}`;

/** The two halves never meet: a row was asked for again, or it was not. */
const FINISH = `with finished as (delete from jobs where queue = $1 and key = $2 and again_at is null)
  ${reschedule({ at: NEVER, attempt: '0', error: 'null', now: NOW, only: 'again_at is not null' })}`;

const BURY = `update jobs set token = null, last_error = $3,
  dead_at = case when again_at is null then ${NOW} end,
  attempt = case when again_at is null then attempt else 0 end,
  run_at = coalesce(again_at, run_at), again_at = null
  where queue = $1 and key = $2
  returning case when dead_at is null and run_at <= ${NOW} then 1 else 0 end as due`;

const AGAIN = reschedule({ at: `${NOW} + $3::bigint`, attempt: '0', error: 'null', now: NOW });
const RETRY = reschedule({ at: `${NOW} + $3::bigint`, attempt: 'attempt', error: '$4', now: NOW });

export interface Committed {
  receipt: Receipt;
  /** Whether it includes work that is due now. */
  due: boolean;
  /** Changes whose records were written. */
  moved: readonly ChangeMoved[];
}

/**
 * One commit in a transaction of its own: a round trip to look, a round trip to write (the
 * connection is pipelined, so statements do not wait for each other's answers).
 */
export async function commitOn(client: pg.PoolClient, commit: PreparedCommit): Promise<Committed> {
  const [, locked, heads] = await Promise.all([
    client.query('begin'),
    lockJobs(client, commit),
    readHeads(client, commit),
  ]);
  let events: PlannedEvent[];
  try {
    if (commit.claim !== undefined) checkClaim(commit.claim, locked);
    events = planAppends(commit.appends, (stream) => heads.get(stream) ?? 0);
  } catch (error) {
    await client.query('rollback');
    throw error;
  }
  const [stored, moved, , , due] = await Promise.all([
    append(client, events),
    writeChanges(client, commit),
    enqueue(client, commit.jobs),
    writeDocuments(client, commit.documents),
    settle(client, commit),
    client.query('commit'),
  ]);
  return { receipt: { events: stored }, moved, due: due || commit.jobs.some((job) => job.delayMs === 0) };
}

interface LockedJob {
  queue: string;
  key: string;
  token: string | null;
  alive: boolean;
}

async function lockJobs(client: pg.PoolClient, { claim, jobs }: PreparedCommit): Promise<LockedJob[]> {
  if (claim === undefined) return [];
  const wanted = unique([claim, ...jobs], (job) => `${job.queue}\u0000${job.key}`);
  const values = [wanted.map((job) => job.queue), wanted.map((job) => job.key)];
  return (await client.query<LockedJob>({ name: 'lock-jobs', text: LOCK_JOBS, values })).rows;
}

async function readHeads(client: pg.PoolClient, { appends }: PreparedCommit): Promise<Map<string, number>> {
  if (appends.length === 0) return new Map();
  const streams = [...new Set(appends.map((append) => append.stream))];
  const { rows } = await client.query<{ stream: string; version: number }>({
    name: 'heads',
    text: HEADS,
    values: [streams],
  });
  return new Map(rows.map((row) => [row.stream, row.version]));
}

function checkClaim(claim: Claim, locked: readonly LockedJob[]): void {
  const row = locked.find((job) => job.queue === claim.queue && job.key === claim.key);
  if (row === undefined || row.token !== claim.token || !row.alive) throw leaseLost(claim);
}

async function append(client: pg.PoolClient, events: readonly PlannedEvent[]): Promise<StoredEvent[]> {
  if (events.length === 0) return [];
  const { rows } = await client.query<NumberedRow>({
    name: 'append',
    text: APPEND,
    values: [
      events.map((event) => event.stream),
      events.map((event) => event.version),
      events.map((event) => event.source),
      events.map((event) => event.id),
      events.map((event) => event.key),
      events.map((event) => event.type),
      events.map((event) => event.subject),
      events.map((event) => event.time),
      events.map((event) => event.data),
    ],
  });
  return withNumbers(events, rows);
}

interface NumberedRow {
  seq: number;
  stream: string;
  version: number;
  recorded_at: number;
}

function withNumbers(events: readonly PlannedEvent[], rows: readonly NumberedRow[]): StoredEvent[] {
  const numbers = new Map(rows.map((row) => [`${row.version} ${row.stream}`, row]));
  return events.map((event) => {
    const row = numbers.get(`${event.version} ${event.stream}`);
    if (row === undefined) throw new Error('PostgreSQL did not answer for an event that it stored');
    return toStoredEvent({ ...event, seq: row.seq, recorded_at: row.recorded_at });
  });
}

async function enqueue(client: pg.PoolClient, jobs: readonly JobColumns[]): Promise<void> {
  const [keeping, replacing] = [jobs.filter((job) => job.keepPayload), jobs.filter((job) => !job.keepPayload)];
  await Promise.all([
    insertJobs(client, 'enqueue', ENQUEUE, replacing),
    insertJobs(client, 'enqueue-keeping', ENQUEUE_KEEPING, keeping),
  ]);
}

async function insertJobs(
  client: pg.PoolClient,
  name: string,
  text: string,
  jobs: readonly JobColumns[],
): Promise<void> {
  if (jobs.length === 0) return;
  await client.query({
    name,
    text,
    values: [
      jobs.map((job) => job.queue),
      jobs.map((job) => job.key),
      jobs.map((job) => job.payload),
      jobs.map((job) => job.delayMs),
    ],
  });
}

async function writeDocuments(client: pg.PoolClient, documents: readonly DocumentColumns[]): Promise<void> {
  if (documents.length === 0) return;
  const latest = latestVersions(documents);
  await client.query({
    name: 'write-documents',
    text: WRITE_DOCUMENTS,
    values: [
      latest.map((document) => document.kind),
      latest.map((document) => document.id),
      latest.map((document) => document.version),
      latest.map((document) => document.project),
      latest.map((document) => document.stage),
      latest.map((document) => document.service),
      latest.map((document) => document.context),
      latest.map((document) => document.status),
      latest.map((document) => document.sort),
      latest.map((document) => document.data),
    ],
  });
}

/** An upsert takes each row once: what the rows would do one after another is decided here. */
function latestVersions(documents: readonly DocumentColumns[]): DocumentColumns[] {
  const latest = new Map<string, DocumentColumns>();
  for (const document of documents) {
    const name = `${document.kind}\u0000${document.id}`;
    const before = latest.get(name);
    if (before === undefined || document.version >= before.version) latest.set(name, document);
  }
  return [...latest.values()];
}

async function settle(client: pg.PoolClient, { claim, settle: settlement }: PreparedCommit): Promise<boolean> {
  if (claim === undefined || settlement === undefined) return false;
  const { rows } = await client.query<{ due: number }>(settlementQuery(claim, settlement));
  return rows[0]?.due === 1;
}

function settlementQuery({ queue, key }: Claim, settlement: Settlement): pg.QueryConfig {
  switch (settlement.kind) {
    case 'done':
      return { name: 'finish', text: FINISH, values: [queue, key] };
    case 'again':
      return { name: 'again', text: AGAIN, values: [queue, key, settlement.delayMs] };
    case 'retry':
      return { name: 'retry', text: RETRY, values: [queue, key, settlement.delayMs, settlement.error] };
    case 'dead':
      return { name: 'bury', text: BURY, values: [queue, key, settlement.error] };
  }
}

function unique<T>(items: readonly T[], name: (item: T) => string): T[] {
  return [...new Map(items.map((item) => [name(item), item])).values()];
}
