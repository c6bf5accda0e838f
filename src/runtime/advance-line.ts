import type { Clock } from '../base/clock.ts';
import { decide } from '../engine/decide.ts';
import { deadlineOf } from '../engine/held-sync.ts';
import { lineFor } from '../engine/line.ts';
import { currentTask, type SequenceState } from '../engine/sequence.ts';
import type { Place } from '../events/application.ts';
import type { SequenceEvent } from '../events/types.ts';
import type { ClaimedJob, NewJob, Store } from '../store/store.ts';
import { changeJob } from './change-job.ts';
import { concernedBy } from './change-record.ts';
import type { Failpoint } from './failpoint.ts';
import type { Log } from './log.ts';
import type { RuntimeMetrics } from './metrics.ts';
import { queuedLooks } from './promotion-looks.ts';
import { activeSequences, type LoadedSequence, loadSequence, sequenceCommit } from './sequences.ts';

export interface LineRoom {
  store: Store;
  clock: Clock;
  failpoint: Failpoint;
  metrics: RuntimeMetrics;
  log: Log;
}

/** A deadline further away than this is looked at again earlier, so that clocks that jump do no harm. */
const LONGEST_SLEEP_MS = 3_600_000;

/**
 * Asks the engine about every unfinished sequence of one project, stage and service until it has
 * nothing more to say. Under one claim, so that one process at a time decides who may go on.
 */
export async function advanceLine(room: LineRoom, job: ClaimedJob): Promise<void> {
  const place = job.payload as unknown as Place;
  const ids = (await activeSequences(room.store, place)).map((state) => state.triggered?.sequence ?? '');
  const line = await Promise.all(ids.map((id) => loadSequence(room.store, id)));
  for (let at = 0; at < line.length; ) {
    const moved = await advance(room, job, line, at);
    // A step of one may free the way for another: begin again until all are quiet.
    at = moved ? 0 : at + 1;
  }
  await room.store.commit({
    claim: job,
    settle: nextLook(
      line.map(({ state }) => state),
      room.clock.now(),
    ),
  });
}

async function advance(room: LineRoom, job: ClaimedJob, line: LoadedSequence[], at: number): Promise<boolean> {
  const loaded = line[at] as LoadedSequence;
  const sequence = loaded.state.triggered?.sequence ?? '';
  const neighbours = line.map(({ state }) => state);
  const events = decide(loaded.state, { now: room.clock.now().toISOString(), line: lineFor(sequence, neighbours) });
  if (events.length === 0) return false;
  const { commit, next } = sequenceCommit(loaded, events);
  room.failpoint('line.decided');
  // Our own wake-up would make the line run once more for nothing: it goes on right here.
  const jobs = commit.jobs.filter((wanted) => wanted.queue !== 'line');
  const place = job.payload as unknown as Place;
  const others = await queuedLooks(room.store, place, events);
  const isOver = events.some(({ name }) => name === 'sequence.finished');
  const mended = isOver ? (await concernedBy(room.store, place)).map((change) => changeJob(change)) : [];
  await room.store.commit({
    ...commit,
    jobs: [...jobs, ...others, ...mended, ...waitingChanges(neighbours, events)],
    claim: job,
  });
  room.failpoint('line.committed');
  line[at] = next;
  countEndedTasks(room.metrics, events);
  const { finished, triggered } = next.state;
  if (finished && triggered) {
    room.metrics.sequences.inc({ stage: triggered.place.stage, result: finished.result, reason: finished.reason });
    room.log.info(
      { sequence, ...triggered.place, result: finished.result, reason: finished.reason, outcome: finished.message },
      'sequence finished',
    );
  }
  return true;
}

/** Those that wait for their turn say behind whom. */
function waitingChanges(line: readonly SequenceState[], events: readonly SequenceEvent[]): NewJob[] {
  if (!events.some(({ name }) => name === 'sequence.started' || name === 'sequence.finished')) return [];
  const waiting = line.flatMap(({ phase, triggered }) =>
    phase === 'triggered' && triggered ? [triggered.context] : [],
  );
  return [...new Set(waiting)].map((context) => changeJob(context));
}

/** Approvals, time limits and aborts end a task here; what its handler ends is counted where it ran. */
function countEndedTasks(metrics: RuntimeMetrics, events: readonly SequenceEvent[]): void {
  for (const event of events) {
    if (event.name !== 'task.finished') continue;
    const { name, status, result } = event.data;
    metrics.tasks.inc({ task: name, status, result });
  }
}

function nextLook(states: readonly SequenceState[], now: Date) {
  const deadlines = states.flatMap((state) => {
    const task = currentTask(state);
    return task === undefined ? [] : [deadlineOf(task)];
  });
  if (deadlines.length === 0) return { kind: 'done' } as const;
  const delayMs = Math.min(LONGEST_SLEEP_MS, Math.max(0, Math.min(...deadlines) - now.getTime()) + 1);
  return { kind: 'again', delayMs } as const;
}
