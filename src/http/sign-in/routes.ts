import express, { type Request, type Response, Router } from 'express';
import { AdapterError } from '../../base/adapter-error.ts';
import { randomSecret } from '../../base/secret.ts';
import type { Attempts } from '../../runtime/attempts.ts';
import type { Log } from '../../runtime/log.ts';
import type { SignIn, SignInProvider } from '../../runtime/sign-in.ts';
import { signInPage } from '../../ui/pages/sign-in-page.ts';
import { anyone } from '../access.ts';
import { type Authentication, SESSION } from '../authentication.ts';
import { clientAddress } from '../client-address.ts';
import type { Cookies } from '../cookies.ts';
import { csrfOf, isCsrfOf, refuseCrossSite } from '../csrf.ts';
import type { FrameOf } from '../pages/frame.ts';
import { Refusal } from '../problem.ts';
import { attemptOf, ownPath, readCookie, sameText, writeCookie } from './attempt.ts';

export interface SignInTools {
  signIn: Pick<SignIn, 'withToken' | 'withIdentity' | 'isFirstUse' | 'end'>;
  authentication: Authentication;
  cookies: Cookies;
  attempts: Attempts;
  log: Log;
  frameOf: FrameOf;
  /** Of lynceus.yaml; absent: people sign in with tokens. */
  provider?: SignInProvider | undefined;
  publicUrl?: string | undefined;
  trustedProxies: number;
  isFirstRun: boolean;
}

/** The cookie of an attempt to sign in. */
const ATTEMPT = 'lynceus-sign-in';
const ATTEMPT_SECONDS = 15 * 60;
const MAX_FORM_BYTES = 8 * 1024;
const form = express.urlencoded({ extended: false, limit: MAX_FORM_BYTES, inflate: false, parameterLimit: 10 });

/** Signing in and out. */
export function signInRoutes(tools: SignInTools): Router {
  const { signIn, authentication, cookies, attempts, provider } = tools;
  const router = Router();

  router.get('/sign-in', authentication.open, async (request, response) => {
    const signedOut = request.query['signed-out'] === undefined ? undefined : await providersWayOut(tools);
    await show(tools, request, response, { to: ownPath(request.query['to']), ...(signedOut ? { signedOut } : {}) });
  });

  router.get('/sign-in/provider', anyone, async (request, response) => {
    if (!provider) throw new Refusal(404, 'not-found', 'no sign-in provider is configured');
    const to = ownPath(request.query['to']);
    const secret = randomSecret();
    try {
      const address = await provider.start(attemptOf(secret, callbackOf(tools)));
      cookies.set(request, response, ATTEMPT, writeCookie(secret, to), ATTEMPT_SECONDS);
      response.redirect(302, address);
    } catch (error) {
      await show(tools, request, response, { to, ...failureOf(error, tools.log) });
    }
  });

  router.get('/sign-in/callback', anyone, async (request, response) => {
    if (!provider) throw new Refusal(404, 'not-found', 'no sign-in provider is configured');
    const attempt = readCookie(cookies.read(request, ATTEMPT));
    cookies.clear(request, response, ATTEMPT);
    const to = attempt?.to ?? '/';
    const known = attempt && attemptOf(attempt.secret, callbackOf(tools));
    if (!known || !sameText(known.state, request.query['state']))
      return show(tools, request, response, {
        to,
        ...refusal('this sign-in was not begun here, or too long ago: begin again'),
      });
    if (isPaused(tools, request, response)) return show(tools, request, response, { to, ...TOO_MANY });
    try {
      const identity = await provider.finish(known, addressOf(request, callbackOf(tools)));
      if (!(await signIn.isFirstUse(known.state)))
        return await show(tools, request, response, { to, ...refusal('this sign-in was used already: begin again') });
      const secret = await signIn.withIdentity(identity);
      if (secret !== undefined) return await enter(tools, request, response, secret, to);
      await show(tools, request, response, { to, status: 403, problem: noRole(identity) });
    } catch (error) {
      attempts.failed(clientAddress(request, tools.trustedProxies));
      await show(tools, request, response, { to, ...failureOf(error, tools.log) });
    }
  });

  router.post('/sign-in', anyone, form, async (request, response) => {
    refuseCrossSite(request, tools.publicUrl);
    const { csrf, token, to: wish } = (request.body ?? {}) as Record<string, unknown>;
    const to = ownPath(wish);
    const attempt = readCookie(cookies.read(request, ATTEMPT));
    if (!attempt || !isCsrfOf(attempt.secret, csrf))
      return show(tools, request, response, { to, ...refusal(needsCookies(request)) });
    if (isPaused(tools, request, response)) return show(tools, request, response, { to, ...TOO_MANY });
    const secret = typeof token === 'string' ? await signIn.withToken(token.trim()) : undefined;
    if (secret !== undefined) return enter(tools, request, response, secret, to);
    attempts.failed(clientAddress(request, tools.trustedProxies));
    await show(tools, request, response, { to, status: 401, problem: 'This token is not known, or has expired.' });
  });

  router.post('/sign-out', anyone, form, async (request, response) => {
    refuseCrossSite(request, tools.publicUrl);
    const secret = cookies.read(request, SESSION);
    if (secret !== undefined) {
      if (!isCsrfOf(secret, (request.body as { csrf?: unknown } | undefined)?.csrf))
        throw new Refusal(403, 'csrf', 'the form is not of your present session: load the page again');
      await signIn.end(secret);
      cookies.clear(request, response, SESSION);
    }
    response.redirect(303, '/sign-in?signed-out');
  });

  return router;
}

