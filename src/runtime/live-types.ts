import type { ChangeRow } from '../answers/change-row.ts';
import type { Viewer } from '../answers/viewer.ts';
import type { WrittenChange } from '../store/changes.ts';
import type { LiveTopic } from './live-topic.ts';

/** A change that was read once, to be drawn for each kind of reader. */
export interface LiveChange {
  id: string;
  row(viewer: Viewer | undefined): ChangeRow;
  /** Whether it looks different to this person than to others who may do the same. */
  names(viewer: Viewer): boolean;
}

export interface LivePage {
  /** The changes on the page that a filter shows. */
  ids: readonly string[];
  /** How many there are of each value of what lists filter by. */
  facets: object;
  total: number;
}

/** Where the news come from. */
export interface LiveSource {
  /** Changes that were written then or later, newest first. */
  changesWritten(query: { since: number; limit: number }): Promise<readonly WrittenChange[]>;
  /** Calls back after something changed, here or on another replica; it may forget to. Answers how to stop. */
  onChanged(listener: () => void): () => void;
  /** In one read; those that are gone are left out. */
  read(ids: readonly string[]): Promise<readonly LiveChange[]>;
  /** Which of these changes a filter leaves. One read. */
  matching(ids: readonly string[], filter: string, viewer: Viewer | undefined): Promise<ReadonlySet<string>>;
  page(filter: string, viewer: Viewer | undefined): Promise<LivePage>;
  /** Whether what a filter leaves depends on who reads. */
  isPersonal(filter: string): boolean;
}

export type LiveEvent =
  /** A row as it is now. `gone`: the filter does not leave it any more. */
  | { name: 'row'; data: LiveRow & { topic: string; gone?: true } }
  /** `updated`: so many rows are waiting, because there are too many at once. */
  | { name: 'facets'; data: Partial<LivePage> & { topic: string; updated: number } }
  /** Something on the page is different: read it again. */
  | { name: 'changed'; data: { topic: string } }
  /** Too much to tell: read the page again. */
  | { name: 'reset'; data: { topic: string } };

export interface LiveRow {
  id: string;
  rev: number;
  html: string;
  /** `checkout 1.8.2 now waiting for approval`. */
  say: string;
}

export type DrawRow = (row: ChangeRow, viewer: Viewer | undefined) => LiveRow;

export interface Subscription {
  topic: LiveTopic;
  viewer: Viewer | undefined;
  /** Who listens: the holder of a session or token; of nobody who is known the network. */
  from: string;
  /** A position: what changed after it is sent first. */
  since?: string;
  send(event: LiveEvent): void;
}

export interface Subscribed {
  /** What was missed since `since` has been sent. Never rejects. */
  caughtUp: Promise<void>;
  end(): void;
}

/** So many different filters are listened to that one more would cost the others. */
export class LiveFullError extends Error {
  override name = 'LiveFullError';
}
