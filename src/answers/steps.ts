import { plannedStep, promotionPolicy } from '../engine/decide.ts';
import type { PlannedTask } from '../engine/plan.ts';
import { currentTask, type SequenceState, type TaskState } from '../engine/sequence.ts';
import type { State } from './change-row.ts';
import type { Reported } from './fact-types.ts';
import type { Step } from './step.ts';
import { oneLine } from './words.ts';

const MAX_DETAIL = 200;
/** Only done once something failed. */
const IF_NEEDED: ReadonlySet<string> = new Set(['rollback']);
/** Kinds of waiting that only people end. */
const FOR_PEOPLE: ReadonlySet<string> = new Set([
  'budget',
  'risk',
  'window',
  'review',
  'conflict',
  'stopped',
  'approval',
]);

/**
 * The whole journey of a change: what CI reported, then what each stage did, does and will do. What will be done in a
 * stage that it has not reached is not known yet.
 *
 * @param sequences of the change, oldest first
 */
export function journeySteps(sequences: readonly SequenceState[], reported?: Reported): Step[] {
  const told = reported?.steps ?? [];
  const delivered = sequences.flatMap(sequenceSteps);
  return [
    ...told.filter(({ stage }) => stage === undefined),
    ...delivered,
    ...told.filter(({ stage }) => stage !== undefined),
  ];
}

function sequenceSteps(state: SequenceState): Step[] {
  const { triggered, finished, plan, tasks } = state;
  if (!triggered) return [];
  const attempts = new Map<string, number>();
  const done = tasks.flatMap((task) => {
    const attempt = (attempts.get(task.name) ?? 0) + 1;
    attempts.set(task.name, attempt);
    return task.name === 'plan' ? [] : [stepOf(state, task, task.name, attempt)];
  });
  if (finished) return done;
  const next = (plan?.steps ?? []).filter(({ name }) => !attempts.has(name) && !IF_NEEDED.has(name));
  return [...done, ...next.map((planned) => ahead(state, planned))];
}

function stepOf(state: SequenceState, task: TaskState, key: Step['key'], attempt: number): Step {
  const { id, triggeredAt, finishedAt, message, blocker } = task;
  const detail = oneLine(message ?? blocker?.sentence ?? '').slice(0, MAX_DETAIL);
  const url = task.data?.['url'] ?? task.memo?.['url'];
  return {
    stage: state.triggered?.place.stage ?? '',
    key,
    state: stateOf(state, task),
    attempt,
    startedAt: triggeredAt,
    ...(finishedAt === undefined ? {} : { endedAt: finishedAt }),
    ...(detail === '' ? {} : { detail }),
    human: isHuman(state, key),
    links: typeof url === 'string' && /^https?:\/\//.test(url) ? [{ text: 'pull request', url }] : [],
    task: id,
    sequence: state.triggered?.sequence ?? '',
  };
}

function ahead(state: SequenceState, { name }: PlannedTask): Step {
  const { triggered } = state;
  return {
    stage: triggered?.place.stage ?? '',
    key: name,
    state: 'idle',
    attempt: 1,
    human: isHuman(state, name),
    links: [],
    sequence: triggered?.sequence ?? '',
  };
}

/** An approval; a promotion where people have to agree or merge it. */
function isHuman(state: SequenceState, key: Step['key']): boolean {
  if (key !== 'promotion') return key === 'approval';
  const step = plannedStep(state, 'promotion');
  if (!step) return false;
  return step.approval !== undefined || step.merge === 'person' || promotionPolicy(state, step) === 'manual';
}

function stateOf(state: SequenceState, task: TaskState): State {
  const { finishedAt, status, result, blocker } = task;
  const isLast = task === state.tasks.at(-1);
  if (finishedAt === undefined) {
    if (state.finished) return state.finished.reason === 'superseded' ? 'superseded' : 'skipped';
    if (task !== currentTask(state)) return 'unknown';
    return task.name === 'approval' || state.paused || FOR_PEOPLE.has(blocker?.kind ?? '') ? 'waiting' : 'running';
  }
  if (isLast && state.finished?.reason === 'superseded' && result !== 'pass') return 'superseded';
  if (status !== 'succeeded' || result === 'fail') return 'failed';
  return result === 'warning' ? 'warning' : 'passed';
}
