import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../base/clock.ts';
import { derivedId, newId } from '../base/ids.ts';
import { eventType } from '../events/types.ts';
import type { Document, Store } from '../store/store.ts';
import type { TaskTools } from '../tasks/task.ts';

const KIND = 'turn';
/** Whoever died with it keeps the others waiting for so long. */
const LONGEST_MS = 2 * 60_000;
/** Most turns take a second: who comes in between waits for it right here, so long. */
const PATIENCE_MS = 3_000;
const PAUSE_MS = 150;

/**
 * Lets one at a time do something, on all replicas: a turn is an event appended at the version that was read, so of two
 * that want it only one gets it. Made for what hosts refuse, or undo, when two do it at once; what must never happen
 * twice has a guard of its own.
 */
export function createAlone(store: Store, clock: Clock): NonNullable<TaskTools['alone']> {
  return async (key, act) => {
    const id = derivedId(KIND, ...key);
    const turn = await wait(store, clock, id, key.join(' '));
    if (!turn) return 'busy';
    try {
      return await act();
    } finally {
      // At the version that was taken: who was given it since has a later one, and keeps it.
      await store.commit({ documents: [{ ...turn, sort: 0, status: 'over' }] });
    }
  };
}

async function wait(store: Store, clock: Clock, id: string, what: string): Promise<Document | undefined> {
  for (let waitedMs = 0; ; waitedMs += PAUSE_MS) {
    const turn = await take(store, clock, id, what);
    if (turn || waitedMs >= PATIENCE_MS) return turn;
    await sleep(PAUSE_MS);
  }
}

async function take(store: Store, clock: Clock, id: string, what: string): Promise<Document | undefined> {
  const before = await store.document(KIND, id);
  const now = clock.now();
  if (before?.status === 'taken' && before.sort > now.getTime()) return undefined;
  const [version, by, until] = [(before?.version ?? 0) + 1, newId(), now.getTime() + LONGEST_MS];
  const data = { what, by, until: new Date(until).toISOString() };
  const event = { id: by, source: 'lynceus', type: eventType('turn.taken'), time: now.toISOString(), data };
  const document = { kind: KIND, id, version, status: 'taken', sort: until, data };
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
