import type { PullRequest } from '../adapters/git-hosts/git-host.ts';
import type { JsonObject } from '../base/json.ts';
import { inGit } from '../engine/in-git.ts';
import type { PromotionTarget } from '../engine/plan.ts';
import type { PromotionStep } from '../engine/promotion.ts';
import { short } from '../engine/revisions.ts';
import { firstClosed } from '../promotion/gate.ts';
import { type PromotionPlan, planPromotion } from '../promotion/pull-request.ts';
import { judgeReviews, rememberApproval } from './promotion-approval.ts';
import { obeyComments } from './promotion-commands.ts';
import { promotionEvidence, promotionIdentity } from './promotion-evidence.ts';
import { promotedHead, revertIn } from './promotion-head.ts';
import { chosenBefore, whatToPromote } from './promotion-hydrated.ts';
import { mergeApproved } from './promotion-merge.ts';
import { gatesNow } from './promotion-override.ts';
import type { PromotionScene } from './promotion-scene.ts';
import { errored, fail, overtaken, pass, type TaskInput, type TaskOutcome, type TaskTools, waiting } from './task.ts';

/** Our own decisions wake the task at once; this is for merges that somebody makes in the repository itself. */
const POLL_MS = 5_000;
/** A host counts our calls: 5,000 an hour at GitHub, shared by everything that waits there. */
const HOST_POLL_MS = 60_000;

/**
 * One look at the way to one stage: opens its pull request, or follows it. What exists on the host is read back first:
 * there is at most one open per service and stage, and it never brings anything but the files of the commit that was
 * evaluated. `memo` of what it answers is the target's.
 */
export async function lookAtTarget(
  input: TaskInput,
  tools: TaskTools,
  { step, target, memo }: { step: PromotionStep; target: PromotionTarget; memo: JsonObject },
): Promise<TaskOutcome> {
  const what = await whatToPromote(input, tools, target, memo);
  if ('kind' in what) return what;
  const { repository, revision } = what;
  const host = tools.gitHost(repository);
  if (!host) return errored(`no Git host is configured for ${repository.url}`);
  const { head = revision } = memo;
  const scene = { input, tools, step, target, memo, host, repository, revision, head: String(head) };
  const known = numberIn(memo);
  return known === undefined ? open(scene) : follow(scene, await host.readPullRequest(repository, known, input));
}

/** Closes what is open. */
export async function stopTarget(input: TaskInput, tools: TaskTools, memo: JsonObject): Promise<void> {
  const { repository } = chosenBefore(memo) ?? inGit(input.triggered);
  const host = tools.gitHost(repository);
  const number = numberIn(memo);
  if (!host || number === undefined) return;
  await input.effect('close', () => host.closePullRequest(repository, number, 'The promotion was stopped.', input));
}

function numberIn({ pullRequest }: JsonObject): number | undefined {
  return typeof pullRequest === 'number' ? pullRequest : undefined;
}

async function open(scene: PromotionScene): Promise<TaskOutcome> {
  const { input, tools, target, host, repository, revision } = scene;
  const { triggered } = input;
  const { to, branch } = target;
  if (await host.contains(repository, branch, revision, input)) return pass(`${to} has ${short(revision)} already`);
  const brings = await host.compare(repository, branch, revision, input);
  const identity = promotionIdentity({ ...triggered, revision }, to);
  const plan = planPromotion(promotionEvidence(input.sequence, identity, brings, tools.linkTo(triggered.context)));
  await makeRoom(scene, plan);
  const { headBranch, title, body } = plan;
  const revert = await revertIn(tools.history, { ...triggered.place, stage: to });
  const head = await promotedHead(input, host, repository, { revision, headBranch, revert });
  const wanted = { headBranch, headSha: head, baseBranch: branch, title, body };
  const pullRequest = await input.effect('pull-request', () => host.openPullRequest(repository, wanted, input));
  const url = pullRequest.url ?? tools.linkTo(triggered.context) ?? '';
  const after = revert === undefined ? {} : { head, revert };
  const chosen = revision === inGit(triggered).revision ? {} : { hydrated: { repoUrl: repository.url, revision } };
  const memo = { reviews: host.capabilities.reviews, pullRequest: pullRequest.number, url, ...after, ...chosen };
  const { sentence } = await judgeReviews({ ...scene, head, memo }, pullRequest);
  return waiting({ kind: 'review', sentence }, 0, memo);
}

/** One open promotion per service and stage: an older change's makes room first, so that there are never two. */
async function makeRoom(
  { input, target, host, repository, revision }: PromotionScene,
  { headPrefix, headBranch }: PromotionPlan,
): Promise<void> {
  const found = await host.findOpenPullRequests(repository, { headPrefix, baseBranch: target.branch }, input);
  for (const old of found.filter((one) => one.headBranch !== headBranch)) {
    const comment = `Superseded: ${short(revision)} was verified after this one and takes its place.`;
    await input.effect('close', () => host.closePullRequest(repository, old.number, comment, input));
  }
}

