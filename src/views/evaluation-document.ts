import type { Json, JsonObject } from '../base/json.ts';
import type {
  Blocker,
  EvaluationEvent,
  EvaluationFinished,
  EvaluationInvalidated,
  EvaluationTriggered,
} from '../events/types.ts';
import type { Evaluation } from '../slo/evaluation.ts';
import type { Invalidation } from './change.ts';
import type { Row } from './sequence-document.ts';

/** One evaluation that somebody asked for, as its events tell it. */
export interface EvaluationState {
  triggered?: EvaluationTriggered & { at: string };
  finished?: EvaluationFinished & { at: string };
  invalidated?: EvaluationInvalidated & { at: string };
}

/** Folds a stream. What does not fit changes nothing. */
export function foldEvaluation(events: readonly EvaluationEvent[]): EvaluationState {
  let state: EvaluationState = {};
  for (const event of events) state = evolveEvaluation(state, event);
  return state;
}

export function evolveEvaluation(state: EvaluationState, event: EvaluationEvent): EvaluationState {
  switch (event.name) {
    case 'evaluation.triggered':
      return state.triggered ? state : { ...state, triggered: { ...event.data, at: event.at } };
    case 'evaluation.finished':
      return state.finished ? state : { ...state, finished: { ...event.data, at: event.at } };
    case 'evaluation.invalidated':
      return state.invalidated ? state : { ...state, invalidated: { ...event.data, at: event.at } };
    case 'evaluation.restored': {
      const { invalidated: _, ...rest } = state;
      return rest;
    }
  }
}

/** What an evaluation is, for programs: one asked for, or one of a change. */
export interface EvaluationView {
  id: string;
  project: string;
  stage: string;
  service: string;
  context: string;
  state: 'running' | 'finished';
  /** Did the machinery work: with `errored` nothing was judged, and the result is a fail. */
  status?: string;
  result?: string;
  /** 0..100 */
  score?: number;
  message?: string;
  revision?: string;
  /** What ran, as its image calls it; only of a change. */
  version?: string;
  period?: { start: string; end: string };
  requestedBy?: string;
  requestedAt?: string;
  finishedAt?: string;
  waitingFor?: { kind: string; sentence: string };
  labels?: Record<string, string>;
  /** The evaluation that was done again. */
  again?: string;
  /** Present when it is not compared with any more. */
  invalidated?: Invalidation;
  files?: { path: string; sha256: string }[];
  evaluation?: Evaluation;
}

/** The read-model row of an evaluation that somebody asked for. */
export function evaluationRow(state: EvaluationState, version: number, waitingFor?: Blocker): Row | undefined {
  const { triggered, finished } = state;
  if (!triggered) return undefined;
  const { place, context, revision, period, requestedBy, labels, again, at } = triggered;
  const data: Record<string, unknown> = {
    revision,
    period,
    requestedBy,
    requestedAt: at,
    labels,
    again,
    ...(finished
      ? { ...finished.data, status: finished.status, result: finished.result, message: finished.message }
      : {}),
    finishedAt: finished?.at,
    waitingFor: finished || !waitingFor ? undefined : { kind: waitingFor.kind, sentence: waitingFor.sentence },
  };
  return {
    kind: 'evaluation',
    id: triggered.evaluation,
    version,
    ...place,
    context,
    status: statusOf(finished),
    sort: Date.parse(finished?.at ?? at),
    data: JSON.parse(JSON.stringify(data)) as JsonObject,
  };
}

function statusOf(finished: EvaluationState['finished']): string {
  if (!finished) return 'running';
  return finished.status === 'succeeded' ? finished.result : 'errored';
}

/** Status of an invalidation's row that nobody took back. */
export const INVALID = 'known';

/** Whether the row of an invalidation still counts: nobody took it back. */
export function isInForce({ status }: { status?: string }): boolean {
  return status !== 'restored';
}

/**
 * A row of its own, so that rewriting the evaluation's cannot undo it.
 *
 * @param version of the evaluation's stream
 * @param restoredBy somebody took it back; the row stays, and says so
 */
export function invalidationRow(
  id: string,
  version: number,
  place: Row | EvaluationTriggered['place'],
  context: string,
  state: Invalidation,
  restoredBy?: string,
): Row {
  const { project, stage, service } = place;
  const { actor, reason, at } = state;
  const data: Record<string, Json> = { actor, reason, at, ...(restoredBy === undefined ? {} : { restoredBy }) };
  return {
    kind: 'invalidation',
    id,
    version,
    project,
    stage,
    service,
    context,
    status: restoredBy === undefined ? INVALID : 'restored',
    sort: Date.parse(at),
    data,
  };
}

type StoredRow = Pick<Row, 'id' | 'status' | 'data'> & Partial<Row>;

/** What the rows say; `invalidation` is the row of the same id, if there is one. */
export function evaluationView(row: StoredRow, invalidation?: { status?: string; data: JsonObject }): EvaluationView {
  const { id, project = '', stage = '', service = '', context = '', status, data } = row;
  const { evaluation } = data as { evaluation?: Evaluation };
  const judged = evaluation ? { result: evaluation.result, score: evaluation.score, message: evaluation.message } : {};
  const invalidated =
    invalidation && isInForce(invalidation) ? (invalidation.data as unknown as Invalidation) : undefined;
  return {
    id,
    project,
    stage,
    service,
    context,
    state: status === 'running' ? 'running' : 'finished',
    ...(status === 'running' ? {} : { status: status === 'errored' ? 'errored' : 'succeeded' }),
    ...judged,
    ...(data as Partial<EvaluationView>),
    ...(invalidated ? { invalidated } : {}),
  };
}
