import type { PullRequest } from '../adapters/git-hosts/git-host.ts';
import { clip } from '../base/clip.ts';
import { short } from '../engine/revisions.ts';
import type { ApprovalJudgement } from '../promotion/approval.ts';
import { firstClosed, type PromotionGate } from '../promotion/gate.ts';
import { gitPollMs } from './git-poll.ts';
import { judgeReviews, rememberApproval } from './promotion-approval.ts';
import { obeyComments } from './promotion-commands.ts';
import { settleConflict } from './promotion-conflict.ts';
import { closed, merged, type Rejection, replacedBy } from './promotion-ended.ts';
import { rememberWithdrawn } from './promotion-gates.ts';
import { takeBack } from './promotion-handed-over.ts';
import { revertIn } from './promotion-head.ts';
import { mergeApproved } from './promotion-merge.ts';
import { openPromotion } from './promotion-open.ts';
import { gatesNow } from './promotion-override.ts';
import { lookAtBase } from './promotion-proposal.ts';
import { reportPromotion } from './promotion-report.ts';
import type { PromotionScene } from './promotion-scene.ts';
import { BEGINNING, LOOK_BACK } from './promotion-turn.ts';
import { type TaskOutcome, waiting } from './task.ts';

/** What closes a gate is mostly not at the host, which therefore does not tell when it opens. */
const GATE_MS = 60_000;
/** Other edits are planned at once. */
const PLAN_MS = 1_000;
/** Another promotion into the same branch takes seconds; each look of those who wait costs calls. */
const BUSY_MS = 5_000;

const OVER: ApprovalJudgement = { verdict: 'waiting', approvers: [], sentence: '', ignored: [] };

/** One look at a pull request of ours: what it came to, or what it waits for. */
export async function followPromotion(scene: PromotionScene, pullRequest: PullRequest): Promise<TaskOutcome> {
  if (pullRequest.state === 'open') return obeyAndFollow(scene, pullRequest);
  return ended(scene, pullRequest);
}

/** What people see of it is brought up to date a last time. */
async function ended(scene: PromotionScene, pullRequest: PullRequest, rejection?: Rejection): Promise<TaskOutcome> {
  const newer = pullRequest.state === 'closed' ? await replacedBy(scene) : undefined;
  const isMerged = pullRequest.state === 'merged';
  const outcome = isMerged ? merged(scene, pullRequest) : closed(scene, pullRequest, newer, rejection);
  if (outcome.kind === 'finished') {
    const isReplaced = newer !== undefined && outcome.status === 'aborted';
    const last = { ...scene, outcome, ...(isReplaced ? { replacedBy: newer.promotion } : {}) };
    await reportPromotion(last, pullRequest, [], OVER);
  }
  return outcome;
}

async function obeyAndFollow(scene: PromotionScene, pullRequest: PullRequest): Promise<TaskOutcome> {
  const { changed, memo: commands } = await obeyComments(scene, pullRequest);
  const memo = { ...scene.memo, ...commands };
  if (changed) return waiting({ kind: 'review', sentence: 'does what a comment asks for' }, 0, memo);
  return followOpen({ ...scene, memo }, pullRequest);
}

async function followOpen(found: PromotionScene, pullRequest: PullRequest): Promise<TaskOutcome> {
  if (found.memo['takes'] === true) return renew(found);
  const { isOutdated, memo: seen } = await lookAtBase(found);
  const before = { ...found, memo: seen };
  if (isOutdated || (await isRolledBack(before))) return renew(before);
  const settled = await settleConflict(before, pullRequest);
  if (settled.kind === 'take') return take(before, settled.base);
  const looked = { ...before, memo: settled.memo };
  const gates = await gatesNow(looked, pullRequest);
  const scene = { ...looked, memo: rememberWithdrawn(looked.memo, gates) };
  const approval = await judgeReviews(scene, pullRequest);
  const { rejection } = approval;
  if (rejection) return reject(scene, pullRequest, rejection);
  const judged = { ...scene, memo: { ...withAsked(scene.memo, pullRequest), ...rememberApproval(approval) } };
  const report = await reportPromotion(judged, pullRequest, gates, approval);
  return goOn({ ...judged, memo: { ...judged.memo, ...report } }, pullRequest, gates, approval);
}

/** Who the host asks for a review, CODEOWNERS and its own rules included: by its answer to this look. */
function withAsked({ asked: _, ...memo }: PromotionScene['memo'], { asked }: PullRequest): PromotionScene['memo'] {
  return asked === undefined ? memo : { ...memo, asked: { people: [...asked.people], groups: [...asked.groups] } };
}

