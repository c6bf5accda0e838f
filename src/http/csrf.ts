import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Request } from 'express';
import { Refusal } from './problem.ts';

/**
 * What forms carry to show that they came from a page of this session: it follows from the secret of the cookie, which
 * no other site can read.
 */
export function csrfOf(secret: string): string {
  return createHmac('sha256', secret).update('csrf').digest('base64url');
}

/** Whether what a form or a header says belongs to this secret. */
export function isCsrfOf(secret: string, said: unknown): boolean {
  const expected = Buffer.from(csrfOf(secret));
  const given = Buffer.from(typeof said === 'string' ? said : '');
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/**
 * A browser sends what it remembers with other sites' forms too: those are told apart by what it says of their origin.
 *
 * @throws {Refusal} it says that the request is of another site
 */
export function refuseCrossSite(request: Request, publicUrl?: string): void {
  const { 'sec-fetch-site': site, origin, host } = request.headers;
  const sameOrigin =
    site === undefined
      ? origin === undefined ||
        hostOf(origin) === host ||
        (publicUrl !== undefined && hostOf(origin) === hostOf(publicUrl))
      : site === 'same-origin' || site === 'none';
  if (!sameOrigin) throw new Refusal(403, 'cross-site', 'send this request from the page of Lynceus itself');
}

function hostOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).host : undefined;
}
