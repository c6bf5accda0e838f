import { isJsonObject } from '../base/json.ts';
import type {
  DecisionMade,
  Result,
  SequenceEvent,
  SequenceFinished,
  Status,
  TaskFinished,
  TaskName,
} from '../events/types.ts';
import { leavesCanary, leftPaused, mustTakeBack, reasonToTakeBack } from './canary.ts';
import { deadlineOf, isKeptFromStarting } from './held-sync.ts';
import { onePerPerson } from './one-per-person.ts';
import { PLAN_TIME_LIMIT_MS, type PlannedTask } from './plan.ts';
import { isTakenUp } from './promotion-retry.ts';
import { isGoingBack, rollbackAfter, rollbackOutcome, whyNoRollback } from './rollback.ts';
import { short } from './rollout.ts';
import { currentTask, finishedTask, type SequenceState, type TaskState, worstResult } from './sequence.ts';
import { systemName } from './system-name.ts';

/** What a sequence has to know of its neighbours: the others in the same project, stage and service. */
export interface Line {
  /** A sequence that was triggered later and is not finished. */
  newer?: string;
  /** Another one is at work on the application, so this one must not start. */
  busyWith?: string;
}

export interface Moment {
  /** ISO 8601. */
  now: string;
  line: Line;
}

/** Before anything is deployed: a newer change may take over at any time. */
const BEFORE_SYNC: ReadonlySet<TaskName> = new Set(['plan', 'checks', 'approval']);
/** What an override does not wait for. */
const BEHIND_GATE: ReadonlySet<TaskName> = new Set(['checks', 'approval']);

/**
 * What happens next in a sequence. Pure: the time and the neighbours come with the call, so one
 * history always gives one answer; when there is nothing new to say, the answer is empty. Task ids
 * derive from the sequence's id and the task's position, so that deciding twice names the same task.
 */
export function decide(state: SequenceState, moment: Moment): SequenceEvent[] {
  switch (state.phase) {
    case 'none':
    case 'finished':
      return [];
    case 'triggered':
      return decideTriggered(state, moment);
    case 'running':
      return decideRunning(state, moment);
  }
}

function decideTriggered(state: SequenceState, { now, line }: Moment): SequenceEvent[] {
  if (state.abort) return [finish(now, 'aborted', 'fail', 'aborted', abortMessage(state))];
  if (line.newer !== undefined) return [supersede(now, line.newer)];
  if (line.busyWith !== undefined || state.paused) return [];
  return [{ name: 'sequence.started', at: now, data: {} }, trigger(state, 0, 'plan', PLAN_TIME_LIMIT_MS, now)];
}

function decideRunning(state: SequenceState, moment: Moment): SequenceEvent[] {
  const task = currentTask(state);
  return task ? decideUnfinished(state, task, moment) : decideNext(state, moment);
}

function decideUnfinished(state: SequenceState, task: TaskState, { now, line }: Moment): SequenceEvent[] {
  if (state.abort) return abortTask(state, task, now);
  if (line.newer !== undefined && mayBeOvertaken(state, task)) {
    return [end(now, task, 'aborted', 'fail', 'superseded by a newer change'), supersede(now, line.newer)];
  }
  if (state.override && BEHIND_GATE.has(task.name)) return [letThrough(task, state.override, now)];
  if (Date.parse(now) >= deadlineOf(task)) return timeOut(state, task, now);
  return task.name === 'approval' ? decideApproval(state, task, now) : [];
}

/** What was begun with a canary is ended first: it would stand there for ever. */
function abortTask(state: SequenceState, task: TaskState, now: string): SequenceEvent[] {
  const message = abortMessage(state);
  if (leavesCanary(state)) return [end(now, task, 'aborted', 'fail', message), takeBack(state, now)];
  if (task.name === 'release') {
    if (Date.parse(now) < deadlineOf(task)) return [];
    const late = `release did not finish in time${task.blocker ? `: ${task.blocker.sentence}` : ''}`;
    const ended = { ...task, status: 'errored', message: late } as const;
    return [end(now, task, 'errored', 'fail', late), finishAborted(state, ended, now)];
  }
  const left = leftPaused(task);
  const said = left === undefined ? message : `${message}; ${left}`;
  return [end(now, task, 'aborted', 'fail', message), finish(now, 'aborted', 'fail', 'aborted', said)];
}

/** With what became of the canary. */
function finishAborted(state: SequenceState, release: TaskState, now: string): SequenceEvent {
  const what = release.message ?? 'nothing more is known of its canary';
  const system = state.triggered ? systemName(state.triggered.application) : 'the delivery system';
  const said =
    release.status === 'succeeded' ? what : `its canary was not taken back: abort or promote it in ${system} (${what})`;
  return finish(now, 'aborted', 'fail', 'aborted', `${abortMessage(state)}; ${said}`);
}

