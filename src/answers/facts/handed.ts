import { promotionsOf } from '../../engine/promotion.ts';
import { mergeOf } from '../../engine/promotion-order.ts';
import type { SequenceState } from '../../engine/sequence.ts';
import type { Place } from '../../events/application.ts';
import type { Spot } from '../spot.ts';

/** A merge to a stage that has not seen the change. */
interface Handed {
  place: Place;
  /** When the promotion ended. */
  at: string;
  number: number;
}

/** Where a change was merged to without having been seen there. */
export function handedTo(sequences: readonly SequenceState[]): Handed[] {
  const entered = new Set(sequences.map(({ triggered }) => triggered?.place.stage));
  return sequences.flatMap((state) => {
    const { triggered } = state;
    if (!triggered) return [];
    return promotionsOf(state).flatMap((promotion): Handed[] => {
      const { target, outcome, task } = promotion;
      if (mergeOf(promotion) === undefined || entered.has(target.to)) return [];
      const at = task.finishedAt ?? task.blocker?.since ?? task.triggeredAt;
      const number = Number(outcome?.data['pullRequest'] ?? 0);
      return [{ place: { ...triggered.place, stage: target.to }, at, number }];
    });
  });
}

/** What is waited for there. */
export function handedSpot({ place, at, number }: Handed): Spot {
  return { stage: place.stage, step: 'turn', since: at, heardAt: at, merged: { number } };
}

/** A newer change was seen there instead: it came with that one, or never will. */
export function isOvertaken({ place, at }: Handed, neighbours: readonly SequenceState[]): boolean {
  return neighbours.some(
    ({ triggered }) =>
      triggered !== undefined &&
      triggered.at > at &&
      triggered.place.project === place.project &&
      triggered.place.service === place.service &&
      triggered.place.stage === place.stage,
  );
}
