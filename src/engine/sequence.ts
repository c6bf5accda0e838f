import type { JsonObject } from '../base/json.ts';
import type {
  Blocker,
  DecisionMade,
  Result,
  SequenceEvent,
  SequenceFinished,
  SequenceTriggered,
  Status,
  TaskName,
} from '../events/types.ts';
import { withoutTimeHeld } from './held-sync.ts';
import { type Plan, planFromJson } from './plan.ts';

export interface TaskState {
  id: string;
  name: TaskName;
  triggeredAt: string;
  /** Past this moment it has failed, ISO 8601. */
  deadline: string;
  finishedAt?: string;
  status?: Status;
  result?: Result;
  message?: string;
  data: JsonObject;
  blocker?: Blocker & { since: string };
  memo: JsonObject;
  decisions: (DecisionMade & { at: string })[];
}

/** One sequence run, as its events tell it. */
export interface SequenceState {
  phase: 'none' | 'triggered' | 'running' | 'finished';
  triggered?: SequenceTriggered & { at: string };
  startedAt?: string;
  plan?: Plan;
  /** In the order in which they were triggered; at most the last one is unfinished. */
  tasks: TaskState[];
  paused?: { at: string; actor: string; reason: string };
  abort?: { at: string; actor: string; reason: string };
  /** Somebody let the commit through, whatever checks and approval say. */
  override?: { at: string; actor: string; reason: string };
  /** Somebody asked for its promotion once more after that had ended; gone once it is under way again. */
  retry?: { at: string; actor: string; reason: string };
  finished?: SequenceFinished & { at: string };
}

export const noSequence: SequenceState = { phase: 'none', tasks: [] };

/** Folds one event into the state. Never throws; an event that does not fit changes nothing. */
export function evolve(state: SequenceState, event: SequenceEvent): SequenceState {
  switch (event.name) {
    case 'sequence.triggered':
      if (state.phase !== 'none') return state;
      return { ...state, ...overrideIn(event), phase: 'triggered', triggered: { ...event.data, at: event.at } };
    case 'sequence.started':
      return state.phase === 'triggered' ? { ...state, phase: 'running', startedAt: event.at } : state;
    case 'task.triggered': {
      const { retry: _, ...rest } = state;
      return { ...rest, tasks: [...state.tasks, newTask(event)] };
    }
    case 'task.waiting':
      return changeTask(state, event.data.task, (task) => ({
        ...task,
        ...withoutTimeHeld(task, event.data.blocker, event.at),
        memo: event.data.memo,
        blocker: {
          ...event.data.blocker,
          since: sameBlocker(task, event.data.blocker) ? (task.blocker?.since ?? event.at) : event.at,
        },
      }));
    case 'task.finished':
      return finishTask(state, event);
    case 'decision.made':
      return applyDecision(state, { ...event.data, at: event.at });
    case 'sequence.finished':
      return state.phase === 'finished'
        ? state
        : { ...state, phase: 'finished', finished: { ...event.data, at: event.at } };
  }
}

/** A change that is delivered because somebody let it through is let through from the start. */
function overrideIn({ at, data }: Extract<SequenceEvent, { name: 'sequence.triggered' }>) {
  if (data.asked?.what !== 'override') return {};
  const { actor, reason } = data.asked;
  return { override: { at, actor, reason } };
}

function newTask({ at, data }: Extract<SequenceEvent, { name: 'task.triggered' }>): TaskState {
  const deadline = new Date(Date.parse(at) + data.timeLimitMs).toISOString();
  return { id: data.task, name: data.name, triggeredAt: at, deadline, data: {}, memo: {}, decisions: [] };
}

function finishTask(
  state: SequenceState,
  { at, data }: Extract<SequenceEvent, { name: 'task.finished' }>,
): SequenceState {
  const next = changeTask(state, data.task, ({ blocker: _, ...task }) => ({
    ...task,
    finishedAt: at,
    status: data.status,
    result: data.result,
    message: data.message,
    data: data.data,
  }));
  const plan = data.name === 'plan' && data.data['steps'] !== undefined ? planFromJson(data.data) : undefined;
  return plan ? { ...next, plan } : next;
}

function applyDecision(state: SequenceState, decision: DecisionMade & { at: string }): SequenceState {
  const { at, actor, reason } = decision;
  // Also when all is over: the gate is asked about a commit as long as somebody wants to deploy it.
  if (decision.verdict === 'override' && decision.task === undefined)
    return { ...state, override: state.override ?? { at, actor, reason } };
  if (decision.verdict === 'retry' && state.phase === 'finished') return takeUp(state, { at, actor, reason });
  if (state.phase === 'finished') return state;
  switch (decision.verdict) {
    case 'pause':
      return { ...state, paused: { at, actor, reason } };
    case 'resume': {
      const { paused: _, ...rest } = state;
      return rest;
    }
    case 'abort':
      return { ...state, abort: state.abort ?? { at, actor, reason } };
    // It is about what is over, and starts a sequence of its own.
    case 'rollback':
      return state;
    case 'approve':
    case 'reject':
    case 'promote':
    case 'retry':
    case 'sync':
    case 'override':
      return changeTask(state, decision.task ?? '', (task) => ({ ...task, decisions: [...task.decisions, decision] }));
  }
}

/** It goes on where it ended; only a promotion can be taken up. */
function takeUp(state: SequenceState, retry: { at: string; actor: string; reason: string }): SequenceState {
  if (state.tasks.at(-1)?.name !== 'promotion') return state;
  const { finished: _, ...rest } = state;
  return { ...rest, phase: 'running', retry };
}

function changeTask(state: SequenceState, id: string, change: (task: TaskState) => TaskState): SequenceState {
  const at = state.tasks.findIndex((task) => task.id === id);
  const task = state.tasks[at];
  if (!task || task.finishedAt !== undefined) return state;
  return { ...state, tasks: state.tasks.with(at, change(task)) };
}

function sameBlocker(task: TaskState, blocker: Blocker): boolean {
  return task.blocker?.kind === blocker.kind;
}

/** Folds a whole stream. */
export function fold(events: readonly SequenceEvent[]): SequenceState {
  return events.reduce(evolve, noSequence);
}

/** The task that is being worked on or waited for. */
export function currentTask(state: SequenceState): TaskState | undefined {
  const last = state.tasks.at(-1);
  return last && last.finishedAt === undefined ? last : undefined;
}

/** The newest finished task of a name. */
export function finishedTask(state: SequenceState, name: TaskName): TaskState | undefined {
  return state.tasks.findLast((task) => task.name === name && task.finishedAt !== undefined);
}

/** The worst verdict so far: what the sequence as a whole deserves. */
export function worstResult(state: SequenceState): Result {
  const promotion = state.tasks.findLast(({ name }) => name === 'promotion');
  const results = state.tasks
    // One that was taken up again says nothing any more.
    .filter((task) => task.name !== 'checks' && (task.name !== 'promotion' || task === promotion))
    .map((task) => task.result);
  if (results.includes('fail')) return 'fail';
  // What somebody let through is at best a warning, whatever came of it.
  return results.includes('warning') || state.override ? 'warning' : 'pass';
}
