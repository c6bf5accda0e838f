import type { Clock } from '../base/clock.ts';
import { derivedId } from '../base/ids.ts';
import { type Afterwards, sequenceAskedFor, subjectIn } from '../engine/asked.ts';
import { noSequence, type SequenceState } from '../engine/sequence.ts';
import type { DecisionMade } from '../events/types.ts';
import type { Commit, Document, Store } from '../store/store.ts';
import { type LoadedSequence, loadSequence, sequenceCommit, streamOf } from './sequences.ts';

interface DecisionRoom {
  store: Store;
  clock: Clock;
}

/** Several people at once, and an engine: more is a bug. */
const MAX_CONFLICTS = 10;

/**
 * Appends what a person decided to its sequence. What is asked for once a change is over starts a sequence of its own in
 * the same commit: neither is there without the other.
 *
 * @param decision its id: one that was recorded meanwhile, because somebody sent it twice, is not made again
 * @param say the decision for the state that the sequence has now, asked again whenever that moved; `undefined`: there is
 *   nothing to record. What it throws records nothing.
 */
export async function recordDecision(
  room: DecisionRoom,
  sequence: string,
  decision: string,
  say: (afterwards: Afterwards) => Promise<Omit<DecisionMade, 'decision'> | undefined>,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    if (attempt > 1 && (await isRecorded(room.store, sequence, decision))) return;
    const loaded = await loadSequence(room.store, sequence);
    const newest = await newestOf(room.store, loaded.state);
    const afterwards = await lookAround(room.store, loaded.state, newest);
    try {
      const said = await say(afterwards);
      if (said) await room.store.commit(commitOf(room, loaded, afterwards, { ...said, decision }, newest));
      return;
    } catch (error) {
      const isConflict = error instanceof Error && error.name === 'ConflictError';
      if (isConflict && attempt < MAX_CONFLICTS) continue;
      if (await isRecorded(room.store, sequence, decision)) return;
      throw error;
    }
  }
}

async function isRecorded(store: Store, sequence: string, decision: string): Promise<boolean> {
  return (await store.readStream(streamOf(sequence))).some(({ data }) => data['decision'] === decision);
}

async function newestOf(store: Store, { triggered }: SequenceState): Promise<Document | undefined> {
  if (!triggered) return undefined;
  const [newest] = await store.documents({ kind: 'sequence', ...triggered.place, limit: 1 });
  return newest;
}

async function lookAround(store: Store, state: SequenceState, newest: Document | undefined): Promise<Afterwards> {
  const asked = state.triggered?.asked;
  const about = asked && (await loadSequence(store, asked.sequence)).state;
  const isNewest = newest !== undefined && newest.id === state.triggered?.sequence;
  return { state, subject: subjectIn(state, () => (about?.triggered ? about : undefined)), isNewest };
}

function commitOf(
  { clock }: DecisionRoom,
  loaded: LoadedSequence,
  afterwards: Afterwards,
  decision: DecisionMade,
  newest: Document | undefined,
): Commit {
  const now = clock.now();
  const { commit } = sequenceCommit(loaded, [{ name: 'decision.made', at: now.toISOString(), data: decision }]);
  // Who asks for the same at the same time asks for the same sequence: one of them is too late.
  const id = derivedId('asked', newest?.id ?? '', decision.verdict);
  const triggered = sequenceAskedFor(afterwards, decision, id);
  if (!triggered) return commit;
  // The order of a line is the order of these times: strictly after the newest, whatever a clock says.
  const at = new Date(Math.max(now.getTime(), (newest?.sort ?? 0) + 1)).toISOString();
  const begun = sequenceCommit({ state: noSequence, version: 0 }, [
    { name: 'sequence.triggered', at, data: triggered },
  ]).commit;
  return {
    appends: [...commit.appends, ...begun.appends],
    documents: [...commit.documents, ...begun.documents],
    jobs: [...commit.jobs, ...begun.jobs],
  };
}
