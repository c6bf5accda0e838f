import type { JsonObject } from '../base/json.ts';
import { currentTask } from '../engine/sequence.ts';
import type { Place } from '../events/application.ts';
import type { Report } from '../events/report.ts';
import type { ClaimedJob, Document, NewJob, Store } from '../store/store.ts';
import { EvaluationRefused, type EvaluationRequest, type Evaluations } from './evaluations.ts';
import { reportCommit } from './journey.ts';
import type { Log } from './log.ts';
import { activeSequences, taskJob } from './sequences.ts';

export interface ReceivedRoom {
  store: Store;
  evaluations: Evaluations;
  log: Log;
}

/** Does what an event of others asked for, after it is in the log. Doing it twice is doing it once. */
export async function workOnEvent(room: ReceivedRoom, job: ClaimedJob): Promise<void> {
  if (job.payload['kind'] === 'indicators') return keepIndicators(room, job);
  if (job.payload['kind'] === 'report') {
    const report = job.payload['report'] as unknown as Report;
    return void (await room.store.commit({ ...reportCommit(report), claim: job, settle: { kind: 'done' } }));
  }
  const { id, kind: _, ...request } = job.payload as unknown as EvaluationRequest & { id: string; kind: string };
  try {
    await room.evaluations.request({ ...request, key: id });
  } catch (error) {
    if (!(error instanceof EvaluationRefused)) throw error;
    // Nobody waits for an answer any more: the log of the process is where an operator looks.
    room.log.warn({ ...request.place, outcome: error.message }, 'an evaluation that an event asked for was refused');
  }
  await room.store.commit({ claim: job, settle: { kind: 'done' } });
}

/** Numbers become a row, and whoever waits for them looks again. */
async function keepIndicators({ store }: ReceivedRoom, job: ClaimedJob): Promise<void> {
  const row = indicatorsRow(job.payload);
  const { project = '', stage = '', service = '' } = row;
  await store.commit({
    documents: [row],
    jobs: await waitingEvaluations(store, { project, stage, service }),
    claim: job,
    settle: { kind: 'done' },
  });
}

/** The row of numbers that somebody sent, out of the work that they asked for. */
export function indicatorsRow(payload: JsonObject): Document {
  const { id, place, at, indicators, revision } = payload as unknown as {
    id: string;
    place: Place;
    at: string;
    indicators: JsonObject;
    revision?: string;
  };
  const { project, stage, service } = place;
  const data = { at, indicators, ...(revision === undefined ? {} : { revision }) };
  return {
    ...{ kind: 'indicators', id, version: 1, project, stage, service, status: 'known' },
    ...{ sort: Date.parse(at), data },
  };
}

async function waitingEvaluations(store: Store, place: Place): Promise<NewJob[]> {
  return (await activeSequences(store, place)).flatMap((state) => {
    const task = currentTask(state);
    const waits = task?.name === 'evaluation' && task.blocker?.kind === 'data';
    return waits && state.triggered ? [taskJob(state.triggered.sequence, task.id)] : [];
  });
}
