import { AdapterError } from '../base/adapter-error.ts';
import type { Clock } from '../base/clock.ts';
import type { JsonObject } from '../base/json.ts';
import { EVALUATION_TIME_LIMIT_MS } from '../engine/plan.ts';
import type { Blocker, EvaluationTriggered } from '../events/types.ts';
import type { ClaimedJob, Settlement, Store } from '../store/store.ts';
import { evaluateRequest, type RequestOutcome } from '../tasks/evaluation-request.ts';
import type { TaskTools } from '../tasks/task.ts';
import { evaluationRow, evolveEvaluation } from '../views/evaluation-document.ts';
import { MAX_ATTEMPTS, pauseAfter } from './backoff.ts';
import { evaluationStream, isConflict, loadEvaluation, toNewEvent } from './evaluation-log.ts';
import type { Failpoint } from './failpoint.ts';
import { fleetJob } from './fleet-job.ts';
import type { Lease } from './lease.ts';
import type { Log } from './log.ts';
import { promotionLooks } from './promotion-looks.ts';

export interface EvaluationRoom {
  store: Store;
  clock: Clock;
  tools: TaskTools;
  failpoint: Failpoint;
  log: Log;
}

type Look = { outcome: RequestOutcome } | { blocker: Blocker; askAgainMs: number } | 'cancelled';

/**
 * One look at one evaluation that somebody asked for. Nothing outside is changed by it, so a crash only
 * means that it is measured once more.
 */
export async function runEvaluation(room: EvaluationRoom, job: ClaimedJob, lease: Lease): Promise<void> {
  const id = String(job.payload['evaluation']);
  const { state } = await loadEvaluation(room.store, id);
  const { triggered } = state;
  if (!triggered || state.finished) return settle(room, job, { kind: 'done' });
  // The worker gives up for good after this attempt, and nobody would ever hear of it.
  const look = job.attempt >= MAX_ATTEMPTS ? { outcome: gaveUp(job.attempt) } : await lookOnce(room, triggered, lease);
  room.failpoint('evaluation.ran');
  if (look === 'cancelled') return settle(room, job, { kind: 'again', delayMs: 1_000 });
  if ('outcome' in look) return finish(room, job, id, look.outcome);
  const { state: now, version } = await loadEvaluation(room.store, id);
  const row = evaluationRow(now, version, look.blocker);
  await room.store.commit({
    ...(row ? { documents: [row] } : {}),
    claim: job,
    settle: { kind: 'again', delayMs: look.askAgainMs },
  });
}

async function lookOnce(
  room: EvaluationRoom,
  triggered: EvaluationTriggered & { at: string },
  lease: Lease,
): Promise<Look> {
  const now = room.clock.now();
  const readyMs = Date.parse(triggered.period.end) + triggered.delayMs;
  const lateMs = now.getTime() - readyMs;
  if (lateMs < 0) {
    const until = new Date(readyMs).toISOString();
    const blocker: Blocker = {
      kind: 'evaluation',
      sentence: 'waiting until the metrics of the period are there',
      until,
    };
    return { blocker, askAgainMs: -lateMs };
  }
  try {
    return { outcome: await evaluateRequest(triggered, room.tools, { now, signal: lease.signal }) };
  } catch (error) {
    if (!(error instanceof AdapterError)) throw error;
    if (error.reason === 'cancelled') return 'cancelled';
    if (!error.retryable) return { outcome: errored(error.message) };
    const lastedMs = now.getTime() - Math.max(readyMs, Date.parse(triggered.at));
    if (lastedMs >= EVALUATION_TIME_LIMIT_MS)
      return { outcome: errored(`could not be judged in time: ${error.message}`) };
    return { blocker: { kind: 'unreachable', sentence: error.message }, askAgainMs: pauseAfter(lastedMs) };
  }
}

async function finish(room: EvaluationRoom, job: ClaimedJob, id: string, outcome: RequestOutcome): Promise<void> {
  const data = JSON.parse(JSON.stringify(outcome.data)) as JsonObject;
  for (let attempt = 1; ; attempt++) {
    const { state, version } = await loadEvaluation(room.store, id);
    const at = room.clock.now().toISOString();
    const event = { name: 'evaluation.finished', at, data: { evaluation: id, ...outcome, data } } as const;
    const row = evaluationRow(evolveEvaluation(state, event), version + 1);
    try {
      await room.store.commit({
        appends: [{ stream: evaluationStream(id), expectedVersion: version, events: [toNewEvent(id, event)] }],
        documents: row ? [row] : [],
        jobs: state.triggered
          ? [...(await promotionLooks(room.store, state.triggered.place)), fleetJob(state.triggered.place)]
          : [],
        claim: job,
        settle: { kind: 'done' },
      });
      break;
    } catch (error) {
      if (!isConflict(error) || attempt >= MAX_ATTEMPTS) throw error;
    }
  }
  const { status, result, message } = outcome;
  room.log.info({ evaluation: id, status, result, outcome: message }, 'evaluation finished');
}

function errored(message: string): RequestOutcome {
  return { status: 'errored', result: 'fail', message, data: {} };
}

function gaveUp(attempt: number): RequestOutcome {
  return errored(`gave up after ${attempt - 1} attempts that ended unexpectedly`);
}

async function settle({ store }: EvaluationRoom, job: ClaimedJob, settlement: Settlement): Promise<void> {
  await store.commit({ claim: job, settle: settlement });
}
