import type { PullRequest } from '../adapters/git-hosts/git-host.ts';
import type { JsonObject } from '../base/json.ts';
import type { ApprovalJudgement } from '../promotion/approval.ts';
import type { PromotionGate } from '../promotion/gate.ts';
import type { PromotionScene } from './promotion-scene.ts';

/**
 * Brings what people see of a pull request at its host up to date; answers what is to be remembered of it, so that
 * nothing is written twice.
 */
export async function reportPromotion(
  _scene: PromotionScene,
  _pullRequest: PullRequest,
  _gates: readonly PromotionGate[],
  _approval: ApprovalJudgement,
): Promise<JsonObject> {
  return {};
}
