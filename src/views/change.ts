import { saysHowBack, subjectIn, whyNotBack } from '../engine/asked.ts';
import { plannedStep, quorumOf } from '../engine/decide.ts';
import { promotionsOf } from '../engine/promotion.ts';
import { currentTask, finishedTask, type SequenceState, type TaskState } from '../engine/sequence.ts';
import { syncByHand } from '../engine/sync-by-hand.ts';
import { type Asked, type Result, ROLLBACK_WAYS, type RollbackWay } from '../events/types.ts';
import { canBeTakenUp, type PromotionView, promotionViews } from './promotion.ts';
import { type ReviewAtHost, reviewsAtHost } from './reviews.ts';
import { sequenceStatus } from './sequence-document.ts';

/** One task as the API and the page show it. */
export interface TaskView {
  task: string;
  name: string;
  triggeredAt: string;
  finishedAt?: string;
  status?: string;
  result?: string;
  message?: string;
  waitingFor?: { kind: string; sentence: string; since: string; until?: string };
  progress?: { fraction: number; sentence: string };
  decisions: { actor: string; verdict: string; reason: string; at: string }[];
  /** Present when this evaluation is not compared with any more. */
  invalidated?: Invalidation;
  data: TaskState['data'];
}

export interface Invalidation {
  actor: string;
  reason: string;
  at: string;
}

/** One stage of a change's journey. */
export interface StageView {
  stage: string;
  sequence: string;
  revision: string;
  /** By source of the application; only where there are several. */
  revisions?: string[];
  /** The commit that people wrote, where `revision` was hydrated from it. */
  drySha?: string;
  status: ReturnType<typeof sequenceStatus>;
  result?: Result;
  reason?: string;
  message?: string;
  by?: string;
  score?: number;
  triggeredAt: string;
  finishedAt?: string;
  paused?: { actor: string; reason: string };
  /** Somebody let the commit through, whatever checks and approval say. */
  override?: { actor: string; reason: string; at: string };
  pullRequest?: { number: number; url: string; to: string };
  /** By stage that it goes to; absent: it has not come so far. */
  promotions?: PromotionView[];
  /** Present: a promotion of it ended without having been merged, and a person can take it up again (`retry`). */
  canBeTakenUp?: true;
  /** Present: its sync waits until somebody asks for it (`sync`). */
  canBeSynced?: true;
  /** Present while promotions wait for people at a Git host. */
  reviews?: ReviewAtHost[];
  /** What became of it after it failed; absent: nothing was rolled back. */
  rollback?: RollbackView;
  /** Present: no change of its own, but the revert that a rollback merged. */
  rollsBack?: { sequence: string; revision: string; to: string; pullRequest: number };
  /** Present: a person asked for it once the change was over. */
  asked?: { what: 'rollback' | 'override'; sequence: string; actor: string; reason: string };
  /**
   * Present, where one change is read, when a person can have it rolled back now. `ways`: one of them has to be named;
   * none: the stage says how.
   */
  rollBack?: { revision: string; evidence: string; groups: string[]; ways: RollbackWay[] };
  /** Present when a person can decide something now. */
  decide?: {
    task: string;
    what: 'approval' | 'promotion' | 'rollback';
    quorum: number;
    groups: string[];
    revision: string;
    evidence: string;
  };
  tasks: TaskView[];
}

/** How a stage went back, or is going back, to its last good commit. */
export interface RollbackView {
  /** The good commit; absent: none was found. */
  to?: string;
  by?: 'sync' | 'pullRequest';
  state: 'under way' | 'done' | 'failed' | 'not done';
  message?: string;
}

export interface ChangeView {
  id: string;
  project: string;
  service: string;
  revision: string;
  /** Where it is now, in one sentence. */
  summary: string;
  updatedAt: string;
  /** In the order in which the change entered them. */
  stages: StageView[];
}

export interface ViewTools {
  progress: (task: string) => { fraction: number; sentence: string } | undefined;
  evidence: (state: SequenceState) => string;
  /** Of an evaluation, by the id of its task. */
  invalidation?: (task: string) => Invalidation | undefined;
  /** Whether a sequence is the newest of its place; absent: not looked up. */
  isNewest?: (sequence: string) => boolean;
}

