import express, { type Request, type Response, Router } from 'express';
import { readEvaluation, readHeatMap, readJudgedBy } from '../../runtime/evaluation-history.ts';
import { EvaluationRefused, type Evaluations } from '../../runtime/evaluations.ts';
import type { FleetBoard } from '../../runtime/fleet-board.ts';
import type { Store } from '../../store/store.ts';
import type { Frame } from '../../ui/frame.ts';
import { page } from '../../ui/layout.ts';
import { DEFAULT_LAST, type EvaluationsQuery, evaluationsAddress, LASTS } from '../../ui/pages/evaluations/address.ts';
import { evaluationsBoard } from '../../ui/pages/evaluations/board.ts';
import { choosePlace, evaluationsIndex, noSuchPlace } from '../../ui/pages/evaluations/list.ts';
import type { Chosen } from '../../ui/pages/evaluations/model.ts';
import { breakdown } from '../../views/evaluation-breakdown.ts';
import type { EvaluationView } from '../../views/evaluation-document.ts';
import { type EvaluatedPlace, type HeatMap, MAX_BINS, MAX_COLUMNS } from '../../views/evaluations.ts';
import type { FleetEntry } from '../../views/fleet-page.ts';
import type { Authentication } from '../authentication.ts';
import { actorOf, toRefusal } from '../evaluations.ts';
import { Refusal } from '../problem.ts';
import { oneOf, positionIn, textIn } from './asked.ts';
import type { FrameOf } from './frame.ts';

export interface EvaluationPagesTools {
  store: Store;
  evaluations: Evaluations;
  fleet: FleetBoard;
  authentication: Authentication;
  frameOf: FrameOf;
}

const MAX_FORM_BYTES = 16 * 1024;
const MAX_REASON_CHARS = 2000;
/** Of four stages each: more elements than that make a slow page. */
const LIST_SIZE = 40;

/** What evaluations people look at, and which of them they want left out of comparisons. */
export function evaluationPageRoutes(tools: EvaluationPagesTools): Router {
  const { store, evaluations, fleet, authentication, frameOf } = tools;
  const router = Router();
  const read = authentication.require('read');
  const operate = authentication.require('operate');
  const form = express.urlencoded({ extended: false, limit: MAX_FORM_BYTES, inflate: false, parameterLimit: 10 });
  router.get('/evaluations', read, async (request, response) => {
    const frame = frameOf(request, response, 'evaluations');
    response.type('html').send(page(frame, 'Evaluations', await listBody(fleet, request, frame.now)));
  });
  router.get('/evaluations/:service/:stage', read, async (request, response) => {
    const frame = frameOf(request, response, 'evaluations');
    const [service, stage] = [String(request.params['service']), String(request.params['stage'])];
    const project = textIn(request, 'project') ?? (await onlyProject(fleet, service, stage));
    const title = `Evaluations of ${service} in ${stage}`;
    if (typeof project !== 'string') {
      const body = project.length === 0 ? noSuchPlace(service, stage) : choosePlace(service, stage, project);
      return void response
        .status(project.length === 0 ? 404 : 200)
        .type('html')
        .send(page(frame, title, body));
    }
    const board = await boardOf(tools, { project, stage, service }, readQuery(request), frame);
    response.type('html').send(page(frame, title, evaluationsBoard(board)));
  });
  router.post('/evaluations/:id/ignore', form, operate, async (request, response) => {
    const id = String(request.params['id']);
    const name = await actorOf(evaluations, id, authentication.holder(response));
    await done(response, evaluations.invalidate(id, name, reasonIn(request)));
  });
  router.post('/evaluations/:id/restore', form, operate, async (request, response) => {
    const id = String(request.params['id']);
    const name = await actorOf(evaluations, id, authentication.holder(response));
    await done(response, evaluations.restore(id, name));
  });
  return router;

  async function done(response: Response, said: Promise<EvaluationView>): Promise<void> {
    const { id, project, stage, service } = await said.catch((error: unknown) => {
      throw error instanceof EvaluationRefused ? toRefusal(error) : error;
    });
    response.redirect(303, `${evaluationsAddress({ project, stage, service }, { e: id })}#evaluation`);
  }

  /** Where only one project has such a service there, its name. */
  async function onlyProject(board: FleetBoard, service: string, stage: string): Promise<string | string[]> {
    const named = (await board.entries()).filter((entry) => entry.service === service);
    const services = await board.services(named.map(({ id }) => id));
    const projects = services
      .filter(({ stages }) => stages.some((one) => one.stage === stage))
      .map((one) => one.project);
    const [only] = projects;
    return only !== undefined && projects.length === 1 ? only : projects.sort();
  }

  async function boardOf({ store: from }: typeof tools, place: EvaluatedPlace, query: EvaluationsQuery, frame: Frame) {
    const before = positionIn(query.before);
    const { views, older, map } = await readHeatMap(from, {
      ...place,
      limit: query.last,
      maxColumns: query.view === 'line' ? MAX_BINS : MAX_COLUMNS,
      ...(before === undefined ? {} : { before }),
      ...(query.from === undefined ? {} : { since: new Date(`${query.from}T00:00:00Z`) }),
    });
    const view = await chosenView(place, query, views, map);
    const chosen = view && (await chosenOf(view, frame));
    return {
      place,
      query,
      map,
      ...(chosen === undefined ? {} : { chosen }),
      ...(older === undefined ? {} : { older: `${older.sort}~${older.id}` }),
      underWay: views.filter(({ state }) => state === 'running').length,
      now: frame.now,
    };
  }

  /** The one that the address names; else the newest that is shown. */
  async function chosenView(
    place: EvaluatedPlace,
    { e }: EvaluationsQuery,
    views: readonly EvaluationView[],
    map: HeatMap,
  ): Promise<EvaluationView | undefined> {
    const id = e ?? map.columns.at(-1)?.id;
    if (id === undefined) return undefined;
    const view = views.find((one) => one.id === id) ?? (await readEvaluation(store, id));
    const isHere =
      view?.state === 'finished' &&
      view.project === place.project &&
      view.stage === place.stage &&
      view.service === place.service;
    if (!isHere)
      throw new Refusal(
        404,
        'not-found',
        `there is no finished evaluation ${id} of ${place.service} in ${place.stage}`,
      );
    return view;
  }

  async function chosenOf(view: EvaluationView, { viewer, csrf }: Frame): Promise<Chosen> {
    const mayIgnore = viewer?.roles.some((role) => role === 'operator' || role === 'admin') ?? false;
    return {
      breakdown: breakdown(view),
      files: await readJudgedBy(store, view),
      mayIgnore,
      ...(csrf === undefined ? {} : { csrf }),
    };
  }
}

