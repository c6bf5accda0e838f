import type { Request, RequestHandler, Response } from 'express';
import { guards, type Permission } from '../access.ts';
import type { Authentication } from '../authentication.ts';
import { Refusal } from '../problem.ts';
import type { Asker } from './gates.ts';

/** Most consumers give up after ten seconds. */
const PATIENCE_MS = 5_000;

export interface FaceTools {
  authentication: Authentication;
  /** Where people open this service; without it as the asker reached it. */
  publicUrl?: string | undefined;
}

export function askerOf(
  { authentication, publicUrl }: FaceTools,
  request: Request,
  response: Response,
  patienceMs = PATIENCE_MS,
): Asker {
  const base = publicUrl ?? `${request.protocol}://${request.get('host') ?? 'localhost'}`;
  const { name, method, projects } = authentication.holder(response);
  return { name, method, base, patienceMs, ...(projects === undefined ? {} : { projects }) };
}

/**
 * Guards addresses that carry the token themselves (`/:token/`), for callers that can send no header. Nothing but
 * that token counts here.
 */
export function tokenInPath(authentication: Authentication, permission: Exclude<Permission, 'read'>): RequestHandler {
  const inner = authentication.require(permission);
  return guards(permission, (request, response, next) => {
    request.headers.authorization = `Bearer ${String(request.params['token'])}`;
    return inner(request, response, next);
  });
}

/** For callers that show people the body of a refusal as it is: a sentence instead of JSON. */
export function inPlainWords(handler: RequestHandler): RequestHandler {
  return async (request, response, next) => {
    try {
      await handler(request, response, next);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      response.status(error.answer.status).type('text').send(`${error.answer.detail}\n`);
    }
  };
}
