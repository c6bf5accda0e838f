import type { GitHost, PullRequest, Repository } from '../adapters/git-hosts/git-host.ts';
import { AdapterError } from '../base/adapter-error.ts';
import type { JsonObject } from '../base/json.ts';
import { plannedStep, promotionPolicy } from '../engine/decide.ts';
import { inGit } from '../engine/in-git.ts';
import type { PlannedTask } from '../engine/plan.ts';
import { short } from '../engine/revisions.ts';
import { isAskedFor, isDeployed, sayOther } from '../engine/rollout.ts';
import { mergeMessage, type PromotionPlan, planPromotion } from '../promotion/pull-request.ts';
import { promotionEvidence, promotionIdentity } from './promotion-evidence.ts';
import { promotedHead, revertIn } from './promotion-head.ts';
import { chosenBefore, whatToPromote } from './promotion-hydrated.ts';
import {
  errored,
  fail,
  overtaken,
  pass,
  type TaskHandler,
  type TaskInput,
  type TaskOutcome,
  type TaskTools,
  waiting,
} from './task.ts';

/** Our own decisions wake the task at once; this is for merges that somebody makes in the repository itself. */
const POLL_MS = 5_000;
/** A host counts our calls: 5,000 an hour at GitHub, shared by everything that waits there. */
const HOST_POLL_MS = 60_000;

/** One look at one promotion, with everything that it is about. */
interface Scene {
  input: TaskInput;
  tools: TaskTools;
  step: Extract<PlannedTask, { name: 'promotion' }>;
  host: GitHost;
  repository: Repository;
  /** The commit to promote, as that repository names it. */
  revision: string;
  /** What its pull request points at: that commit, or one with its files. */
  head: string;
}

/**
 * Opens the pull request that moves the verified commit to the next stage, and follows it until it is
 * merged or closed. What exists on the host is read back first: there is at most one open per service
 * and stage, and it never brings anything but the files of the commit that was evaluated.
 */
export const promotion: TaskHandler = {
  name: 'promotion',
  async run(input, tools) {
    const step = plannedStep(input.sequence, 'promotion');
    if (!step) return errored('there is nothing to promote');
    const what = await whatToPromote(input, tools, step);
    if ('kind' in what) return what;
    const { repository, revision } = what;
    const host = tools.gitHost(repository);
    if (!host) return errored(`no Git host is configured for ${repository.url}`);
    const { head = revision } = input.task.memo;
    const scene: Scene = { input, tools, step, host, repository, revision, head: String(head) };
    const known = numberOf(input);
    return known === undefined ? open(scene) : follow(scene, await host.readPullRequest(repository, known, input));
  },

  async stop(input, tools) {
    const { repository } = chosenBefore(input) ?? inGit(input.triggered);
    const host = tools.gitHost(repository);
    const number = numberOf(input);
    if (!host || number === undefined) return;
    await input.effect('close', () => host.closePullRequest(repository, number, 'The promotion was stopped.', input));
  },
};

function numberOf({ task }: TaskInput): number | undefined {
  const number = task.memo['pullRequest'];
  return typeof number === 'number' ? number : undefined;
}

async function open(scene: Scene): Promise<TaskOutcome> {
  const { input, tools, step, host, repository, revision } = scene;
  const { triggered } = input;
  const moved = await movedOn(input, tools);
  if (moved) return moved;
  if (await host.contains(repository, step.branch, revision, input)) {
    return pass(`${step.to} has ${short(revision)} already`);
  }
  const brings = await host.compare(repository, step.branch, revision, input);
  const identity = promotionIdentity({ ...triggered, revision }, step.to);
  const plan = planPromotion(promotionEvidence(input.sequence, identity, brings, tools.linkTo(triggered.context)));
  await makeRoom(scene, plan);
  const { headBranch, title, body } = plan;
  const revert = await revertIn(tools.history, { ...triggered.place, stage: step.to });
  const head = await promotedHead(input, host, repository, { revision, headBranch, revert });
  const wanted = { headBranch, headSha: head, baseBranch: step.branch, title, body };
  const pullRequest = await input.effect('pull-request', () => host.openPullRequest(repository, wanted, input));
  const url = pullRequest.url ?? tools.linkTo(triggered.context) ?? '';
  const after = revert === undefined ? {} : { head, revert };
  const chosen = revision === inGit(triggered).revision ? {} : { hydrated: { repoUrl: repository.url, revision } };
  const memo = { reviews: host.capabilities.reviews, pullRequest: pullRequest.number, url, ...after, ...chosen };
  return review(scene, pullRequest, 0, memo);
}

/** Between the evaluation and now somebody may have deployed something else: then its verdict is about the past. */
async function movedOn({ triggered, signal }: TaskInput, tools: TaskTools): Promise<TaskOutcome | undefined> {
  for (const ref of await tools.history.applications(triggered.place)) {
    const application = await tools.deliverySystem(ref.system)?.read(ref, { signal });
    if (application && isDeployed(application, triggered)) continue;
    const sentence = application ? sayOther(application, triggered) : 'nothing is deployed any more';
    return application && !isAskedFor(application, triggered) ? overtaken(sentence) : errored(sentence);
  }
  return undefined;
}

