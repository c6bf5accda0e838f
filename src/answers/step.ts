import type { State } from './change-row.ts';

/** The steps of a change in the order in which it takes them: those of CI, then those of each stage. */
export const STEP_KEYS = [
  'build',
  'image',
  'manifest',
  'review',
  'checks',
  'approval',
  'sync',
  'rollout',
  'test',
  'evaluation',
  'release',
  'soak',
  'promotion',
  'rollback',
] as const;
export type StepKey = (typeof STEP_KEYS)[number];

/** One step of the journey. Times are ISO 8601. */
export interface Step {
  /** Absent: before the first stage. */
  stage?: string;
  key: StepKey;
  state: State;
  /** From 1. */
  attempt: number;
  /** Absent: it has not begun. */
  startedAt?: string;
  endedAt?: string;
  /** One sentence: what came of it, or what it waits for. */
  detail?: string;
  /** People, not machines, take this time. */
  human: boolean;
  /** Where it ran, if that is one of several clusters. */
  cluster?: string;
  links: { text: string; url: string }[];
  /** The task of Lynceus that did it, for evidence and decisions. */
  task?: string;
  sequence?: string;
}
