import express, { type Response, Router } from 'express';
import type { ChangeBoard } from '../runtime/change-board.ts';
import type { StopTheLine } from '../runtime/stop-the-line.ts';
import { changePage } from '../ui/change-page.ts';
import { changesPage } from '../ui/changes-page.ts';
import type { Authentication } from './authentication.ts';
import { type Changes, found } from './changes.ts';
import type { FrameOf } from './pages/frame.ts';
import { parseQuery } from './place-query.ts';
import { Refusal } from './problem.ts';

const MAX_FORM_BYTES = 16 * 1024;

/** The pages for people. */
export function pageRoutes(
  board: Pick<ChangeBoard, 'list'>,
  changes: Changes,
  line: Pick<StopTheLine, 'stops'>,
  authentication: Authentication,
  frameOf: FrameOf,
): Router {
  const router = Router();
  const read = authentication.require('read');
  router.get('/', read, (_request, response) => {
    response.redirect(302, '/changes');
  });
  router.get('/changes', read, async (request, response) => {
    const { limit, cursor, ...filter } = parseQuery(request);
    const several = Object.fromEntries(Object.entries(filter).map(([name, value]) => [name, [value]]));
    const page = await board.list(
      { ...several, ...(limit ? { limit } : {}), ...(cursor ? { cursor } : {}) },
      authentication.viewer(response),
    );
    const rows = await changes.journeys(page.rows.map(({ id }) => id));
    const { next } = page;
    send(response, 200, changesPage(frameOf(request, response, 'changes'), rows, filter, next, await line.stops()));
  });
  router.get('/changes/:id', read, async (request, response) => {
    send(
      response,
      200,
      changePage(frameOf(request, response, 'changes'), await found(changes, String(request.params['id']))),
    );
  });
  router.post(
    '/changes/:id/decisions',
    authentication.require('decide'),
    express.urlencoded({ extended: false, limit: MAX_FORM_BYTES, inflate: false, parameterLimit: 20 }),
    async (request, response) => {
      const id = String(request.params['id']);
      try {
        await changes.decide(id, { ...request.body }, authentication.holder(response), undefined);
        response.redirect(303, `/changes/${encodeURIComponent(id)}`);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        send(
          response,
          error.answer.status,
          changePage(
            frameOf(request, response, 'changes'),
            await found(changes, id),
            `Nothing was decided: ${error.answer.detail}.`,
          ),
        );
      }
    },
  );
  return router;
}

function send(response: Response, status: number, text: string): void {
  response.status(status).type('html').send(text);
}
