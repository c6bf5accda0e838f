import type { ConnectionName, ConnectionsView } from './connections.ts';

/** How work of one kind goes on. */
export interface QueueHealth {
  queue: string;
  due: number;
  waiting: number;
  running: number;
  /** Given up. */
  dead: number;
  /** How long the oldest has been due, in milliseconds. */
  oldestDueMs: number;
}

/** Events that are joined to no change. */
export interface UnjoinedEvents {
  source: string;
  what: string;
  remedy: string;
  count: number;
  /** ISO 8601. */
  lastAt: string;
}

/** A test event that came all the way: through the webhook, the log and the queue. */
export interface TestEvent {
  by: string;
  /** ISO 8601. */
  sentAt: string;
  /** Absent: it has not come yet. */
  receivedAt?: string;
}

/** What calls us, and what of it was not taken since this process started. */
export interface Refused {
  sender: string;
  outcome: string;
  count: number;
}

export interface ConnectionsRead {
  view: ConnectionsView;
  queues: readonly QueueHealth[];
  unjoined: readonly UnjoinedEvents[];
  /** Who reports from pipelines, and when last. */
  reports: readonly { source: string; count: number; lastAt: string }[];
  refused: readonly Refused[];
  /** By key of the connection. */
  tests: ReadonlyMap<string, TestEvent>;
}

/** Names a connection in an address; sections may use a name twice. */
export function connectionKey({ section, name }: Pick<ConnectionName, 'section' | 'name'>): string {
  return `${section}.${name}`;
}
