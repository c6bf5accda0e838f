import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../base/clock.ts';
import { derivedId, newId } from '../base/ids.ts';
import { eventType } from '../events/types.ts';
import type { Claim, Document, Store } from '../store/store.ts';

const KIND = 'turn';
/** Most turns take a second: who comes in between waits for it right here, so long. */
const PATIENCE_MS = 3_000;
const PAUSE_MS = 150;

interface Room {
  store: Store;
  clock: Clock;
}

/**
 * Does something that only one may do at a time, on all replicas; `busy`: somebody else is at it. A turn is an event
 * appended at the version that was read, so of two that want it only one gets it; it lasts for as long as the work that it
 * was taken for is held. Made for what hosts refuse, or undo, when two do it at once; what must never happen twice has a
 * guard of its own.
 *
 * @param claim the work that it is done for: who dies with it loses both together
 * @param key what it is about
 */
export async function alone<T>(
  room: Room,
  claim: Claim,
  key: readonly string[],
  act: () => Promise<T>,
): Promise<T | 'busy'> {
  const turn = await wait(room, claim, key);
  if (!turn) return 'busy';
  try {
    return await act();
  } finally {
    // At the version that was taken: who was given it since has a later one, and keeps it.
    await room.store.commit({ documents: [{ ...turn, status: 'over' }] });
  }
}

async function wait(room: Room, claim: Claim, key: readonly string[]): Promise<Document | undefined> {
  for (let waitedMs = 0; ; waitedMs += PAUSE_MS) {
    const turn = await take(room, claim, key);
    if (turn || waitedMs >= PATIENCE_MS) return turn;
    await sleep(PAUSE_MS);
  }
}

async function take(
  { store, clock }: Room,
  { queue, key: job, token }: Claim,
  key: readonly string[],
): Promise<Document | undefined> {
  const id = derivedId(KIND, ...key);
  const before = await store.document(KIND, id);
  if (before?.status === 'taken' && (await isHeld(store, before))) return undefined;
  const [version, now, by] = [(before?.version ?? 0) + 1, clock.now(), newId()];
  const data = { what: key.join(' '), by, queue, job, token };
  const event = { id: by, source: 'lynceus', type: eventType('turn.taken'), time: now.toISOString(), data };
  const document = { kind: KIND, id, version, status: 'taken', sort: now.getTime(), data };
  try {
    await store.commit({
      appends: [{ stream: `turn/${id}`, expectedVersion: version - 1, events: [event] }],
      documents: [document],
    });
    return document;
  } catch (error) {
    if (error instanceof Error && error.name === 'ConflictError') return undefined;
    throw error;
  }
}

/** One of an older version names no work: it was over long ago. */
async function isHeld(store: Store, { data: { queue, job, token } }: Document): Promise<boolean> {
  if (typeof queue !== 'string' || typeof job !== 'string' || typeof token !== 'string') return false;
  return store.isHeld({ queue, key: job, token });
}
