import type { Request, RequestHandler, Response } from 'express';
import type { Viewer } from '../answers/viewer.ts';
import type { Permission, Rights } from '../base/rights.ts';
import type { Secret } from '../base/secret.ts';
import type { MadeBy } from '../events/types.ts';
import { guards } from './access.ts';
import { Refusal } from './problem.ts';
import { bearerAuthentication } from './senders/bearer.ts';

/** Who a request acts as. */
export interface Holder extends Rights {
  /** Unique among all holders, and never somebody else's later. */
  id: string;
  name: string;
  groups: readonly string[];
  method: MadeBy['method'];
  identity?: MadeBy['identity'];
}

/** A token of lynceus.yaml. */
export interface TokenHolder {
  name: string;
  token: Secret;
  groups: readonly string[];
  rights: Rights;
}

export interface Authentication {
  /** Lets requests pass that may do this; others are answered 401 or 403. */
  require(permission: Permission): RequestHandler;
  /** Who a request that passed acts as. */
  holder(response: Response): Holder;
  /** The same for pages; `undefined`: nobody has signed in, and reading is open to all. */
  viewer(response: Response): Viewer | undefined;
  /** What every form of this session must carry as `csrf`; `undefined` without a session. */
  csrf(response: Response): string | undefined;
}

/**
 * API tokens by `Authorization: Bearer`, or by Basic with the token as password, which lets a browser
 * ask for it. Reading may be open; everything else never is.
 */
export function createAuthentication(holders: readonly TokenHolder[], anonymousRead: boolean): Authentication {
  const authenticate = bearerAuthentication(holders.map(({ name, token }) => ({ name, tokens: [token] })));
  const byName = new Map(holders.map((holder) => [holder.name, toHolder(holder)]));

  function identify(request: Request): Holder | undefined {
    const found = authenticate(asBearer(request.headers.authorization));
    return found && byName.get(found.source);
  }

  return {
    require: (permission) =>
      guards(permission, (request, response, next) => {
        const holder = identify(request);
        if (permission === 'read' && anonymousRead) {
          if (holder) response.locals['holder'] = holder;
          return next();
        }
        if (!holder) {
          response.setHeader(
            'WWW-Authenticate',
            'Basic realm="Lynceus: any name, and your token as password", charset="UTF-8"',
          );
          throw new Refusal(401, 'unauthenticated', 'send Authorization: Bearer with a token from lynceus.yaml');
        }
        if (!holder.may.includes(permission))
          throw new Refusal(403, 'forbidden', `the token of ${holder.name} may not ${permission}`);
        if (permission !== 'read') refuseCrossSite(request);
        response.locals['holder'] = holder;
        next();
      }),
    holder: (response) => response.locals['holder'] as Holder,
    viewer(response) {
      const holder = response.locals['holder'] as Holder | undefined;
      if (!holder) return undefined;
      const { name, groups, roles, stages } = holder;
      return { name, groups, teams: groups, roles, stages };
    },
    csrf: (response) => response.locals['csrf'] as string | undefined,
  };
}

function toHolder({ name, groups, rights }: TokenHolder): Holder {
  return { id: name, name, groups, ...rights, method: 'token' };
}

function asBearer(authorization: string | undefined): string | undefined {
  const basic = /^Basic +(\S+)$/i.exec(authorization ?? '')?.[1];
  if (basic === undefined) return authorization;
  const decoded = Buffer.from(basic, 'base64').toString('utf8');
  return `Bearer ${decoded.slice(decoded.indexOf(':') + 1)}`;
}

/** A browser sends remembered credentials with other sites' forms too: those are told apart by what it says of their origin. */
function refuseCrossSite(request: Request): void {
  const site = request.headers['sec-fetch-site'];
  const origin = request.headers.origin;
  const sameOrigin =
    site === undefined
      ? origin === undefined || sameHost(origin, request.headers.host)
      : site === 'same-origin' || site === 'none';
  if (!sameOrigin) throw new Refusal(403, 'cross-site', 'send this request from the page of Lynceus itself');
}

function sameHost(origin: string, host: string | undefined): boolean {
  return URL.canParse(origin) && new URL(origin).host === host;
}
