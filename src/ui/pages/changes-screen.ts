import type { ChangeRow } from '../../answers/change-row.ts';
import type { LineStop } from '../../engine/stop-the-line.ts';
import type { ChangesFilter } from './changes-filter.ts';

/** Everything that the screen shows. */
export interface ChangesScreen {
  rows: readonly ChangeRow[];
  filter: ChangesFilter;
  /** How many the filter leaves, on all pages. */
  total: number;
  /** How many there are without any filter. */
  all: number;
  counts: QuickCounts;
  facets: ChangesFacets;
  /** How many rows come before this page. */
  before: number;
  /** Where the next page begins; absent on the last. */
  next?: string;
  /** When it was read, ISO 8601. */
  asOf: string;
  stops: readonly LineStop[];
  /** What could not be had, a sentence each: `PR state unknown: GitHub answers 403`. */
  problems?: readonly string[];
}

/** Of the filters that one click sets; absent: not counted. */
export interface QuickCounts {
  mine?: number;
  team?: number;
  needsMe?: number;
  stopped?: number;
  moving?: number;
}

export interface ChangesFacets {
  state: Readonly<Record<string, number>>;
  stage: Readonly<Record<string, number>>;
  team: Readonly<Record<string, number>>;
}
