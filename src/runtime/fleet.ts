import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../base/clock.ts';
import type { JsonObject } from '../base/json.ts';
import type { SequenceState } from '../engine/sequence.ts';
import type { Place } from '../events/application.ts';
import type { ClaimedJob, Document, Store } from '../store/store.ts';
import type { EvaluationView } from '../views/evaluation-document.ts';
import { evaluationView } from '../views/evaluation-document.ts';
import { type FleetService, fleetService } from '../views/fleet.ts';
import { sequenceFromRow } from '../views/sequence-document.ts';
import { fleetKey } from './fleet-job.ts';
import type { SeenApplication } from './observe-application.ts';

export const FLEET = 'fleet';
/** Of one service in all of its stages and clusters. */
const MAX_APPLICATIONS = 1000;
/** Enough to find what was good before the last one. */
const MAX_SEQUENCES = 10;
const MAX_EVALUATIONS = 12;

export interface FleetRoom {
  store: Store;
  clock: Clock;
}

/**
 * What brings rows up to date, one service at a time: each is drawn from a hundred rows and more, and a whole fleet may
 * have moved at once. All workers together would hold many of them, and keep everybody else waiting.
 */
export function createFleetRefresher(room: FleetRoom): (job: ClaimedJob) => Promise<void> {
  let before: Promise<unknown> = Promise.resolve();
  return async (job) => {
    const draw = before.then(() => drawn(room, job));
    before = draw.catch(() => undefined);
    await room.store.commit({ documents: [await draw], claim: job, settle: { kind: 'done' } });
  };
}

/** Brings the row of one service up to date. One at a time for each service: the job's key is the service. */
export async function refreshFleet(room: FleetRoom, job: ClaimedJob): Promise<void> {
  await room.store.commit({ documents: [await drawn(room, job)], claim: job, settle: { kind: 'done' } });
}

function drawn(room: FleetRoom, job: ClaimedJob): Promise<Document> {
  const { project, stage, service } = job.payload as unknown as Place;
  return fleetDocument(room, { project, service }, [stage]);
}

/**
 * Makes the row of a service out of what else is in the store.
 *
 * @param stages where something is known to have happened, besides those of its applications
 */
export async function fleetDocument(
  { store, clock }: FleetRoom,
  { project, service }: Pick<Place, 'project' | 'service'>,
  stages: readonly string[],
): Promise<Document> {
  const id = fleetKey({ project, service });
  const [before, rows] = await Promise.all([
    store.document(FLEET, id),
    store.documents({ kind: 'application', context: [id], status: ['seen', 'absent'], limit: MAX_APPLICATIONS }),
  ]);
  const known = (before?.data as Partial<FleetService> | undefined)?.stages ?? [];
  const all = new Set([...stages, ...known.map(({ stage }) => stage), ...rows.map(({ stage = '' }) => stage)]);
  const places = [...all].filter((stage) => stage !== '').map((stage) => ({ project, stage, service }));
  const sequences: SequenceState[] = [];
  const evaluations = new Map<string, EvaluationView[]>();
  for (const place of places) {
    sequences.push(...(await sequencesOf(store, place)));
    // SQLite answers at once: nobody else would have a turn.
    await nextTurn();
    const found = await evaluationsOf(store, place);
    if (found.length > 0) evaluations.set(place.stage, found);
    await nextTurn();
  }
  const data = fleetService({
    project,
    service,
    applications: rows.map(toApplication),
    sequences,
    evaluations,
  });
  return {
    kind: FLEET,
    id,
    version: (before?.version ?? 0) + 1,
    project,
    service,
    status: data.stages.length === 0 ? 'gone' : 'known',
    sort: clock.now().getTime(),
    data: JSON.parse(JSON.stringify(data)) as JsonObject,
  };
}

function toApplication({ stage = '', data }: Document) {
  const { ref, runs } = data as unknown as SeenApplication;
  return { stage, ref, ...(runs === undefined ? {} : { runs }) };
}

async function sequencesOf(store: Store, place: Place): Promise<SequenceState[]> {
  const rows = await store.documents({ kind: 'sequence', ...place, limit: MAX_SEQUENCES });
  return rows.map(({ data }) => sequenceFromRow(data));
}

async function evaluationsOf(store: Store, place: Place): Promise<EvaluationView[]> {
  const rows = await store.documents({ kind: 'evaluation', ...place, limit: MAX_EVALUATIONS });
  return rows.map((row) => evaluationView({ ...row, status: row.status ?? '' }));
}
