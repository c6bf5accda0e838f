import { type Request, Router } from 'express';
import type { BoardCounts, BoardPage, ChangeBoard } from '../../runtime/change-board.ts';
import type { StopTheLine } from '../../runtime/stop-the-line.ts';
import { changeAddress } from '../../ui/pages/change-address.ts';
import { changesPage } from '../../ui/pages/changes.ts';
import { type ChangesFilter, filterFields, readFilter } from '../../ui/pages/changes-filter.ts';
import type { ChangesScreen } from '../../ui/pages/changes-screen.ts';
import type { Authentication } from '../authentication.ts';
import { Refusal } from '../problem.ts';
import type { FrameOf } from './frame.ts';

export interface ChangesPageTools {
  board: Pick<ChangeBoard, 'list' | 'counts'>;
  line: Pick<StopTheLine, 'stops'>;
  authentication: Pick<Authentication, 'require' | 'viewer'>;
  frameOf: FrameOf;
  /** What may be out of date, a sentence each; absent: nobody looks. */
  problems?: () => Promise<readonly string[]>;
}

const PAGE = 50;
const MAX_PAGE = 200;
const MAX_BEFORE = 1_000_000;

/** The list of changes, which is where everybody begins. */
export function changesPageRoutes({ board, line, authentication, frameOf, problems }: ChangesPageTools): Router {
  const router = Router();
  const read = authentication.require('read');
  router.get('/', read, (_request, response) => {
    response.redirect(302, authentication.viewer(response) === undefined ? '/changes' : '/changes?mine=1');
  });
  router.get('/changes', read, async (request, response) => {
    const viewer = authentication.viewer(response);
    const filter = readFilter(request.query);
    const cursor = textIn(request, 'cursor');
    const query = { ...filter, limit: limitIn(request), ...(cursor === undefined ? {} : { cursor }) };
    const [page, counts, stops, wrong = []] = await Promise.all([
      board.list(query, viewer).catch(asRefusal),
      board.counts(filter, viewer),
      line.stops(),
      problems?.(),
    ]);
    const only = cursor === undefined && isSearch(filter) && page.total === 1 ? page.rows[0] : undefined;
    if (only) return void response.redirect(302, changeAddress(only.id));
    const frame = frameOf(request, response, 'changes');
    const before = cursor === undefined ? 0 : beforeIn(request);
    response
      .type('html')
      .send(changesPage(frame, { ...screenOf(page, counts, filter, before, stops), problems: wrong }));
  });
  return router;
}

function screenOf(
  { rows, total, facets, next, asOf }: BoardPage,
  { all, mine, team, needsMe }: BoardCounts,
  filter: ChangesFilter,
  before: number,
  stops: ChangesScreen['stops'],
): ChangesScreen {
  const { failed = 0, running = 0, queued = 0 } = facets.state;
  return {
    ...{ rows, filter, total, all, facets, before, asOf, stops },
    ...(next === undefined ? {} : { next }),
    counts: {
      ...(mine === undefined ? {} : { mine }),
      ...(team === undefined ? {} : { team }),
      ...(needsMe === undefined ? {} : { needsMe }),
      stopped: failed,
      moving: running + queued,
    },
  };
}

/** Whoever looks for one thing, and finds one change, wants to see that. */
function isSearch(filter: ChangesFilter): boolean {
  const fields = filterFields(filter);
  return fields.length === 1 && filter.q !== undefined;
}

function asRefusal(error: unknown): never {
  if (error instanceof TypeError && error.message.startsWith('take it'))
    throw new Refusal(400, 'invalid-request', `cursor: ${error.message}`);
  throw error;
}

function textIn({ query }: Request, name: string): string | undefined {
  const value = query[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function limitIn(request: Request): number {
  const text = textIn(request, 'limit');
  const limit = Number(text ?? PAGE);
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE)
    throw new Refusal(400, 'invalid-request', `limit: must be a whole number from 1 to ${MAX_PAGE}`);
  return limit;
}

/** Only said, never trusted: the cursor alone decides what is shown. */
function beforeIn(request: Request): number {
  const at = Number(textIn(request, 'at') ?? 0);
  return Number.isInteger(at) && at >= 0 && at <= MAX_BEFORE ? at : 0;
}
