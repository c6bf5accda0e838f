import { type ChangeInput, changeFacts, handedTo, mentionedIn, type Reported } from '../answers/change-facts.ts';
import type { Step } from '../answers/step.ts';
import type { SequenceState } from '../engine/sequence.ts';
import type { LineStop } from '../engine/stop-the-line.ts';
import type { Place } from '../events/application.ts';
import type { ChangeKey, ChangeRecord } from '../store/changes.ts';
import type { ClaimedJob, Document, Store } from '../store/store.ts';
import { INVALID } from '../views/evaluation-document.ts';
import { REPORTED, reportedRow } from '../views/reported-run.ts';
import { sequenceFromRow } from '../views/sequence-document.ts';
import { changeRecord } from './change-record.ts';
import { activeSequences, loadSequence } from './sequences.ts';

/** What CI and others told of a change. */
export interface ReportsOfChange {
  reported: Reported;
  /** Where there is no sequence: which service it is about. */
  place?: { project: string; service: string };
  /** Goes up with every report of the change. */
  version: number;
  /** What it can be found by besides: commits, digests, pull requests, clusters, rings. */
  keys: readonly ChangeKey[];
}

/** `undefined`: nothing was reported of it. */
export type ReportsOf = (id: string, sequences: readonly SequenceState[]) => Promise<ReportsOfChange | undefined>;

export interface ProjectionRoom {
  store: Store;
  /** What people have stopped. */
  stops: () => Promise<readonly LineStop[]>;
  reportsOf?: ReportsOf;
}

/** A change visits one sequence per stage, and more when it is delivered again; older ones say nothing any more. */
const MAX_SEQUENCES = 200;
/** Whoever passed where a change failed is among so many that came there last. */
const MAX_LATER = 20;

/**
 * Writes the row of a change: what is known of it by now. The key of the queue makes this one at a time, and a projector
 * that lost its claim is refused: nobody overwrites newer facts with older ones.
 */
export async function projectChange(room: ProjectionRoom, job: ClaimedJob): Promise<void> {
  const id = job.key;
  const isAnew = job.payload['anew'] === true;
  const sequences = isAnew ? await sequencesInLog(room.store, id) : await sequencesOf(room.store, id);
  const drawn = await drawnFrom(room, id, sequences);
  await room.store.commit({
    ...(drawn === undefined || isAnew ? { changesGone: [id] } : {}),
    ...(drawn === undefined ? {} : { changes: [drawn.record], documents: await reportedRows(room.store, drawn) }),
    claim: job,
    settle: { kind: 'done' },
  });
}

/** The row of a change as it should be now; `undefined`: nothing is known of it. */
export async function currentRecord(room: ProjectionRoom, id: string): Promise<ChangeRecord | undefined> {
  return (await drawnFrom(room, id, await sequencesOf(room.store, id)))?.record;
}

interface Versioned {
  state: SequenceState;
  version: number;
}

interface Drawn {
  record: ChangeRecord;
  /** What was reported of a delivered change. */
  steps: readonly Step[];
}

/** What CI did for a change is kept for forecasts once it is over: a report that comes later changes nothing about it. */
async function reportedRows(store: Store, { record, steps }: Drawn): Promise<Document[]> {
  const { id: change, project, service, team, movedAt } = record;
  if (steps.length === 0 || (await store.document('steps', REPORTED + change))) return [];
  const of = { change, project, service, ...(team === undefined ? {} : { team }) };
  const row = reportedRow({ ...of, at: new Date(movedAt).toISOString() }, steps);
  return row === undefined ? [] : [row];
}

/** `undefined`: nothing is known of it. */
async function drawnFrom(
  room: ProjectionRoom,
  id: string,
  sequences: readonly Versioned[],
): Promise<Drawn | undefined> {
  const states = sequences.map(({ state }) => state);
  const reports = await room.reportsOf?.(id, states);
  if (states.length === 0 && reports === undefined) return undefined;
  const [neighbours, invalidations, stops] = await Promise.all([
    neighboursOf(room.store, states),
    invalidationsOf(room.store, id),
    states.some(({ phase }) => phase !== 'finished') ? room.stops() : [],
  ]);
  const input: ChangeInput = {
    id,
    // Each of these only ever goes up, so the sum does: the same facts have the same number, also when made again.
    rev:
      sum(sequences.map(({ version }) => version)) +
      sum(invalidations.map(({ version }) => version)) +
      (reports?.version ?? 0),
    ...(reports?.place === undefined ? {} : { place: reports.place }),
    sequences: states,
    neighbours,
    ...(reports === undefined ? {} : { reported: reports.reported }),
    stops,
    invalidations: invalidations.filter(({ status }) => status === INVALID).map(toInvalidation),
  };
  const record = changeRecord(changeFacts(input), states, reports?.keys);
  return { record, steps: states.length === 0 ? [] : (reports?.reported.steps ?? []) };
}

async function sequencesOf(store: Store, id: string): Promise<Versioned[]> {
  const rows = await store.documents({ kind: 'sequence', context: [id], limit: MAX_SEQUENCES });
  return rows.reverse().map(({ data, version }) => ({ state: sequenceFromRow(data), version }));
}

/** The rows only tell which sequences there are. */
async function sequencesInLog(store: Store, id: string): Promise<Versioned[]> {
  const rows = await store.documents({ kind: 'sequence', context: [id], limit: MAX_SEQUENCES });
  return Promise.all(rows.reverse().map((row) => loadSequence(store, row.id)));
}

/** Those that this one waits behind, those that took its place, and those that were seen where it should have been. */
async function neighboursOf(store: Store, states: readonly SequenceState[]): Promise<SequenceState[]> {
  const places = states.flatMap(({ phase, triggered }) =>
    phase === 'triggered' && triggered ? [triggered.place] : [],
  );
  const own = new Set(states.map(({ triggered }) => triggered?.sequence));
  const mentioned = mentionedIn(states).filter((id) => !own.has(id));
  const [active, named, newest] = await Promise.all([
    Promise.all(places.map((place) => activeSequences(store, place))),
    Promise.all(mentioned.map((id) => store.document('sequence', id))),
    Promise.all([
      ...handedTo(states).map(({ place }) => newestIn(store, place, 1)),
      ...failedIn(states).map((place) => newestIn(store, place, MAX_LATER)),
    ]),
  ]);
  const rows = [...named, ...newest.flat()];
  return [...active.flat(), ...rows.flatMap((row) => (row ? [sequenceFromRow(row.data)] : []))];
}

function newestIn(store: Store, place: Place, limit: number): Promise<Document[]> {
  return store.documents({ kind: 'sequence', ...place, limit });
}

/** Places where others may have passed since. */
function failedIn(states: readonly SequenceState[]): Place[] {
  return states.flatMap(({ finished, triggered }) =>
    finished?.result === 'fail' && finished.reason !== 'superseded' && triggered ? [triggered.place] : [],
  );
}

function invalidationsOf(store: Store, id: string): Promise<Document[]> {
  return store.documents({ kind: 'invalidation', context: [id], limit: MAX_SEQUENCES });
}

function toInvalidation({ id, data }: Document) {
  const { actor, reason, at } = data as { actor: string; reason: string; at: string };
  return { evaluation: id, actor, reason, at };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
