import { isJsonObject, type JsonObject } from '../base/json.ts';
import { promotionsOf } from '../engine/promotion.ts';
import { currentTask, type SequenceState } from '../engine/sequence.ts';
import type { Place } from '../events/application.ts';
import type { SequenceEvent } from '../events/types.ts';
import type { NewJob, Store } from '../store/store.ts';
import { ACTIVE, sequenceFromRow } from '../views/sequence-document.ts';
import { taskJob } from './sequences.ts';

/** Of one service in all of its stages. */
const MAX_ACTIVE = 200;

/** Has the promotions of a place look now: what it was verified by is seen with other eyes. */
export function promotionLooks(store: Store, { project, stage, service }: Place): Promise<NewJob[]> {
  return looksOf(store, { project, stage, service }, () => true);
}

/**
 * Has promotions of a service look that wait for one another, in any stage: for their turn, or for other stages to verify
 * the same change.
 */
export async function queuedLooks(
  store: Store,
  { project, service }: Place,
  events: readonly SequenceEvent[],
): Promise<NewJob[]> {
  const matters = events.some(
    ({ name, data }) => name === 'sequence.finished' || (name === 'task.triggered' && data.name === 'promotion'),
  );
  return matters ? looksOf(store, { project, service }, waitsForItsTurn) : [];
}

/** Has those look that follow what a promotion has opened since it remembered `before`. */
export async function followersLooks(
  store: Store,
  { project, service }: Place,
  before: JsonObject,
  after: JsonObject,
): Promise<NewJob[]> {
  return opened(after) > opened(before) ? looksOf(store, { project, service }, waitsForItsTurn) : [];
}

function opened({ targets, pullRequest }: JsonObject): number {
  const memos = isJsonObject(targets) ? Object.values(targets) : [{ pullRequest: pullRequest ?? null }];
  return memos.filter((memo) => isJsonObject(memo) && typeof memo['pullRequest'] === 'number').length;
}

/** For one of its targets at least. */
function waitsForItsTurn(state: SequenceState): boolean {
  return promotionsOf(state).some(
    ({ memo, outcome }) => memo['ready'] === true && memo['pullRequest'] === undefined && outcome === undefined,
  );
}

async function looksOf(
  store: Store,
  where: Partial<Place>,
  isMeant: (state: SequenceState) => boolean,
): Promise<NewJob[]> {
  const rows = await store.documents({ kind: 'sequence', ...where, status: [...ACTIVE], limit: MAX_ACTIVE });
  return rows.flatMap((row) => {
    const state = sequenceFromRow(row.data);
    const task = currentTask(state);
    return task?.name === 'promotion' && isMeant(state) ? [taskJob(row.id, task.id)] : [];
  });
}