/** A warning: whoever reads the verdict must see that nobody measured it. */
function letThrough(task: TaskState, { actor, reason }: { actor: string; reason: string }, now: string): SequenceEvent {
  return end(now, task, 'succeeded', 'warning', `let through by ${actor}: ${reason}`, { override: { actor, reason } });
}

/**
 * Where the delivery system syncs by itself, a newer change is deployed whether we like it or not:
 * what is measured from then on says nothing about this one.
 */
function mayBeOvertaken(state: SequenceState, task: TaskState): boolean {
  if (BEFORE_SYNC.has(task.name) || isKeptFromStarting(task)) return true;
  const sync = state.plan?.steps.find((step) => step.name === 'sync');
  // A promotion and a rollback look for themselves whether they still make sense.
  return sync?.mode === 'automatic' && task.name !== 'promotion' && task.name !== 'rollback';
}

function timeOut(state: SequenceState, task: TaskState, now: string): SequenceEvent[] {
  const waited = task.blocker ? `: ${task.blocker.sentence}` : '';
  const message =
    task.name === 'approval' ? 'nobody approved it in time' : `${task.name} did not finish in time${waited}`;
  const ended = end(now, task, 'errored', 'fail', message);
  if (task.name === 'rollback') return [ended];
  if (mustTakeBack(state, task)) return [ended, takeBack(state, now)];
  const rollback = rollbackAfter(state, { ...task, status: 'errored', result: 'fail' });
  if (rollback) return [ended, trigger(state, state.tasks.length, 'rollback', rollback.timeLimitMs, now)];
  const why = whyNoRollback(state, { ...task, status: 'errored' });
  return [ended, finish(now, 'errored', 'fail', 'timed-out', message + why)];
}

/** Counts each person once; whoever rejects ends it. Decisions about another commit do not count. */
function decideApproval(state: SequenceState, task: TaskState, now: string): SequenceEvent[] {
  const valid = task.decisions.filter((decision) => decision.revision === state.triggered?.revision);
  const rejection = valid.find((decision) => decision.verdict === 'reject');
  if (rejection) {
    const message = `rejected by ${rejection.actor}: ${rejection.reason}`;
    return [
      end(now, task, 'succeeded', 'fail', message, decisionData(valid)),
      finish(now, 'succeeded', 'fail', 'rejected', message),
    ];
  }
  const approvers = onePerPerson(valid).map(({ actor }) => actor);
  if (approvers.length < quorumOf(state)) return [];
  return [end(now, task, 'succeeded', 'pass', `approved by ${approvers.join(', ')}`, decisionData(valid))];
}

function decisionData(decisions: readonly (DecisionMade & { at: string })[]): TaskFinished['data'] {
  return {
    decisions: decisions.map(({ actor, verdict, reason, at, evidence }) => ({ actor, verdict, reason, at, evidence })),
  };
}

function decideNext(state: SequenceState, { now, line }: Moment): SequenceEvent[] {
  const last = state.tasks.at(-1);
  if (!last) return [trigger(state, 0, 'plan', PLAN_TIME_LIMIT_MS, now)];
  if (last.name === 'rollback') return [finishRolledBack(state, last, now)];
  if (state.abort && leavesCanary(state)) return [takeBack(state, now)];
  const failed = last.name === 'release' ? (reasonToTakeBack(state) ?? last) : last;
  if (state.abort && failed.name === 'release') return [finishAborted(state, failed, now)];
  const again = isTakenUp(state, last) ? plannedStep(state, 'promotion') : undefined;
  if (again && !state.abort) return [trigger(state, state.tasks.length, again.name, again.timeLimitMs, now)];
  if (failed.status !== 'succeeded' || failed.result === 'fail' || !state.plan) return decideFailed(state, failed, now);
  if (state.abort) return [finish(now, 'aborted', 'fail', 'aborted', abortMessage(state))];
  if (line.newer !== undefined && BEFORE_SYNC.has(last.name)) return [supersede(now, line.newer)];
  if (state.paused) return [];
  const next = nextStep(state, last.name);
  if (next) return [trigger(state, state.tasks.length, next.name, next.timeLimitMs, now)];
  return [finish(now, 'succeeded', worstResult(state), 'completed', closingWords(state))];
}

function decideFailed(state: SequenceState, last: TaskState, now: string): SequenceEvent[] {
  if (!state.abort && mustTakeBack(state, last)) return [takeBack(state, now)];
  const rollback = state.abort ? undefined : rollbackAfter(state, last);
  if (rollback && state.paused) return [];
  if (rollback) return [trigger(state, state.tasks.length, 'rollback', rollback.timeLimitMs, now)];
  const reason = last.data['reason'] === 'superseded' ? 'superseded' : 'failed';
  const message = (last.message ?? `${last.name} failed`) + whyNoRollback(state, last);
  return [finish(now, last.status ?? 'errored', 'fail', reason, failedWords(state, message, reason))];
}

