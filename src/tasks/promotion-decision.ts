import type { PullRequest } from '../adapters/git-hosts/git-host.ts';
import { derivedId, sha256 } from '../base/ids.ts';
import { evidenceOf } from '../engine/decisions.ts';
import type { DecidedAtHost, DecisionMade } from '../events/types.ts';
import type { ApprovalJudgement } from '../promotion/approval.ts';
import type { HostUser } from '../promotion/people.ts';
import type { PromotionScene } from './promotion-scene.ts';

const MAX_REASON = 500;

/** What somebody decided at the Git host, in a review or a comment. */
export interface DecidedThere {
  by: HostUser;
  verdict: DecisionMade['verdict'];
  reason: string;
  /** ISO 8601. */
  at: string;
  /** One of the two. */
  headSha?: string;
  comment?: string;
}

/** Puts the reviews that decide into the log, each once: who they were, what they looked at, and what was known then. */
export async function recordReviews(
  scene: PromotionScene,
  { number }: PullRequest,
  { verdict: judged, counted = [] }: ApprovalJudgement,
): Promise<void> {
  for (const { by, verdict, headSha, at, text } of counted) {
    if (verdict !== 'reject' && (verdict !== 'approve' || judged !== 'approved')) continue;
    const said =
      text?.trim() || `${verdict === 'approve' ? 'approved' : 'asked for changes of'} pull request ${number}`;
    const decided = { by, verdict, reason: said, at, ...(headSha === undefined ? {} : { headSha }) };
    await recordDecision(scene, number, decided);
  }
}

/** Puts one decision into the log as that person's, once, however often it is read. */
export async function recordDecision(scene: PromotionScene, pullRequest: number, decided: DecidedThere): Promise<void> {
  const { input, step, target, host: gitHost } = scene;
  const { by, verdict, reason, at, headSha, comment } = decided;
  const decision = derivedId(gitHost.name, input.task.id, target.to, by.id, verdict, comment ?? headSha ?? '', at);
  if (input.task.decisions.some((made) => made.decision === decision)) return;
  const host: DecidedAtHost = {
    host: gitHost.name,
    person: by.id,
    login: by.login,
    pullRequest,
    to: target.to,
    at,
    ...(headSha === undefined ? {} : { headSha }),
    ...(comment === undefined ? {} : { comment }),
  };
  const isOfTask = !['pause', 'resume', 'abort'].includes(verdict);
  await input.record({
    decision,
    verdict,
    ...(isOfTask ? { task: input.task.id } : {}),
    actor: by.login,
    method: comment === undefined ? 'review' : 'comment',
    host,
    reason: reason.slice(0, MAX_REASON),
    revision: input.triggered.revision,
    evidence: sha256(JSON.stringify({ evidence: evidenceOf(input.sequence), policy: step.approval ?? null })),
  });
}