/** A change's journey out of its sequences, oldest first. */
export function changeView(sequences: readonly SequenceState[], tools: ViewTools): ChangeView | undefined {
  const find = (id: string) => sequences.find(({ triggered }) => triggered?.sequence === id);
  const stages = sequences
    .map((state) => stageView(state, { ...tools, subject: subjectIn(state, find) }))
    .filter((stage) => stage !== undefined);
  const [first] = sequences;
  const last = stages.at(-1);
  if (!first?.triggered || !last) return undefined;
  const { context, place } = first.triggered;
  return {
    id: context,
    project: place.project,
    service: place.service,
    revision: first.triggered.revision,
    summary: summaryOf(last),
    updatedAt: stages.map(lastMove).reduce((latest, at) => (at > latest ? at : latest)),
    stages,
  };
}

function stageView(state: SequenceState, tools: ViewTools & { subject: SequenceState }): StageView | undefined {
  const { triggered, finished } = state;
  if (!triggered) return undefined;
  const decide = decideView(state, tools);
  const pullRequest = pullRequestView(state);
  const promotions = promotionViews(state);
  const reviews = reviewsAtHost(state);
  const rollback = rollbackView(state);
  const score = scoreOf(state);
  const rollBack = rollBackView(state, tools);
  return {
    stage: triggered.place.stage,
    sequence: triggered.sequence,
    revision: triggered.revision,
    ...(triggered.revisions === undefined ? {} : { revisions: triggered.revisions }),
    ...(triggered.drySha ? { drySha: triggered.drySha } : {}),
    status: sequenceStatus(state),
    triggeredAt: triggered.at,
    ...(finished
      ? { result: finished.result, reason: finished.reason, message: finished.message, finishedAt: finished.at }
      : {}),
    ...(finished?.by === undefined ? {} : { by: finished.by }),
    ...(score === undefined ? {} : { score }),
    ...(state.override ? { override: state.override } : {}),
    ...(state.paused ? { paused: { actor: state.paused.actor, reason: state.paused.reason } } : {}),
    ...(pullRequest ? { pullRequest } : {}),
    ...(promotions.length > 0 ? { promotions } : {}),
    ...(canBeTakenUp(state) ? { canBeTakenUp: true } : {}),
    ...(syncByHand(state) ? { canBeSynced: true } : {}),
    ...(reviews.length > 0 ? { reviews } : {}),
    ...(rollback ? { rollback } : {}),
    ...(triggered.rollsBack ? { rollsBack: triggered.rollsBack } : {}),
    ...(triggered.asked ? { asked: askedView(triggered.asked) } : {}),
    ...(rollBack ? { rollBack } : {}),
    ...(decide ? { decide } : {}),
    tasks: state.tasks.map((task) => taskView(task, tools)),
  };
}

function taskView(task: TaskState, tools: ViewTools): TaskView {
  const progress = task.finishedAt === undefined ? tools.progress(task.id) : undefined;
  const invalidated = tools.invalidation?.(task.id);
  return {
    task: task.id,
    name: task.name,
    triggeredAt: task.triggeredAt,
    ...(task.finishedAt === undefined ? {} : { finishedAt: task.finishedAt }),
    ...(task.status === undefined ? {} : { status: task.status }),
    ...(task.result === undefined ? {} : { result: task.result }),
    ...(task.message === undefined ? {} : { message: task.message }),
    ...(task.blocker ? { waitingFor: task.blocker } : {}),
    ...(progress ? { progress } : {}),
    decisions: task.decisions.map(({ actor, verdict, reason, at }) => ({ actor, verdict, reason, at })),
    ...(invalidated ? { invalidated } : {}),
    data: task.name === 'plan' ? {} : task.data,
  };
}

function decideView(state: SequenceState, tools: ViewTools): StageView['decide'] {
  const task = currentTask(state);
  const revision = state.triggered?.revision;
  if (!task || revision === undefined || state.phase === 'finished') return undefined;
  if (task.name === 'approval') {
    const step = plannedStep(state, 'approval');
    return {
      task: task.id,
      what: 'approval',
      quorum: quorumOf(state),
      groups: step?.groups ?? [],
      revision,
      evidence: tools.evidence(state),
    };
  }
  const { name } = task;
  if (name !== 'promotion' && name !== 'rollback') return undefined;
  if (!isReviewedHere(state, task)) return undefined;
  const { quorum = 1, groups = [] } = (name === 'promotion' && plannedStep(state, 'promotion')?.approval) || {};
  return { task: task.id, what: name, quorum, groups, revision, evidence: tools.evidence(state) };
}

