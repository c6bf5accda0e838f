import type { JsonObject } from '../base/json.ts';
import type {
  ChangeRecord,
  ChangesListener,
  ChangesPage,
  ChangesQuery,
  CountQuery,
  KeyQuery,
  StoredChange,
  WrittenChange,
} from './changes.ts';
import type { CredentialStore } from './credentials.ts';

/** An event on its way into the log. */
export interface NewEvent {
  /** Unique together with `source`: a second event with both the same is a duplicate. */
  id: string;
  source: string;
  type: string;
  subject?: string;
  /** When it happened, ISO 8601. */
  time: string;
  /**
   * What the event means, for senders that repeat themselves under new ids: a second event with the
   * same key is a duplicate too.
   */
  key?: string;
  data: JsonObject;
}

/** An event in the log. */
export interface StoredEvent extends NewEvent {
  /** Global order; gaps are possible, going back is not. */
  seq: number;
  stream: string;
  /** Position in its stream from 1; absent in the inbox, which has no order of its own. */
  version?: number;
  recordedAt: string;
}

/** Events for one stream, valid only while the stream still ends at `expectedVersion` (0: new). */
export interface Append {
  stream: string;
  expectedVersion: number;
  events: readonly NewEvent[];
}

/**
 * Work to be done: one row per (queue, key). Asking again for work that waits brings it forward and replaces its
 * payload, unless `keepPayload` is set; asking again for work that is being done makes it run once more afterwards.
 */
export interface NewJob {
  queue: string;
  key: string;
  payload?: JsonObject;
  /** How long from now, by the store's clock; a timer is a job with a delay. Default 0. */
  delayMs?: number;
  /** Work that is there already keeps its payload: whoever asked first may have had more to say. For `commit` only. */
  keepPayload?: boolean;
}

/** Work that this process holds until its lease ends; `token` fences everything it reports. */
export interface Claim {
  queue: string;
  key: string;
  token: string;
}

export interface ClaimedJob extends Claim {
  payload: JsonObject;
  /** How often it was claimed since it last made progress, this time included (from 1). */
  attempt: number;
  leaseMs: number;
}

export type Settlement =
  /** Finished; removed unless it was asked for again meanwhile. */
  | { kind: 'done' }
  /** Made progress and wants to go on later (or at once, when it was asked for again meanwhile). */
  | { kind: 'again'; delayMs: number }
  /** Failed; tried again after the delay, the attempt counts. */
  | { kind: 'retry'; delayMs: number; error: string }
  /** Given up; kept for people to see until somebody asks for it again. */
  | { kind: 'dead'; error: string };

/** A row of a read model. Columns are what lists filter and sort by; `data` is the rest. */
export interface Document {
  kind: string;
  id: string;
  /** A write with a lower version than the stored one is ignored: late writers change nothing. */
  version: number;
  project?: string;
  stage?: string;
  service?: string;
  /** The change's context id. */
  context?: string;
  status?: string;
  /** Lists come newest (highest) first; ties are ordered by id. Usually milliseconds since 1970. */
  sort: number;
  data: JsonObject;
}

export interface DocumentQuery {
  kind: string;
  project?: string;
  stage?: string;
  service?: string;
  context?: readonly string[];
  status?: readonly string[];
  /** Only rows after this one in list order (keyset paging). */
  after?: { sort: number; id: string };
  /** At most 1000. Default 100. */
  limit?: number;
}

/** One atomic step: all of it is durable when `commit` answers, or none of it happened. */
export interface Commit {
  appends?: readonly Append[];
  jobs?: readonly NewJob[];
  documents?: readonly Document[];
  /** Ids of changes whose record and keys are removed before `changes` are written. */
  changesGone?: readonly string[];
  changes?: readonly ChangeRecord[];
  /** Work under which this is done: refused with `LeaseLostError` when somebody else has it now. */
  claim?: Claim;
  /** What becomes of the claimed work. Without it the lease goes on. */
  settle?: Settlement;
}

export interface Receipt {
  /** In the order of the appends. */
  events: StoredEvent[];
}

/** A stream moved on since it was read, or an event of the commit is in the log already. */
export class ConflictError extends Error {
  override name = 'ConflictError';
}

/** The lease ended and the work belongs to somebody else: drop the result. */
export class LeaseLostError extends Error {
  override name = 'LeaseLostError';
}

/** The store cannot take anything now: full disk, connection lost, shutting down. Try again later. */
export class StoreUnavailableError extends Error {
  override name = 'StoreUnavailableError';
}

