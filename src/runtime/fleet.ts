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

/** Brings the row of one service up to date. One at a time for each service: the job's key is the service. */
export async function refreshFleet({ store, clock }: FleetRoom, job: ClaimedJob): Promise<void> {
  const { project, stage, service } = job.payload as unknown as Place;
  const document = await fleetDocument({ store, clock }, { project, service }, [stage]);
  await store.commit({ documents: [document], claim: job, settle: { kind: 'done' } });
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
  const [sequences, evaluations] = await Promise.all([
    Promise.all(places.map((place) => sequencesOf(store, place))),
    Promise.all(places.map(async (place) => [place.stage, await evaluationsOf(store, place)] as const)),
  ]);
  const data = fleetService({
    project,
    service,
    applications: rows.map(toApplication),
    sequences: sequences.flat(),
    evaluations: new Map(evaluations.filter(([, found]) => found.length > 0)),
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

const PAGE = 1000;

/** Makes every row anew, from the applications, changes and evaluations that there are; answers how many. */
export async function rebuildFleet(room: FleetRoom): Promise<number> {
  const services = new Map<string, { project: string; service: string; stages: Set<string> }>();
  for (const kind of ['application', 'sequence', 'evaluation']) {
    for await (const { project = '', service = '', stage = '' } of rowsOf(room.store, kind)) {
      if (project === '' || service === '') continue;
      const key = fleetKey({ project, service });
      const found = services.get(key) ?? { project, service, stages: new Set<string>() };
      services.set(key, { ...found, stages: found.stages.add(stage) });
    }
  }
  for (const { stages, ...service } of services.values()) {
    await room.store.commit({ documents: [await fleetDocument(room, service, [...stages])] });
  }
  return services.size;
}

async function* rowsOf(store: Store, kind: string): AsyncGenerator<Document> {
  for (let after: { sort: number; id: string } | undefined; ; ) {
    const rows = await store.documents({ kind, limit: PAGE, ...(after ? { after } : {}) });
    yield* rows;
    const last = rows.at(-1);
    if (!last || rows.length < PAGE) return;
    after = { sort: last.sort, id: last.id };
  }
}
