import { createHmac, timingSafeEqual } from 'node:crypto';
import { isSafeAddress } from '../../ui/html.ts';

const MAX_PATH_CHARS = 1500;

/**
 * What one browser needs to come back from the provider. All of it follows from a random value in its cookie, so that
 * nothing has to be kept here for those who never come back.
 */
export function attemptOf(secret: string, redirectUri: string) {
  const derived = (what: string) => createHmac('sha256', secret).update(what).digest('base64url');
  return { state: derived('state'), nonce: derived('nonce'), verifier: derived('verifier'), redirectUri };
}

export function sameText(one: string, other: unknown): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(typeof other === 'string' ? other : '')];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Where somebody goes after the sign-in: a page of ours, never another site. */
export function ownPath(to: unknown): string {
  const isOwn =
    typeof to === 'string' &&
    to.length <= MAX_PATH_CHARS &&
    to.startsWith('/') &&
    isSafeAddress(to) &&
    !/^\/(?:sign-(?:in|out)|api|webhooks)(?:[/?#]|$)/.test(to);
  if (!isOwn) return '/';
  // What a browser makes of it decides, not what it looks like.
  const base = 'http://own.invalid';
  const url = URL.canParse(to, base) ? new URL(to, base) : undefined;
  const own = url?.origin === base ? url.pathname + url.search + url.hash : '/';
  // Without its dots, `/.//elsewhere.example` is another site.
  return isSafeAddress(own) ? own : '/';
}

/** The cookie of an attempt: its random value, and where it was going. */
export function writeCookie(secret: string, to: string): string {
  return `${secret}.${Buffer.from(to).toString('base64url')}`;
}

export function readCookie(value: string | undefined): { secret: string; to: string } | undefined {
  const [, secret, to = ''] = /^([\w-]{43})\.([\w-]*)$/.exec(value ?? '') ?? [];
  return secret === undefined ? undefined : { secret, to: ownPath(Buffer.from(to, 'base64url').toString('utf8')) };
}
