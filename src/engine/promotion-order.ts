import { type PromotionState, promotionsOf } from './promotion.ts';
import { short } from './revisions.ts';
import type { SequenceState } from './sequence.ts';

/** A promotion to a stage, with the sequence that it is part of. */
export interface PromotionOf {
  state: SequenceState;
  promotion: PromotionState;
}

/** The promotion of a sequence to one stage; `undefined`: it has not come so far. */
export function promotionTo(state: SequenceState, to: string): PromotionOf | undefined {
  const promotion = promotionsOf(state).find(({ target }) => target.to === to);
  return promotion && { state, promotion };
}

/** The number of its pull request, or of the one that another stage opened for it; `undefined`: there is none (yet). */
export function numberOf({ memo, outcome }: PromotionState): number | undefined {
  const number = outcome?.data['pullRequest'] ?? memo['pullRequest'] ?? memo['follows'];
  return typeof number === 'number' ? number : undefined;
}

/** The commit by which it arrived; `undefined`: it has not been merged. */
export function mergeOf({ outcome }: PromotionState): string | undefined {
  const merge = outcome?.result === 'pass' ? outcome.data['mergeSha'] : undefined;
  return typeof merge === 'string' && merge !== '' ? merge : undefined;
}

/** The next younger change that is on its way to the same stage; one that has a pull request comes first. */
export function laterPromotion(
  own: SequenceState,
  to: string,
  newestFirst: readonly SequenceState[],
): PromotionOf | undefined {
  const later = newestFirst
    .filter((other) => triggeredAt(other) > triggeredAt(own))
    .flatMap((other) => promotionTo(other, to) ?? []);
  return later.find(({ promotion }) => numberOf(promotion) !== undefined) ?? later[0];
}

/** The newest change that was merged to a stage. */
export function lastMerged(to: string, newestFirst: readonly SequenceState[]): PromotionOf | undefined {
  return newestFirst
    .flatMap((other) => promotionTo(other, to) ?? [])
    .find(({ promotion }) => mergeOf(promotion) !== undefined);
}

/**
 * What a change waits for where promotions go one after the other, in words; `undefined`: it is its turn. The one before
 * has to be closed, or merged and verified in the stage that it went to. One that failed there lets the next one go:
 * it may be the remedy.
 *
 * @param newestFirst sequences of the stages that promote there
 * @param arrived sequences of the stage they go to, newest first; `undefined`: nothing deploys there
 */
export function waitsBehind(
  own: SequenceState,
  to: string,
  newestFirst: readonly SequenceState[],
  arrived: readonly SequenceState[] | undefined,
): string | undefined {
  const earlier = newestFirst
    .filter((other) => triggeredAt(other) < triggeredAt(own))
    .filter(({ triggered }) => triggered?.context !== own.triggered?.context)
    .flatMap((other) => promotionTo(other, to) ?? []);
  const open = earlier.findLast(({ promotion }) => promotion.outcome === undefined);
  if (open) return `${name(open)} to ${to} comes first`;
  const merged = earlier.find(({ promotion }) => mergeOf(promotion) !== undefined);
  if (!merged || !arrived || hasBeenJudged(merged, arrived)) return undefined;
  return `${to} has not verified ${name(merged)} yet`;
}

/** Also when somebody pushed on top before it was noticed: what is deployed then has it in it. */
function hasBeenJudged({ state, promotion }: PromotionOf, arrived: readonly SequenceState[]): boolean {
  const since = promotion.task.finishedAt ?? promotion.task.triggeredAt;
  const own = arrived.find(({ triggered }) => triggered?.context === state.triggered?.context);
  if (own) return isJudged(own);
  return arrived.some((other) => triggeredAt(other) > since && isJudged(other));
}

function isJudged({ phase, tasks }: SequenceState): boolean {
  return phase === 'finished' || tasks.some(({ name: task }) => task === 'promotion');
}

function name({ state, promotion }: PromotionOf): string {
  const number = numberOf(promotion);
  const revision = short(state.triggered?.revision ?? '');
  return number === undefined ? revision : `pull request ${number} (${revision})`;
}

function triggeredAt({ triggered }: SequenceState): string {
  return triggered?.at ?? '';
}