function isReviewedHere(state: SequenceState, { name, memo }: TaskState): boolean {
  // A revert that is merged has only to be verified.
  if (name === 'rollback') return memo['reviews'] === 'lynceus' && memo['mergeSha'] === undefined;
  const open = promotionsOf(state).filter(({ outcome }) => outcome === undefined);
  return open.some((promotion) => promotion.memo['reviews'] === 'lynceus');
}

/** The rollback's, else the promotion's: of several the first that is still open. */
function pullRequestView(state: SequenceState): StageView['pullRequest'] {
  const rollback = state.tasks.findLast(({ name }) => name === 'rollback');
  const to = state.triggered?.place.stage ?? '';
  const all = rollback ? [pullRequestOf(rollback.data, rollback.memo, to)] : pullRequestsOf(state);
  return all.find((one) => one !== undefined);
}

function pullRequestsOf(state: SequenceState): ReturnType<typeof pullRequestOf>[] {
  return [...promotionsOf(state)]
    .sort((a, b) => Number(a.outcome !== undefined) - Number(b.outcome !== undefined))
    .map(({ memo, outcome, target }) => pullRequestOf(outcome?.data ?? {}, memo, target.to));
}

function pullRequestOf(data: TaskState['data'], memo: TaskState['memo'], to: string) {
  const number = Number(data['pullRequest'] ?? memo['pullRequest'] ?? 0);
  return number === 0 ? undefined : { number, url: String(data['url'] ?? memo['url'] ?? ''), to };
}

function rollbackView({ tasks }: SequenceState): RollbackView | undefined {
  const task = tasks.findLast(({ name }) => name === 'rollback');
  if (!task) return undefined;
  const { memo, data, finishedAt, result, message } = task;
  const [to, by] = [data['to'] ?? memo['good'], data['by'] ?? memo['by']];
  const ended = result === 'pass' ? 'done' : data['notRolledBack'] === true ? 'not done' : 'failed';
  return {
    ...(typeof to === 'string' ? { to } : {}),
    ...(by === 'sync' || by === 'pullRequest' ? { by } : {}),
    state: finishedAt === undefined ? 'under way' : ended,
    ...(message === undefined ? {} : { message }),
  };
}

function askedView({ what, sequence, actor, reason }: Asked) {
  return { what, sequence, actor, reason };
}

function rollBackView(
  state: SequenceState,
  { isNewest, subject, evidence }: ViewTools & { subject: SequenceState },
): StageView['rollBack'] {
  const { revision, sequence } = state.triggered ?? {};
  if (!isNewest || revision === undefined || sequence === undefined) return undefined;
  const afterwards = { state, subject, isNewest: isNewest(sequence) };
  if (whyNotBack(afterwards) !== undefined) return undefined;
  const groups = plannedStep(subject, 'approval')?.groups ?? [];
  return { revision, evidence: evidence(state), groups, ways: saysHowBack(afterwards) ? [] : [...ROLLBACK_WAYS] };
}

function scoreOf(state: SequenceState): number | undefined {
  const evaluation = finishedTask(state, 'evaluation')?.data['evaluation'] as { score?: number } | undefined;
  return evaluation?.score;
}

function summaryOf(stage: StageView): string {
  if (stage.status === 'finished') return `${stage.stage}: ${stage.message ?? stage.result ?? ''}`;
  if (stage.paused) return `${stage.stage}: paused by ${stage.paused.actor}: ${stage.paused.reason}`;
  const task = stage.tasks.at(-1);
  if (!task || task.finishedAt !== undefined) return `${stage.stage}: waiting for its turn`;
  if (task.progress) return `${stage.stage}: ${task.progress.sentence}`;
  if (task.waitingFor) return `${stage.stage}: ${task.waitingFor.sentence}`;
  return task.name === 'approval' ? `${stage.stage}: waiting for an approval` : `${stage.stage}: ${task.name}`;
}

function lastMove(stage: StageView): string {
  const times = stage.tasks.flatMap((task) => [task.triggeredAt, task.finishedAt ?? '', task.waitingFor?.since ?? '']);
  return [stage.triggeredAt, stage.finishedAt ?? '', ...times].reduce((latest, at) => (at > latest ? at : latest));
}
