import type { PullRequest } from '../adapters/git-hosts/git-host.ts';
import { sha256 } from '../base/ids.ts';
import type { JsonObject } from '../base/json.ts';
import { DEFAULT_REVIEWS, type ReviewPolicy } from '../definitions/delivery-promotion-approval.ts';
import { promotionPolicy } from '../engine/decide.ts';
import { onePerPerson } from '../engine/one-per-person.ts';
import { takenUpAt } from '../engine/promotion-retry.ts';
import { type ApprovalJudgement, judgeApproval } from '../promotion/approval.ts';
import type { Review } from '../promotion/people.ts';
import { recordReviews } from './promotion-decision.ts';
import {
  factsOf,
  type HostWithPeople,
  NO_AUTHORS,
  readAuthors,
  readStandings,
  remembered,
  tellsOfPeople,
} from './promotion-people.ts';
import type { PromotionScene } from './promotion-scene.ts';

/** Rights and groups change without a review changing: they are asked for again after so long. */
const ASK_AGAIN_MS = 10 * 60_000;

/**
 * Whether people agree with what an open promotion brings, as the stage's policy asks: by its reviews where the host has
 * them, else by decisions taken with us. Reviews are read at each look; who gave them is asked about when they changed,
 * and always when `fresh`: right before a merge nothing is believed that was read earlier.
 */
export async function judgeReviews(
  scene: PromotionScene,
  pullRequest: PullRequest,
  { fresh = false }: { fresh?: boolean } = {},
): Promise<ApprovalJudgement> {
  const { host } = scene;
  if (host.capabilities.reviews === 'lynceus') return judgeDecisions(scene, pullRequest);
  const policy = reviewPolicyOf(scene);
  if (policy === undefined) return byPolicy();
  if (tellsOfPeople(host)) return judgeAtHost(scene, host, policy, pullRequest, fresh);
  const sentence = `pull request ${pullRequest.number} to ${scene.target.to} needs a person to merge it at the Git host`;
  return { verdict: 'waiting', approvers: [], sentence, ignored: [] };
}

/** `undefined`: nobody needs to agree. */
export function reviewPolicyOf({ input, step }: PromotionScene): ReviewPolicy | undefined {
  if (step.approval !== undefined) return step.approval;
  return promotionPolicy(input.sequence, step) === 'automatic' ? undefined : DEFAULT_REVIEWS;
}

async function judgeAtHost(
  scene: PromotionScene,
  host: HostWithPeople,
  policy: ReviewPolicy,
  pullRequest: PullRequest,
  fresh: boolean,
): Promise<ApprovalJudgement> {
  const { input, repository } = scene;
  const reviews = await host.readReviews(repository, pullRequest.number, input);
  const seen = hashOf(scene, pullRequest, reviews);
  const before = fresh ? undefined : judgedBefore(scene, seen);
  if (before) return before;
  const judged = await judgeNow(scene, host, policy, pullRequest, reviews);
  await recordReviews(scene, pullRequest, judged);
  const { verdict, approvers, sentence, ignored } = judged;
  // Without an opinion nothing depends on time or rights: the same is remembered for as long as it lasts.
  const at = reviews.some(isOpinion) ? { at: input.now.toISOString() } : {};
  return { ...judged, remember: { seen, ...at, verdict, approvers, sentence, ignored } };
}

async function judgeNow(
  scene: PromotionScene,
  host: HostWithPeople,
  policy: ReviewPolicy,
  pullRequest: PullRequest,
  reviews: readonly Review[],
): Promise<ApprovalJudgement> {
  if (!reviews.some(isOpinion)) {
    return judgeApproval(policy, {
      ...factsOf(scene, pullRequest, { ...NO_AUTHORS, us: '', reviews }),
      standings: new Map(),
    });
  }
  const { id: us } = await host.whoAmI(scene.input);
  const authors = policy.authors === 'refuse' ? await readAuthors(scene) : NO_AUTHORS;
  const facts = factsOf(scene, pullRequest, { ...authors, us, reviews });
  return judgeApproval(policy, { ...facts, standings: await readStandings(scene, host, policy, facts) });
}

function isOpinion({ verdict }: Review): boolean {
  return verdict === 'approve' || verdict === 'reject';
}

function hashOf(
  { head }: PromotionScene,
  { headSha, state, author, fork = false }: PullRequest,
  reviews: readonly Review[],
) {
  const said = reviews.map(({ by, verdict, headSha: at, at: when }) => [by.id, by.bot, verdict, at ?? '', when]);
  return sha256(JSON.stringify([head, headSha, state, fork, author?.id ?? '', said])).slice(0, 16);
}

/** The same reviews say the same, for a while. An expiry is seen at most that much later, and before a merge at once. */
function judgedBefore(scene: PromotionScene, seen: string): ApprovalJudgement | undefined {
  const before = remembered(scene, 'approval');
  const { at } = before;
  const age = at === undefined ? 0 : scene.input.now.getTime() - Date.parse(String(at));
  if (before['seen'] !== seen || !(age >= 0 && age < ASK_AGAIN_MS)) return undefined;
  const { verdict, approvers, sentence, ignored } = before as unknown as ApprovalJudgement;
  return { verdict, approvers, sentence, ignored, remember: before };
}

/** Decisions about this very commit, in the form of reviews: who is in which group was looked at when they were taken. */
function judgeDecisions(scene: PromotionScene, pullRequest: PullRequest): ApprovalJudgement {
  const { input, head, memo } = scene;
  const begun = takenUpAt(input.task, memo);
  const decisions = input.task.decisions.filter(
    ({ revision, host, at }) => revision === input.triggered.revision && host === undefined && at > begun,
  );
  const rejection = decisions.find(({ verdict }) => verdict === 'reject');
  if (rejection) {
    const by = { by: rejection.actor, reason: rejection.reason };
    return { verdict: 'rejected', approvers: [], rejection: by, sentence: `rejected by ${by.by}`, ignored: [] };
  }
  // Whoever approved before it was planned anew has not seen what it brings now.
  const since = Date.parse(String(memo['renewedAt'] ?? new Date(0).toISOString()));
  const approvals = onePerPerson(
    decisions.filter(({ verdict, at }) => verdict === 'approve' && Date.parse(at) > since),
  );
  const policy = reviewPolicyOf(scene);
  if (policy === undefined && approvals.length === 0) return byPolicy();
  const reviews = approvals.map(({ actor, at }): Review => {
    return { by: { id: actor, login: actor, bot: false }, verdict: 'approve', headSha: head, at };
  });
  const facts = factsOf(scene, pullRequest, { ...NO_AUTHORS, us: '', reviews });
  const standings = new Map(reviews.map(({ by }) => [by.id, { permission: 'write', member: true } as const]));
  return judgeApproval(policy ?? DEFAULT_REVIEWS, { ...facts, standings });
}

function byPolicy(): ApprovalJudgement {
  const by = 'Lynceus, as the policy says';
  return { verdict: 'approved', approvers: [by], sentence: `approved by ${by}`, ignored: [] };
}

/** For the memo of the target. */
export function rememberApproval({ remember }: ApprovalJudgement): JsonObject {
  return remember === undefined ? {} : { approval: remember };
}
