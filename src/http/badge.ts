import { createHash } from 'node:crypto';
import { type Request, Router } from 'express';
import type { ChangeBoard } from '../runtime/change-board.ts';
import { placeKey } from '../runtime/change-record.ts';
import type { Store } from '../store/store.ts';
import { badgeSvg } from '../ui/badge.ts';
import type { Authentication } from './authentication.ts';
import { Refusal } from './problem.ts';

export interface BadgeTools {
  store: Pick<Store, 'findChanges'>;
  board: Pick<ChangeBoard, 'rows'>;
  authentication: Pick<Authentication, 'require'>;
}

const FILE = /^(.{1,200})\.svg$/s;

/** `/badge/SERVICE/STAGE.svg`: how the newest change in a stage stands. Open to all where reading is. */
export function badgeRoutes({ store, board, authentication }: BadgeTools): Router {
  const router = Router();
  router.get('/badge/:service/:file', authentication.require('read'), async (request, response) => {
    const service = String(request.params['service']);
    const stage = FILE.exec(String(request.params['file']))?.[1];
    if (stage === undefined) throw new Refusal(404, 'not-found', 'a badge is /badge/SERVICE/STAGE.svg');
    const [id] = await store.findChanges({ ...placeKey(projectIn(request), service, stage), limit: 1 });
    const [row] = id === undefined ? [] : await board.rows([id], undefined);
    const cell = row?.cells.find((one) => one.stage === stage);
    const { state = 'idle', version, score } = cell ?? {};
    const svg = badgeSvg({
      label: `${service} ${stage}`,
      state,
      ...(version === undefined ? {} : { version }),
      ...(score === undefined ? {} : { score }),
    });
    const tag = `"${createHash('sha256').update(svg).digest('base64url').slice(0, 22)}"`;
    // Pages of others show it for long: they ask each time whether it is still the same.
    response.setHeader('Cache-Control', 'no-cache');
    response.setHeader('ETag', tag);
    if (request.headers['if-none-match'] === tag) return void response.status(304).end();
    response.type('image/svg+xml').send(svg);
  });
  return router;
}

function projectIn(request: Request): string | undefined {
  const { project } = request.query;
  return typeof project === 'string' && project !== '' ? project : undefined;
}
