import type { CheckAnswer } from '../engine/check.ts';
import type { Drift } from '../engine/promotion-drift.ts';
import type { Evaluation } from '../slo/evaluation.ts';

/** Everything a reviewer is told about a promotion. */
export interface PromotionEvidence {
  project: string;
  service: string;
  fromStage: string;
  toStage: string;
  /** Change's context id. */
  context: string;
  /** The verified commit: what was evaluated is what gets promoted. */
  revision: string;
  verdict: 'pass' | 'warning';
  /** Somebody let it through, whatever checks and approval said. */
  override?: { actor: string; reason: string; at: string };
  evaluation?: Evaluation;
  checks: CheckAnswer[];
  tests: { kind: string; passed: boolean; failures: string[]; indicators: Record<string, number> }[];
  commits: { sha: string; subject: string; author: string }[];
  totalCommits: number;
  /** Changed between the two stages; at most 300. */
  files?: { path: string; additions: number; deletions: number }[];
  totalFiles?: number;
  /** Paths among them that a change is better looked at for. */
  sensitive?: string[];
  /** Where it is brought as edits of files: what is written where. */
  edits?: { path: string; what: string }[];
  /** The stages that the change went through before, the first one first. */
  story?: StageOfStory[];
  /** Who has to let it through. */
  review?: Reviewers;
  /** Who merges it; absent: Lynceus. */
  merge?: 'lynceus' | 'person' | 'host';
  /** Comments on the pull request are obeyed. */
  commands?: boolean;
  /** What others brought to the stage's branch since the last promotion. */
  drift?: Drift;
  /** The change's page, when a public address is configured. */
  link?: string;
}

/** How a change fared in one stage. */
export interface StageOfStory {
  stage: string;
  result: string;
  score?: number;
  /** ISO 8601. */
  startedAt: string;
  endedAt?: string;
  /** Names of people; none: the policy. */
  approvedBy: string[];
}

export type Reviewers =
  /** Nobody has to. */
  | { kind: 'policy' }
  /** With us: the host knows no reviews. */
  | { kind: 'here'; quorum: number }
  | {
      kind: 'host';
      quorum: number;
      groups: string[];
      /** How many people the policy names besides. */
      people: number;
      authors: 'refuse' | 'allow';
      expiresAfterMs: number;
    };
