import { newId } from '../base/ids.ts';
import { promotionsOf } from '../engine/promotion.ts';
import { mergeOf } from '../engine/promotion-order.ts';
import { currentTask, evolve, fold, type SequenceState } from '../engine/sequence.ts';
import type { Place } from '../events/application.ts';
import { fromEnvelope, toEnvelope } from '../events/codec.ts';
import type { SequenceEvent } from '../events/types.ts';
import type { Append, Claim, Commit, ConflictError, NewEvent, NewJob, Settlement, Store } from '../store/store.ts';
import { ACTIVE, sequenceFromRow, sequenceRows } from '../views/sequence-document.ts';
import { changeJob } from './change-job.ts';
import { fleetJob } from './fleet-job.ts';
import { pullRequestRows } from './pull-request-rows.ts';

export interface LoadedSequence {
  state: SequenceState;
  /** Of its stream; what the next append expects. */
  version: number;
}

/** Work for the engine: whatever waits in a project, stage and service. */
export function lineJob(place: Place, delayMs = 0): NewJob {
  return { queue: 'line', key: `${place.project}/${place.stage}/${place.service}`, payload: { ...place }, delayMs };
}

/** Work for one task of a sequence. */
export function taskJob(sequence: string, task: string, delayMs = 0): NewJob {
  return { queue: 'task', key: task, payload: { sequence, task }, delayMs };
}

/** A branch that a stage deploys from was moved: its applications should look at Git. */
export function refreshJob(place: Place): NewJob {
  const { project, stage, service } = place;
  return { queue: 'refresh', key: `place/${project}/${stage}/${service}`, payload: { place: { ...place } } };
}

export function streamOf(sequence: string): string {
  return `sequence/${sequence}`;
}

export async function loadSequence(store: Store, sequence: string): Promise<LoadedSequence> {
  const events = await store.readStream(streamOf(sequence));
  const known = events.map(fromEnvelope).filter((event) => event !== undefined);
  return { state: fold(known), version: events.at(-1)?.version ?? 0 };
}

/** Unfinished sequences of a place in the order in which they were triggered. */
export async function activeSequences(store: Store, place: Place): Promise<SequenceState[]> {
  const rows = await store.documents({ kind: 'sequence', ...place, status: [...ACTIVE], limit: 1000 });
  return rows.reverse().map((row) => sequenceFromRow(row.data));
}

/** One step of a sequence as a commit: its events, and every row and job that follows from them. */
export function sequenceCommit(
  loaded: LoadedSequence,
  events: readonly SequenceEvent[],
): { commit: SequenceCommit; next: LoadedSequence } {
  const state = events.reduce(evolve, loaded.state);
  const version = loaded.version + events.length;
  const sequence = state.triggered?.sequence ?? '';
  return {
    next: { state, version },
    commit: {
      appends: [
        {
          stream: streamOf(sequence),
          expectedVersion: loaded.version,
          events: events.map((event) => newEvent(sequence, event)),
        },
      ],
      documents: [...sequenceRows(state, version), ...pullRequestRows(state, version)],
      jobs: [
        ...events.flatMap((event) => jobsFor(sequence, state, event)),
        ...newlyMerged(loaded.state, state).map(refreshJob),
        ...(state.triggered ? [changeJob(state.triggered.context)] : []),
        ...(state.triggered && events.some(movesFleet) ? [fleetJob(state.triggered.place)] : []),
      ],
    },
  };
}

/** What the row of a service tells of a stage: what was delivered, what it scored. */
function movesFleet({ name, data }: SequenceEvent): boolean {
  return name === 'sequence.finished' || (name === 'task.finished' && FLEET_TASKS.has(data.name));
}

const FLEET_TASKS: ReadonlySet<string> = new Set(['sync', 'rollout', 'evaluation']);

interface SequenceCommit {
  appends: Append[];
  documents: NonNullable<Commit['documents']>;
  jobs: NewJob[];
}

function newEvent(sequence: string, event: SequenceEvent): NewEvent {
  return { id: newId(), source: 'lynceus', subject: sequence, ...toEnvelope(event) };
}

function jobsFor(sequence: string, state: SequenceState, event: SequenceEvent): NewJob[] {
  const place = state.triggered?.place;
  if (!place) return [];
  switch (event.name) {
    case 'task.triggered':
      // An approval is decided by people; the line only has to look at its time limit.
      return event.data.name === 'approval' ? [lineJob(place)] : [taskJob(sequence, event.data.task)];
    case 'task.waiting': {
      const { task, memo } = event.data;
      const isRollback = state.tasks.find(({ id }) => id === task)?.name === 'rollback';
      return [lineJob(place), ...(isRollback && memo['mergeSha'] !== undefined ? [refreshJob(place)] : [])];
    }
    case 'decision.made': {
      const { task = heldTask(state), method } = event.data;
      // What a task read at the Git host it knows already.
      const isNews = task !== undefined && method !== 'review' && method !== 'comment';
      const tasks = isNews ? [taskJob(sequence, task)] : [];
      return [lineJob(place), ...tasks];
    }
    case 'sequence.finished': {
      // A task that was under way gets one more look, to stop what it started outside.
      const last = state.tasks.at(-1);
      return [lineJob(place), ...(last ? [taskJob(sequence, last.id)] : [])];
    }
    default:
      return [lineJob(place)];
  }
}

/** Who holds a change, or lets it go on, wants to see it on its pull request. */
function heldTask(state: SequenceState): string | undefined {
  const task = currentTask(state);
  return task?.name === 'promotion' ? task.id : undefined;
}

/** Stages to which a promotion was merged in these events, also while others still wait. */
function newlyMerged(before: SequenceState, after: SequenceState): Place[] {
  const known = new Set(mergedTo(before));
  const place = after.triggered?.place;
  return place
    ? mergedTo(after)
        .filter((to) => !known.has(to))
        .map((stage) => ({ ...place, stage }))
    : [];
}

function mergedTo(state: SequenceState): string[] {
  return promotionsOf(state)
    .filter((promotion) => mergeOf(promotion) !== undefined)
    .map(({ target }) => target.to);
}

/** Appends to a sequence whatever `say` answers for its present state; tries again when it moved meanwhile. */
export async function changeSequence(
  store: Store,
  sequence: string,
  say: (state: SequenceState) => readonly SequenceEvent[],
  { jobs = [], ...extra }: { claim?: Claim; settle?: Settlement; jobs?: readonly NewJob[] } = {},
): Promise<SequenceState> {
  for (let attempt = 1; ; attempt++) {
    const loaded = await loadSequence(store, sequence);
    const events = say(loaded.state);
    if (events.length === 0 && !extra.settle) return loaded.state;
    const { commit, next } =
      events.length === 0 ? { commit: { jobs: [] }, next: loaded } : sequenceCommit(loaded, events);
    try {
      await store.commit({ ...commit, ...extra, jobs: [...commit.jobs, ...jobs] });
      return next.state;
    } catch (error) {
      if (!isConflict(error) || attempt >= MAX_CONFLICTS) throw error;
    }
  }
}

/** Contention on one sequence is a few writers (engine, one task, a person): more is a bug. */
const MAX_CONFLICTS = 10;

function isConflict(error: unknown): error is ConflictError {
  return error instanceof Error && error.name === 'ConflictError';
}