function readQuery(request: Request): EvaluationsQuery {
  const [e, sli, before, from] = ['e', 'sli', 'before', 'from'].map((name) => textIn(request, name));
  const last = Number(textIn(request, 'last'));
  return {
    view: oneOf(textIn(request, 'view'), ['heat', 'line']),
    last: LASTS.find((one) => one === last) ?? DEFAULT_LAST,
    ...(e === undefined ? {} : { e }),
    ...(sli === undefined ? {} : { sli }),
    ...(positionIn(before) === undefined || before === undefined ? {} : { before }),
    ...(from === undefined || !isDay(from) ? {} : { from }),
  };
}

function isDay(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(`${text}T00:00:00Z`));
}

async function listBody(fleet: FleetBoard, request: Request, now: string) {
  const [q, project, cursor] = ['q', 'project', 'cursor'].map((name) => textIn(request, name));
  const found = (await fleet.entries()).filter(isEvaluated).filter(matcher(q, project)).sort(byId);
  const from = cursor === undefined ? 0 : found.findIndex(({ id }) => id > cursor);
  const shown = from < 0 ? [] : found.slice(from, from + LIST_SIZE);
  const services = await fleet.services(shown.map(({ id }) => id));
  const next = from >= 0 && from + LIST_SIZE < found.length ? shown.at(-1)?.id : undefined;
  return evaluationsIndex({
    services,
    total: found.length,
    now,
    ...(q === undefined ? {} : { q }),
    ...(project === undefined ? {} : { project }),
    ...(cursor === undefined ? {} : { cursor }),
    ...(next === undefined ? {} : { next }),
  });
}

function isEvaluated({ evaluated }: FleetEntry): boolean {
  return evaluated;
}

function matcher(q: string | undefined, project: string | undefined): (entry: FleetEntry) => boolean {
  const wanted = (q ?? '').trim().toLowerCase();
  return (entry) =>
    (project === undefined || entry.project === project) &&
    [entry.service, entry.project, entry.team ?? ''].some((text) => text.toLowerCase().includes(wanted));
}

function byId(a: FleetEntry, b: FleetEntry): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

function reasonIn({ body }: Request): string {
  const { reason } = (body ?? {}) as { reason?: unknown };
  if (typeof reason !== 'string' || reason.trim() === '')
    throw new Refusal(400, 'invalid-request', 'reason: say why, in a few words');
  if (reason.length > MAX_REASON_CHARS)
    throw new Refusal(400, 'invalid-request', `reason: at most ${MAX_REASON_CHARS} characters`);
  return reason.trim();
}
