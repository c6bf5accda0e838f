import express, { type NextFunction, type Request, type RequestHandler, type Response } from 'express';
import type { Viewer } from '../answers/viewer.ts';
import type { Permission } from '../base/rights.ts';
import type { Holder } from '../runtime/holder.ts';
import type { SignIn } from '../runtime/sign-in.ts';
import { guards } from './access.ts';
import type { Cookies } from './cookies.ts';
import { csrfOf, isCsrfOf, refuseCrossSite } from './csrf.ts';
import { Refusal } from './problem.ts';

export type { Holder } from '../runtime/holder.ts';

export interface AuthenticationTools {
  signIn: Pick<SignIn, 'byToken' | 'bySession'>;
  cookies: Cookies;
  /** Whether nobody has to say who they are to read. */
  anonymousRead: boolean;
  publicUrl?: string | undefined;
}

export interface Authentication {
  /** Lets requests pass that may do this; others are answered 401 or 403, and browsers sent to sign in. */
  require(permission: Permission, use?: Use): RequestHandler;
  /** For routes that are open on purpose, but want to know who asks. */
  open: RequestHandler;
  /** Who a request that passed acts as. */
  holder(response: Response): Holder;
  /** The same for pages; `undefined`: nobody has signed in, and reading is open to all. */
  viewer(response: Response): Viewer | undefined;
  /** What every form of this session must carry as `csrf`; `undefined` without a session. */
  csrf(response: Response): string | undefined;
}

/** Whether a request is one of somebody who is there: only such a one keeps a session alive. */
export type Use = 'use' | 'no use';

/** Sent by pages that read themselves again. */
const BY_ITSELF = 'X-Lynceus-By-Itself';

/** The cookie of a session. */
export const SESSION = 'lynceus';
const MAX_FORM_BYTES = 64 * 1024;
const form = express.urlencoded({ extended: false, limit: MAX_FORM_BYTES, inflate: false, parameterLimit: 100 });
const UNCHANGING = ['GET', 'HEAD'];

interface Found {
  holder: Holder;
  /** Of the session's cookie, where it was that which told who asks. */
  secret?: string;
}

type Handler = (
  found: Found | undefined,
  request: Request,
  response: Response,
  next: NextFunction,
) => void | Promise<void>;

/**
 * API tokens by `Authorization: Bearer`, or by Basic with the token as password; sessions by their cookie, where a
 * request has neither. Reading may be open; everything else never is.
 */
export function createAuthentication(tools: AuthenticationTools): Authentication {
  const { signIn, cookies, anonymousRead, publicUrl } = tools;

  function identify(request: Request, use: Use = 'use'): Found | undefined | Promise<Found | undefined> {
    const { authorization } = request.headers;
    if (authorization === undefined) return bySession(request, use);
    const token = tokenIn(authorization);
    const holder = token === undefined ? undefined : signIn.byToken(token);
    return holder instanceof Promise ? holder.then(foundByToken) : foundByToken(holder);
  }

  async function bySession(request: Request, use: Use): Promise<Found | undefined> {
    const secret = cookies.read(request, SESSION);
    const isUse = use === 'use' && request.get(BY_ITSELF) === undefined;
    const holder = secret === undefined || secret === '' ? undefined : await signIn.bySession(secret, isUse);
    return holder && secret !== undefined ? { holder, secret } : undefined;
  }

  function letPass(permission: Permission): Handler {
    return (found, request, response, next) => {
      note(found, response);
      if (permission === 'read' && anonymousRead) return next();
      if (!found) {
        if (!isAskedByPeople(request)) throw stranger(request, response);
        return response.redirect(302, `/sign-in?to=${encodeURIComponent(request.originalUrl)}`);
      }
      const { holder, secret } = found;
      if (!holder.may.includes(permission)) throw mayNot(holder, permission);
      if (permission !== 'read') refuseCrossSite(request, publicUrl);
      if (secret === undefined || UNCHANGING.includes(request.method)) return next();
      return refuseForeignForm(request, response, secret).then(() => next());
    };
  }

  /** Waits only for what has to be looked up: a promise more for each of thousands of requests is felt. */
  function whenKnown(handler: Handler, use?: Use): RequestHandler {
    return (request, response, next) => {
      const found = identify(request, use);
      if (found instanceof Promise) return found.then((late) => handler(late, request, response, next));
      return handler(found, request, response, next);
    };
  }

  return {
    require: (permission, use) => guards(permission, whenKnown(letPass(permission), use)),
    open: guards(
      'anyone',
      whenKnown((found, _request, response, next) => {
        note(found, response);
        next();
      }),
    ),
    holder: (response) => response.locals['holder'] as Holder,
    viewer(response) {
      const holder = response.locals['holder'] as Holder | undefined;
      if (!holder) return undefined;
      const { name, groups, mail, roles, stages, projects } = holder;
      const more = { ...(mail === undefined ? {} : { mail }), ...(projects === undefined ? {} : { projects }) };
      return { name, groups, teams: groups, roles, stages, ...more };
    },
    csrf: (response) => response.locals['csrf'] as string | undefined,
  };
}