/** One open promotion per service and stage: an older change's makes room first, so that there are never two. */
async function makeRoom(
  { input, step, host, repository, revision }: Scene,
  { headPrefix, headBranch }: PromotionPlan,
): Promise<void> {
  const found = await host.findOpenPullRequests(repository, { headPrefix, baseBranch: step.branch }, input);
  for (const old of found.filter((one) => one.headBranch !== headBranch)) {
    const comment = `Superseded: ${short(revision)} was verified after this one and takes its place.`;
    await input.effect('close', () => host.closePullRequest(repository, old.number, comment, input));
  }
}

async function follow(scene: Scene, pullRequest: PullRequest): Promise<TaskOutcome> {
  switch (pullRequest.state) {
    case 'merged':
      return merged(scene, pullRequest);
    case 'closed':
      return closed(scene, pullRequest);
    case 'open':
      return followOpen(scene, pullRequest);
  }
}

function merged({ input, step, head }: Scene, pullRequest: PullRequest): TaskOutcome {
  const { number, headSha, mergeSha = '' } = pullRequest;
  const data: JsonObject = { pullRequest: number, url: input.task.memo['url'] ?? '', to: step.to, mergeSha };
  if (headSha !== head) {
    return errored(`pull request ${number} was merged with ${short(headSha)}, which nobody evaluated`, data);
  }
  return pass(`promoted to ${step.to} by pull request ${number}${by(pullRequest)}`, data);
}

async function closed({ input, tools, step }: Scene, pullRequest: PullRequest): Promise<TaskOutcome> {
  const data: JsonObject = { pullRequest: pullRequest.number, url: input.task.memo['url'] ?? '', to: step.to };
  const rejection = input.task.decisions.find(({ verdict }) => verdict === 'reject');
  if (rejection) return fail(`rejected by ${rejection.actor}: ${rejection.reason}`, data);
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

async function followOpen(scene: Scene, pullRequest: PullRequest): Promise<TaskOutcome> {
  const { input, tools, step, host, repository, head } = scene;
  const { number } = pullRequest;
  if (pullRequest.headSha !== head) {
    return conflict(scene, `pull request ${number} no longer points at the evaluated commit`);
  }
  // A rollback there while it waited: it has to be put on top of that.
  const revert = await revertIn(tools.history, { ...input.triggered.place, stage: step.to });
  if (revert !== undefined && revert !== input.task.memo['revert']) return open(scene);
  const decisions = decisionsThatCount(scene);
  const rejection = decisions.find(({ verdict }) => verdict === 'reject');
  if (rejection) {
    const comment = `Rejected by ${rejection.actor}: ${rejection.reason}`;
    return closed(scene, await input.effect('close', () => host.closePullRequest(repository, number, comment, input)));
  }
  const approval = decisions.find(({ verdict }) => verdict === 'approve');
  if (approval) return merge(scene, pullRequest, approval.actor);
  if (promotionPolicy(input.sequence, step) === 'automatic')
    return merge(scene, pullRequest, 'Lynceus, as the policy says');
  return review(scene, pullRequest, pollOf(host), input.task.memo);
}

/** Where the host has reviews of its own, only those count: ours would let somebody pass it by. */
function decisionsThatCount({ input, host }: Scene) {
  if (host.capabilities.reviews !== 'lynceus') return [];
  return input.task.decisions.filter(({ revision }) => revision === input.triggered.revision);
}

async function merge(scene: Scene, { number }: PullRequest, by: string): Promise<TaskOutcome> {
  const { input, step, host, repository, revision, head } = scene;
  const message = mergeMessage(promotionIdentity({ ...input.triggered, revision }, step.to), number);
  try {
    const act = () => host.mergePullRequest(repository, number, { expectedHeadSha: head, message, by }, input);
    return await follow(scene, await input.effect('merge', act));
  } catch (error) {
    if (error instanceof AdapterError && error.reason === 'conflict') return conflict(scene, error.message);
    throw error;
  }
}

function conflict({ input, host }: Scene, sentence: string): TaskOutcome {
  return waiting({ kind: 'conflict', sentence }, pollOf(host), input.task.memo);
}

function pollOf(host: GitHost): number {
  return host.capabilities.reviews === 'host' ? HOST_POLL_MS : POLL_MS;
}

function review(scene: Scene, pullRequest: PullRequest, askAgainMs: number, memo: JsonObject): TaskOutcome {
  return waiting({ kind: 'review', sentence: reviewSentence(scene, pullRequest) }, askAgainMs, memo);
}

function reviewSentence({ input, step, host }: Scene, { number }: PullRequest): string {
  const what = `pull request ${number} to ${step.to}`;
  if (promotionPolicy(input.sequence, step) === 'automatic') return `${what} is about to be merged`;
  return `${what} needs an approval ${host.capabilities.reviews === 'lynceus' ? 'here' : 'at the Git host'}`;
}
