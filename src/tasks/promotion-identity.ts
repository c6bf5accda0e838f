import type { SequenceTriggered } from '../events/types.ts';
import type { PromotionIdentity } from '../promotion/trailers.ts';

/** Which change goes from where to where: what a promotion's texts and trailers name. */
export function promotionIdentity({ place, context, revision }: SequenceTriggered, toStage: string): PromotionIdentity {
  return { project: place.project, service: place.service, fromStage: place.stage, toStage, context, revision };
}
