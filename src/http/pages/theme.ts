import express, { type Request, Router } from 'express';
import { isSafeAddress } from '../../ui/html.ts';
import { anyone } from '../access.ts';
import { refuseCrossSite } from '../csrf.ts';
import { Refusal } from '../problem.ts';

const COOKIE = 'lynceus-theme';
const A_YEAR_SECONDS = 365 * 24 * 60 * 60;
const MAX_FORM_BYTES = 4 * 1024;

/** Remembers the colours that a reader chose: anyone may, but no other site for them. */
export function themeRoutes(publicUrl?: string): Router {
  const router = Router();
  router.post(
    '/theme',
    anyone,
    express.urlencoded({ extended: false, limit: MAX_FORM_BYTES, inflate: false, parameterLimit: 5 }),
    (request, response) => {
      refuseCrossSite(request, publicUrl);
      const { theme, to } = (request.body ?? {}) as { theme?: unknown; to?: unknown };
      if (theme !== 'light' && theme !== 'dark' && theme !== 'system')
        throw new Refusal(400, 'invalid-request', 'theme: must be one of system, light, dark');
      const age = theme === 'system' ? 0 : A_YEAR_SECONDS;
      response.setHeader('Set-Cookie', `${COOKIE}=${theme}; Path=/; Max-Age=${age}; HttpOnly; SameSite=Lax`);
      response.redirect(303, typeof to === 'string' && to.startsWith('/') && isSafeAddress(to) ? to : '/changes');
    },
  );
  return router;
}

/** What the reader chose; absent: nothing, so their system says. */
export function themeOf(request: Request): 'light' | 'dark' | undefined {
  const chosen = /(?:^|;\s*)lynceus-theme=(light|dark)(?:;|$)/.exec(request.headers.cookie ?? '')?.[1];
  return chosen === 'light' || chosen === 'dark' ? chosen : undefined;
}
