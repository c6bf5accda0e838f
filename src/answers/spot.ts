import type { Blocker, TaskName } from '../events/types.ts';
import type { Person, State } from './change-row.ts';
import type { StepKey } from './step.ts';

/** One place where a change stands: a stage that is under way or failed, or a step before the first one. */
export interface Spot {
  /** Absent: before the first stage. */
  stage?: string;
  sequence?: string;
  /** The commit that a decision has to name. */
  revision?: string;
  /** What is done there, or at which it failed. */
  step: StepKey | 'plan' | 'turn';
  task?: string;
  /** When that began. */
  since: string;
  /** When anything was last heard of it. */
  heardAt: string;
  /** Present: it is over and failed. */
  failed?: Failure;
  /** What it waits for, in the engine's words. */
  wait?: Blocker & { since: string };
  /** Which check keeps it waiting. */
  check?: Check;
  /** Somebody holds this change, or stopped the line. */
  stopped?: Stopped;
  approval?: Approval;
  review?: Review;
  /** A promotion was merged to the stage, and nobody has seen the commit there. */
  merged?: { number: number };
  /** The change that has to make room first. */
  ahead?: Neighbour;
  /** Of a step that CI reported. */
  reported?: { state: State; detail?: string; url?: string };
  /** Groups that may let it through, whatever checks and gates say. */
  override?: string[];
  /** People are asked about a change that an evaluation warned of: where, and because of which objectives. */
  warned?: { stage: string; objectives: string[] };
}

export interface Failure {
  at: string;
  /** `superseded` and the like never come here. */
  reason: 'failed' | 'rejected' | 'aborted' | 'timed-out';
  message: string;
  /** The task that it failed at. */
  task?: TaskName;
  /** Who rejected or aborted it. */
  actor?: string;
  why?: string;
  /** The indicator that decided, and by how much. */
  indicator?: Indicator;
  score?: { value: number; pass: number };
  /** Present: a person said that the verdict must not be believed. */
  invalid?: { actor: string; reason: string };
  /** What became of it in the stage. */
  rollback?: 'done' | 'failed' | 'not done';
  /** A newer change has passed in the stage since: nobody has to do anything about this one. */
  mended?: true;
  /** A person can take the promotion up again, or have the stage go back. */
  canRetry?: true;
  canRollBack?: true;
}

export interface Indicator {
  name: string;
  value: number;
  unit?: string;
  /** As it was violated: `> 500`. */
  operator: string;
  limit: number;
}

/** A check's answer in numbers. */
export interface Check {
  name: 'error-budget' | 'risk' | 'window';
  /** Of the budget in shares of 1, of the risk in points. */
  value?: number;
  limit?: number;
  /** What weighs most. */
  why?: string;
}

export interface Stopped {
  what: 'held' | 'line';
  actor: string;
  reason: string;
  at: string;
  /** `the line to production`. */
  scope?: string;
}

/** A decision that people take with us. */
export interface Approval {
  /** The stage that it opens. */
  to: string;
  quorum: number;
  groups: string[];
  people?: string[];
  approved: string[];
  /** Why somebody is asked: `risk 72, above 60 a person must agree`, `gate warned (82, needs 90)`. */
  why?: string;
  /** It is a promotion's pull request of the local Git host. */
  promotion?: true;
}

/** A pull request that waits at its Git host. */
export interface Review {
  to?: string;
  number: number;
  url?: string;
  quorum: number;
  /** That the stage's policy names. */
  groups: string[];
  /** Whom the Git host asks: people who have not approved yet, and teams. */
  reviewers?: Person[];
  asked?: string[];
  approved: string[];
  /** Merging is left to a person. */
  merge?: 'person';
}

/** Another change, as a sentence names it. */
export interface Neighbour {
  change: string;
  /** `checkout 1.8.3`, or its commit. */
  text: string;
}
