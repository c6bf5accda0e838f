import { imagesOf, versionIn } from '../answers/facts/images.ts';
import type { Json, JsonObject } from '../base/json.ts';
import { currentTask, type SequenceState } from '../engine/sequence.ts';
import { movedAt, runData } from '../forecast/run.ts';
import { runOf } from '../forecast/step-records.ts';

/** A read-model row, as the store takes it. */
export interface Row {
  kind: string;
  id: string;
  version: number;
  project: string;
  stage: string;
  service: string;
  context: string;
  status: string;
  sort: number;
  data: JsonObject;
}

/** Statuses of sequences that are not over. */
export const ACTIVE = ['triggered', 'running', 'waiting'] as const;

/** How a sequence stands, in one word for lists. */
export function sequenceStatus(state: SequenceState): 'triggered' | 'running' | 'waiting' | 'finished' {
  if (state.phase === 'finished') return 'finished';
  if (state.phase !== 'running') return 'triggered';
  const task = currentTask(state);
  return task?.blocker !== undefined || task?.name === 'approval' || state.paused ? 'waiting' : 'running';
}

/**
 * The rows that follow from a sequence: its own (the whole state, so that reading it costs one row),
 * the change it belongs to, its steps for forecasts, and its evaluations for later comparison.
 *
 * @param version of the stream after the last event in the state
 */
export function sequenceRows(state: SequenceState, version: number): Row[] {
  const { triggered } = state;
  if (!triggered) return [];
  const common = { ...triggered.place, context: triggered.context };
  const sequence: Row = {
    kind: 'sequence',
    id: triggered.sequence,
    version,
    ...common,
    status: sequenceStatus(state),
    sort: Date.parse(triggered.at),
    data: plain(state),
  };
  return [sequence, ...stepsRow(state, version), ...evaluationRows(state, version)];
}

/** Small, and without what the state holds besides: forecasts read thousands of them. */
function stepsRow(state: SequenceState, version: number): Row[] {
  const run = runOf(state);
  if (!run) return [];
  const { id, project, stage, service, change, outcome } = run;
  const columns = { project, stage, service, context: change, status: outcome };
  return [{ kind: 'steps', id, version, ...columns, sort: movedAt(run), data: runData(run) }];
}

function evaluationRows(state: SequenceState, streamVersion: number): Row[] {
  const triggered = state.triggered as NonNullable<SequenceState['triggered']>;
  const version = versionIn(imagesOf(state), triggered.place.service);
  return state.tasks
    .filter(
      (task) => task.name === 'evaluation' && task.finishedAt !== undefined && task.data['evaluation'] !== undefined,
    )
    .map((task) => ({
      kind: 'evaluation',
      id: task.id,
      version: streamVersion,
      ...triggered.place,
      context: triggered.context,
      status: task.result ?? 'fail',
      sort: Date.parse(task.finishedAt ?? triggered.at),
      data: {
        evaluation: task.data['evaluation'] as Json,
        revision: triggered.revision,
        ...(version === undefined ? {} : { version }),
        ...(task.data['period'] === undefined ? {} : { period: task.data['period'] }),
        requestedAt: task.triggeredAt,
        ...(task.finishedAt === undefined ? {} : { finishedAt: task.finishedAt }),
      },
    }));
}

/** The state back out of its row. */
export function sequenceFromRow(data: JsonObject): SequenceState {
  return data as unknown as SequenceState;
}

function plain(state: SequenceState): JsonObject {
  return JSON.parse(JSON.stringify(state)) as JsonObject;
}