/** Signs in anew: a cookie from before means nothing any more. */
async function enter(tools: SignInTools, request: Request, response: Response, secret: string, to: string) {
  const before = tools.cookies.read(request, SESSION);
  if (before !== undefined && before !== '') await tools.signIn.end(before);
  tools.cookies.clear(request, response, ATTEMPT);
  tools.cookies.set(request, response, SESSION, secret);
  response.redirect(303, to);
}

interface Shown {
  to: string;
  status?: number;
  problem?: string;
  signedOut?: { provider?: { name: string; href: string } };
}

async function show(tools: SignInTools, request: Request, response: Response, shown: Shown): Promise<void> {
  const { cookies, provider, frameOf, isFirstRun } = tools;
  const { to, status = 200, ...rest } = shown;
  // A form in another tab stays good.
  const secret = readCookie(cookies.read(request, ATTEMPT))?.secret ?? randomSecret();
  cookies.set(request, response, ATTEMPT, writeCookie(secret, to), ATTEMPT_SECONDS);
  const href = `/sign-in/provider?to=${encodeURIComponent(to)}`;
  response
    .status(status)
    .type('html')
    .send(
      // Not the address that was asked for: it may hold a code of the provider.
      signInPage(
        { ...frameOf(request, response, 'other'), path: `/sign-in?to=${encodeURIComponent(to)}` },
        {
          ...{ ...rest, to, csrf: csrfOf(secret), firstRun: isFirstRun },
          ...(provider ? { provider: { name: provider.name, href } } : {}),
        },
      ),
    );
}

async function providersWayOut({ provider, publicUrl }: SignInTools): Promise<NonNullable<Shown['signedOut']>> {
  const href = publicUrl === undefined ? undefined : await provider?.signOutAddress(`${publicUrl}/sign-in`);
  return provider && href !== undefined ? { provider: { name: provider.name, href } } : {};
}

function isPaused({ attempts, trustedProxies }: SignInTools, request: Request, response: Response): boolean {
  const seconds = attempts.pauseFor(clientAddress(request, trustedProxies));
  if (seconds > 0) response.setHeader('Retry-After', seconds);
  return seconds > 0;
}

const TOO_MANY = { status: 429, problem: 'Too many attempts failed from your address: wait some minutes.' };

function refusal(problem: string): Pick<Shown, 'status' | 'problem'> {
  return { status: 400, problem: `${problem[0]?.toUpperCase()}${problem.slice(1)}.` };
}

function failureOf(error: unknown, log: Log): Pick<Shown, 'status' | 'problem'> {
  if (!(error instanceof AdapterError)) throw error;
  log.info({ reason: error.reason, why: error.message }, 'a sign-in failed');
  if (error.reason === 'rejected') return { ...refusal(`you are not signed in: ${error.message}`), status: 403 };
  return { ...refusal(`the sign-in provider does not work at the moment: ${error.message}`), status: 503 };
}

function needsCookies(request: Request): string {
  const plain = request.headers.cookie === undefined;
  return plain
    ? 'your browser sent no cookie: sign in over HTTPS, with cookies allowed'
    : 'the form was too old, or of another page: try again';
}

function noRole({ name, groups }: { name: string; groups: readonly string[] }): string {
  const named = groups.length === 0 ? 'The provider told no groups.' : `Groups: ${groups.slice(0, 20).join(', ')}.`;
  return `The provider knows you as ${name}, but none of your groups has a role here. ${named}`;
}

function callbackOf({ publicUrl = '' }: SignInTools): string {
  return `${publicUrl}/sign-in/callback`;
}

function addressOf(request: Request, callback: string): URL {
  const url = new URL(callback);
  const at = request.originalUrl.indexOf('?');
  url.search = at < 0 ? '' : request.originalUrl.slice(at);
  return url;
}
