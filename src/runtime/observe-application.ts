import type { DeliverySystem } from '../adapters/delivery-systems/delivery-system.ts';
import { AdapterError } from '../base/adapter-error.ts';
import type { Clock } from '../base/clock.ts';
import { newId } from '../base/ids.ts';
import type { JsonObject } from '../base/json.ts';
import { fingerprint, type Newest, type Observation, observe, type Remembered } from '../engine/observe.ts';
import { judgeUntouched, ownPaths, type Traffic } from '../engine/own-paths.ts';
import { currentTask } from '../engine/sequence.ts';
import { type Application, applicationKey, type Place } from '../events/application.ts';
import { type ApplicationChanged, eventType } from '../events/types.ts';
import type { Append, ClaimedJob, Document, NewEvent, NewJob, Store } from '../store/store.ts';
import { type Running, runningOf } from '../views/fleet.ts';
import { sequenceFromRow } from '../views/sequence-document.ts';
import type { Failpoint } from './failpoint.ts';
import { fleetJob, fleetKey } from './fleet-job.ts';
import { followerRows } from './followers.ts';
import { heardDocument } from './heard.ts';
import type { Lease } from './lease.ts';
import { activeSequences, taskJob } from './sequences.ts';
import { type SequenceRoom, sequenceStart } from './start-sequence.ts';
import type { FindUntouched } from './untouched.ts';

export interface ObserverRoom extends SequenceRoom {
  findUntouched: FindUntouched;
  deliverySystem(name: string): DeliverySystem | undefined;
  failpoint: Failpoint;
}

/** The application document: what was last seen, and what a row of `applications` shows. */
export interface SeenApplication {
  ref: Application['ref'];
  targetRevision?: string;
  /** By source; only where there are several. */
  targetRevisions?: string[];
  /** Where its files were in Git at that commit, where this is not what is synced. */
  gitRevision?: string;
  fingerprint: string;
  /** When it was last found to be other than before, ISO 8601; absent: never since it was first seen. */
  changedAt?: string;
  /** What it runs; absent in rows of earlier versions, and then it is looked at again. */
  runs?: Running;
}

interface ObservePayload {
  system: string;
  namespace: string;
  name: string;
  /** When a notification asked for it, ISO 8601. */
  heardAt?: string;
}

/** Work for the observer: look at this application now. A look that a notification asked for stays one. */
export function observeJob(system: string, namespace: string, name: string): NewJob {
  const payload = { system, namespace, name };
  return { queue: 'observe', key: `${system}/${namespace}/${name}`, payload, keepPayload: true };
}

/** Whether a look at the application would find nothing that was not seen already. */
export async function isAsLastSeen(store: Store, application: Application): Promise<boolean> {
  const row = await store.document('application', applicationKey(application.ref));
  return (row?.data as SeenApplication | undefined)?.fingerprint === fingerprint(application);
}

/** Tasks that look at the application again as soon as it moved. */
const INTERESTED: ReadonlySet<string> = new Set(['sync', 'rollout', 'soak']);

/**
 * Looks at one application: the notification that asked for it is not believed, the API is. Starts a
 * sequence when the commit that Git asks for moved, and wakes what waits for the application.
 */
export async function observeApplication(room: ObserverRoom, job: ClaimedJob, lease: Lease): Promise<void> {
  const { system, namespace, name, heardAt } = job.payload as unknown as ObservePayload;
  const heard = (unread?: string) =>
    heardAt === undefined ? [] : [heardDocument({ system, namespace, name }, heardAt, unread)];
  const delivery = room.deliverySystem(system);
  const application = delivery && (await readOrForget(room, delivery, { namespace, name }, lease));
  if (!application || application instanceof AdapterError) {
    await room.store.commit({ documents: heard(application?.message), claim: job, settle: { kind: 'done' } });
    return;
  }
  const seen = await room.store.document('application', applicationKey(application.ref));
  const remembered = seen?.data as SeenApplication | undefined;
  const { place } = application;
  const observed = observe(
    application,
    known(same(remembered, application)),
    place && (await newestSequence(room.store, place)),
  );
  const observation = await unlessUntouched(room, application, same(remembered, application), observed, lease);
  const commit = await commitFor(room, application, seen, observation, lease);
  room.failpoint('observe.decided');
  const documents = [...commit.documents, ...heard()];
  await room.store.commit({ ...commit, documents, claim: job, settle: { kind: 'done' } });
  room.failpoint('observe.committed');
}

/** A commit on a shared branch that has nothing of the application's starts nothing for it. */
async function unlessUntouched(
  room: ObserverRoom,
  application: Application,
  before: SeenApplication | undefined,
  observed: Observation,
  lease: Lease,
): Promise<Observation> {
  const { place } = application;
  const own = ownPaths(application);
  if (observed.kind !== 'deliver' || !place || !own || before?.targetRevision === undefined) return observed;
  const judgement = judgeUntouched(application, own, await trafficIn(room.store, place));
  if (judgement === 'a change') return observed;
  if (!(await room.findUntouched(application, before.targetRevision, lease.signal))) return observed;
  if (judgement === 'later') return { kind: 'same' };
  const { previousRevision: _, ...target } = observed;
  room.log.info({ ...place, revision: target.targetRevision }, 'a commit that changes nothing of this application');
  return { ...target, kind: 'remember', why: 'untouched' };
}

async function trafficIn(store: Store, place: Place): Promise<Traffic> {
  const active = await activeSequences(store, place);
  const [newest] = await store.documents({ kind: 'sequence', ...place, limit: 1 });
  const last = newest && sequenceFromRow(newest.data);
  const promoting = active.filter((state) => currentTask(state)?.name === 'promotion');
  return {
    inFlight: active.length > promoting.length,
    promoting: promoting.length > 0,
    passedBy: last?.finished?.reason === 'superseded',
    ...(last?.triggered ? { newest: last.triggered.revision } : {}),
  };
}

