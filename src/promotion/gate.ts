import type { Blocker } from '../events/types.ts';

/** One thing that must be right before a promotion is merged; what the pull request is marked with. */
export interface PromotionGate {
  /** `windows`, `stop-the-line`, `hold`, `verification`, `queue`, `stages`, `conflict`, `approval`. */
  name: string;
  /** `failure`: it will not become right by itself. */
  state: 'success' | 'pending' | 'failure';
  /** One sentence of at most 90 characters that carries the number and the limit. */
  sentence: string;
  /** What kind of waiting this is, for people. */
  blocker: Blocker['kind'];
  /** When it opens by itself, ISO 8601. */
  until?: string;
}

/** The gate that a promotion waits for: what has to be mended before what passes with time. */
export function firstClosed(gates: readonly PromotionGate[]): PromotionGate | undefined {
  return gates.find(({ state }) => state === 'failure') ?? gates.find(({ state }) => state === 'pending');
}
