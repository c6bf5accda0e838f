import type { PostgresChannels } from './postgres-channel.ts';
import type { PostgresSession } from './postgres-session.ts';

const CHANNEL = 'lynceus_work';
/** Work often comes in bursts: one message tells the others about all of it. */
const MESSAGE_EVERY_MS = 20;

/** Wakes the other replicas. A message may be lost; the others look by themselves now and then. */
export interface WorkChannel {
  /** Begins to listen: calls back on work elsewhere, and after every reconnection. */
  listen(onWork: () => void): void;
  /** Tells the others, soon. */
  tell(): void;
  close(): void;
}

/**
 * Messages are sent by themselves and never inside a transaction that writes: PostgreSQL commits
 * transactions with messages strictly one after another.
 */
export function openWorkChannel(session: PostgresSession, channels: PostgresChannels, instance: string): WorkChannel {
  let message: NodeJS.Timeout | undefined;
  let closed = false;

  return {
    listen: (onWork) =>
      channels.listen(CHANNEL, {
        onMessage: (payload) => {
          if (payload !== instance) onWork();
        },
        onConnected: onWork,
      }),
    tell() {
      if (closed || message !== undefined) return;
      message = setTimeout(() => {
        message = undefined;
        session.run({ name: 'tell', text: 'select pg_notify($1, $2)', values: [CHANNEL, instance] }).catch(() => {});
      }, MESSAGE_EVERY_MS);
    },
    close() {
      closed = true;
      clearTimeout(message);
    },
  };
}
