import type { JsonObject } from '../base/json.ts';

/** What a change can be found by: full commits, digests, pull requests, groups that have to act… */
export interface ChangeKey {
  name: string;
  value: string;
}

/** A change as lists filter, order and count it; `data` is what its row is drawn from. */
export interface ChangeRecord {
  id: string;
  /** A write with a lower version than the stored one is ignored: late writers change nothing. */
  version: number;
  project: string;
  service: string;
  team?: string;
  author?: string;
  state: string;
  /** Where it is now. */
  stage?: string;
  kind: string;
  /** Lists come by rank, lowest first, 0..99: it says who has to do something before anything else goes on. */
  rank: number;
  /** Milliseconds since 1970. */
  createdAt: number;
  movedAt: number;
  /** Replaced together with the record. A key given twice counts once. */
  keys: readonly ChangeKey[];
  data: JsonObject;
}

/** As it is read: what it can be found by stays in the index. */
export type StoredChange = Omit<ChangeRecord, 'keys'>;

/** Has a key of one of these names with one of these values. */
export interface KeyFilter {
  names: readonly string[];
  values: readonly string[];
  /** The values are beginnings. */
  prefix?: boolean;
  /** The values are beginnings, and what follows sorts no higher than this. */
  upTo?: string;
  /** These changes pass, whatever keys they have. */
  orId?: readonly string[];
  /** Many changes may have it, so that reading the list in its order is quicker than looking each of them up. */
  often?: boolean;
}

export interface ChangesQuery {
  /** Only these. */
  id?: readonly string[];
  project?: readonly string[];
  service?: readonly string[];
  author?: readonly string[];
  kind?: readonly string[];
  state?: readonly string[];
  stage?: readonly string[];
  team?: readonly string[];
  /** Milliseconds since 1970: moved then or later. */
  movedSince?: number;
  /** All of them must hold. */
  keys?: readonly KeyFilter[];
  /** Only those after this one in list order (keyset paging): new changes never shift a page that was begun. */
  after?: ChangePosition;
  /** At most 1000. Default 100. */
  limit?: number;
  /** False: `total` and `facets` stay empty, for readers that want no counts. */
  count?: boolean;
}

export interface ChangePosition {
  rank: number;
  createdAt: number;
  id: string;
}

export interface ChangesPage {
  /** By rank, newest first, ties by id. */
  records: StoredChange[];
  /** How many the filters leave, on all pages. */
  total: number;
  /** How many there are of each value: under all filters except that facet's own. */
  facets: ChangeFacets;
  /** Absent on the last page. */
  next?: ChangePosition;
}

/** As a query of a list, where only the number is wanted. */
export type CountQuery = Omit<ChangesQuery, 'after' | 'limit' | 'count'>;

export interface ChangeFacets {
  state: Record<string, number>;
  stage: Record<string, number>;
  team: Record<string, number>;
}

export interface KeyQuery {
  name: string;
  value: string;
  /** `value` is a beginning. */
  prefix?: boolean;
  /** At most 1000. Default 100. */
  limit?: number;
}

/** A change record that was written; `rev` is its version. */
export interface ChangeMoved {
  id: string;
  rev: number;
}

/** A change record and when it was written last, by the store's clock: milliseconds since 1970. */
export interface WrittenChange extends ChangeMoved {
  at: number;
}

export type ChangesListener = (changes: readonly ChangeMoved[]) => void;
