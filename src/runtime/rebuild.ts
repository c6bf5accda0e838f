import type { Place } from '../events/application.ts';
import { fromEnvelope } from '../events/codec.ts';
import { eventType } from '../events/types.ts';
import type { ChangePosition } from '../store/changes.ts';
import type { ClaimedJob, Commit, Document, NewJob, Store, StoredEvent } from '../store/store.ts';
import { sequenceRows } from '../views/sequence-document.ts';
import { rebuildJob } from './change-job.ts';
import { refreshFleet } from './fleet.ts';
import { fleetJob } from './fleet-job.ts';
import { type ProjectionRoom, projectChange } from './project-change.ts';
import { pullRequestRows } from './pull-request-rows.ts';
import { type ReadReceived, receivedAgain } from './rebuild-reports.ts';
import { loadSequence } from './sequences.ts';

/** Goes up when rows are drawn from other facts than before: then they are all written anew, once, after the start. */
const FORM = 1;
const QUEUE = 'rebuild';
const KEY = 'rows';
const KIND = 'rebuild';
const EVENTS_PER_STEP = 500;
const ROWS_PER_STEP = 500;
/** Rows of changes that no sequence knows, by the kind of document that does. */
const OTHER_CHANGES = ['built'] as const;
const LEASE_MS = 60_000;
const AT_ONCE = 20;
/** The stream of what came in. */
const INBOX = 'inbox';

/** How far it is. */
export interface RebuildProgress {
  /** `idle`: never asked for. `reading`: the log. `drawing`: the rows that are `left`. */
  state: 'idle' | 'reading' | 'drawing' | 'done';
  /** ISO 8601. */
  startedAt?: string;
  /** Sequences found in the log so far. */
  sequences: number;
  /** Changes whose rows are still to be written. */
  left: number;
}

interface Step {
  phase: 'reports' | 'rows' | 'others' | 'log';
  startedAt: string;
  sequences: number;
  afterRow?: ChangePosition;
  afterOther?: { nth: number; after?: { sort: number; id: string } };
  afterSeq?: number;
  /** Of what was received. */
  afterReceived?: number;
}

/** What is needed besides the store to make rows from the log. */
export interface RebuildRoom {
  store: Store;
  /** Absent: what was received is left as it is. */
  received?: ReadReceived;
}

/** Asks for all rows to be written anew from the log; while that is under way it begins again from the start. */
export async function askForRebuild(store: Store, now: Date): Promise<void> {
  const step: Step = { phase: 'reports', startedAt: now.toISOString(), sequences: 0 };
  await store.commit({ jobs: [jobOf(step)], documents: [await progressRow(store, step, 'reading')] });
}

/** The same after an upgrade whose rows are of another form, or that has rows for the first time. */
export async function askForRowsOfThisForm(store: Store, now: Date): Promise<void> {
  const row = await store.document(KIND, KEY);
  if (row?.data['form'] !== FORM) await askForRebuild(store, now);
}

export async function readRebuild(store: Store): Promise<RebuildProgress> {
  const [row, stats] = await Promise.all([store.document(KIND, KEY), store.stats()]);
  if (!row) return { state: 'idle', sequences: 0, left: 0 };
  const queue = stats.find((one) => one.queue === 'change');
  const left = queue === undefined ? 0 : queue.due + queue.waiting + queue.running;
  const isReading = row.data['state'] === 'reading';
  return {
    state: isReading ? 'reading' : left > 0 ? 'drawing' : 'done',
    startedAt: String(row.data['startedAt']),
    sequences: Number(row.data['sequences']),
    left,
  };
}

/** One step: asks for the rows of a page of changes, and for itself to go on after it. */
export async function rebuildStep(room: RebuildRoom, job: ClaimedJob): Promise<void> {
  const { store } = room;
  const step = job.payload as unknown as Step;
  const { next, ...commit } = await stepOf(room, step);
  await store.commit({
    ...commit,
    jobs: [...(commit.jobs ?? []), ...(next ? [jobOf(next)] : [])],
    documents: [...(commit.documents ?? []), await progressRow(store, next ?? step, next ? 'reading' : 'read')],
    claim: job,
    settle: { kind: 'done' },
  });
}

type Stepped = Pick<Commit, 'jobs' | 'documents'> & { next?: Step };

function stepOf({ store, received }: RebuildRoom, step: Step): Promise<Stepped> {
  if (step.phase === 'reports') return reportsStep(store, step, received);
  if (step.phase === 'rows') return rowsStep(store, step);
  return step.phase === 'others' ? othersStep(store, step) : logStep(store, step);
}

