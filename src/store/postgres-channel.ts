import type pg from 'pg';
import type { PostgresSession } from './postgres-session.ts';

const FIRST_PAUSE_MS = 500;
const MAX_PAUSE_MS = 15_000;

export interface ChannelListener {
  onMessage(payload: string): void;
  /** After every connection, the first included: messages may have been missed. */
  onConnected(): void;
}

/** One connection that listens for all that replicas tell each other. A message may be lost. */
export interface PostgresChannels {
  /** Connects with the first listener. One listener per channel. */
  listen(channel: string, listener: ChannelListener): void;
  close(): Promise<void>;
}

export function openChannels(session: PostgresSession): PostgresChannels {
  const listeners = new Map<string, ChannelListener>();
  let client: pg.Client | undefined;
  let connected: pg.Client | undefined;
  let reconnect: NodeJS.Timeout | undefined;
  let closed = false;

  async function connect(pauseMs: number): Promise<void> {
    if (closed) return;
    const fresh = session.newClient();
    client = fresh;
    let pause = pauseMs;
    fresh.on('notification', ({ channel, payload }) => listeners.get(channel)?.onMessage(payload ?? ''));
    // An error is followed by the end of the connection, which is handled once for all cases.
    fresh.on('error', () => {});
    fresh.once('end', () => {
      connected = undefined;
      again(pause);
    });
    try {
      await fresh.connect();
      connected = fresh;
      for (const [channel, listener] of listeners) await begin(fresh, channel, listener);
      pause = FIRST_PAUSE_MS;
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
    listen(channel, listener) {
      const isFirst = listeners.size === 0;
      const isNew = !listeners.has(channel);
      listeners.set(channel, listener);
      if (isFirst) void connect(FIRST_PAUSE_MS);
      // A connection that breaks meanwhile begins again with all of them.
      else if (isNew && connected) begin(connected, channel, listener).catch(() => {});
    },
    async close() {
      closed = true;
      clearTimeout(reconnect);
      await client?.end().catch(() => {});
    },
  };
}

async function begin(client: pg.Client, channel: string, listener: ChannelListener): Promise<void> {
  await client.query(`listen ${channel}`);
  listener.onConnected();
}
