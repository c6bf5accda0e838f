import type { DeliverySystem } from '../adapters/delivery-systems/delivery-system.ts';
import { AdapterError } from '../base/adapter-error.ts';
import type { Clock } from '../base/clock.ts';
import { derivedId, newId } from '../base/ids.ts';
import type { JsonObject } from '../base/json.ts';
import { fingerprint, type Newest, type Observation, observe } from '../engine/observe.ts';
import { currentTask, noSequence } from '../engine/sequence.ts';
import { type Application, applicationKey, type Place } from '../events/application.ts';
import { type ApplicationChanged, eventType, type SequenceTriggered } from '../events/types.ts';
import type { Append, ClaimedJob, Document, NewEvent, NewJob, Store } from '../store/store.ts';
import { sequenceFromRow } from '../views/sequence-document.ts';
import type { Failpoint } from './failpoint.ts';
import type { Lease } from './lease.ts';
import type { Log } from './log.ts';
import type { FindPromotion } from './promotions.ts';
import { activeSequences, lineJob, sequenceCommit, taskJob } from './sequences.ts';

export interface ObserverRoom {
  store: Store;
  clock: Clock;
  deliverySystem(name: string): DeliverySystem | undefined;
  findPromotion: FindPromotion;
  failpoint: Failpoint;
  log: Log;
}

/** The application document: what was last seen, and what a row of `applications` shows. */
export interface SeenApplication {
  ref: Application['ref'];
  targetRevision?: string;
  fingerprint: string;
}

/** Work for the observer: look at this application now. */
export function observeJob(system: string, namespace: string, name: string): NewJob {
  return { queue: 'observe', key: `${system}/${namespace}/${name}`, payload: { system, namespace, name } };
}

/** Tasks that look at the application again as soon as it moved. */
const INTERESTED: ReadonlySet<string> = new Set(['sync', 'rollout', 'soak']);

/**
 * Looks at one application: the notification that asked for it is not believed, the API is. Starts a
 * sequence when the commit that Git asks for moved, and wakes what waits for the application.
 */
export async function observeApplication(room: ObserverRoom, job: ClaimedJob, lease: Lease): Promise<void> {
  const { system, namespace, name } = job.payload as { system: string; namespace: string; name: string };
  const delivery = room.deliverySystem(system);
  const application = delivery && (await readOrForget(room, delivery, { namespace, name }, lease));
  if (!application) return room.store.commit({ claim: job, settle: { kind: 'done' } }).then(() => undefined);
  const seen = await room.store.document('application', applicationKey(application.ref));
  const remembered = seen?.data as SeenApplication | undefined;
  const same = remembered?.ref.uid === application.ref.uid ? remembered : undefined;
  const { place } = application;
  const observation = observe(application, known(same), place && (await newestSequence(room.store, place)));
  const commit = await commitFor(room, application, seen, observation, lease);
  room.failpoint('observe.decided');
  await room.store.commit({ ...commit, claim: job, settle: { kind: 'done' } });
  room.failpoint('observe.committed');
}

function known(seen: SeenApplication | undefined) {
  return seen?.targetRevision === undefined ? undefined : { targetRevision: seen.targetRevision };
}

async function readOrForget(
  room: ObserverRoom,
  delivery: DeliverySystem,
  ref: { namespace: string; name: string },
  lease: Lease,
): Promise<Application | undefined> {
  try {
    return await delivery.read(ref, { signal: lease.signal });
  } catch (error) {
    // Hidden and missing look alike without the project; either way there is nothing to deliver.
    if (error instanceof AdapterError && (error.reason === 'not-found' || error.reason === 'forbidden')) {
      room.log.warn({ system: delivery.name, ...ref, reason: error.reason }, 'application cannot be read');
      return undefined;
    }
    throw error;
  }
}

async function newestSequence(store: Store, place: Place): Promise<Newest | undefined> {
  const [row] = await store.documents({ kind: 'sequence', ...place, limit: 1 });
  const triggered = row && sequenceFromRow(row.data).triggered;
  return triggered && { sequence: triggered.sequence, revision: triggered.revision };
}

interface ObservationCommit {
  appends: Append[];
  documents: Document[];
  jobs: NewJob[];
}

