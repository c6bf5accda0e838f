import { type ChangeColumns, changeColumns } from './change-columns.ts';
import {
  checkedDelay,
  checkedName,
  type DocumentColumns,
  documentColumns,
  type EventColumns,
  eventColumns,
  type JobColumns,
  jobColumns,
} from './records.ts';
import { type Append, type Claim, type Commit, ConflictError, LeaseLostError, type Settlement } from './store.ts';

/** The first lines of an error say what happened; the whole of it belongs into the log. */
const MAX_ERROR_CHARACTERS = 2000;

/** Everything of a commit, checked and serialised before any transaction begins. */
export interface PreparedCommit {
  appends: PreparedAppend[];
  jobs: JobColumns[];
  documents: DocumentColumns[];
  changesGone: readonly string[];
  changes: ChangeColumns[];
  claim: Claim | undefined;
  settle: Settlement | undefined;
}

export interface PreparedAppend {
  stream: string;
  expectedVersion: number;
  events: EventColumns[];
}

export interface PlannedEvent extends EventColumns {
  stream: string;
  version: number;
}

/** @throws {InvalidEventError} when no store can keep a part of it */
export function prepareCommit(commit: Commit): PreparedCommit {
  const { appends = [], jobs = [], documents = [], changesGone = [], changes = [], claim, settle } = commit;
  if (settle !== undefined && claim === undefined) throw new TypeError('A commit that settles work needs its claim');
  return {
    appends: appends.map(prepareAppend),
    jobs: jobs.map(jobColumns),
    documents: documents.map(documentColumns),
    changesGone: changesGone.map((id) => checkedName('id of the change', id)),
    changes: changes.map(changeColumns),
    claim,
    settle: settle === undefined ? undefined : checkedSettlement(settle),
  };
}

/** What a commit weighs in a group commit, about. */
export function roughBytes({ appends, jobs, documents, changes }: PreparedCommit): number {
  let bytes = 0;
  for (const { events } of appends) for (const event of events) bytes += event.data.length;
  for (const job of jobs) bytes += job.payload.length;
  for (const { data } of [...documents, ...changes]) bytes += data.length;
  return bytes;
}

/** When the first of the work that a commit puts off is due, in milliseconds from now. */
export function firstDelay({ jobs, settle }: PreparedCommit): number | undefined {
  const delays = jobs.map((job) => job.delayMs).filter((delayMs) => delayMs > 0);
  if (settle !== undefined && 'delayMs' in settle && settle.delayMs > 0) delays.push(settle.delayMs);
  return delays.length === 0 ? undefined : Math.min(...delays);
}

export function leaseLost({ queue, key }: Claim): LeaseLostError {
  return new LeaseLostError(`The lease on ${queue} ${key} ended: somebody else may work on it now`);
}

/**
 * Numbers the events of a commit. `head` tells the last version of a stream in the database; a
 * stream may be appended to twice in one commit.
 *
 * @throws {ConflictError} when a stream does not end where its append expects it to
 */
export function planAppends(appends: readonly PreparedAppend[], head: (stream: string) => number): PlannedEvent[] {
  const heads = new Map<string, number>();
  const planned: PlannedEvent[] = [];
  for (const { stream, expectedVersion, events } of appends) {
    let version = heads.get(stream) ?? head(stream);
    if (version !== expectedVersion) {
      throw new ConflictError(`Stream ${stream} is at version ${version}, not at ${expectedVersion}`);
    }
    for (const event of events) {
      version += 1;
      planned.push({ ...event, stream, version });
    }
    heads.set(stream, version);
  }
  return planned;
}

function prepareAppend({ stream, expectedVersion, events }: Append): PreparedAppend {
  return { stream: checkedName('name of the stream', stream), expectedVersion, events: events.map(eventColumns) };
}

function checkedSettlement(settlement: Settlement): Settlement {
  switch (settlement.kind) {
    case 'done':
      return settlement;
    case 'again':
      return { kind: 'again', delayMs: checkedDelay(settlement.delayMs) };
    case 'retry':
      return { kind: 'retry', delayMs: checkedDelay(settlement.delayMs), error: storableError(settlement.error) };
    case 'dead':
      return { kind: 'dead', error: storableError(settlement.error) };
  }
}

/** An error text comes from anywhere; it must never be the reason why a failure cannot be recorded. */
function storableError(error: string): string {
  return error.slice(0, MAX_ERROR_CHARACTERS).replaceAll('\u0000', '\ufffd').toWellFormed();
}