function foundByToken(holder: Holder | undefined): Found | undefined {
  return holder && { holder };
}

function note(found: Found | undefined, response: Response): void {
  if (!found) return;
  response.locals['holder'] = found.holder;
  if (found.secret !== undefined) response.locals['csrf'] = csrfOf(found.secret);
}

/** They are sent to where they sign in, and come back. */
function isAskedByPeople(request: Request): boolean {
  return wantsPage(request) && UNCHANGING.includes(request.method) && request.headers.authorization === undefined;
}

/** Programs are told what to send, people who typed something how not to lose it. */
function stranger(request: Request, response: Response): Refusal {
  if (wantsPage(request))
    return new Refusal(401, 'unauthenticated', 'sign in at /sign-in, then come back to what you typed with Back');
  response.setHeader(
    'WWW-Authenticate',
    'Basic realm="Lynceus: any name, and your token as password", charset="UTF-8"',
  );
  return new Refusal(401, 'unauthenticated', 'send Authorization: Bearer with an API token');
}

/** Whether somebody looks at it in a browser. */
export function wantsPage(request: Request): boolean {
  return request.accepts('application/problem+json', 'json', 'html') === 'html';
}

function mayNot({ name, method }: Holder, permission: Permission): Refusal {
  return new Refusal(403, 'forbidden', `${method === 'token' ? 'the token of ' : ''}${name} may not ${permission}`);
}

/** A form of a page carries it as `csrf`, a script as a header; another site knows neither. */
async function refuseForeignForm(request: Request, response: Response, secret: string): Promise<void> {
  const header = request.get('X-CSRF-Token');
  if (header === undefined && request.is('urlencoded')) await parseForm(request, response);
  const said = header ?? (request.body as { csrf?: unknown } | undefined)?.csrf;
  if (isCsrfOf(secret, said)) return;
  throw new Refusal(
    403,
    'csrf',
    'the form is not of your present session: load the page again (a program sends X-CSRF-Token, or a token instead of a cookie)',
  );
}

function parseForm(request: Request, response: Response): Promise<void> {
  return new Promise((resolve, reject) => {
    form(request, response, (error?: unknown) => (error === undefined ? resolve() : reject(error as Error)));
  });
}

function tokenIn(authorization: string): string | undefined {
  const [, scheme = '', value = ''] = /^(Bearer|Basic) +(\S+)$/i.exec(authorization) ?? [];
  if (scheme === '') return undefined;
  if (scheme.toLowerCase() === 'bearer') return value;
  const decoded = Buffer.from(value, 'base64').toString('utf8');
  return decoded.slice(decoded.indexOf(':') + 1);
}