async function follow(scene: PromotionScene, pullRequest: PullRequest): Promise<TaskOutcome> {
  switch (pullRequest.state) {
    case 'merged':
      return merged(scene, pullRequest);
    case 'closed':
      return closed(scene, pullRequest);
    case 'open':
      return obeyAndFollow(scene, pullRequest);
  }
}

function merged({ target, head, memo }: PromotionScene, pullRequest: PullRequest): TaskOutcome {
  const { number, headSha, mergeSha = '' } = pullRequest;
  const data: JsonObject = { pullRequest: number, url: memo['url'] ?? '', to: target.to, mergeSha };
  if (headSha !== head) {
    return errored(`pull request ${number} was merged with ${short(headSha)}, which nobody evaluated`, data);
  }
  return pass(`promoted to ${target.to} by pull request ${number}${by(pullRequest)}`, data);
}

async function closed(
  { input, tools, target, memo }: PromotionScene,
  pullRequest: PullRequest,
  rejection?: { by: string; reason: string },
): Promise<TaskOutcome> {
  const data: JsonObject = { pullRequest: pullRequest.number, url: memo['url'] ?? '', to: target.to };
  if (rejection) return fail(`rejected by ${rejection.by}: ${rejection.reason}`, data);
  // Who asks for changes in a review closes nothing.
  const earlier = input.task.decisions.find(({ verdict, host }) => verdict === 'reject' && host === undefined);
  if (earlier) return fail(`rejected by ${earlier.actor}: ${earlier.reason}`, data);
  if (await hasNewerPromotion(input, tools)) {
    return overtaken(`pull request ${pullRequest.number} made room for a newer promotion`);
  }
  return fail(`pull request ${pullRequest.number} was closed${by(pullRequest)}`, data);
}

/** Hosts do not say reliably who closed a pull request; our own history says whether we had a reason to. */
async function hasNewerPromotion({ triggered, sequence }: TaskInput, tools: TaskTools): Promise<boolean> {
  const since = sequence.triggered?.at ?? '';
  const others = await tools.history.sequences(triggered.place, new Date(since));
  const later = others.filter((other) => (other.triggered?.at ?? '') > since);
  return later.some(({ tasks }) => tasks.some(({ name }) => name === 'promotion'));
}

function by({ endedBy }: PullRequest): string {
  return endedBy === undefined || endedBy === '' ? '' : ` by ${endedBy}`;
}

async function obeyAndFollow(scene: PromotionScene, pullRequest: PullRequest): Promise<TaskOutcome> {
  const { changed, memo: commands } = await obeyComments(scene, pullRequest);
  const memo = { ...scene.memo, ...commands };
  if (changed) return waiting({ kind: 'review', sentence: 'does what a comment asks for' }, 0, memo);
  return followOpen({ ...scene, memo }, pullRequest);
}

async function followOpen(scene: PromotionScene, pullRequest: PullRequest): Promise<TaskOutcome> {
  const { input, tools, target, host, repository, head } = scene;
  const { number } = pullRequest;
  if (pullRequest.headSha !== head) {
    return conflict(scene, `pull request ${number} no longer points at the evaluated commit`);
  }
  // A rollback there while it waited: it has to be put on top of that.
  const revert = await revertIn(tools.history, { ...input.triggered.place, stage: target.to });
  if (revert !== undefined && revert !== scene.memo['revert']) return open(scene);
  const gates = await gatesNow(scene, pullRequest);
  const approval = await judgeReviews(scene, pullRequest);
  const memo = { ...scene.memo, ...rememberApproval(approval) };
  const { rejection } = approval;
  if (rejection) {
    const comment = `Rejected by ${rejection.by}: ${rejection.reason}`;
    const ended = await input.effect('close', () => host.closePullRequest(repository, number, comment, input));
    return closed(scene, ended, rejection);
  }
  const closedGate = firstClosed(gates);
  if (closedGate) {
    const { blocker: kind, sentence, until } = closedGate;
    return waiting({ kind, sentence, ...(until === undefined ? {} : { until }) }, pollOf(scene), memo);
  }
  if (approval.verdict === 'approved') return merge({ ...scene, memo }, pullRequest);
  return waiting({ kind: 'review', sentence: approval.sentence }, pollOf(scene), memo);
}

async function merge(scene: PromotionScene, { number }: PullRequest): Promise<TaskOutcome> {
  const merging = await mergeApproved(scene, number);
  if (merging.kind === 'ended') return follow(scene, merging.pullRequest);
  return waiting(merging.blocker, await pollOf(scene), { ...scene.memo, ...merging.memo });
}

function conflict(scene: PromotionScene, sentence: string): TaskOutcome {
  return waiting({ kind: 'conflict', sentence }, pollOf(scene), scene.memo);
}

function pollOf({ host }: PromotionScene): number {
  return host.capabilities.reviews === 'host' ? HOST_POLL_MS : POLL_MS;
}
