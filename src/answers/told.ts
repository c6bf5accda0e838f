import type { BlockerKind, Group, Person } from './change-row.ts';
import type { ChangeFacts } from './fact-types.ts';
import type { Spot } from './spot.ts';

/** What a sentence about now has to know besides the facts. */
export interface Moment {
  /** ISO 8601. */
  now: string;
  /** How long the present step takes in nine of ten cases, in seconds; absent: a default per step. */
  stepP90?: number;
  /** The facts of another change, for who is ahead in the queue. */
  changeOf?: (id: string) => ChangeFacts | undefined;
}

/** One way out, before it is known who reads. */
export interface Way {
  who: (Person | Group)[];
  /** `approves`, `fixes`, `overrides`. */
  does?: string;
  until?: string;
  action?: Wanted;
  /** Somebody would have to, and nobody is configured: said so, with the page where that is mended. */
  nobody?: true;
}

/** What a person can do, and what that takes. */
export interface Wanted {
  label: string;
  /** Absent: the form of the change. */
  href?: string;
  /** Absent: whoever may read. */
  permission?: 'decide' | 'operate';
  /** Where an approver has to be allowed to decide. */
  stage?: string;
  /** One of these groups, if any is named. */
  groups?: readonly string[];
  /** One of these people, if any is named; either is enough. */
  people?: readonly string[];
}

/** What a change waits for, and the ways out. */
export interface Told {
  sentence: string;
  since: string;
  until?: string;
  stage?: string;
  stale?: boolean;
  ways: Way[];
  /** The change whose ways out are ways out of this, too. */
  ahead?: string;
}

/** One kind of waiting: says what it is about a spot, or that it does not apply. */
export interface BlockerRule {
  kind: BlockerKind;
  tell(spot: Spot, facts: ChangeFacts, moment: Moment): Told | undefined;
  /**
   * After when time alone may name others than before, in milliseconds since 1970: at the earliest, however quick such
   * steps are here. Absent, or answers undefined: time names nobody.
   */
  turnsAt?(spot: Spot): number | undefined;
}
