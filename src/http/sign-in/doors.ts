import type { Router } from 'express';
import type { Clock } from '../../base/clock.ts';
import { createApiTokens } from '../../runtime/api-tokens.ts';
import { createAttempts } from '../../runtime/attempts.ts';
import type { TokenHolder } from '../../runtime/holder.ts';
import type { Log } from '../../runtime/log.ts';
import { createSessions } from '../../runtime/sessions.ts';
import { createSignIn, type GroupGrant, type SignInProvider } from '../../runtime/sign-in.ts';
import type { CredentialStore } from '../../store/credentials.ts';
import { type Authentication, createAuthentication } from '../authentication.ts';
import { createCookies } from '../cookies.ts';
import type { FrameOf } from '../pages/frame.ts';
import { tokenRoutes } from '../tokens.ts';
import { signInRoutes } from './routes.ts';

export interface DoorTools {
  credentials: CredentialStore;
  clock: Clock;
  log: Log;
  /** Of lynceus.yaml. */
  tokens: readonly TokenHolder[];
  signIn?: { provider: SignInProvider; grants: readonly GroupGrant[] } | undefined;
  anonymousRead: boolean;
  publicUrl?: string | undefined;
  trustedProxies: number;
}

/** Everything about who asks. */
export interface Doors {
  authentication: Authentication;
  /** Signing in and out; tokens and sessions for admins. */
  routes(frameOf: FrameOf): Router[];
  /** Whether nobody can sign in by configuration. */
  isFirstRun: boolean;
}

export function createDoors(tools: DoorTools): Doors {
  const { credentials, clock, log, tokens, publicUrl, anonymousRead, trustedProxies } = tools;
  const isFirstRun = tokens.length === 0 && tools.signIn === undefined;
  const apiTokens = createApiTokens(credentials, clock);
  const sessions = createSessions(credentials, clock);
  const grants = tools.signIn?.grants ?? [];
  const signIn = createSignIn({ credentials, clock, log, tokens, apiTokens, sessions, grants, isFirstRun });
  const cookies = createCookies({ publicUrl });
  const authentication = createAuthentication({ signIn, cookies, anonymousRead, publicUrl });
  const attempts = createAttempts();
  const { provider } = tools.signIn ?? {};
  const common = { authentication, log };
  return {
    authentication,
    isFirstRun,
    routes: (frameOf) => [
      tokenRoutes({ ...common, apiTokens, sessions, taken: tokens.map(({ name }) => name) }),
      signInRoutes({
        ...common,
        ...{ signIn, cookies, attempts, frameOf, provider, publicUrl, trustedProxies, isFirstRun },
      }),
    ],
  };
}
