import type { PullRequest } from '../adapters/git-hosts/git-host.ts';
import { promotionPolicy } from '../engine/decide.ts';
import type { ApprovalJudgement } from '../promotion/approval.ts';
import type { PromotionScene } from './promotion-scene.ts';

/** Whether people agree with what an open promotion brings, as the stage's policy asks. */
export async function judgeReviews(scene: PromotionScene, { number }: PullRequest): Promise<ApprovalJudgement> {
  const { input, step, target, host } = scene;
  const what = `pull request ${number} to ${target.to}`;
  const decisions = decisionsThatCount(scene);
  const rejection = decisions.find(({ verdict }) => verdict === 'reject');
  if (rejection) {
    const by = { by: rejection.actor, reason: rejection.reason };
    return { verdict: 'rejected', approvers: [], rejection: by, sentence: `rejected by ${by.by}`, ignored: [] };
  }
  const approval = decisions.find(({ verdict }) => verdict === 'approve');
  if (approval) return approved(approval.actor);
  if (promotionPolicy(input.sequence, step) === 'automatic') return approved('Lynceus, as the policy says');
  const where = host.capabilities.reviews === 'lynceus' ? 'here' : 'at the Git host';
  return { verdict: 'waiting', approvers: [], sentence: `${what} needs an approval ${where}`, ignored: [] };
}

/** Where the host has reviews of its own, only those count: ours would let somebody pass it by. */
function decisionsThatCount({ input, host }: PromotionScene) {
  if (host.capabilities.reviews !== 'lynceus') return [];
  return input.task.decisions.filter(({ revision }) => revision === input.triggered.revision);
}

function approved(by: string): ApprovalJudgement {
  return { verdict: 'approved', approvers: [by], sentence: `approved by ${by}`, ignored: [] };
}
