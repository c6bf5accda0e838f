import type { Clock } from '../base/clock.ts';
import { derivedId, newId } from '../base/ids.ts';
import { isSaidAlready } from '../engine/decisions.ts';
import type { SequenceState } from '../engine/sequence.ts';
import type { ProgressBoard } from '../runtime/progress.ts';
import { recordDecision } from '../runtime/record-decision.ts';
import { streamOf } from '../runtime/sequences.ts';
import type { Store } from '../store/store.ts';
import { type ChangeView, changeView, type Invalidation, type ViewTools } from '../views/change.ts';
import { isInForce } from '../views/evaluation-document.ts';
import { sequenceFromRow } from '../views/sequence-document.ts';
import type { Holder } from './authentication.ts';
import {
  checkRequest,
  findTarget,
  hashEvidence,
  parseDecision,
  refuseElsewhere,
  refuseMoved,
} from './change-decision.ts';
import { Refusal } from './problem.ts';

export interface ChangesTools {
  store: Store;
  clock: Clock;
  progress: ProgressBoard;
  /** The revision of a change as it is now, not as its row was drawn last; absent: nobody decides by it. */
  revOf?: (id: string) => Promise<number | undefined>;
}

/** A change visits one sequence per stage, and more when it is delivered again. */
const MAX_SEQUENCES = 1000;

/** What pages and API read, and the one way in which people decide. */
export interface Changes {
  /** Of those that there are, in the order of the ids; without what only a single change is asked for. */
  journeys(ids: readonly string[]): Promise<ChangeView[]>;
  read(id: string): Promise<ChangeView | undefined>;
  decide(id: string, body: unknown, holder: Holder, idempotencyKey: string | undefined): Promise<ChangeView>;
}

export function createChanges({ store, clock, progress, revOf }: ChangesTools): Changes {
  async function viewToolsFor(contexts: readonly string[]): Promise<ViewTools> {
    const rows =
      contexts.length === 0
        ? []
        : await store.documents({ kind: 'invalidation', context: contexts, limit: MAX_SEQUENCES });
    const found = new Map(rows.filter(isInForce).map(({ id, data }) => [id, data as unknown as Invalidation]));
    return { progress: progress.read, evidence: hashEvidence, invalidation: (task) => found.get(task) };
  }

  async function sequencesOf(contexts: readonly string[]): Promise<Map<string, SequenceState[]>> {
    const rows =
      contexts.length === 0 ? [] : await store.documents({ kind: 'sequence', context: contexts, limit: MAX_SEQUENCES });
    const found = new Map<string, SequenceState[]>();
    for (const row of rows.reverse())
      found.set(row.context ?? '', [...(found.get(row.context ?? '') ?? []), sequenceFromRow(row.data)]);
    return found;
  }

  /** The newest sequence of each place that a change has been in. */
  async function newestIds(states: readonly SequenceState[]): Promise<Set<string | undefined>> {
    const places = new Map(
      states.flatMap(({ triggered }) => (triggered ? [[triggered.place.stage, triggered.place]] : [])),
    );
    const rows = await Promise.all(
      [...places.values()].map((place) => store.documents({ kind: 'sequence', ...place, limit: 1 })),
    );
    return new Set(rows.map(([row]) => row?.id));
  }

  async function read(id: string): Promise<ChangeView | undefined> {
    const [sequences, tools] = await Promise.all([sequencesOf([id]), viewToolsFor([id])]);
    const states = sequences.get(id) ?? [];
    const newest = await newestIds(states);
    return changeView(states, { ...tools, isNewest: (sequence) => newest.has(sequence) });
  }

  /** Looks into the logs: by now the change may be a stage further, and a pause leaves no trace when it is over. */
  async function isMade(decision: string, states: readonly SequenceState[]): Promise<boolean> {
    for (const { triggered } of states) {
      const events = triggered ? await store.readStream(streamOf(triggered.sequence)) : [];
      if (events.some(({ data }) => data['decision'] === decision)) return true;
    }
    return false;
  }

  return {
    read,
    async journeys(ids) {
      const [sequences, viewTools] = await Promise.all([sequencesOf(ids), viewToolsFor(ids)]);
      return ids.map((id) => changeView(sequences.get(id) ?? [], viewTools)).filter((change) => change !== undefined);
    },
    async decide(id, body, holder, idempotencyKey) {
      const request = parseDecision(body);
      const states = (await sequencesOf([id])).get(id) ?? [];
      const target = findTarget(states, request.stage);
      if (!target?.triggered)
        throw new Refusal(
          404,
          'not-found',
          `there is no change ${id}${request.stage === undefined ? '' : ` in stage ${request.stage}`}`,
        );
      const decision = idempotencyKey === undefined ? newId() : derivedId('decision', id, holder.id, idempotencyKey);
      if (idempotencyKey !== undefined && (await isMade(decision, states))) return (await read(id)) as ChangeView;
      await recordDecision({ store, clock }, target.triggered.sequence, decision, async (afterwards) => {
        refuseElsewhere(request, afterwards.state, holder);
        // Read after the sequence: what moves that meanwhile is a conflict, and asks again.
        if (request.rev !== undefined && revOf) refuseMoved(request.rev, await revOf(id));
        const checked = checkRequest(afterwards, request, holder);
        if (!checked.ok)
          throw new Refusal(checked.refusal === 'not-allowed' ? 403 : 409, checked.refusal, checked.message);
        return isSaidAlready(afterwards.state, checked.decision) ? undefined : checked.decision;
      });
      return (await read(id)) as ChangeView;
    },
  };
}

/** A change, or 404. */
export async function found(changes: Pick<Changes, 'read'>, id: string): Promise<ChangeView> {
  const change = await changes.read(id);
  if (!change) throw new Refusal(404, 'not-found', `there is no change ${id}`);
  return change;
}