function takeBack(state: SequenceState, now: string): SequenceEvent {
  return trigger(state, state.tasks.length, 'release', plannedStep(state, 'release')?.timeLimitMs ?? 0, now);
}

/** Whatever became of the rollback: the change failed. */
function finishRolledBack(state: SequenceState, rollback: TaskState, now: string): SequenceEvent {
  const { failed, message } = rollbackOutcome(state, rollback);
  const reason = failed?.status === 'errored' ? 'timed-out' : 'failed';
  const status = isGoingBack(state) ? rollback.status : failed?.status;
  return finish(now, status ?? 'errored', 'fail', reason, message);
}

function nextStep(state: SequenceState, after: TaskName): PlannedTask | undefined {
  const steps = state.plan?.steps ?? [];
  const at = steps.findIndex((step) => step.name === after);
  return steps.slice(at + 1).find((step) => isDue(state, step));
}

function isDue(state: SequenceState, step: PlannedTask): boolean {
  if (isGoingBack(state)) return step.name === 'rollback';
  switch (step.name) {
    case 'approval':
      return step.always || finishedTask(state, 'checks')?.result === 'warning';
    case 'promotion':
      return promotionPolicy(state, step) !== 'none';
    case 'soak':
      return soakMsOf(state) > 0;
    case 'rollback':
      return false;
    default:
      return true;
  }
}

/** What the stage's policy says about promoting a change with the verdict that this one has. */
export function promotionPolicy(state: SequenceState, step: PlannedTask): 'automatic' | 'manual' | 'none' {
  if (step.name !== 'promotion') return 'none';
  const verdict = worstResult(state);
  if (verdict === 'fail') return 'none';
  return verdict === 'pass' ? step.onPass : step.onWarning;
}

/** How many people must agree: what the stage asks for, or what its checks asked for, whichever is more. */
export function quorumOf(state: SequenceState): number {
  const approval = finishedTask(state, 'checks')?.data['approval'];
  const demanded = isJsonObject(approval) ? approval['quorum'] : undefined;
  return Math.max(plannedStep(state, 'approval')?.quorum ?? 1, typeof demanded === 'number' ? demanded : 0);
}

/** How long a change must run before it is promoted: the stage's soak or the checks', whichever is longer. */
export function soakMsOf(state: SequenceState): number {
  const demanded = finishedTask(state, 'checks')?.data['soakMs'];
  return Math.max(plannedStep(state, 'soak')?.durationMs ?? 0, typeof demanded === 'number' ? demanded : 0);
}

/** The step of the plan that a task carries out. */
export function plannedStep<Name extends PlannedTask['name']>(
  state: SequenceState,
  name: Name,
): Extract<PlannedTask, { name: Name }> | undefined {
  const found = state.plan?.steps.find((step) => step.name === name);
  return found as Extract<PlannedTask, { name: Name }> | undefined;
}

/** A rollback that fails leaves the stage broken: nobody may overlook that. */
function failedWords(state: SequenceState, message: string, reason: SequenceFinished['reason']): string {
  const loud = state.triggered?.rollsBack || (isGoingBack(state) && reason !== 'superseded');
  return loud ? `ROLLBACK FAILED: ${message}` : message;
}

function closingWords(state: SequenceState): string {
  const { rollsBack } = state.triggered ?? {};
  if (rollsBack) return `rolled back to ${short(rollsBack.to)}, deployed and healthy`;
  const promoted = finishedTask(state, 'promotion');
  if (promoted) return promoted.message ?? 'promoted';
  const stopped = state.plan?.steps.find((step) => step.name === 'promotion');
  if (stopped) return `verified with ${worstResult(state)}; not promoted, as the policy says`;
  return `verified with ${worstResult(state)}`;
}

function trigger(
  state: SequenceState,
  position: number,
  name: TaskName,
  timeLimitMs: number,
  at: string,
): SequenceEvent {
  const task = `${state.triggered?.sequence ?? ''}.${position}-${name}`;
  return { name: 'task.triggered', at, data: { task, name, timeLimitMs } };
}

function end(
  at: string,
  task: TaskState,
  status: Status,
  result: Result,
  message: string,
  data: TaskFinished['data'] = {},
): SequenceEvent {
  return { name: 'task.finished', at, data: { task: task.id, name: task.name, status, result, message, data } };
}

function finish(
  at: string,
  status: Status,
  result: Result,
  reason: SequenceFinished['reason'],
  message: string,
): SequenceEvent {
  return { name: 'sequence.finished', at, data: { status, result, reason, message } };
}

function supersede(at: string, by: string): SequenceEvent {
  return {
    name: 'sequence.finished',
    at,
    data: { status: 'aborted', result: 'fail', reason: 'superseded', message: 'superseded by a newer change', by },
  };
}

function abortMessage(state: SequenceState): string {
  return `aborted by ${state.abort?.actor ?? 'somebody'}: ${state.abort?.reason ?? ''}`;
}