/** First: what is drawn afterwards is drawn from them. */
async function reportsStep(store: Store, step: Step, read: ReadReceived | undefined): Promise<Stepped> {
  const { afterReceived: afterSeq = 0, ...rest } = step;
  const events = read === undefined ? [] : await store.readLog({ stream: INBOX, afterSeq, limit: EVENTS_PER_STEP });
  const last = events.at(-1);
  if (read === undefined || last === undefined) return { next: { ...rest, phase: 'rows' } };
  return { ...(await receivedAgain(store, read, events)), next: { ...rest, afterReceived: last.seq } };
}

/** Rows that are there: one whose change nobody knows goes away. */
async function rowsStep(store: Store, step: Step): Promise<Stepped> {
  const { afterRow, ...rest } = step;
  const after = afterRow === undefined ? {} : { after: afterRow };
  const { records, next } = await store.changes({ ...after, limit: ROWS_PER_STEP, count: false });
  return {
    jobs: records.map(({ id }) => rebuildJob(id)),
    next: next === undefined ? { ...rest, phase: 'others' } : { ...rest, afterRow: next },
  };
}

async function othersStep(store: Store, step: Step): Promise<Stepped> {
  const { afterOther = { nth: 0 }, ...rest } = step;
  const { nth, ...after } = afterOther;
  const kind = OTHER_CHANGES[nth];
  if (kind === undefined) return { next: { ...rest, phase: 'log' } };
  const rows = await store.documents({ kind, ...after, limit: ROWS_PER_STEP });
  const last = rows.length === ROWS_PER_STEP ? rows.at(-1) : undefined;
  return {
    jobs: rows.map(({ id }) => rebuildJob(id)),
    next: { ...rest, afterOther: last ? { nth, after: { sort: last.sort, id: last.id } } : { nth: nth + 1 } },
  };
}

/** Sequences in the log: their own rows as their streams tell them, then those of their changes. */
async function logStep(store: Store, step: Step): Promise<Stepped> {
  const { afterSeq = 0 } = step;
  const events = await store.readLog({ afterSeq, limit: EVENTS_PER_STEP });
  const triggered = events.map(fromEnvelope).filter((event) => event?.name === 'sequence.triggered');
  const last = events.at(-1);
  const documents: Document[] = [];
  const changes = new Set<string>();
  for (const event of triggered) {
    const { state, version } = await loadSequence(store, event.data.sequence);
    documents.push(...sequenceRows(state, version), ...pullRequestRows(state, version));
    changes.add(event.data.context);
  }
  const sequences = step.sequences + triggered.length;
  return {
    documents,
    jobs: [...[...changes].map(rebuildJob), ...events.flatMap(fleetJobsOf)],
    ...(last === undefined ? {} : { next: { ...step, sequences, afterSeq: last.seq } }),
  };
}

/** Whatever tells of a service somewhere has its row written. */
function fleetJobsOf({ type, data }: StoredEvent): NewJob[] {
  const { place } = data as { place?: Partial<Place> };
  const isPlace = FLEET_EVENTS.has(type) && place?.project && place.stage && place.service;
  return isPlace ? [{ ...fleetJob(place as Place), delayMs: 0 }] : [];
}

const FLEET_EVENTS: ReadonlySet<string> = new Set(
  ['application.changed', 'sequence.triggered', 'evaluation.triggered'].map(eventType),
);

/**
 * Does all of it in this process, for a store that no service works on. Where one does, both share the work.
 *
 * @param say called now and then with how far it is
 */
export async function rebuildHere(
  room: ProjectionRoom & RebuildRoom,
  now: Date,
  say: (progress: RebuildProgress) => void = () => undefined,
): Promise<RebuildProgress> {
  const { store } = room;
  await askForRebuild(store, now);
  for (;;) {
    const jobs = await store.claim({ limit: AT_ONCE, leaseMs: LEASE_MS, queues: [QUEUE, 'change', 'fleet'] });
    for (const job of jobs) {
      if (job.queue === QUEUE) await rebuildStep(room, job);
      else if (job.queue === 'fleet') await refreshFleet({ store, clock: { now: () => now } }, job);
      else await projectChange(room, job);
    }
    if (jobs.length > 0) continue;
    const progress = await readRebuild(store);
    say(progress);
    if (progress.state === 'done') return progress;
    // Somebody else works on the rest, or it is due in a moment.
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

const PAUSE_MS = 100;

function jobOf(step: Step): NewJob {
  return { queue: QUEUE, key: KEY, payload: JSON.parse(JSON.stringify(step)) };
}

async function progressRow(store: Store, { startedAt, sequences }: Step, state: string): Promise<Document> {
  const before = await store.document(KIND, KEY);
  const version = (before?.version ?? 0) + 1;
  return {
    kind: KIND,
    id: KEY,
    version,
    sort: Date.parse(startedAt),
    data: { state, startedAt, sequences, form: FORM },
  };
}
