import { type Authentication, createAuthentication } from '../../src/http/authentication.ts';
import { createCookies } from '../../src/http/cookies.ts';

/** For routers of which only those are asked that senders use. */
export function authenticationOfNobody(): Authentication {
  const signIn = { byToken: async () => undefined, bySession: async () => undefined };
  return createAuthentication({ signIn, cookies: createCookies({}), anonymousRead: false });
}
