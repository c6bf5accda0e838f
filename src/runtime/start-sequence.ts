import type { DeliverySystem } from '../adapters/delivery-systems/delivery-system.ts';
import { imagesOf } from '../answers/facts/images.ts';
import { AdapterError } from '../base/adapter-error.ts';
import type { Clock } from '../base/clock.ts';
import { derivedId } from '../base/ids.ts';
import { identityOf, type Observation } from '../engine/observe.ts';
import { type Revisions, revisionsOf } from '../engine/revisions.ts';
import { hasBegun } from '../engine/rollout.ts';
import { noSequence } from '../engine/sequence.ts';
import type { Application, Place, Source } from '../events/application.ts';
import type { SequenceTriggered } from '../events/types.ts';
import type { Document, Store } from '../store/store.ts';
import { sequenceFromRow } from '../views/sequence-document.ts';
import { changeJob } from './change-job.ts';
import { concernedBy } from './change-record.ts';
import type { FindDryCommit } from './hydrated-commit.ts';
import type { Lease } from './lease.ts';
import type { Log } from './log.ts';
import type { FindPromotion } from './promotions.ts';
import type { FindRollback } from './rollbacks.ts';
import { lineJob, sequenceCommit, taskJob } from './sequences.ts';

/** An application with more has no version of its own. */
const MAX_IMAGES = 20;

type Delivery = Extract<Observation, { kind: 'deliver' }>;

export interface SequenceRoom {
  store: Store;
  clock: Clock;
  findPromotion: FindPromotion;
  findRollback: FindRollback;
  findDryCommit: FindDryCommit;
  deliverySystem(name: string): DeliverySystem | undefined;
  log: Log;
}

/**
 * Everything that starts a sequence for a new commit, ready to be committed with the rest.
 *
 * @param gitBefore the commit in Git of what was asked for before, where that is not what is synced
 */
export async function sequenceStart(
  room: SequenceRoom,
  application: Application,
  place: Place,
  delivery: Delivery,
  gitBefore: string | undefined,
  lease: Lease,
) {
  const { targetRevision, targetRevisions, previousRevision } = delivery;
  const [newest] = await room.store.documents({ kind: 'sequence', ...place, limit: 1 });
  const drySha = await room.findDryCommit(application, targetRevision, lease.signal);
  const source = gitSource(application, delivery, drySha, gitBefore);
  const synced = { repoUrl: application.source.repoUrl, revision: targetRevision };
  const commit = { repoUrl: source.repoUrl, revision: source.revision ?? targetRevision, synced };
  const rollback = await room.findRollback(place, commit, lease.signal);
  const promotion = rollback ? undefined : await room.findPromotion(place, commit, lease.signal);
  const id = derivedId('sequence', place.project, place.stage, place.service, newest?.id ?? '', identityOf(delivery));
  // The order of a line is the order of these times: strictly after the newest, whatever a clock says.
  const at = new Date(Math.max(room.clock.now().getTime(), (newest?.sort ?? 0) + 1)).toISOString();
  const triggered: SequenceTriggered = {
    sequence: id,
    context: promotion?.context ?? derivedId('change', id),
    place,
    revision: targetRevision,
    ...(targetRevisions === undefined ? {} : { revisions: targetRevisions }),
    ...(drySha === undefined ? {} : { drySha }),
    ...(previousRevision === undefined ? {} : { previousRevision }),
    source,
    ...(application.deliveryFile === undefined ? {} : { deliveryFile: application.deliveryFile }),
    automated: application.automated,
    application: application.ref,
    ...belongingIn(application, await runningBefore(room, application, delivery, newest, lease)),
    ...(promotion ? { promotedBy: { sequence: promotion.sequence, pullRequest: promotion.pullRequest } } : {}),
    ...(rollback ? { rollsBack: rollback.rollsBack } : {}),
  };
  const begun = sequenceCommit({ state: noSequence, version: 0 }, [
    { name: 'sequence.triggered', at, data: triggered },
  ]);
  room.log.info({ sequence: id, ...place, revision: targetRevision, context: triggered.context }, 'sequence triggered');
  const waits = promotion ?? (rollback && { sequence: rollback.rollsBack.sequence, task: rollback.task });
  // Those that were merged here before and not seen came with this one, or never will; what failed is the newest no more.
  const passed = await concernedBy(room.store, place);
  const jobs = [
    ...begun.commit.jobs,
    lineJob(place),
    ...(waits ? [taskJob(waits.sequence, waits.task)] : []),
    ...passed.map((change) => changeJob(change)),
  ];
  return { id, ...begun.commit, jobs, ...(source.revision === undefined ? {} : { gitRevision: source.revision }) };
}

/** Whom it belongs to, and what runs there. */
function belongingIn({ team, owners }: Application, images: readonly string[]) {
  return {
    ...(team === undefined ? {} : { team }),
    ...(owners === undefined ? {} : { owners }),
    ...(images.length === 0 ? {} : { running: images.slice(0, MAX_IMAGES) }),
  };
}

/** What runs there before anything of the change does; else what the delivery before was seen to run. */
async function runningBefore(
  room: SequenceRoom,
  application: Application,
  delivery: Delivery,
  newest: Document | undefined,
  lease: Lease,
): Promise<readonly string[]> {
  const wanted = revisionsOf(delivery);
  const seen = hasBegun(application, wanted) ? [] : await imagesNow(room, application, wanted, lease);
  if (seen.length > 0) return seen;
  const last = newest && sequenceFromRow(newest.data);
  return last?.triggered && last.triggered.revision === delivery.previousRevision ? imagesOf(last) : [];
}

/** Empty where they are not known, or may be those of the change by now. */
async function imagesNow(
  { deliverySystem, log }: SequenceRoom,
  application: Application,
  wanted: Revisions,
  { signal }: Lease,
): Promise<readonly string[]> {
  const system = deliverySystem(application.ref.system);
  if (application.images.length > 0 || !system?.images) return application.images;
  try {
    const images = await system.images(application.ref, { signal });
    return images.length > 0 && hasBegun(await system.read(application.ref, { signal }), wanted) ? [] : images;
  } catch (error) {
    if (!(error instanceof AdapterError)) throw error;
    log.info({ ...application.ref, reason: error.reason, why: error.message }, 'what runs is not known');
    return [];
  }
}

/**
 * Where people write what is synced: usually the leading source itself; of a hydrated application the
 * dry source at the commit that was hydrated; beside a chart the first source that is Git, if only for values.
 */
function gitSource(
  { hydration, source, sources }: Application,
  { targetRevisions }: Delivery,
  drySha: string | undefined,
  before: string | undefined,
): SequenceTriggered['source'] {
  if (hydration?.dry) return at(hydration.dry, drySha, before);
  const inGit = sources.findIndex(({ kind }) => (kind ?? 'git') === 'git');
  const values = sources[inGit];
  return values && source.kind !== undefined ? at(values, targetRevisions?.[inGit], before) : at(source);
}

function at({ repoUrl, path, kind }: Source, revision?: string, before?: string): SequenceTriggered['source'] {
  const where = { repoUrl, path, ...(kind === undefined || kind === 'git' ? {} : { kind }) };
  if (!revision) return where;
  return { ...where, revision, ...(before === undefined ? {} : { previousRevision: before }) };
}
