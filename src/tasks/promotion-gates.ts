import type { PullRequest } from '../adapters/git-hosts/git-host.ts';
import type { PromotionGate } from '../promotion/gate.ts';
import type { PromotionScene } from './promotion-scene.ts';

/** Everything but the approval that keeps an open promotion from being merged right now. */
export async function gatesOf(_scene: PromotionScene, _pullRequest: PullRequest): Promise<PromotionGate[]> {
  return [];
}