/** Cannot be stored by any store (a NUL character, no JSON, too long a name): never try it again. */
export class InvalidEventError extends Error {
  override name = 'InvalidEventError';
}

export interface QueueStats {
  queue: string;
  /** Due and not yet claimed. */
  due: number;
  /** Timers and retries that are not due yet. */
  waiting: number;
  running: number;
  dead: number;
  /** How long the oldest due job has been due, in milliseconds. */
  oldestDueMs: number;
}

/**
 * Event log, task queue and read models, in one place so that they change together. Two
 * implementations, one contract suite: test/contracts/store.ts.
 */
export interface Store {
  readonly kind: 'sqlite' | 'postgres';

  /** Sessions, API tokens and what else people and programs prove themselves with. */
  readonly credentials: CredentialStore;

  /**
   * Takes an inbound event and the work it asks for; durable when it answers. Concurrent calls share
   * one transaction (group commit). A duplicate (by source and id, or by key) stores and asks nothing.
   *
   * @throws {InvalidEventError} nothing was stored, and never will be
   * @throws {StoreUnavailableError} not acknowledged: the sender must repeat it. (When the connection
   *   broke at the wrong moment it may be stored after all; the repetition is a duplicate then.)
   */
  receive(stream: string, event: NewEvent, jobs: readonly NewJob[]): Promise<'stored' | 'duplicate'>;

  /**
   * @throws {ConflictError | LeaseLostError | InvalidEventError} nothing of it happened
   * @throws {StoreUnavailableError} nothing of it happened, unless the connection broke while the
   *   answer was under way: read the stream again before repeating it
   */
  commit(commit: Commit): Promise<Receipt>;

  /** A stream from its beginning (or after a version), oldest first. */
  readStream(stream: string, afterVersion?: number): Promise<StoredEvent[]>;

  /** The log in global order, optionally one stream (inbox streams too). At most 1000 per call. */
  readLog(options: { afterSeq?: number; stream?: string; limit?: number }): Promise<StoredEvent[]>;

  /** Takes up to `limit` due jobs, oldest first; nobody else gets them while the lease lasts. */
  claim(options: { limit: number; leaseMs: number; queues?: readonly string[] }): Promise<ClaimedJob[]>;

  /** Prolongs a lease from now. False: it was lost. */
  extend(claim: Claim, leaseMs: number): Promise<boolean>;

  /** Whether the lease still lasts: somebody is at it. */
  isHeld(claim: Claim): Promise<boolean>;

  /**
   * The lease was lost, but the worker lives: it was frozen or slow, and its attempt does not count, as that
   * of a worker that died does. Nothing happens where the work is over.
   */
  forgive(claim: Claim): Promise<void>;

  document(kind: string, id: string): Promise<Document | undefined>;
  documents(query: DocumentQuery): Promise<Document[]>;

  /** A page of the changes, and how many there are of what. */
  changes(query: ChangesQuery): Promise<ChangesPage>;

  /** How many the filters leave. */
  countChanges(query: CountQuery): Promise<number>;

  /** Those of these ids that there are, in the order of the ids. At most 1000. */
  changesById(ids: readonly string[]): Promise<StoredChange[]>;

  /** Changes that were written at a time of the store's clock or later, the last written first. */
  changesWritten(query: { since: number; limit: number }): Promise<WrittenChange[]>;

  /** The ids of the changes with a key, newest first. */
  findChanges(query: KeyQuery): Promise<string[]>;

  /**
   * Calls back (soon, many at once) after records of changes were written, by this process or by another on the same
   * database. Nobody is told of a write that changed nothing; the same `rev` may be told twice. Answers how to stop.
   */
  onChanged(listener: ChangesListener): () => void;

  stats(): Promise<QueueStats[]>;

  /**
   * Calls back (soon, coalesced) when this process stored work that is due now, and when work that it
   * put off for seconds has become due.
   */
  onWork(listener: () => void): void;

  /** Resolves when the store can append; rejects with the reason otherwise. */
  ready(): Promise<void>;

  /** Applies migrations that are missing, under a lock; answers how many. Also done at opening. */
  migrate(): Promise<number>;

  /** Writes a consistent copy to a file while others go on. Only SQLite: PostgreSQL has pg_dump. */
  backup?(file: string): Promise<void>;

  /** Finishes what was accepted, then closes; later calls are refused with StoreUnavailableError. */
  close(): Promise<void>;
}
