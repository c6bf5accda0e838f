import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { ChangeMoved } from './changes.ts';
import { leaseLost, type PlannedEvent, type PreparedCommit, planAppends } from './prepared-commit.ts';
import {
  type DocumentColumns,
  type EventColumns,
  type EventRow,
  type JobColumns,
  toJson,
  toStoredEvent,
} from './records.ts';
import { sqliteChangeWrites } from './sqlite-changes.ts';
import { numbered } from './sqlite-dialect.ts';
import { FORGIVE, ON_DOCUMENT_CONFLICT, onJobConflict, reschedule } from './statements.ts';
import type { Claim, ClaimedJob, Receipt, Settlement, StoredEvent } from './store.ts';

export interface Written<T> {
  result: T;
  /** Whether it includes work that is due now. */
  due: boolean;
  /** Changes whose records were written. */
  moved?: readonly ChangeMoved[];
  /** What to remember once the transaction is durable; a failed one must leave no trace in memory. */
  remember?: () => void;
}

/**
 * Who works on what. It lives in memory, on a clock that no one can set: this process is the only
 * one, and what its predecessor held was released when the store opened.
 */
export interface Leases {
  isAlive(claim: Claim): boolean;
  hold(claim: Claim, leaseMs: number): void;
  drop(claim: Claim): void;
  /** Claims that ended unsettled. */
  expired(): Claim[];
}

export interface SqliteWrites {
  receive(stream: string, event: EventColumns, jobs: readonly JobColumns[]): Written<'stored' | 'duplicate'>;
  commit(commit: PreparedCommit): Written<Receipt>;
  claim(jobs: { limit: number; leaseMs: number; queues: readonly string[] | undefined }): Written<ClaimedJob[]>;
  /** Whether the work still belongs to the claim. */
  isHeld(claim: Claim): boolean;
  forgive(claim: Claim): Written<void>;
}

const CLAIMED = 'jobs.token is not null';
const INSERT_JOB = 'insert into jobs (queue, key, payload, run_at) values (?, ?, ?, ?)';
/** Later than any date: the time of work that nobody asks for any more. */
const NEVER = Number.MAX_SAFE_INTEGER;

/** The statements that change something; each call happens inside a transaction of the caller. */
export function sqliteWrites(
  db: DatabaseSync,
  leases: Leases,
  now: () => number,
  newToken: () => string,
): SqliteWrites {
  const sql = prepareStatements(db);
  const changeWrites = sqliteChangeWrites(db, now);

  function enqueue(job: JobColumns): boolean {
    const enqueueing = job.keepPayload ? sql.enqueueKeeping : sql.enqueue;
    enqueueing.run(job.queue, job.key, job.payload, now() + job.delayMs);
    return job.delayMs === 0;
  }

  function enqueueAll(jobs: readonly JobColumns[]): boolean {
    let due = false;
    for (const job of jobs) due = enqueue(job) || due;
    return due;
  }

  function append(event: PlannedEvent): StoredEvent {
    const { stream, version, source, id, key, type, subject, time, data } = event;
    const recordedAt = now();
    const { lastInsertRowid } = sql.append.run(stream, version, source, id, key, type, subject, time, data, recordedAt);
    return toStoredEvent({ ...event, seq: Number(lastInsertRowid), recorded_at: recordedAt });
  }

  function head(stream: string): number {
    const row = sql.head.get(stream) as { version: number | null } | undefined;
    return row?.version ?? 0;
  }

  function settle(claim: Claim, settlement: Settlement): boolean {
    const { queue, key } = claim;
    const at = 'delayMs' in settlement ? now() + settlement.delayMs : NEVER;
    if (settlement.kind === 'done' && sql.finish.run(queue, key).changes === 1) return false;
    if (settlement.kind === 'dead' && sql.bury.run(queue, key, now(), settlement.error).changes === 1) return false;
    const error = 'error' in settlement ? settlement.error : null;
    const row = sql.giveBack.get(queue, key, at, settlement.kind === 'retry' ? 1 : 0, error, now());
    return (row as { due: number } | undefined)?.due === 1;
  }

  function isHeld(claim: Claim): boolean {
    return leases.isAlive(claim) && sql.holder.get(claim.queue, claim.key, claim.token) !== undefined;
  }

  function releaseExpired(): Claim[] {
    const expired = leases.expired();
    for (const claim of expired) sql.release.run(claim.queue, claim.key, claim.token, now());
    return expired;
  }

  function take(row: DueRow, leaseMs: number): ClaimedJob {
    const { queue, key, payload, attempt } = row;
    const token = newToken();
    sql.claim.run(queue, key, token, now());
    return { queue, key, token, payload: toJson(payload), attempt: attempt + 1, leaseMs };
  }

  return {
    receive(stream, event, jobs) {
      const { source, id, key, type, subject, time, data } = event;
      const { changes } = sql.receive.run(stream, null, source, id, key, type, subject, time, data, now());
      if (changes === 0) return { result: 'duplicate', due: false };
      return { result: 'stored', due: enqueueAll(jobs) };
    },

    commit({ appends, jobs, documents, changes, changesGone, claim, settle: settlement }) {
      if (claim !== undefined && !isHeld(claim)) throw leaseLost(claim);
      const events = planAppends(appends, head).map(append);
      const asked = enqueueAll(jobs);
      for (const document of documents) sql.document.run(...documentValues(document));
      changesGone.forEach(changeWrites.remove);
      const moved = changes.map(changeWrites.write).filter((change) => change !== undefined);
      if (claim === undefined || settlement === undefined) return { result: { events }, due: asked, moved };
      const due = settle(claim, settlement) || asked;
      return { result: { events }, due, moved, remember: () => leases.drop(claim) };
    },

    claim({ limit, leaseMs, queues }) {
      const expired = releaseExpired();
      const names = queues === undefined ? null : JSON.stringify(queues);
      const rows = sql.due.all(now(), names, limit) as unknown as DueRow[];
      const taken = rows.map((row) => take(row, leaseMs));
      const remember = () => {
        for (const claim of expired) leases.drop(claim);
        for (const claim of taken) leases.hold(claim, leaseMs);
      };
      return { result: taken, due: false, remember };
    },

    isHeld,

    forgive({ queue, key }) {
      sql.forgive.run(queue, key);
      return { result: undefined, due: false };
    },
  };
}

