import type { Clock } from '../base/clock.ts';
import { derivedId, newId } from '../base/ids.ts';
import type { JsonObject } from '../base/json.ts';
import type { Place } from '../events/application.ts';
import type { EvaluationEvent, EvaluationTriggered } from '../events/types.ts';
import type { Document, DocumentQuery, Store } from '../store/store.ts';
import { problemsOfRequest } from '../tasks/evaluation-request.ts';
import {
  type EvaluationView,
  evaluationRow,
  evaluationView,
  foldEvaluation,
  invalidationRow,
} from '../views/evaluation-document.ts';
import { changeJob } from './change-job.ts';
import {
  evaluateJob,
  evaluationStream,
  isConflict,
  loadEvaluation,
  toNewEvent,
  whereabouts,
} from './evaluation-log.ts';
import { promotionLooks } from './promotion-looks.ts';

/** What somebody asks for. With `slo` (and `sli`) as texts, or else by the files of the place. */
export interface EvaluationRequest {
  place: Place;
  /** The commit that is judged; absent: the one that was delivered last. */
  revision?: string;
  /** ISO 8601. */
  period: { start: string; end: string };
  delayMs?: number;
  slo?: string;
  sli?: string;
  values?: Record<string, number>;
  labels?: Record<string, string>;
  provider?: string;
  /** As in delivery.yaml. */
  compareWith?: JsonObject;
  compatibility?: 'strict' | 'keptn';
  /** The same key at the same place is the same evaluation, however often it is asked for. */
  key?: string;
  /** What was asked for, as a hash: a key that stands for something else already is refused. */
  asked?: string;
  /** Groups evaluations that belong together; absent: the evaluation stands for itself. */
  context?: string;
  requestedBy: string;
}

/** A request that cannot be carried out; each problem names its field. */
export class EvaluationRefused extends Error {
  override name = 'EvaluationRefused';
  readonly code: 'not-found' | 'invalid-request' | 'over' | 'key-reused';
  readonly problems: { path: string; message: string; line?: number; column?: number }[];

  constructor(code: EvaluationRefused['code'], message: string, problems: EvaluationRefused['problems'] = []) {
    super(message);
    this.code = code;
    this.problems = problems;
  }
}

export interface EvaluationQuery extends Partial<Place> {
  context?: string;
  limit: number;
  after?: { sort: number; id: string };
}

/** Evaluations beside any change: asked for, read, done again, and declared invalid. */
export interface Evaluations {
  /** Durable when it answers. @throws {EvaluationRefused} */
  request(request: EvaluationRequest): Promise<{ id: string }>;
  get(id: string): Promise<EvaluationView | undefined>;
  /** As `get`, but waits up to `ms` until it is finished. */
  wait(id: string, ms: number): Promise<EvaluationView | undefined>;
  /** The newest first, with the sort key for the next page. */
  list(query: EvaluationQuery): Promise<{ view: EvaluationView; sort: number }[]>;
  /** It is not compared with any more; saying it twice changes nothing. @throws {EvaluationRefused} */
  invalidate(id: string, actor: string, reason: string): Promise<EvaluationView>;
  /** Takes that back; where nobody said it, nothing changes. @throws {EvaluationRefused} */
  restore(id: string, actor: string): Promise<EvaluationView>;
  /** The same period once more, with the files of now. @throws {EvaluationRefused} */
  again(id: string, actor: string, key?: string): Promise<{ id: string }>;
}

interface Mark {
  event: EvaluationEvent;
  row: Document;
}

const POLL_MS = 100;
/** Each of them reads the store ten times a second; who comes later is answered as it is now. */
const MOST_WAITING = 200;