async function goOn(
  scene: PromotionScene,
  pullRequest: PullRequest,
  gates: readonly PromotionGate[],
  approval: ApprovalJudgement,
): Promise<TaskOutcome> {
  const { memo } = scene;
  const closedGate = firstClosed(gates);
  if (closedGate) {
    const { blocker: kind, sentence, until } = closedGate;
    const kept = await takeBack(scene, memo);
    return waiting({ kind, sentence, ...(until === undefined ? {} : { until }) }, await untilGate(scene, until), kept);
  }
  if (approval.verdict === 'approved') return merge(scene, pullRequest);
  const blocker = { kind: 'review', sentence: approval.sentence } as const;
  return waiting(blocker, await pollOf(scene), await takeBack(scene, memo));
}

/** In the stage, while it waited: it has to be put on top of that. */
async function isRolledBack({ input, tools, target, memo, step }: PromotionScene): Promise<boolean> {
  if (step.changes !== undefined) return false;
  const revert = await revertIn(tools.history, { ...input.triggered.place, stage: target.to });
  return revert !== undefined && revert !== memo['revert'];
}

/** Written down before anything is moved: after a death nobody else could be told from us. */
function take({ memo, target }: PromotionScene, base: string): TaskOutcome {
  const sentence = `puts the verified files on top of ${short(base)} of ${target.branch}`;
  return waiting({ kind: 'conflict', sentence: clip(sentence) }, 0, { ...memo, taken: base, takes: true });
}

/** The same pull request, with another commit. */
async function renew(scene: PromotionScene): Promise<TaskOutcome> {
  // Else the host would merge the new commit, too, which nobody has looked at.
  const memo = await takeBack(scene, scene.memo);
  const own = await scene.tools.history.sequences(scene.input.triggered.place, BEGINNING, LOOK_BACK);
  return openPromotion({ ...scene, memo }, { kind: 'turn', own, together: [] });
}

async function reject(scene: PromotionScene, { number }: PullRequest, rejection: Rejection): Promise<TaskOutcome> {
  const { input, host, repository } = scene;
  const comment = `Rejected by ${rejection.by}: ${rejection.reason}`;
  const pullRequest = await input.effect('close', () => host.closePullRequest(repository, number, comment, input));
  return ended(scene, pullRequest, rejection);
}

/** One at a time into one branch, on all replicas: what was pushed meanwhile is looked at before the next. */
async function merge(scene: PromotionScene, pullRequest: PullRequest): Promise<TaskOutcome> {
  const { input, repository, target, memo } = scene;
  const act = async () => {
    if ((await lookAtBase(scene)).isOutdated) return 'outdated';
    return mergeApproved(scene, pullRequest.number);
  };
  const merging = input.alone ? await input.alone([repository.url, target.branch], act) : await act();
  if (merging === 'busy' || merging === 'outdated') {
    const why = merging === 'busy' ? 'another promotion is being merged there' : 'it has other files by now';
    const askAgainMs = merging === 'busy' ? BUSY_MS : PLAN_MS;
    return waiting({ kind: 'queue', sentence: `waits for ${target.branch}: ${why}` }, askAgainMs, memo);
  }
  if (merging.kind === 'ended') return followPromotion(scene, merging.pullRequest);
  if (merging.kind === 'withHost') {
    const askAgainMs = merging.isBegun ? await pollOf(scene) : 0;
    return waiting(merging.blocker, askAgainMs, { ...memo, ...merging.memo });
  }
  if (merging.blocker.kind !== 'conflict') {
    return waiting(merging.blocker, await pollOf(scene), { ...(await takeBack(scene, memo)), ...merging.memo });
  }
  const settled = await settleConflict(scene, pullRequest, true);
  if (settled.kind === 'take') return take(scene, settled.base);
  const kept = await takeBack(scene, settled.memo);
  return waiting(merging.blocker, await pollOf(scene), { ...kept, ...merging.memo });
}

function pollOf({ tools, host, repository }: PromotionScene): Promise<number> {
  return gitPollMs(tools, host, repository);
}

async function untilGate(scene: PromotionScene, until: string | undefined): Promise<number> {
  const opensInMs = until === undefined ? GATE_MS : Math.max(1_000, Date.parse(until) - scene.input.now.getTime());
  return Math.min(opensInMs, await pollOf(scene));
}
