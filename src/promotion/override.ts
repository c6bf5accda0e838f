import { clip } from '../base/clip.ts';
import type { DecisionMade } from '../events/types.ts';
import type { PromotionGate } from './gate.ts';

/**
 * What a person can take upon themselves. Not among them: approvals, conflicts, other stages that have yet to verify it,
 * and a hold, which anybody who may write can end.
 */
const PASSABLE: ReadonlySet<string> = new Set(['windows', 'stop-the-line', 'verification']);

/** The gates of one target as they are after somebody let the promotion of this commit past them. */
export function withOverride(
  gates: readonly PromotionGate[],
  decisions: readonly DecisionMade[],
  { to, revision }: { to: string; revision: string },
): PromotionGate[] {
  const override = decisions.find(
    ({ verdict, host, revision: seen }) =>
      verdict === 'override' && seen === revision && (host === undefined || host.to === to),
  );
  if (!override) return [...gates];
  return gates.map((gate): PromotionGate => {
    if (gate.state === 'success' || !PASSABLE.has(gate.name)) return gate;
    const { until: _, ...rest } = gate;
    return { ...rest, state: 'success', sentence: clip(`let past by ${override.actor}: ${override.reason}`) };
  });
}
