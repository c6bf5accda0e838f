import express, { type Request, type Response, Router } from 'express';
import type { ChangeFacts } from '../../answers/change-facts.ts';
import { stopFor } from '../../engine/stop-the-line.ts';
import type { ChangeBoard } from '../../runtime/change-board.ts';
import type { StopTheLine } from '../../runtime/stop-the-line.ts';
import type { Ahead } from '../../ui/pages/change/journey.ts';
import type { ChangeScreen, Refused } from '../../ui/pages/change/screen.ts';
import { changePage } from '../../ui/pages/change.ts';
import { changeAddress } from '../../ui/pages/change-address.ts';
import { missingChangePage } from '../../ui/pages/change-missing.ts';
import { type Authentication, wantsPage } from '../authentication.ts';
import type { Changes } from '../changes.ts';
import { Refusal } from '../problem.ts';
import type { FrameOf } from './frame.ts';

export interface ChangePageTools {
  board: Pick<ChangeBoard, 'row' | 'facts' | 'steps' | 'list'>;
  changes: Pick<Changes, 'read' | 'decide'>;
  line: Pick<StopTheLine, 'stops'>;
  authentication: Pick<Authentication, 'require' | 'viewer' | 'holder'>;
  frameOf: FrameOf;
  /** What a change has still to do; absent: nothing is foreseen. */
  ahead?: (facts: ChangeFacts) => readonly Ahead[];
}

const MAX_FORM_BYTES = 32 * 1024;
const MAX_SUGGESTIONS = 5;
/** Of an id that is a commit: so much of it is looked for. */
const LOOKED_FOR = 12;

/** One change, and the way in which people decide on it with a browser. */
export function changePageRoutes(tools: ChangePageTools): Router {
  const { changes, authentication } = tools;
  const router = Router();
  router.get('/changes/:id', authentication.require('read'), async (request, response) => {
    await show(tools, request, response, 200);
  });
  router.post(
    '/changes/:id/decisions',
    authentication.require('decide'),
    express.urlencoded({ extended: false, limit: MAX_FORM_BYTES, inflate: false, parameterLimit: 20 }),
    async (request, response) => {
      const id = idIn(request);
      const form = { ...(request.body as Record<string, unknown>) };
      try {
        await changes.decide(id, form, authentication.holder(response), undefined);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        return refuse(tools, request, response, error, form);
      }
      response.redirect(303, changeAddress(id));
    },
  );
  return router;
}

const MOVED: readonly string[] = ['stale', 'changed'];

/** People get the page with what they typed; programs get the problem. */
async function refuse(
  tools: ChangePageTools,
  request: Request,
  response: Response,
  refusal: Refusal,
  form: Record<string, unknown>,
): Promise<void> {
  if (!wantsPage(request)) throw refusal;
  const { status, code, detail } = refusal.answer;
  const [seen, rev, stage, verdict] = ['seen', 'rev', 'stage', 'verdict'].map((name) => textOf(form[name]));
  const refused: Refused = {
    detail,
    reason: textOf(form['reason']) ?? '',
    ...(stage === undefined ? {} : { stage }),
    ...(verdict === undefined ? {} : { verdict }),
    ...(MOVED.includes(code) ? { moved: { ...(seen ? { seen } : {}), ...(rev ? { rev } : {}) } } : {}),
  };
  await show(tools, request, response, status, refused);
}

async function show(
  tools: ChangePageTools,
  request: Request,
  response: Response,
  status: number,
  refused?: Refused,
): Promise<void> {
  const id = idIn(request);
  const viewer = tools.authentication.viewer(response);
  const [change, row, [facts], steps, stops] = await Promise.all([
    tools.changes.read(id),
    tools.board.row(id, viewer),
    tools.board.facts([id]),
    tools.board.steps(id),
    tools.line.stops(),
  ]);
  if (change === undefined && row === undefined) return missing(tools, request, response, id);
  const frame = {
    ...tools.frameOf(request, response, 'changes'),
    path: request.method === 'GET' ? request.originalUrl : changeAddress(id),
  };
  const ahead = facts && tools.ahead?.(facts);
  const newer = facts?.over?.by;
  const step = textOf(request.query['step']);
  const { project = '' } = row ?? change ?? {};
  const stages = [...new Set([...(row?.cells ?? []), ...(change?.stages ?? [])].map(({ stage }) => stage))];
  const met = stages.flatMap((stage) => stopFor(stops, { project, stage }) ?? []);
  const screen: ChangeScreen = {
    steps,
    stops: [...new Set(met)],
    ...(change === undefined ? {} : { change }),
    ...(row === undefined ? {} : { row }),
    ...(ahead === undefined ? {} : { ahead }),
    ...(newer === undefined ? {} : { newer: { id: newer.change, text: newer.text } }),
    ...(step === undefined ? {} : { step }),
    ...(refused === undefined ? {} : { refused }),
  };
  response.status(status).type('html').send(changePage(frame, screen));
}

/** Says what there is instead: whoever follows an old link has a commit or a name in hand. */
async function missing(tools: ChangePageTools, request: Request, response: Response, id: string): Promise<void> {
  if (!wantsPage(request)) throw new Refusal(404, 'not-found', `there is no change ${id}`);
  const { rows } = await tools.board.list(
    { q: id.slice(0, LOOKED_FOR), limit: MAX_SUGGESTIONS },
    tools.authentication.viewer(response),
  );
  response
    .status(404)
    .type('html')
    .send(missingChangePage(tools.frameOf(request, response, 'changes'), id, rows));
}

function idIn(request: Request): string {
  return String(request.params['id']);
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
