import { AdapterError } from '../base/adapter-error.ts';
import type { Clock } from '../base/clock.ts';
import type { JsonObject } from '../base/json.ts';
import { currentTask, type SequenceState, type TaskState } from '../engine/sequence.ts';
import type { Place } from '../events/application.ts';
import type { Blocker, DecisionMade, SequenceEvent } from '../events/types.ts';
import type { ClaimedJob, NewJob, Settlement, Store } from '../store/store.ts';
import { closeLatches } from '../tasks/gate-job.ts';
import type { TaskHandler, TaskInput, TaskOutcome, TaskTools } from '../tasks/task.ts';
import { alone } from './alone.ts';
import { MAX_ATTEMPTS, pauseAfter } from './backoff.ts';
import type { Failpoint } from './failpoint.ts';
import type { Lease } from './lease.ts';
import type { Log } from './log.ts';
import type { RuntimeMetrics } from './metrics.ts';
import type { ProgressBoard } from './progress.ts';
import { followersLooks } from './promotion-looks.ts';
import { activeSequences, changeSequence, loadSequence, streamOf } from './sequences.ts';

export interface TaskRoom {
  store: Store;
  clock: Clock;
  handlers: ReadonlyMap<string, TaskHandler>;
  tools: TaskTools;
  failpoint: Failpoint;
  metrics: RuntimeMetrics;
  progress: ProgressBoard;
  log: Log;
}

const [MIN_LATCH_PAUSE_MS, MAX_LATCH_PAUSE_MS] = [5_000, 60_000];

/** One look at one task: run its handler, and put what it says into the log together with the job's fate. */
export async function runTask(room: TaskRoom, job: ClaimedJob, lease: Lease): Promise<void> {
  const { sequence, task: taskId } = job.payload as { sequence: string; task: string };
  const { state } = await loadSequence(room.store, sequence);
  const task = state.tasks.find((candidate) => candidate.id === taskId);
  const handler = task && room.handlers.get(task.name);
  if (!task || !state.triggered) return settle(room.store, job, { kind: 'done' });
  const input = taskInput(room, job, state, task, lease);
  if (currentTask(state)?.id !== taskId || state.phase === 'finished') {
    if (task.status === 'aborted' || task.status === 'errored') await handler?.stop?.(input, room.tools);
    const mayWait = (await isShut(room, state)) && (await closeLatches(input, room.tools));
    return settle(
      room.store,
      job,
      mayWait ? { kind: 'again', delayMs: latchPauseMs(state, input.now) } : { kind: 'done' },
    );
  }
  // People decide on an approval.
  if (!handler) return settle(room.store, job, { kind: 'done' });
  room.failpoint(`task.${task.name}.claimed`);
  const outcome = job.attempt > MAX_ATTEMPTS ? gaveUp(job.attempt) : await askHandler(room, handler, input);
  room.failpoint(`task.${task.name}.ran`);
  if (outcome === 'cancelled') return settle(room.store, job, { kind: 'again', delayMs: 1000 });
  await report(room, job, input, outcome);
  room.failpoint(`task.${task.name}.committed`);
}

/** It is over before anything could be synced, for good: what waits for its gate waits for nothing. */
async function isShut({ store }: TaskRoom, { finished, tasks, triggered }: SequenceState): Promise<boolean> {
  if (finished?.result !== 'fail' || tasks.some(({ name }) => name === 'sync') || !triggered) return false;
  const { place, revision } = triggered;
  // Somebody may have let the same commit through since.
  return !(await activeSequences(store, place)).some((other) => other.triggered?.revision === revision);
}

/** A sync that does not end is looked at ever less often. */
function latchPauseMs({ finished }: SequenceState, now: Date): number {
  const overForMs = now.getTime() - Date.parse(finished?.at ?? '');
  return Math.min(MAX_LATCH_PAUSE_MS, Math.max(MIN_LATCH_PAUSE_MS, overForMs / 4));
}

/** A handler that brings the process down is not asked for ever. */
function gaveUp(attempt: number): TaskOutcome {
  return {
    kind: 'finished',
    status: 'errored',
    result: 'fail',
    message: `gave up after ${attempt - 1} attempts that ended unexpectedly`,
  };
}

async function askHandler(room: TaskRoom, handler: TaskHandler, input: TaskInput): Promise<TaskOutcome | 'cancelled'> {
  const began = performance.now();
  try {
    return await handler.run(input, room.tools);
  } catch (error) {
    if (!(error instanceof AdapterError)) throw error;
    room.metrics.taskFailures.inc({ task: handler.name, reason: error.reason });
    if (error.reason === 'cancelled') return 'cancelled';
    if (!error.retryable) {
      return { kind: 'finished', status: 'errored', result: 'fail', message: error.message };
    }
    return retryLater(input, error);
  } finally {
    room.metrics.taskRuns.observe({ task: handler.name }, (performance.now() - began) / 1000);
  }
}

/**
 * Outages are waited out until the task's time limit. The pause grows with how long the outage lasts
 * already, which the log knows, so that nothing has to be counted.
 */
