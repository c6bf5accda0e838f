import type pg from 'pg';
import type { PostgresSession } from './postgres-session.ts';

const CHANNEL = 'lynceus_work';
const FIRST_PAUSE_MS = 500;
const MAX_PAUSE_MS = 15_000;
/** Work often comes in bursts: one message tells the others about all of it. */
const MESSAGE_EVERY_MS = 20;

/** Wakes the other replicas. A message may be lost; the others look by themselves now and then. */
export interface WorkChannel {
  /** Begins to listen: calls back on work elsewhere, and after every reconnection. */
  listen(onWork: () => void): void;
  /** Tells the others, soon. */
  tell(): void;
  close(): Promise<void>;
}

/**
 * Messages are sent by themselves and never inside a transaction that writes: PostgreSQL commits
 * transactions with messages strictly one after another.
 */
export function openWorkChannel(session: PostgresSession, instance: string): WorkChannel {
  let client: pg.Client | undefined;
  let reconnect: NodeJS.Timeout | undefined;
  let message: NodeJS.Timeout | undefined;
  let closed = false;
  let onWork: (() => void) | undefined;

  async function connect(pauseMs: number): Promise<void> {
    if (closed) return;
    const fresh = session.newClient();
    client = fresh;
    let pause = pauseMs;
    fresh.on('notification', ({ payload }) => {
      if (payload !== instance) onWork?.();
    });
    // An error is followed by the end of the connection, which is handled once for all cases.
    fresh.on('error', () => {});
    fresh.once('end', () => again(pause));
    try {
      await fresh.connect();
      await fresh.query(`listen ${CHANNEL}`);
      pause = FIRST_PAUSE_MS;
      onWork?.();
    } catch {
      await fresh.end().catch(() => {});
      again(pause);
    }
  }

  function again(pauseMs: number): void {
    if (closed) return;
    clearTimeout(reconnect);
    reconnect = setTimeout(() => connect(Math.min(MAX_PAUSE_MS, pauseMs * 2)), pauseMs);
    reconnect.unref();
  }

  return {
    listen(listener) {
      const first = onWork === undefined;
      onWork = listener;
      if (first) void connect(FIRST_PAUSE_MS);
    },
    tell() {
      if (closed || message !== undefined) return;
      message = setTimeout(() => {
        message = undefined;
        session.run({ name: 'tell', text: 'select pg_notify($1, $2)', values: [CHANNEL, instance] }).catch(() => {});
      }, MESSAGE_EVERY_MS);
    },
    async close() {
      closed = true;
      clearTimeout(reconnect);
      clearTimeout(message);
      await client?.end().catch(() => {});
    },
  };
}
