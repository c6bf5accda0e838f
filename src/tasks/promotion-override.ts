import type { PullRequest } from '../adapters/git-hosts/git-host.ts';
import type { PromotionGate } from '../promotion/gate.ts';
import { withOverride } from '../promotion/override.ts';
import { gatesOf } from './promotion-gates.ts';
import type { PromotionScene } from './promotion-scene.ts';

/** The gates as they are for this promotion: somebody may have let it past some of them. */
export async function gatesNow(scene: PromotionScene, pullRequest: PullRequest): Promise<PromotionGate[]> {
  const { input, target } = scene;
  const gates = await gatesOf(scene, pullRequest);
  return withOverride(gates, input.task.decisions, { to: target.to, revision: input.triggered.revision });
}
