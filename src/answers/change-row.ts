import type { WarnedBefore } from '../forecast/warnings.ts';

/**
 * The five answers that every row, pull request comment, terminal and panel gives about a change: where is it,
 * what is it waiting for, who can unblock it, how long will it take, how likely is it to arrive.
 */
export interface ChangeRow {
  id: string;
  /** Goes up with everything that happens to the change; a decision names the one that its reader saw. */
  rev: number;
  project: string;
  service: string;
  team?: string;
  /** The first line of the commit's message; of a change without one, what it is. */
  title: string;
  version?: string;
  kind: ChangeKind;
  author: Person;
  commit: Ref;
  pr?: Ref;
  /** ISO 8601, as all times here. */
  createdAt: string;
  movedAt: string;
  /** How the change as a whole stands. */
  state: State;
  /** Where: one per stage, in the order of the delivery, those that it has not reached included. */
  cells: Cell[];
  /** What it is waiting for. */
  blocker: BlockerView;
  /** Who, or when. Empty: nobody has to do anything. */
  unblock: Unblock[];
  /** How long; null: the change is over, or failed. */
  eta: Eta | null;
  /** How likely; null: the change is over, or failed, or nothing is known. */
  odds: Odds | null;
  /** Of a change that people are asked about because a gate warned: how earlier ones like it ended. */
  warnedBefore?: WarnedBefore;
  /** Of a change that failed, in place of time and odds: these are up to people. */
  afterwards?: Afterwards;
}

export type ChangeKind = 'code' | 'config' | 'rollback';

export type State =
  | 'idle'
  | 'queued'
  | 'running'
  | 'waiting'
  | 'passed'
  | 'warning'
  | 'failed'
  | 'skipped'
  | 'superseded'
  | 'unknown';

export interface Person {
  name: string;
  /** How the Git host calls them. */
  login?: string;
}

/** Something that lives elsewhere; without an address it is named only. */
export interface Ref {
  text: string;
  url?: string;
  /** In full, where `text` is cut short: a commit, a digest. */
  id?: string;
}

/** One stage in a row. */
export interface Cell {
  stage: string;
  state: State;
  /** Where the service runs in several clusters. */
  clusters?: { name: string; state: State; syncedAt?: string }[];
  version?: string;
  /** What ran there before, or still runs. */
  previous?: string;
  /** 0..100. */
  score?: number;
  detail?: string;
}

/** In the order in which they are looked for: the first that applies is told. */
export const BLOCKER_KINDS = [
  'stopped',
  'no-signal',
  'ci',
  'checks',
  'conflict',
  'review',
  'queue',
  'budget',
  'risk',
  'window',
  'approval',
  'soak',
  'sync',
  'health',
  'tests',
  'gate',
  'none',
] as const;
export type BlockerKind = (typeof BLOCKER_KINDS)[number];

export interface BlockerView {
  kind: BlockerKind;
  /** At most 90 characters, with the number and the limit. */
  sentence: string;
  since: string;
  stage?: string;
  /** True: it has not been looked at for longer than it should have been. */
  stale?: boolean;
}

/** One way out. */
export interface Unblock {
  who: (Person | Group)[];
  /** How many more than `who` names. */
  more: number;
  /** The reader is one of them. */
  you: boolean;
  /** It goes on by itself then. */
  until?: string;
  /** What they have to do, in a few words: `approves`, `fixes`, `overrides`. */
  does?: string;
  action?: Action;
}

export interface Group {
  group: string;
}

export interface Action {
  label: string;
  href: string;
  method: 'GET' | 'POST';
  /** The role or group that it takes. */
  needs?: string;
  allowed: boolean;
  /** Why it is not allowed. */
  why?: string;
}

/** How long something takes, in seconds. */
export interface Quant {
  p10: number;
  p50: number;
  p90: number;
  /** How many runs this is known from. */
  n: number;
}

export interface Eta {
  machine?: Quant;
  people?: Quant;
  total?: Quant;
  /** `~14 min (7–31)`; says whose history is used where the own one is short, and `no history yet` where there is none. */
  text: string;
}

/** What became of others that failed like this one, at the same step of the same stage. */
export interface Afterwards {
  /** How many there were. Absent: nothing is known. */
  changes?: number;
  /** Went on after all: somebody retried, overrode or delivered them again; half of them within so many seconds. */
  wentOn?: { changes: number; seconds?: number };
  /** Gave way to a newer change that passed there. */
  overtaken?: { changes: number; seconds?: number };
  /** Whose changes these are. */
  basis?: 'service' | 'team';
  /** `0 % by itself; of 7 that failed like this 2 went on (half within 25 min), 4 gave way to a newer change`. */
  text: string;
}

export interface Odds {
  /** Of reaching the last stage and staying there, 0..1, with its 80 % credible interval. */
  p: number;
  lo: number;
  hi: number;
  n: number;
  basis: 'service' | 'team' | 'all';
  /** `88 % (71–95, 34 runs)`. */
  text: string;
}