function retryLater(input: TaskInput, error: AdapterError): TaskOutcome {
  const { blocker, memo } = input.task;
  const lastedMs = blocker?.kind === 'unreachable' ? input.now.getTime() - Date.parse(blocker.since) : 0;
  const askAgainMs = Math.max(pauseAfter(lastedMs), Math.min(error.retryAfterMs ?? 0, LONGEST_RETRY_AFTER_MS));
  return { kind: 'waiting', blocker: { kind: 'unreachable', sentence: error.message }, memo, askAgainMs };
}

/** What a rate limit may ask for at most; GitHub's reset is up to an hour away. */
const LONGEST_RETRY_AFTER_MS = 3_600_000;

async function report(
  room: TaskRoom,
  job: ClaimedJob,
  { task, triggered }: TaskInput,
  outcome: TaskOutcome,
): Promise<void> {
  const settlement: Settlement =
    outcome.kind === 'finished' ? { kind: 'done' } : { kind: 'again', delayMs: outcome.askAgainMs };
  const at = room.clock.now().toISOString();
  const jobs = await followersOf(room.store, triggered.place, task, outcome);
  const before = said(task.blocker, task.memo);
  await changeSequence(
    room.store,
    (job.payload as { sequence: string }).sequence,
    (state) => {
      // Somebody ended it while we worked: an abort, a time limit, a newer change.
      if (currentTask(state)?.id !== task.id || state.phase === 'finished') return [];
      if (outcome.kind === 'finished') return [finishedEvent(at, task, outcome)];
      const event = waitingEvent(at, task, outcome);
      return said(event.data.blocker, event.data.memo) === before ? [] : [event];
    },
    { claim: job, settle: settlement, jobs },
  );
  if (outcome.kind === 'finished') {
    room.progress.clear(task.id);
    room.metrics.tasks.inc({ task: task.name, status: outcome.status, result: outcome.result });
    room.metrics.taskDuration.observe({ task: task.name }, (Date.parse(at) - Date.parse(task.triggeredAt)) / 1000);
    room.log.info(
      {
        sequence: job.payload['sequence'],
        task: task.name,
        status: outcome.status,
        result: outcome.result,
        outcome: outcome.message,
      },
      'task finished',
    );
  }
}

/** They follow a pull request that another stage has opened. */
async function followersOf(store: Store, place: Place, task: TaskState, outcome: TaskOutcome): Promise<NewJob[]> {
  if (outcome.kind !== 'waiting' || task.name !== 'promotion') return [];
  const looks = await followersLooks(store, place, task.memo, outcome.memo ?? {});
  return looks.filter(({ payload }) => payload?.['task'] !== task.id);
}

function finishedEvent(
  at: string,
  task: TaskState,
  outcome: Extract<TaskOutcome, { kind: 'finished' }>,
): SequenceEvent {
  const { status, result, message, data } = outcome;
  return {
    name: 'task.finished',
    at,
    data: { task: task.id, name: task.name, status, result, message, data: data ?? {} },
  };
}

function said(blocker: Blocker | undefined, memo: JsonObject): string {
  return JSON.stringify([blocker?.kind, blocker?.sentence, blocker?.until, blocker?.byHand, memo]);
}

function waitingEvent(at: string, task: TaskState, outcome: Extract<TaskOutcome, { kind: 'waiting' }>) {
  const memo: JsonObject = outcome.memo ?? task.memo;
  return { name: 'task.waiting', at, data: { task: task.id, blocker: outcome.blocker, memo } } as const;
}

function taskInput(room: TaskRoom, job: ClaimedJob, sequence: SequenceState, task: TaskState, lease: Lease): TaskInput {
  return {
    sequence,
    triggered: sequence.triggered as NonNullable<SequenceState['triggered']>,
    task,
    now: room.clock.now(),
    signal: lease.signal,
    guard: lease.guard,
    onProgress: (fraction, sentence) => room.progress.report(task.id, fraction, sentence),
    effect: async (name, act) => {
      lease.guard();
      room.failpoint(`effect.${name}.before`);
      const answer = await act();
      room.failpoint(`effect.${name}.after`);
      return answer;
    },
    alone: (key, act) => alone(room, job, key, act),
    record: (decision) => recordDecided(room, job, decision),
  };
}

/** Under the claim: whoever lost it has read what may be old by now. */
async function recordDecided({ store, clock }: TaskRoom, job: ClaimedJob, data: DecisionMade): Promise<void> {
  const { sequence } = job.payload as { sequence: string };
  const events = await store.readStream(streamOf(sequence));
  if (events.some((event) => event.data['decision'] === data.decision)) return;
  const made: SequenceEvent = { name: 'decision.made', at: clock.now().toISOString(), data };
  await changeSequence(store, sequence, ({ phase }) => (phase === 'finished' ? [] : [made]), { claim: job });
}

async function settle(store: Store, job: ClaimedJob, settlement: Settlement): Promise<void> {
  await store.commit({ claim: job, settle: settlement });
}