interface DueRow {
  queue: string;
  key: string;
  payload: string;
  attempt: number;
}

export function toEventRows(rows: unknown): StoredEvent[] {
  return (rows as EventRow[]).map(toStoredEvent);
}

function documentValues(row: DocumentColumns): (string | number | null)[] {
  const { kind, id, version, project, stage, service, context, status, sort, data } = row;
  return [kind, id, version, project, stage, service, context, status, sort, data];
}

function prepareStatements(db: DatabaseSync) {
  const insertEvent = `insert into events
    (stream, version, source, id, key, type, subject, time, data, recorded_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
  return {
    receive: db.prepare(`${insertEvent} on conflict do nothing`),
    append: db.prepare(insertEvent),
    head: db.prepare('select max(version) as version from events where stream = ? and version is not null'),
    enqueue: db.prepare(`${INSERT_JOB} ${onJobConflict(CLAIMED)}`),
    enqueueKeeping: db.prepare(`${INSERT_JOB} ${onJobConflict(CLAIMED, 'jobs.payload')}`),
    document: db.prepare(`insert into documents
      (kind, id, version, project, stage, service, context, status, sort, data)
      values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ${ON_DOCUMENT_CONFLICT}`),
    due: db.prepare(`select queue, key, payload, attempt from jobs
      where dead_at is null and token is null and run_at <= ?1
        and (?2 is null or queue in (select value from json_each(?2)))
      order by run_at, queue, key limit ?3`),
    claim: db.prepare(`update jobs set token = ?3, attempt = attempt + 1,
      again_at = case when again_at <= ?4 then null else again_at end where queue = ?1 and key = ?2`),
    forgive: db.prepare(numbered(FORGIVE)),
    holder: db.prepare('select 1 from jobs where queue = ? and key = ? and token = ?'),
    release: db.prepare('update jobs set token = null, run_at = ?4 where queue = ?1 and key = ?2 and token = ?3'),
    finish: db.prepare('delete from jobs where queue = ? and key = ? and again_at is null'),
    bury: db.prepare(`update jobs set token = null, dead_at = ?3, last_error = ?4
      where queue = ?1 and key = ?2 and again_at is null`),
    giveBack: db.prepare(
      numbered(reschedule({ at: '$3', attempt: 'case when $4 = 1 then attempt else 0 end', error: '$5', now: '$6' })),
    ),
  } satisfies Record<string, StatementSync>;
}
