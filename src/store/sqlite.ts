import { mkdirSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../base/clock.ts';
import { systemClock } from '../base/clock.ts';
import { newId } from '../base/ids.ts';
import { createChangeListeners } from './change-listeners.ts';
import { credentialStore } from './credential-statements.ts';
import { createGroupCommit } from './group-commit.ts';
import { type AppliedMigration, MIGRATIONS_TABLE, pendingMigrations } from './migrations.ts';
import { firstDelay, prepareCommit, roughBytes } from './prepared-commit.ts';
import { checkedName, type DocumentColumns, eventColumns, jobColumns, toDocument } from './records.ts';
import { backupSqlite, databaseFile } from './sqlite-backup.ts';
import { sqliteChangeReads } from './sqlite-changes.ts';
import { sqliteWrites, toEventRows, type Written } from './sqlite-commit.ts';
import { bindable, numbered, oneOf } from './sqlite-dialect.ts';
import { type Disk, openDisk } from './sqlite-disk.ts';
import { toStoreError } from './sqlite-errors.ts';
import { createLeases } from './sqlite-leases.ts';
import { lockFolder } from './sqlite-lock.ts';
import { inOneTransaction, inTransaction, type Write } from './sqlite-transaction.ts';
import {
  documentList,
  EVENT_COLUMNS,
  HEARTBEAT,
  MAX_PAGE,
  pageSize,
  queueStats,
  READ_DOCUMENT,
  READ_STREAM,
  type Statement,
  type StatsRow,
} from './statements.ts';
import { type Store, StoreUnavailableError } from './store.ts';
import { createWakeUp } from './wake-up.ts';

/** One flush stays in the range of milliseconds, so that the event loop keeps turning. */
const MAX_FLUSH_ITEMS = 512;
const MAX_FLUSH_BYTES = 8 * 1024 * 1024;
/** A backup by another process may hold the database for a moment. */
const BUSY_TIMEOUT_MS = 5_000;
/**
 * 16 MB of write-ahead log between checkpoints: notifications touch the same pages of the indexes again and again, and
 * each of these is copied into the database once per checkpoint. Whether a commit is durable does not depend on it.
 */
const PAGES_BETWEEN_CHECKPOINTS = 4_000;
/** The write-ahead log is cut back to this after a checkpoint. */
const MAX_IDLE_WAL_BYTES = 64 * 1024 * 1024;

export interface SqliteOptions {
  /** The data folder; made when it is missing. */
  dir: string;
  /** For recorded and due times. Leases run on a clock of their own that nobody can set. */
  clock?: Clock;
}

/**
 * Opens the embedded store and becomes its only owner.
 *
 * @throws {StoreLockedError | MigrationError | StoreUnavailableError}
 */
export async function openSqliteStore({ dir, clock = systemClock }: SqliteOptions): Promise<Store> {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const cleanUp: (() => void)[] = [];
  try {
    cleanUp.push(lockFolder(dir));
    const db = openDatabase(databaseFile(dir));
    cleanUp.unshift(() => db.close());
    migrate(db, clock);
    const disk = openDisk(databaseFile(dir));
    cleanUp.unshift(disk.close);
    return createStore(db, disk, dir, clock, () => runAll(cleanUp));
  } catch (error) {
    runAll(cleanUp);
    throw toStoreError(error);
  }
}

function createStore(db: DatabaseSync, disk: Disk, dir: string, clock: Clock, release: () => void): Store {
  const now = () => clock.now().getTime();
  const leases = createLeases();
  releaseLeasesOfPredecessor(db, now());
  const writes = sqliteWrites(db, leases, now, newId);
  const reads = prepareReads(db);
  const changeReads = sqliteChangeReads(db);
  const work = createWakeUp();
  const changeListeners = createChangeListeners();
  let closed = false;

  const group = createGroupCommit<Write, Written<unknown>>({
    maxItems: MAX_FLUSH_ITEMS,
    maxBytes: MAX_FLUSH_BYTES,
    async flush(batch) {
      await disk.settled();
      const before = rowsWritten();
      const outcomes = inOneTransaction(db, batch);
      if (rowsWritten() > before) await disk.sync();
      for (const outcome of outcomes) if (outcome.status === 'fulfilled') outcome.value.remember?.();
      return outcomes;
    },
  });

  async function write<T>(bytes: number, apply: () => Written<T>): Promise<T> {
    refuseWhenClosed();
    // Sound because the flush answers with what `apply` returned.
    const written = (await group.add(apply, bytes)) as Written<T>;
    if (written.due) work.wake();
    if (written.moved) changeListeners.tell(written.moved);
    return written.result;
  }

  async function read<T>(query: () => T): Promise<T> {
    refuseWhenClosed();
    await disk.settled();
    try {
      return query();
    } catch (error) {
      throw toStoreError(error);
    }
  }

  function refuseWhenClosed(): void {
    if (closed) throw new StoreUnavailableError('The store is closed: the process is shutting down');
  }

  function rowsWritten(): number {
    return (reads.written.get() as { rows: number }).rows;
  }

  const answer = <Row>({ text, values }: Statement) => db.prepare(numbered(text)).all(...values.map(bindable)) as Row[];

  return {
    kind: 'sqlite',
    credentials: credentialStore({
      read: <Row>(statement: Statement) => read(() => answer<Row>(statement)),
      write: <Row>(statement: Statement) => write(0, () => ({ result: answer<Row>(statement), due: false })),
    }),

    async receive(stream, event, jobs) {
      checkedName('name of the stream', stream);
      const columns = eventColumns(event);
      const jobRows = jobs.map(jobColumns);
      return write(columns.data.length, () => writes.receive(stream, columns, jobRows));
    },

    async commit(commit) {
      const prepared = prepareCommit(commit);
      const receipt = await write(roughBytes(prepared), () => writes.commit(prepared));
      work.wakeIn(firstDelay(prepared));
      return receipt;
    },

    claim: async ({ limit, leaseMs, queues }) =>
      limit < 1 ? [] : write(0, () => writes.claim({ limit: pageSize(limit), leaseMs, queues })),

    extend: (claim, leaseMs) =>
      read(() => {
        const held = writes.isHeld(claim);
        if (held) leases.hold(claim, leaseMs);
        return held;
      }),

    isHeld: (claim) => read(() => writes.isHeld(claim)),

    forgive: (claim) => write(0, () => writes.forgive(claim)),

    readStream: (stream, afterVersion = 0) => read(() => toEventRows(reads.stream.all(stream, afterVersion))),

    readLog: ({ afterSeq = 0, stream, limit = MAX_PAGE }) =>
      read(() =>
        toEventRows(
          stream === undefined
            ? reads.log.all(afterSeq, pageSize(limit))
            : reads.logOfStream.all(stream, afterSeq, pageSize(limit)),
        ),
      ),

    document: (kind, id) =>
      read(() => {
        const row = reads.document.get(kind, id) as DocumentColumns | undefined;
        return row === undefined ? undefined : toDocument(row);
      }),

    documents: (query) =>
      read(() => {
        const { text, values } = documentList(query, oneOf);
        const rows = db.prepare(numbered(text)).all(...values.map(bindable)) as unknown as DocumentColumns[];
        return rows.map(toDocument);
      }),

    changes: (query) => read(() => changeReads.list(query)),
    countChanges: (query) => read(() => changeReads.count(query)),
    changesById: (ids) => read(() => changeReads.byId(ids)),
    changesWritten: (query) => read(() => changeReads.written(query)),
    findChanges: (query) => read(() => changeReads.find(query)),
    onChanged: (listener) => changeListeners.add(listener),

    stats: () =>
      read(() => {
        const rows = reads.stats.all(now()) as unknown as StatsRow[];
        return rows.map(({ oldest, ...counts }) => ({ ...counts, oldestDueMs: Math.max(0, oldest ?? 0) }));
      }),

    onWork: (listener) => work.add(listener),

    ready: () =>
      write(0, () => {
        reads.heartbeat.run(now());
        return { result: undefined, due: false };
      }),

    migrate: () => read(() => migrate(db, clock)),

    backup: async (file) => {
      refuseWhenClosed();
      await backupSqlite(dir, file);
    },

    async close() {
      if (closed) return;
      closed = true;
      await group.drained();
      release();
    },
  };
}

function runAll(steps: readonly (() => void)[]): void {
  for (const step of steps) step();
}

function openDatabase(file: string): DatabaseSync {
  const db = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS });
  db.exec('pragma journal_mode = wal');
  // The log is written without waiting for the disk: that is done beside (sqlite-disk.ts).
  db.exec('pragma synchronous = normal');
  db.exec(`pragma wal_autocheckpoint = ${PAGES_BETWEEN_CHECKPOINTS}`);
  db.exec(`pragma journal_size_limit = ${MAX_IDLE_WAL_BYTES}`);
  return db;
}