/** Deleted and created anew it is another one, of which nothing is remembered. */
function same(seen: SeenApplication | undefined, { ref }: Application): SeenApplication | undefined {
  return seen?.ref.uid === ref.uid ? seen : undefined;
}

function known(seen: SeenApplication | undefined): Remembered | undefined {
  return seen?.targetRevision === undefined ? undefined : targetOf({ ...seen, targetRevision: seen.targetRevision });
}

function targetOf({ targetRevision, targetRevisions }: Remembered): Remembered {
  return { targetRevision, ...(targetRevisions === undefined ? {} : { targetRevisions }) };
}

function gitRevision(holder: { gitRevision?: string } | undefined): { gitRevision?: string } {
  return holder?.gitRevision === undefined ? {} : { gitRevision: holder.gitRevision };
}

async function readOrForget(
  room: ObserverRoom,
  delivery: DeliverySystem,
  ref: { namespace: string; name: string },
  lease: Lease,
): Promise<Application | AdapterError> {
  try {
    return await delivery.read(ref, { signal: lease.signal });
  } catch (error) {
    // Hidden and missing look alike without the project; either way there is nothing to deliver.
    if (error instanceof AdapterError && (error.reason === 'not-found' || error.reason === 'forbidden')) {
      room.log.warn({ system: delivery.name, ...ref, reason: error.reason }, 'application cannot be read');
      return error;
    }
    throw error;
  }
}

async function newestSequence(store: Store, place: Place): Promise<Newest | undefined> {
  const [row] = await store.documents({ kind: 'sequence', ...place, limit: 1 });
  const triggered = row && sequenceFromRow(row.data).triggered;
  if (!triggered) return undefined;
  const { sequence, revision, revisions } = triggered;
  return { sequence, revision, ...(revisions === undefined ? {} : { revisions }) };
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
    observation.kind === 'deliver'
      ? await sequenceStart(room, application, place, observation, same(before, application)?.gitRevision, lease)
      : undefined;
  const seenNow: SeenApplication = {
    ref: application.ref,
    fingerprint: now,
    ...(observation.kind === 'same' ? known(before) : targetOf(observation)),
    ...gitRevision(started ?? before),
    ...changedAt(room, before, moved),
    runs: runningOf(application),
  };
  const version = (seen?.version ?? 0) + (observation.kind === 'same' ? 0 : 1);
  const isNews = moved || observation.kind !== 'same' || before?.runs === undefined;
  const documents = isNews
    ? [applicationDocument(room, place, seenNow, version), ...followerRows(application, room.clock.now())]
    : [];
  const told = isNews ? [...interested, ...fleetJobs(place, seen)] : interested;
  if (observation.kind === 'same') return { appends: [], documents, jobs: told };
  const isUntouched = observation.kind === 'remember' && observation.why === 'untouched';
  const changed = changedEvent(room.clock, application, place, targetOf(observation), started?.id, isUntouched);
  return {
    appends: [
      { stream: streamOfApplication(application), expectedVersion: seen?.version ?? 0, events: [changed] },
      ...(started?.appends ?? []),
    ],
    documents: [...documents, ...(started?.documents ?? [])],
    jobs: [...told, ...(started?.jobs ?? [])],
  };
}

/** Of the service, and of the one that it was labelled as before. */
function fleetJobs(place: Place, seen: Document | undefined): NewJob[] {
  const before = seen && { project: seen.project ?? '', stage: seen.stage ?? '', service: seen.service ?? '' };
  const isMoved = before !== undefined && fleetKey(before) !== fleetKey(place);
  return [place, ...(isMoved ? [before] : [])].map((one) => fleetJob(one));
}

/** Seen for the first time, or again after it was away, it has not changed. */
function changedAt(room: ObserverRoom, before: SeenApplication | undefined, moved: boolean): { changedAt?: string } {
  if (moved && before !== undefined && before.fingerprint !== '') return { changedAt: room.clock.now().toISOString() };
  return before?.changedAt === undefined ? {} : { changedAt: before.changedAt };
}

function streamOfApplication({ ref }: Application): string {
  return `application/${applicationKey(ref)}`;
}

function changedEvent(
  clock: Clock,
  application: Application,
  place: Place,
  target: Remembered,
  sequence: string | undefined,
  isUntouched: boolean,
): NewEvent {
  const data: ApplicationChanged = {
    ref: application.ref,
    place,
    ...target,
    ...(sequence === undefined ? {} : { sequence }),
    ...(isUntouched ? { untouched: true } : {}),
  };
  return {
    id: newId(),
    source: 'lynceus',
    type: eventType('application.changed'),
    time: clock.now().toISOString(),
    data: data as unknown as JsonObject,
  };
}

function applicationDocument(room: ObserverRoom, place: Place, seen: SeenApplication, version: number): Document {
  return {
    kind: 'application',
    id: applicationKey(seen.ref),
    version,
    ...place,
    context: fleetKey(place),
    status: 'seen',
    sort: room.clock.now().getTime(),
    data: seen as unknown as JsonObject,
  };
}

async function jobsOfInterested(store: Store, place: Place): Promise<NewJob[]> {
  const active = await activeSequences(store, place);
  return active.flatMap((state) => {
    const task = currentTask(state);
    return task && state.triggered && INTERESTED.has(task.name) ? [taskJob(state.triggered.sequence, task.id)] : [];
  });
}
