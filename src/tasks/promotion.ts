import type { GitHost, PullRequest, Repository } from '../adapters/git-hosts/git-host.ts';
import { AdapterError } from '../base/adapter-error.ts';
import type { JsonObject } from '../base/json.ts';
import type { CheckAnswer } from '../engine/check.ts';
import { plannedStep, promotionPolicy } from '../engine/decide.ts';
import type { PlannedTask } from '../engine/plan.ts';
import { deployedRevision, short } from '../engine/rollout.ts';
import { finishedTask, worstResult } from '../engine/sequence.ts';
import type { PromotionEvidence } from '../promotion/promotion.ts';
import { mergeMessage, planPromotion } from '../promotion/pull-request.ts';
import type { Evaluation } from '../slo/evaluation.ts';
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

type Step = Extract<PlannedTask, { name: 'promotion' }>;

/** Our own decisions wake the task at once; this is for merges that somebody makes in the repository itself. */
const POLL_MS = 5_000;
/** A host counts our calls: 5,000 an hour at GitHub, shared by everything that waits there. */
const HOST_POLL_MS = 60_000;

/**
 * Opens the pull request that moves the verified commit to the next stage, and follows it until it is
 * merged or closed. What exists on the host is read back first: there is at most one open per service
 * and stage, and it never points at anything but the commit that was evaluated.
 */
export const promotion: TaskHandler = {
  name: 'promotion',
  async run(input, tools) {
    const step = plannedStep(input.sequence, 'promotion');
    const repository = { url: input.triggered.source.repoUrl };
    const host = tools.gitHost(repository);
    if (!step) return errored('there is nothing to promote');
    if (!host) return errored(`no Git host is configured for ${repository.url}`);
    const known = Number(input.task.memo['pullRequest'] ?? 0);
    if (known > 0)
      return follow(input, tools, step, host, repository, await host.readPullRequest(repository, known, input));
    return open(input, tools, step, host, repository);
  },

  async stop(input, tools) {
    const repository = { url: input.triggered.source.repoUrl };
    const number = Number(input.task.memo['pullRequest'] ?? 0);
    const host = tools.gitHost(repository);
    if (!host || number === 0) return;
    await input.effect('close', () => host.closePullRequest(repository, number, 'The promotion was stopped.', input));
  },
};

async function open(
  input: TaskInput,
  tools: TaskTools,
  step: Step,
  host: GitHost,
  repository: Repository,
): Promise<TaskOutcome> {
  const { revision } = input.triggered;
  const moved = await movedOn(input, tools);
  if (moved) return moved;
  if (await host.contains(repository, step.branch, revision, input)) {
    return pass(`${step.to} has ${short(revision)} already`);
  }
  const evidence = await gather(input, tools, step, host, repository);
  const planned = planPromotion(evidence);
  for (const old of await host.findOpenPullRequests(
    repository,
    { headPrefix: planned.headPrefix, baseBranch: step.branch },
    input,
  )) {
    if (old.headBranch === planned.headBranch) continue;
    const comment = `Superseded: ${short(revision)} was verified after this one and takes its place.`;
    await input.effect('close', () => host.closePullRequest(repository, old.number, comment, input));
  }
  const wanted = {
    headBranch: planned.headBranch,
    headSha: revision,
    baseBranch: step.branch,
    title: planned.title,
    body: planned.body,
  };
  const pullRequest = await input.effect('pull-request', () => host.openPullRequest(repository, wanted, input));
  const memo = {
    reviews: host.capabilities.reviews,
    pullRequest: pullRequest.number,
    url: pullRequest.url ?? tools.linkTo(input.triggered.context) ?? '',
  };
  return waiting({ kind: 'review', sentence: reviewSentence(input, step, host, pullRequest) }, 0, memo);
}

/** Between the evaluation and now somebody may have deployed something else: then its verdict is about the past. */
async function movedOn({ triggered, signal }: TaskInput, tools: TaskTools): Promise<TaskOutcome | undefined> {
  for (const ref of await tools.history.applications(triggered.place)) {
    const application = await tools.deliverySystem(ref.system)?.read(ref, { signal });
    const deployed = application && deployedRevision(application);
    if (deployed !== triggered.revision) {
      const sentence = `${short(deployed ?? 'nothing')} is deployed by now, not the evaluated ${short(triggered.revision)}`;
      return application?.targetRevision === triggered.revision ? errored(sentence) : overtaken(sentence);
    }
  }
  return undefined;
}

async function follow(
  input: TaskInput,
  tools: TaskTools,
  step: Step,
  host: GitHost,
  repository: Repository,
  pullRequest: PullRequest,
): Promise<TaskOutcome> {
  const data: JsonObject = { pullRequest: pullRequest.number, url: input.task.memo['url'] ?? '', to: step.to };
  switch (pullRequest.state) {
    case 'merged':
      return pass(`promoted to ${step.to} by pull request ${pullRequest.number}${by(pullRequest)}`, {
        ...data,
        mergeSha: pullRequest.mergeSha ?? '',
      });
    case 'closed':
      return closed(input, tools, pullRequest, data);
    case 'open':
      return followOpen(input, tools, step, host, repository, pullRequest);
  }
}

