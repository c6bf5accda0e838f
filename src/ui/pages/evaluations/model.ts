import type { Breakdown } from '../../../views/evaluation-breakdown.ts';
import type { EvaluatedPlace, HeatMap } from '../../../views/evaluations.ts';
import type { EvaluationsQuery } from './address.ts';

export interface EvaluationsBoard {
  place: EvaluatedPlace;
  query: EvaluationsQuery;
  map: HeatMap;
  /** Absent: there is nothing to choose from. */
  chosen?: Chosen;
  /** Where the older ones begin; absent: there are none. */
  older?: string;
  underWay: number;
  now: string;
}

export interface Chosen {
  breakdown: Breakdown;
  /** Files that it was judged by. */
  files: readonly { path: string; url?: string }[];
  /** Whether the reader may have it ignored; with the token of their session. */
  mayIgnore: boolean;
  csrf?: string;
}
