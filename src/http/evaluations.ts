import express, { type Request, type RequestHandler, type Response, Router } from 'express';
import type { Clock } from '../base/clock.ts';
import { sha256 } from '../base/ids.ts';
import { isJsonObject, type Json } from '../base/json.ts';
import { parseStrictJson } from '../base/strict-json.ts';
import { readHeatMap } from '../runtime/evaluation-history.ts';
import { EvaluationRefused, type Evaluations } from '../runtime/evaluations.ts';
import type { Store } from '../store/store.ts';
import type { EvaluationView } from '../views/evaluation-document.ts';
import { MAX_BINS, MAX_COLUMNS } from '../views/evaluations.ts';
import type { Authentication, Holder } from './authentication.ts';
import { parseCursor } from './cursor.ts';
import { readEvaluationRequest } from './evaluation-request.ts';
import { parseQuery } from './place-query.ts';
import { Refusal } from './problem.ts';
import { refuseProject } from './project-scope.ts';

const MAX_BODY_BYTES = 512 * 1024;
const MAX_REASON_CHARS = 2000;
/** Proxies in between give up at 60 s or soon after. */
const LONGEST_WAIT_SECONDS = 60;

/** Evaluations on demand, under /api/v1/evaluations. */
export function evaluationRoutes(
  { store, clock, authentication }: { store: Store; clock: Clock; authentication: Authentication },
  evaluations: Evaluations,
): Router {
  const router = Router();
  const body = express.raw({ type: () => true, limit: MAX_BODY_BYTES, inflate: false });
  const read = authentication.require('read');
  const report = authentication.require('report');
  const operate = authentication.require('operate');

  router.post(
    '/api/v1/evaluations',
    report,
    body,
    guarded(async (request, response) => {
      const waitMs = waitOf(request);
      const sent = jsonOf(request);
      const asked = readEvaluationRequest(sent, clock.now());
      const key = request.get('Idempotency-Key');
      const holder = authentication.holder(response);
      const { name: requestedBy, may } = holder;
      refuseProject(holder, asked.place.project);
      // A CI job that reports results must not read every metrics source with it.
      if (asked.sli !== undefined && !may.includes('query'))
        throw new Refusal(403, 'forbidden', `the token of ${requestedBy} may not query: leave out sli, or ask for it`);
      // Each holder has keys of its own: nobody finds, or takes, the verdict of another one.
      const once = key === undefined ? {} : { key: `api/${requestedBy}/${key}`, asked: sha256(JSON.stringify(sent)) };
      const { id } = await evaluations.request({ ...asked, requestedBy, ...once });
      await answer(response, evaluations, id, waitMs);
    }),
  );
  router.get('/api/v1/evaluations', read, async (request, response) => {
    if (request.query['view'] === 'heat') return void response.json(await heatOf(store, request));
    const { limit = 50, cursor, ...place } = parseQuery(request);
    const { context } = request.query;
    const found = await evaluations.list({
      ...place,
      limit,
      ...(typeof context === 'string' && context !== '' ? { context } : {}),
      ...(cursor === undefined ? {} : { after: parseCursor(cursor) }),
    });
    const last = found.at(-1);
    response.json({
      evaluations: found.map(({ view }) => view),
      ...(last && found.length === limit ? { next: `${last.sort}~${last.view.id}` } : {}),
    });
  });
  router.get('/api/v1/evaluations/:id', read, async (request, response) => {
    response.json(present(await evaluations.wait(idOf(request), waitOf(request)), idOf(request)));
  });
  router.post(
    '/api/v1/evaluations/:id/invalidate',
    operate,
    body,
    guarded(async (request, response) => {
      const actor = await actorOn(request, response);
      response.json(await evaluations.invalidate(idOf(request), actor, reasonOf(jsonOf(request))));
    }),
  );
  router.post(
    '/api/v1/evaluations/:id/restore',
    operate,
    guarded(async (request, response) => {
      response.json(await evaluations.restore(idOf(request), await actorOn(request, response)));
    }),
  );
  router.post(
    '/api/v1/evaluations/:id/again',
    report,
    body,
    guarded(async (request, response) => {
      const waitMs = waitOf(request);
      const key = request.get('Idempotency-Key');
      const { id } = await evaluations.again(idOf(request), await actorOn(request, response), key);
      await answer(response, evaluations, id, waitMs);
    }),
  );
  return router;

  function actorOn(request: Request, response: Response): Promise<string> {
    return actorOf(evaluations, idOf(request), authentication.holder(response));
  }
}

