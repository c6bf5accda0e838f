import express, { type Request, type Response, Router } from 'express';
import type { Clock } from '../base/clock.ts';
import { parseStrictJson } from '../base/strict-json.ts';
import type { ChangeBoard } from '../runtime/change-board.ts';
import type { ChangeView } from '../views/change.ts';
import type { Authentication } from './authentication.ts';
import { isSet, parseBoardQuery } from './change-query.ts';
import type { Changes } from './changes.ts';
import { Refusal } from './problem.ts';

export interface ChangesApiTools {
  board: ChangeBoard;
  changes: Changes;
  clock: Clock;
  authentication: Pick<Authentication, 'require' | 'holder' | 'viewer'>;
  /** From where on `/events` tells what is newer than an answer; absent: the time of the answer. */
  position?: () => string;
}

const MAX_DECISION_BYTES = 64 * 1024;

/** The API under /api/v1: what the page shows, for programs. */
export function changesRoutes(tools: ChangesApiTools): Router {
  const { authentication, changes } = tools;
  const router = Router();
  const read = authentication.require('read');
  router.get('/api/v1/changes', read, (request, response) => list(tools, request, response));
  router.get('/api/v1/changes/:id', read, async (request, response) => {
    response.json(await one(tools, String(request.params['id']), response));
  });
  router.post(
    '/api/v1/changes/:id/decisions',
    authentication.require('decide'),
    express.raw({ type: () => true, limit: MAX_DECISION_BYTES, inflate: false }),
    async (request, response) => {
      if (!request.is('json'))
        throw new Refusal(415, 'unsupported-media-type', 'send the decision as application/json');
      const parsed = parseStrictJson(Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0));
      if (!parsed.ok) throw new Refusal(400, 'invalid-json', parsed.detail);
      const id = String(request.params['id']);
      const key = request.get('Idempotency-Key');
      response.status(201).json(await changes.decide(id, parsed.value, authentication.holder(response), key));
    },
  );
  return router;
}

async function list(
  { board, changes, clock, authentication, position }: ChangesApiTools,
  request: Request,
  response: Response,
): Promise<void> {
  const query = parseBoardQuery(request.query, clock.now());
  const withJourneys = isSet(request.query, 'journeys');
  // Read before the rows: what happens meanwhile is told twice, not never.
  const cursorSeq = position?.();
  const page = await board.list(query, authentication.viewer(response));
  const ids = page.rows.map(({ id }) => id);
  response.json({
    ...page,
    cursorSeq: cursorSeq ?? page.asOf,
    ...(withJourneys ? { changes: await changes.journeys(ids) } : {}),
  });
}

/** A change that CI alone has told of has a row, and no stage yet. */
async function one({ board, changes, authentication }: ChangesApiTools, id: string, response: Response) {
  const [change, row, steps] = await Promise.all([
    changes.read(id),
    board.row(id, authentication.viewer(response)),
    board.steps(id),
  ]);
  if (change) return { ...change, ...(row ? { row } : {}), steps };
  if (!row) throw new Refusal(404, 'not-found', `there is no change ${id}`);
  const { project, service, commit, blocker, movedAt } = row;
  const view: ChangeView = {
    ...{ id, project, service, stages: [] },
    revision: commit.id ?? commit.text,
    summary: blocker.sentence,
    updatedAt: movedAt,
  };
  return { ...view, row, steps };
}
