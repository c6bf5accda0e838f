import { promotionsOf } from '../engine/promotion.ts';
import { diffIn, editsIn, type ShownDiff, type ShownEdit } from '../engine/promotion-diff.ts';
import { type Drift, driftIn } from '../engine/promotion-drift.ts';
import { mergeOf, numberOf } from '../engine/promotion-order.ts';
import { whyNoRetry } from '../engine/promotion-retry.ts';
import type { SequenceState } from '../engine/sequence.ts';

/** The way to one of the stages that come next. */
export interface PromotionView {
  to: string;
  /** `waiting`: it has no pull request yet. */
  state: 'waiting' | 'open' | 'promoted' | 'not promoted';
  pullRequest?: number;
  url?: string;
  /** How it ended. */
  message?: string;
  /** What others brought to the branch since the last promotion. */
  drift?: Drift;
  /** What changes in which file, as it was when the pull request was opened. Absent: not known. */
  diff?: ShownDiff;
  /** The same, where the promotion edits files itself. */
  edits?: { edits: ShownEdit[]; total: number };
}

/** Where the promotions of a change stand; none: it has not come so far. */
export function promotionViews(state: SequenceState): PromotionView[] {
  return promotionsOf(state).map((promotion): PromotionView => {
    const { target, memo, outcome } = promotion;
    const number = numberOf(promotion);
    const url = outcome?.data['url'] ?? memo['url'];
    const drift = driftIn(memo);
    const [diff, edits] = [diffIn(memo), editsIn(memo)];
    const open = number === undefined ? 'waiting' : 'open';
    const reached = mergeOf(promotion) !== undefined || outcome?.result === 'pass';
    return {
      to: target.to,
      state: outcome === undefined ? open : reached ? 'promoted' : 'not promoted',
      ...(number === undefined ? {} : { pullRequest: number }),
      ...(typeof url === 'string' && url !== '' ? { url } : {}),
      ...(outcome === undefined ? {} : { message: outcome.message }),
      ...(drift === undefined ? {} : { drift }),
      ...(diff === undefined ? {} : { diff }),
      ...(edits === undefined ? {} : { edits }),
    };
  });
}

/** Whether a person can take up a promotion that ended without having been merged. */
export function canBeTakenUp(state: SequenceState): boolean {
  return promotionsOf(state).length > 0 && whyNoRetry(state) === undefined;
}
