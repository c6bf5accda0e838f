import type { Clock } from '../base/clock.ts';
import { derivedId, newId } from '../base/ids.ts';
import type { JsonObject } from '../base/json.ts';
import { currentTask } from '../engine/sequence.ts';
import { type LineStop, scopeOf } from '../engine/stop-the-line.ts';
import { eventType, type LineEvents, type LineStopped, type MadeBy } from '../events/types.ts';
import type { Document, NewEvent, NewJob, Store } from '../store/store.ts';
import { ACTIVE, sequenceFromRow } from '../views/sequence-document.ts';
import { changeJob } from './change-job.ts';
import { taskJob } from './sequences.ts';

/** Who stops or releases, where and why. */
export interface LineRequest extends MadeBy {
  reason: string;
  project?: string;
  stage?: string;
}

/** The switch that keeps everything new from a place, whatever gates say. */
export interface StopTheLine {
  /** Those that are in force, the oldest first. */
  stops(): Promise<LineStop[]>;
  /** Stopping what is stopped already answers the stop that is there. */
  stop(request: LineRequest): Promise<LineStop>;
  /** Ends the stop of exactly this scope; `undefined`: there is none. */
  release(request: LineRequest): Promise<LineStop | undefined>;
}

const KIND = 'line-stop';
/** More than all projects and stages that anybody stops one by one. */
const MAX_STOPS = 500;
const MAX_WOKEN = 1000;
/** What waits for it, or must not wait any longer. */
const CONCERNED: ReadonlySet<string> = new Set(['sync', 'promotion']);
const MAX_CONFLICTS = 10;

export function createStopTheLine(store: Store, clock: Clock): StopTheLine {
  async function change(
    request: LineRequest,
    say: (row: Document | undefined) => { event: NewEvent; document: Document } | undefined,
  ): Promise<Document | undefined> {
    const id = idOf(request);
    for (let attempt = 1; ; attempt++) {
      const row = await store.document(KIND, id);
      const said = say(row);
      if (!said) return row;
      const append = { stream: streamOf(id), expectedVersion: row?.version ?? 0, events: [said.event] };
      try {
        await store.commit({ appends: [append], documents: [said.document], jobs: await concerned(store, request) });
        return said.document;
      } catch (error) {
        const isConflict = error instanceof Error && error.name === 'ConflictError';
        if (!isConflict || attempt >= MAX_CONFLICTS) throw error;
      }
    }
  }

  return {
    async stops() {
      const rows = await store.documents({ kind: KIND, status: ['stopped'], limit: MAX_STOPS });
      return rows.map(toStop).reverse();
    },
    async stop(request) {
      const row = await change(request, (before) =>
        before?.status === 'stopped' ? undefined : stopped(clock, request, before),
      );
      return toStop(row as Document);
    },
    async release(request) {
      let found: LineStop | undefined;
      await change(request, (before) => {
        if (before?.status !== 'stopped') return undefined;
        found = toStop(before);
        return released(clock, request, before);
      });
      return found;
    },
  };
}

function stopped(clock: Clock, request: LineRequest, before: Document | undefined) {
  const at = clock.now();
  const { actor, method, identity, reason } = request;
  const scope = scopeIn(request);
  const data: LineStopped = { actor, method, ...(identity ? { identity } : {}), reason, ...scope };
  const document: Document = {
    kind: KIND,
    id: idOf(request),
    version: (before?.version ?? 0) + 1,
    status: 'stopped',
    sort: at.getTime(),
    data: { actor, reason, at: at.toISOString(), ...scope },
  };
  return { event: eventOf('line.stopped', at, { ...data }), document };
}

function released(clock: Clock, request: LineRequest, before: Document) {
  const at = clock.now();
  const { actor, method, identity, reason } = request;
  const data: LineStopped = { actor, method, ...(identity ? { identity } : {}), reason, ...scopeIn(request) };
  const document = { ...before, version: before.version + 1, status: 'released', sort: at.getTime() };
  return { event: eventOf('line.released', at, { ...data }), document };
}

/** The tasks that look at the switch look now, and rows say what they wait for. */
async function concerned(store: Store, { project, stage }: LineRequest): Promise<NewJob[]> {
  const where = project === undefined ? {} : { project };
  const rows = await store.documents({ kind: 'sequence', ...where, status: [...ACTIVE], limit: MAX_WOKEN });
  const told = new Set(rows.flatMap(({ context }) => context ?? []));
  return [...[...told].map((context) => changeJob(context)), ...rows.flatMap((row) => looks(row, stage))];
}

function looks(row: Document, stage: string | undefined): NewJob[] {
  const state = sequenceFromRow(row.data);
  const task = currentTask(state);
  if (!task || !CONCERNED.has(task.name)) return [];
  // A promotion is stopped by the stage that it leads to.
  if (task.name === 'sync' && stage !== undefined && row.stage !== stage) return [];
  return [taskJob(row.id, task.id)];
}

function idOf(request: Pick<LineRequest, 'project' | 'stage'>): string {
  return derivedId(KIND, scopeOf(request));
}

function streamOf(id: string): string {
  return `stop-the-line/${id}`;
}

function scopeIn({ project, stage }: LineRequest) {
  return { ...(project === undefined ? {} : { project }), ...(stage === undefined ? {} : { stage }) };
}

function toStop({ id, data }: Document): LineStop {
  return { id, ...(data as unknown as Omit<LineStop, 'id'>) };
}

function eventOf(name: keyof LineEvents, at: Date, data: JsonObject): NewEvent {
  return { id: newId(), source: 'lynceus', type: eventType(name), time: at.toISOString(), data };
}