async function closed(
  input: TaskInput,
  tools: TaskTools,
  pullRequest: PullRequest,
  data: JsonObject,
): Promise<TaskOutcome> {
  const rejection = input.task.decisions.find(({ verdict }) => verdict === 'reject');
  if (rejection) return fail(`rejected by ${rejection.actor}: ${rejection.reason}`, data);
  if (await hasNewerPromotion(input, tools))
    return overtaken(`pull request ${pullRequest.number} made room for a newer promotion`);
  return fail(`pull request ${pullRequest.number} was closed${by(pullRequest)}`, data);
}

/** Hosts do not say reliably who closed a pull request; our own history says whether we had a reason to. */
async function hasNewerPromotion({ triggered, sequence }: TaskInput, tools: TaskTools): Promise<boolean> {
  const since = sequence.triggered?.at ?? '';
  const later = await tools.history.sequences(triggered.place, new Date(since));
  return later.some(
    (other) => (other.triggered?.at ?? '') > since && other.tasks.some(({ name }) => name === 'promotion'),
  );
}

function by({ endedBy }: PullRequest): string {
  return endedBy === undefined || endedBy === '' ? '' : ` by ${endedBy}`;
}

async function followOpen(
  input: TaskInput,
  tools: TaskTools,
  step: Step,
  host: GitHost,
  repository: Repository,
  pullRequest: PullRequest,
): Promise<TaskOutcome> {
  const { revision } = input.triggered;
  if (pullRequest.headSha !== revision) {
    const sentence = `pull request ${pullRequest.number} no longer points at the evaluated commit`;
    return waiting({ kind: 'conflict', sentence }, pollOf(host), input.task.memo);
  }
  const decisions =
    host.capabilities.reviews === 'lynceus'
      ? input.task.decisions.filter((decision) => decision.revision === revision)
      : [];
  const rejection = decisions.find(({ verdict }) => verdict === 'reject');
  if (rejection) {
    const comment = `Rejected by ${rejection.actor}: ${rejection.reason}`;
    const ended = await input.effect('close', () =>
      host.closePullRequest(repository, pullRequest.number, comment, input),
    );
    return closed(input, tools, ended, { pullRequest: ended.number, to: step.to });
  }
  const approval = decisions.find(({ verdict }) => verdict === 'approve');
  const merger =
    approval?.actor ??
    (promotionPolicy(input.sequence, step) === 'automatic' ? 'Lynceus, as the policy says' : undefined);
  if (merger === undefined) {
    return waiting(
      { kind: 'review', sentence: reviewSentence(input, step, host, pullRequest) },
      pollOf(host),
      input.task.memo,
    );
  }
  return merge(input, tools, step, host, repository, pullRequest, merger);
}

async function merge(
  input: TaskInput,
  tools: TaskTools,
  step: Step,
  host: GitHost,
  repository: Repository,
  pullRequest: PullRequest,
  merger: string,
): Promise<TaskOutcome> {
  const { triggered } = input;
  const identity = {
    project: triggered.place.project,
    service: triggered.place.service,
    fromStage: triggered.place.stage,
    toStage: step.to,
    context: triggered.context,
    revision: triggered.revision,
  };
  try {
    const merged = await input.effect('merge', () =>
      host.mergePullRequest(
        repository,
        pullRequest.number,
        { expectedHeadSha: triggered.revision, message: mergeMessage(identity, pullRequest.number), by: merger },
        input,
      ),
    );
    return await follow(input, tools, step, host, repository, merged);
  } catch (error) {
    if (!(error instanceof AdapterError) || error.reason !== 'conflict') throw error;
    return waiting({ kind: 'conflict', sentence: error.message }, pollOf(host), input.task.memo);
  }
}

function pollOf(host: GitHost): number {
  return host.capabilities.reviews === 'host' ? HOST_POLL_MS : POLL_MS;
}

function reviewSentence(input: TaskInput, step: Step, host: GitHost, pullRequest: PullRequest): string {
  if (promotionPolicy(input.sequence, step) === 'automatic')
    return `pull request ${pullRequest.number} to ${step.to} is about to be merged`;
  const where = host.capabilities.reviews === 'lynceus' ? 'here' : 'at the Git host';
  return `pull request ${pullRequest.number} to ${step.to} needs an approval ${where}`;
}

async function gather(
  input: TaskInput,
  tools: TaskTools,
  step: Step,
  host: GitHost,
  repository: Repository,
): Promise<PromotionEvidence> {
  const { triggered, sequence } = input;
  const evaluated = finishedTask(sequence, 'evaluation')?.data['evaluation'] as unknown as Evaluation | undefined;
  const answers = (finishedTask(sequence, 'checks')?.data['answers'] ?? []) as unknown as CheckAnswer[];
  const reports = (finishedTask(sequence, 'test')?.data['reports'] ?? []) as unknown as PromotionEvidence['tests'];
  const { commits, totalCommits } = await host.compare(repository, step.branch, triggered.revision, input);
  const link = tools.linkTo(triggered.context);
  return {
    project: triggered.place.project,
    service: triggered.place.service,
    fromStage: triggered.place.stage,
    toStage: step.to,
    context: triggered.context,
    revision: triggered.revision,
    verdict: worstResult(sequence) === 'warning' ? 'warning' : 'pass',
    ...(evaluated === undefined ? {} : { evaluation: evaluated }),
    checks: answers,
    tests: reports,
    commits,
    totalCommits,
    ...(link === undefined ? {} : { link }),
  };
}
