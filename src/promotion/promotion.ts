import type { CheckAnswer } from '../engine/check.ts';
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
  /** The change's page, when a public address is configured. */
  link?: string;
}