async function commitFor(
  room: ObserverRoom,
  application: Application,
  seen: Document | undefined,
  observation: Observation,
  lease: Lease,
): Promise<ObservationCommit> {
  const { place } = application;
  const before = seen?.data as SeenApplication | undefined;
  if (!place) return { appends: [], documents: [], jobs: [] };
  const now = fingerprint(application);
  const moved = before?.fingerprint !== now;
  const interested = moved ? await jobsOfInterested(room.store, place) : [];
  const started =
    observation.kind === 'deliver' ? await sequenceStart(room, application, place, observation, lease) : undefined;
  const targetRevision = observation.kind === 'same' ? before?.targetRevision : observation.targetRevision;
  const version = (seen?.version ?? 0) + (observation.kind === 'same' ? 0 : 1);
  const documents =
    moved || observation.kind !== 'same'
      ? [applicationDocument(room, application, place, targetRevision, now, version)]
      : [];
  if (observation.kind === 'same') return { appends: [], documents, jobs: interested };
  const changed = changedEvent(room.clock, application, place, observation.targetRevision, started?.id);
  return {
    appends: [
      { stream: streamOfApplication(application), expectedVersion: seen?.version ?? 0, events: [changed] },
      ...(started?.appends ?? []),
    ],
    documents: [...documents, ...(started?.documents ?? [])],
    jobs: [...interested, ...(started?.jobs ?? [])],
  };
}

function streamOfApplication({ ref }: Application): string {
  return `application/${applicationKey(ref)}`;
}

function changedEvent(
  clock: Clock,
  application: Application,
  place: Place,
  targetRevision: string,
  sequence: string | undefined,
): NewEvent {
  const data: ApplicationChanged = {
    ref: application.ref,
    place,
    targetRevision,
    ...(sequence === undefined ? {} : { sequence }),
  };
  return {
    id: newId(),
    source: 'lynceus',
    type: eventType('application.changed'),
    time: clock.now().toISOString(),
    data: data as unknown as JsonObject,
  };
}

function applicationDocument(
  room: ObserverRoom,
  application: Application,
  place: Place,
  targetRevision: string | undefined,
  print: string,
  version: number,
): Document {
  const seen: SeenApplication = {
    ref: application.ref,
    fingerprint: print,
    ...(targetRevision === undefined ? {} : { targetRevision }),
  };
  return {
    kind: 'application',
    id: applicationKey(application.ref),
    version,
    ...place,
    status: 'seen',
    sort: room.clock.now().getTime(),
    data: seen as unknown as JsonObject,
  };
}

/** Everything that starts a sequence for a new commit, ready to be committed with the rest. */
async function sequenceStart(
  room: ObserverRoom,
  application: Application,
  place: Place,
  { targetRevision, previousRevision }: Extract<Observation, { kind: 'deliver' }>,
  lease: Lease,
) {
  const [newest] = await room.store.documents({ kind: 'sequence', ...place, limit: 1 });
  const promotion = await room.findPromotion(application, targetRevision, lease.signal);
  const id = derivedId('sequence', place.project, place.stage, place.service, newest?.id ?? '', targetRevision);
  // The order of a line is the order of these times: strictly after the newest, whatever a clock says.
  const at = new Date(Math.max(room.clock.now().getTime(), (newest?.sort ?? 0) + 1)).toISOString();
  const triggered: SequenceTriggered = {
    sequence: id,
    context: promotion?.context ?? derivedId('change', id),
    place,
    revision: targetRevision,
    ...(previousRevision === undefined ? {} : { previousRevision }),
    source: { repoUrl: application.source.repoUrl, path: application.source.path },
    ...(application.deliveryFile === undefined ? {} : { deliveryFile: application.deliveryFile }),
    automated: application.automated,
    application: application.ref,
    ...(promotion ? { promotedBy: { sequence: promotion.sequence, pullRequest: promotion.pullRequest } } : {}),
  };
  const { commit } = sequenceCommit({ state: noSequence, version: 0 }, [
    { name: 'sequence.triggered', at, data: triggered },
  ]);
  room.log.info({ sequence: id, ...place, revision: targetRevision, context: triggered.context }, 'sequence triggered');
  const jobs = [...commit.jobs, lineJob(place), ...(promotion ? [taskJob(promotion.sequence, promotion.task)] : [])];
  return { id, ...commit, jobs };
}

async function jobsOfInterested(store: Store, place: Place): Promise<NewJob[]> {
  const active = await activeSequences(store, place);
  return active.flatMap((state) => {
    const task = currentTask(state);
    return task && state.triggered && INTERESTED.has(task.name) ? [taskJob(state.triggered.sequence, task.id)] : [];
  });
}
