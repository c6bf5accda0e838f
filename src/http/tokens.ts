import express, { type Request, Router } from 'express';
import { parseDuration, sayDuration } from '../base/duration.ts';
import { isJsonObject, type Json } from '../base/json.ts';
import {
  type NamedRights,
  PERMISSIONS,
  ROLES,
  whyProjectsRestrictNothing,
  whyStagesRestrictNothing,
} from '../base/rights.ts';
import { parseStrictJson } from '../base/strict-json.ts';
import { type ApiTokens, MAX_TOKEN_DAYS, type TokenWish, USUAL_TOKEN_DAYS } from '../runtime/api-tokens.ts';
import type { Log } from '../runtime/log.ts';
import type { Sessions } from '../runtime/sessions.ts';
import type { Authentication } from './authentication.ts';
import { Refusal } from './problem.ts';

const MAX_BYTES = 64 * 1024;
const MAX_NAME_CHARS = 100;
const MAX_NAMES = 100;
const DAY_MS = 86_400_000;
const LEAST_MS = 60_000;
const KEYS = ['name', 'may', 'roles', 'stages', 'projects', 'groups', 'expiresIn'];

export interface TokenTools {
  apiTokens: ApiTokens;
  sessions: Sessions;
  authentication: Authentication;
  log: Log;
  /** Names of the tokens of lynceus.yaml. */
  taken: readonly string[];
}

/** API tokens and sessions, for admins. */
export function tokenRoutes({ apiTokens, sessions, authentication, log, taken }: TokenTools): Router {
  const router = Router();
  const administer = authentication.require('administer');
  const body = express.raw({ type: () => true, limit: MAX_BYTES, inflate: false });

  router.get('/api/v1/tokens', administer, async (_request, response) => {
    response.json({ tokens: await apiTokens.list() });
  });
  router.post('/api/v1/tokens', administer, body, async (request, response) => {
    const wish = readWish(jsonOf(request));
    const by = authentication.holder(response).name;
    const made = taken.includes(wish.name) ? undefined : await apiTokens.create(wish, by);
    if (!made)
      throw new Refusal(409, 'name-taken', `there is a token "${wish.name}" already: revoke it, or take another name`);
    log.info({ name: wish.name, by, expiresAt: made.view.expiresAt }, 'API token made');
    response.status(201).json({ ...made.view, token: made.token });
  });
  router.delete('/api/v1/tokens/:id', administer, async (request, response) => {
    const id = String(request.params['id']);
    if (!(await apiTokens.revoke(id))) throw new Refusal(404, 'not-found', `there is no token ${id}`);
    log.info({ id, by: authentication.holder(response).name }, 'API token revoked');
    response.status(204).end();
  });
  router.get('/api/v1/sessions', administer, async (_request, response) => {
    response.json({ sessions: await sessions.list() });
  });
  router.delete('/api/v1/sessions/:id', administer, async (request, response) => {
    const id = String(request.params['id']);
    if (!(await sessions.revoke(id))) throw new Refusal(404, 'not-found', `there is no session ${id}`);
    log.info({ id, by: authentication.holder(response).name }, 'session revoked');
    response.status(204).end();
  });
  return router;
}

function jsonOf(request: Request): Json {
  if (!request.is('json')) throw new Refusal(415, 'unsupported-media-type', 'send it as application/json');
  const parsed = parseStrictJson(Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0));
  if (!parsed.ok) throw new Refusal(400, 'invalid-json', parsed.detail);
  return parsed.value;
}

function readWish(body: Json): TokenWish {
  if (!isJsonObject(body)) throw invalid('the body must be a JSON object');
  const unknown = Object.keys(body).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) throw invalid(`${unknown}: is not known; known are ${KEYS.join(', ')}`);
  const { name } = body;
  if (typeof name !== 'string' || name.trim() === '' || name.length > MAX_NAME_CHARS || /[\p{Cc}\p{Cf}]/u.test(name))
    throw invalid(`name: who acts with it, at most ${MAX_NAME_CHARS} characters`);
  const rights = readRights(body);
  return {
    name: name.trim(),
    groups: names(body['groups'], 'groups') ?? [],
    ...rights,
    lastsMs: readTime(body['expiresIn']),
  };
}

function readRights(body: Record<string, unknown>): NamedRights {
  const may = oneOf(PERMISSIONS, body['may'], 'may');
  const roles = oneOf(ROLES, body['roles'], 'roles');
  const [stages, projects] = [names(body['stages'], 'stages'), names(body['projects'], 'projects')];
  if ((may?.length ?? 0) + (roles?.length ?? 0) === 0) throw invalid('name what it allows: roles, may or both');
  const where = { ...(stages ? { stages } : {}), ...(projects ? { projects } : {}) };
  const rights = { ...(may ? { may } : {}), ...(roles ? { roles } : {}), ...where };
  const why = { stages: whyStagesRestrictNothing(rights), projects: whyProjectsRestrictNothing(rights) };
  for (const [key, said] of Object.entries(why)) if (said !== undefined) throw invalid(`${key}: ${said}`);
  return rights;
}

function oneOf<Name extends string>(known: readonly Name[], value: unknown, key: string): Name[] | undefined {
  const found = names(value, key);
  const wrong = found?.find((one) => !known.some((name) => name === one));
  if (wrong !== undefined) throw invalid(`${key}: must be some of ${known.join(', ')}`);
  return found as Name[] | undefined;
}

function names(value: unknown, key: string): string[] | undefined {
  if (value === undefined) return undefined;
  const isList = Array.isArray(value) && value.length > 0 && value.length <= MAX_NAMES;
  if (!isList || !value.every((one) => typeof one === 'string' && one !== '' && one.length <= 300))
    throw invalid(`${key}: must be a list of 1 to ${MAX_NAMES} names, or absent`);
  return [...new Set(value as string[])];
}

function readTime(value: unknown): number {
  if (value === undefined) return USUAL_TOKEN_DAYS * DAY_MS;
  const ms = typeof value === 'string' ? parseDuration(value) : undefined;
  if (ms === undefined || ms < LEAST_MS || ms > MAX_TOKEN_DAYS * DAY_MS)
    throw invalid(`expiresIn: a time such as 90d, from ${sayDuration(LEAST_MS)} to ${MAX_TOKEN_DAYS}d`);
  return Math.floor(ms);
}

function invalid(detail: string): Refusal {
  return new Refusal(400, 'invalid-request', detail);
}