export function createEvaluations({ store, clock }: { store: Store; clock: Clock }): Evaluations {
  let waiting = 0;

  async function get(id: string): Promise<EvaluationView | undefined> {
    const row = await store.document('evaluation', id);
    return row && evaluationView(filled(row), await store.document('invalidation', id));
  }

  async function known(id: string): Promise<EvaluationView> {
    const found = await get(id);
    if (!found) throw new EvaluationRefused('not-found', `there is no evaluation ${id}`);
    return found;
  }

  async function trigger(id: string, data: Omit<EvaluationTriggered, 'evaluation'>): Promise<{ id: string }> {
    const event = {
      name: 'evaluation.triggered',
      at: clock.now().toISOString(),
      data: { evaluation: id, ...data },
    } as const;
    const row = evaluationRow(foldEvaluation([event]), 1);
    try {
      await store.commit({
        appends: [{ stream: evaluationStream(id), expectedVersion: 0, events: [toNewEvent(id, event)] }],
        documents: row ? [row] : [],
        jobs: [evaluateJob(id)],
      });
    } catch (error) {
      if (!isConflict(error)) throw error;
      await isAskedFor(id, data.asked);
    }
    return { id };
  }

  /**
   * Whether it was asked for under its key before.
   *
   * @throws {EvaluationRefused} for something else: its verdict says nothing about what is asked now
   */
  async function isAskedFor(id: string, asked: string | undefined): Promise<boolean> {
    const { triggered } = (await loadEvaluation(store, id)).state;
    if (triggered?.asked !== undefined && asked !== undefined && triggered.asked !== asked)
      throw new EvaluationRefused('key-reused', `the key stands for another question already (${id}): take a new key`);
    return triggered !== undefined;
  }

  /** Says of an evaluation what `say` wants said, and has everyone look who was told otherwise. */
  async function mark(
    id: string,
    say: (view: EvaluationView, loaded: Awaited<ReturnType<typeof loadEvaluation>>, at: string) => Mark | undefined,
  ): Promise<EvaluationView> {
    for (let attempt = 1; ; attempt++) {
      const view = await known(id);
      const loaded = await loadEvaluation(store, id);
      const said = say(view, loaded, clock.now().toISOString());
      if (!said) return view;
      try {
        await store.commit({
          appends: [
            { stream: evaluationStream(id), expectedVersion: loaded.version, events: [toNewEvent(id, said.event)] },
          ],
          documents: [said.row],
          jobs: [...(await promotionLooks(store, view)), changeJob(view.context)],
        });
        return await known(id);
      } catch (error) {
        if (!isConflict(error) || attempt >= MAX_CONFLICTS) throw error;
      }
    }
  }

  return {
    get,
    async request({ key, place, context, requestedBy, delayMs = 0, labels = {}, ...asked }) {
      const id = key === undefined ? newId() : derivedId('evaluation', ...Object.values(ordered(place)), key);
      if (key !== undefined && (await isAskedFor(id, asked.asked))) return { id };
      refuseMistakes(asked);
      const where = asked.slo === undefined ? await whereabouts(store, place) : undefined;
      if (asked.slo === undefined && !where)
        throw new EvaluationRefused('not-found', sayUnknown(place), [
          { path: 'slo', message: 'is needed where nothing was delivered yet' },
        ]);
      const revision = asked.revision ?? where?.revision;
      return trigger(id, {
        ...asked,
        place,
        context: context ?? id,
        ...(revision === undefined ? {} : { revision }),
        ...(where ? { files: { ...where, revision: asked.revision ?? where.revision } } : {}),
        delayMs,
        labels,
        requestedBy,
      });
    },
    async wait(id, ms) {
      const deadline = performance.now() + (waiting < MOST_WAITING ? ms : 0);
      waiting++;
      try {
        for (;;) {
          const found = await get(id);
          if (!found || found.state === 'finished' || performance.now() >= deadline) return found;
          await new Promise((resolve) => setTimeout(resolve, POLL_MS));
        }
      } finally {
        waiting--;
      }
    },
    async list({ context, ...query }) {
      const wanted: DocumentQuery = {
        kind: 'evaluation',
        ...query,
        ...(context === undefined ? {} : { context: [context] }),
      };
      const rows = await store.documents(wanted);
      return Promise.all(
        rows.map(async (row) => ({
          view: evaluationView(filled(row), await store.document('invalidation', row.id)),
          sort: row.sort,
        })),
      );
    },
    invalidate: (id, actor, reason) =>
      mark(id, (view, { state, version }, at) => {
        if (view.invalidated) return undefined;
        if (view.state !== 'finished') throw new EvaluationRefused('over', 'it is still under way: wait for its end');
        const event = { name: 'evaluation.invalidated', at, data: { evaluation: id, actor, reason } } as const;
        const invalidated = state.invalidated ?? { actor, reason, at };
        return { event, row: invalidationRow(id, version + 1, view, view.context, invalidated) };
      }),
    restore: (id, actor) =>
      mark(id, (view, { version }, at) => {
        if (!view.invalidated) return undefined;
        const event = { name: 'evaluation.restored', at, data: { evaluation: id, actor } } as const;
        return { event, row: invalidationRow(id, version + 1, view, view.context, view.invalidated, actor) };
      }),
    async again(id, actor, key) {
      const view = await known(id);
      if (!view.period) throw new EvaluationRefused('over', 'its period is not known any more');
      const place = { project: view.project, stage: view.stage, service: view.service };
      const { state } = await loadEvaluation(store, id);
      const inline = state.triggered?.slo !== undefined;
      const where = inline ? undefined : await whereabouts(store, place);
      if (!inline && !where) throw new EvaluationRefused('not-found', sayUnknown(place));
      const {
        evaluation: _,
        at: __,
        files: ___,
        asked: ____,
        ...before
      } = state.triggered ?? { evaluation: '', at: '' };
      return trigger(key === undefined ? newId() : derivedId('evaluation', 'again', id, key), {
        delayMs: 0,
        labels: {},
        ...before,
        place,
        context: view.context,
        period: view.period,
        ...(view.revision === undefined ? {} : { revision: view.revision }),
        ...(where ? { files: where } : {}),
        requestedBy: actor,
        again: id,
      });
    },
  };
}

const MAX_CONFLICTS = 10;

function filled(row: Document) {
  return {
    ...row,
    project: row.project ?? '',
    status: row.status ?? '',
    stage: row.stage ?? '',
    service: row.service ?? '',
  };
}

function ordered({ project, stage, service }: Place): Place {
  return { project, stage, service };
}

function sayUnknown({ project, stage, service }: Place): string {
  return `nothing was ever delivered to ${project}/${stage}/${service}: check the names, or send slo with the request`;
}

function refuseMistakes(request: Pick<EvaluationRequest, 'slo' | 'sli' | 'compareWith' | 'compatibility'>): void {
  const problems = problemsOfRequest(request).map(({ file, path, message, line, column }) => ({
    path: path === '' ? file : `${file}: ${path}`,
    message,
    line,
    column,
  }));
  const [first] = problems;
  if (!first) return;
  const place = `${first.line}:${first.column}`;
  throw new EvaluationRefused('invalid-request', `${first.path} (${place}) ${first.message}`, problems);
}
