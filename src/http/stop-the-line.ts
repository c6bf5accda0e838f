import express, { type Request, Router } from 'express';
import { isJsonObject } from '../base/json.ts';
import { parseStrictJson } from '../base/strict-json.ts';
import { madeBy } from '../engine/decisions.ts';
import { scopeOf } from '../engine/stop-the-line.ts';
import type { LineRequest, StopTheLine } from '../runtime/stop-the-line.ts';
import type { Authentication } from './authentication.ts';
import { Refusal } from './problem.ts';
import { refuseProject } from './project-scope.ts';

const MAX_BYTES = 64 * 1024;
const MAX_REASON_CHARS = 2000;
const NAME = /^[a-z][a-z0-9-]{0,62}$/;

/** The switch that stops everything new, or what is new in a project or stage. */
export function stopTheLineRoutes(line: StopTheLine, authentication: Authentication): Router {
  const router = Router();
  const operate = authentication.require('operate');
  const body = express.raw({ type: () => true, limit: MAX_BYTES, inflate: false });
  router.get('/api/v1/stop-the-line', authentication.require('read'), async (_request, response) => {
    response.json({ stops: await line.stops() });
  });
  router.post('/api/v1/stop-the-line', operate, body, async (request, response) => {
    const wish = parseWish(request);
    refuseProject(authentication.holder(response), wish.project);
    const by = madeBy(authentication.holder(response));
    response.status(201).json(await line.stop({ ...wish, ...by }));
  });
  router.post('/api/v1/go-on', operate, body, async (request, response) => {
    const wish = parseWish(request);
    refuseProject(authentication.holder(response), wish.project);
    const by = madeBy(authentication.holder(response));
    const released = await line.release({ ...wish, ...by });
    if (!released) throw new Refusal(409, 'nothing-to-decide', `${scopeOf(wish)} is not stopped: look at what is`);
    response.json(released);
  });
  return router;
}

function parseWish(request: Request): Pick<LineRequest, 'reason' | 'project' | 'stage'> {
  if (!request.is('json')) throw new Refusal(415, 'unsupported-media-type', 'send it as application/json');
  const parsed = parseStrictJson(Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0));
  if (!parsed.ok) throw new Refusal(400, 'invalid-json', parsed.detail);
  if (!isJsonObject(parsed.value)) throw new Refusal(400, 'invalid-request', 'the body must be a JSON object');
  const { reason, project, stage } = parsed.value;
  if (typeof reason !== 'string' || reason.trim() === '')
    throw new Refusal(400, 'invalid-request', 'reason: say why, in a few words');
  if (reason.length > MAX_REASON_CHARS)
    throw new Refusal(400, 'invalid-request', `reason: at most ${MAX_REASON_CHARS} characters`);
  return { reason: reason.trim(), ...nameOf('project', project), ...nameOf('stage', stage) };
}

function nameOf<Key extends 'project' | 'stage'>(key: Key, value: unknown): Partial<Record<Key, string>> {
  if (value === undefined) return {};
  if (typeof value !== 'string' || !NAME.test(value))
    throw new Refusal(400, 'invalid-request', `${key}: must be the name of a ${key}, or absent for all of them`);
  return { [key]: value } as Record<Key, string>;
}