function migrate(db: DatabaseSync, clock: Clock): number {
  db.exec(MIGRATIONS_TABLE);
  const applied = db.prepare('select id, name, checksum from lynceus_migrations order by id').all();
  const pending = pendingMigrations('sqlite', applied as unknown as AppliedMigration[]);
  const note = db.prepare('insert into lynceus_migrations (id, name, checksum, applied_at) values (?, ?, ?, ?)');
  for (const { id, name, sql, checksum } of pending) {
    inTransaction(db, () => {
      db.exec(sql);
      note.run(id, name, checksum, clock.now().getTime());
    });
  }
  return pending.length;
}

/** Safe because only the owner of the folder claims: whoever held these is gone. */
function releaseLeasesOfPredecessor(db: DatabaseSync, now: number): void {
  db.prepare('update jobs set token = null, run_at = ? where token is not null').run(now);
}

function prepareReads(db: DatabaseSync) {
  const log = (condition: string) =>
    db.prepare(`select ${EVENT_COLUMNS} from events where ${condition} order by seq limit ?`);
  return {
    stream: db.prepare(numbered(READ_STREAM)),
    log: log('seq > ?'),
    logOfStream: log('stream = ? and seq > ?'),
    document: db.prepare(numbered(READ_DOCUMENT)),
    heartbeat: db.prepare(numbered(HEARTBEAT)),
    written: db.prepare('select total_changes() as rows'),
    stats: db.prepare(queueStats('token is not null', '?1')),
  };
}
