import { clip } from '../base/clip.ts';
import { isJsonObject } from '../base/json.ts';
import { plannedStep } from '../engine/decide.ts';
import { isGoingBack, wasRolledBack, wasSynced } from '../engine/rollback.ts';
import { finishedTask, type SequenceState, type TaskState, worstResult } from '../engine/sequence.ts';
import { type Run, type RunStep, stepRecordsOf } from './run.ts';
import type { StepRecord } from './step-record.ts';

const MAX_CAUSE_CHARS = 80;
const MAX_CAUSES = 5;

/** What became of the steps of a sequence so far; nothing of those that are under way. */
export function stepRecords(state: SequenceState): StepRecord[] {
  const run = runOf(state);
  return run === undefined ? [] : stepRecordsOf(run);
}

/** A sequence as a run; undefined before it was triggered. Follows from the state alone, so it can be made again. */
export function runOf(state: SequenceState): Run | undefined {
  const { triggered, finished } = state;
  if (!triggered) return undefined;
  const deployedAt = deploymentIn(state);
  return {
    id: triggered.sequence,
    change: triggered.context,
    project: triggered.place.project,
    service: triggered.place.service,
    stage: triggered.place.stage,
    ...(triggered.team === undefined ? {} : { team: triggered.team }),
    startedAt: triggered.at,
    ...(finished ? { endedAt: finished.at } : {}),
    outcome: outcomeOf(state),
    ...(deployedAt === undefined ? {} : { deployedAt }),
    ...(isGoingBack(state) || triggered.rollsBack ? { back: takenBack(state) } : {}),
    ...(wasRolledBack(state) ? { wentBack: true } : {}),
    steps: stepsOf(state),
  };
}

function outcomeOf(state: SequenceState): Run['outcome'] {
  const { finished } = state;
  if (!finished) return 'open';
  if (finished.reason === 'superseded') return 'superseded';
  if (finished.reason === 'aborted') return 'aborted';
  return finished.reason === 'completed' ? wordFor(worstResult(state)) : 'failed';
}

function wordFor(result: 'pass' | 'warning' | 'fail'): 'passed' | 'warning' | 'failed' {
  return result === 'pass' ? 'passed' : result === 'fail' ? 'failed' : 'warning';
}

/** The end of the rollout, or of the sync where nothing looks at the rollout. */
function deploymentIn(state: SequenceState): string | undefined {
  if (!wasSynced(state)) return undefined;
  const rollout = finishedTask(state, 'rollout');
  return rollout?.status === 'succeeded' ? rollout.finishedAt : finishedTask(state, 'sync')?.finishedAt;
}

function takenBack({ triggered }: SequenceState): NonNullable<Run['back']> {
  const of = triggered?.rollsBack?.sequence ?? triggered?.asked?.sequence;
  return of === undefined ? {} : { of };
}

/** A task that is done again is the next attempt of the same step. The plan is nothing that anybody waits for. */
function stepsOf(state: SequenceState): RunStep[] {
  const attempts = new Map<string, number>();
  return state.tasks.flatMap((task): RunStep[] => {
    const attempt = (attempts.get(task.name) ?? 0) + 1;
    attempts.set(task.name, attempt);
    if (task.name === 'plan' || task.finishedAt === undefined) return [];
    const outcome = stepOutcome(state, task);
    const cause = outcome === 'passed' ? undefined : causeOf(task);
    return [
      {
        step: task.name,
        attempt,
        startedAt: task.triggeredAt,
        endedAt: task.finishedAt,
        outcome,
        ...(cause === undefined ? {} : { cause }),
        human: isHuman(state, task),
      },
    ];
  });
}

function stepOutcome(state: SequenceState, task: TaskState): StepRecord['outcome'] {
  const superseded = state.finished?.reason === 'superseded' && task === state.tasks.at(-1);
  if (superseded && task.result !== 'pass') return 'superseded';
  if (task.status === 'aborted') return 'aborted';
  return task.status === 'succeeded' ? wordFor(task.result ?? 'fail') : 'failed';
}

/** Whether it was people who took the time. */
function isHuman(state: SequenceState, task: TaskState): boolean {
  if (task.name === 'approval') return true;
  if (task.name !== 'promotion') return false;
  const step = plannedStep(state, 'promotion');
  const result = worstResult({ ...state, tasks: state.tasks.filter(({ name }) => name !== 'promotion') });
  const policy = result === 'warning' ? step?.onWarning : step?.onPass;
  return policy === 'manual' || step?.approval !== undefined || task.decisions.length > 0;
}

/** What it failed at, in as few words as can be counted: indicators of an evaluation, else the task's own message. */
function causeOf({ name, data, message }: TaskState): string | undefined {
  const indicators = name === 'evaluation' ? missedIndicators(data['evaluation']) : [];
  const words = indicators.length > 0 ? indicators.slice(0, MAX_CAUSES).join(', ') : message;
  return words === undefined || words === '' ? undefined : clip(words, MAX_CAUSE_CHARS);
}

/** What `causeOf` has put into one text; what was clipped is the beginning of a name. */
export function causesIn(cause: string): string[] {
  return cause.split(', ');
}

/** By their names, what a record of an evaluation that did not pass names: those that failed, else those that warned. */
export function missedIndicators(evaluation: unknown): string[] {
  const all = isJsonObject(evaluation) && Array.isArray(evaluation['indicators']) ? evaluation['indicators'] : [];
  const missed = all.filter(isJsonObject).filter(({ status }) => status === 'fail' || status === 'warning');
  const failed = missed.filter(({ status }) => status === 'fail');
  return (failed.length > 0 ? failed : missed).map(({ sli }) => String(sli));
}
