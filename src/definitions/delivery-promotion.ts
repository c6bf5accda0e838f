import Type, { type Static } from 'typebox';
import { isJsonObject, type JsonObject } from '../base/json.ts';
import type { PromotionPolicy } from './delivery.ts';
import { Changes, checkChanges, checkUnattended } from './delivery-changes.ts';
import { closed, File, MAX_STAGES, Name } from './delivery-names.ts';
import { checkReviews, reviewProperties, toMergePolicy } from './delivery-promotion-approval.ts';
import { checkPromotionGraph } from './delivery-promotion-graph.ts';
import { checkWindowList, toWindow, Windows } from './delivery-window.ts';
import type { Path } from './read-yaml.ts';

/** What `promotion` means where it says nothing. */
export const PROMOTION_DEFAULTS = {
  onPass: 'manual',
  onWarning: 'none',
  order: 'latest',
  conflicts: 'explain',
} as const;

const Reaction = (description: string) =>
  Type.Optional(Type.Union([Type.Literal('automatic'), Type.Literal('manual'), Type.Literal('none')], { description }));

/** `promotion` of a stage. */
export const Promotion = closed({
  to: Type.Optional(
    Type.Union([Name, Type.Array(Name, { minItems: 1, maxItems: MAX_STAGES, uniqueItems: true })], {
      description: 'a stage, or a list of stages',
    }),
  ),
  onPass: Reaction('what follows a pass; default manual: a pull request that a person approves'),
  onWarning: Reaction('what follows a warning; default none'),
  order: Type.Optional(
    Type.Union([Type.Literal('latest'), Type.Literal('queue')], {
      description: 'latest: a newer change takes the place of an older one (default); queue: one after the other',
    }),
  ),
  conflicts: Type.Optional(
    Type.Union([Type.Literal('explain'), Type.Literal('takeVerified')], {
      description: 'what is done where Git cannot merge: explain it (default), or take the verified files',
    }),
  ),
  windows: Type.Optional(Windows),
  changes: Type.Optional(Type.Union([Changes, File], { description: 'a list of changes, or the name of a file' })),
  ...reviewProperties,
});

export type PromotionFile = Static<typeof Promotion>;

/**
 * For a policy that the schema has accepted.
 *
 * @param next the stage after this one in the file
 */
export function toPromotion(promotion: PromotionFile | undefined, next: string | undefined) {
  const to = promotion?.to ?? next;
  if (promotion === undefined || to === undefined) return undefined;
  const { order, conflicts, windows, changes } = promotion;
  const policy: PromotionPolicy = {
    to: typeof to === 'string' ? [to] : to,
    onPass: promotion.onPass ?? PROMOTION_DEFAULTS.onPass,
    onWarning: promotion.onWarning ?? PROMOTION_DEFAULTS.onWarning,
    ...(order === undefined ? {} : { order }),
    ...(conflicts === undefined ? {} : { conflicts }),
    ...(windows === undefined ? {} : { windows: windows.map(toWindow) }),
    ...(changes === undefined ? {} : { changes }),
    ...(saysWhoMerges(promotion) ? toMergePolicy(promotion) : {}),
  };
  return policy;
}

function saysWhoMerges({ approval, merge, method }: PromotionFile): boolean {
  return approval !== undefined || merge !== undefined || method !== undefined;
}

/** What no schema can say of a stage's `promotion`. Works on any value. */
export function checkPromotion(
  stage: JsonObject,
  path: Path,
  stages: readonly unknown[],
  report: (path: Path, message: string, key?: string) => void,
): void {
  const { promotion } = stage;
  if (!isJsonObject(promotion)) return;
  const place = [...path, 'promotion'];
  checkPromotionGraph(stage, promotion, place, stages, report);
  checkWindowList(promotion['windows'], [...place, 'windows'], report);
  checkChanges(promotion['changes'], [...place, 'changes'], report);
  const unattended = [promotion['onPass'], promotion['onWarning']].includes('automatic') && !('approval' in promotion);
  if (unattended) checkUnattended(promotion['changes'], [...place, 'changes'], report);
  checkReviews(promotion, place, report);
}