/** Who does something to an evaluation, by name. @throws {Refusal} it is of a project that is not theirs */
export async function actorOf(evaluations: Evaluations, id: string, holder: Holder): Promise<string> {
  const view = holder.projects && (await evaluations.get(id));
  if (view) refuseProject(holder, view.project);
  return holder.name;
}

/**
 * The same evaluations as columns: what a heat map is drawn from. A cell is `[state, value]`, by objective and then by
 * column.
 */
async function heatOf(store: Store, request: Request) {
  const { limit = MAX_COLUMNS, cursor, project, stage, service } = parseQuery(request);
  if (project === undefined || stage === undefined || service === undefined)
    throw new Refusal(400, 'invalid-request', 'view=heat: name project, stage and service');
  const place = { project, stage, service };
  const before = cursor === undefined ? {} : { before: parseCursor(cursor) };
  const { map, older } = await readHeatMap(store, { ...place, limit, maxColumns: MAX_BINS, ...before });
  return {
    slis: map.slis.map(({ key, sli, name, keySli, weight, current }) => ({ key, sli, name, keySli, weight, current })),
    columns: map.columns,
    cells: map.cells.map((row) => row.map(({ state, value }) => [state, value ?? null])),
    ...(older === undefined ? {} : { next: `${older.sort}~${older.id}` }),
  };
}

/** 200 with the verdict when it is there in time, else 202 with where to look. */
async function answer(response: Response, evaluations: Evaluations, id: string, waitMs: number): Promise<void> {
  const view = present(await evaluations.wait(id, waitMs), id);
  response.setHeader('Location', `/api/v1/evaluations/${encodeURIComponent(id)}`);
  response.status(view.state === 'finished' ? 200 : 202).json(view);
}

function present(view: EvaluationView | undefined, id: string): EvaluationView {
  if (!view) throw new Refusal(404, 'not-found', `there is no evaluation ${id}`);
  return view;
}

function guarded(handler: RequestHandler): RequestHandler {
  return async (request, response, next) => {
    try {
      await handler(request, response, next);
    } catch (error) {
      throw error instanceof EvaluationRefused ? toRefusal(error) : error;
    }
  };
}

/** What the runtime refuses, in the words of the API. */
export function toRefusal({ code, message, problems }: EvaluationRefused): Refusal {
  const status = { 'not-found': 404, 'invalid-request': 400, over: 409, 'key-reused': 422 }[code];
  return new Refusal(status, code, message, problems);
}

function idOf(request: Request): string {
  return String(request.params['id']);
}

function jsonOf(request: Request): Json {
  const raw = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  if (raw.length === 0) return {};
  if (!request.is('json')) throw new Refusal(415, 'unsupported-media-type', 'send the request as application/json');
  const parsed = parseStrictJson(raw);
  if (!parsed.ok) throw new Refusal(400, 'invalid-json', parsed.detail);
  return parsed.value;
}

function reasonOf(body: Json): string {
  const reason = isJsonObject(body) ? body['reason'] : undefined;
  if (typeof reason !== 'string' || reason.trim() === '')
    throw new Refusal(400, 'invalid-request', 'reason: say why, in a few words');
  if (reason.length > MAX_REASON_CHARS)
    throw new Refusal(400, 'invalid-request', `reason: at most ${MAX_REASON_CHARS} characters`);
  return reason.trim();
}

/** `?wait=30s` or `?wait=30`; absent: not at all. */
function waitOf({ query }: Request): number {
  const { wait } = query;
  if (wait === undefined || wait === '') return 0;
  const seconds = /^(\d{1,3})s?$/.exec(String(wait))?.[1];
  if (seconds === undefined || Number(seconds) > LONGEST_WAIT_SECONDS)
    throw new Refusal(400, 'invalid-request', `wait: must be seconds such as 30s, at most ${LONGEST_WAIT_SECONDS}s`);
  return Number(seconds) * 1000;
}
