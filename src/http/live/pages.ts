import type { Request, RequestHandler, Response } from 'express';
import type { Clock } from '../../base/clock.ts';
import { newId, sha256 } from '../../base/ids.ts';
import type { Live } from '../../runtime/live.ts';
import { liveQuery } from '../../runtime/live-topic.ts';
import { filterFields, readFilter } from '../../ui/pages/changes-filter.ts';
import { guards } from '../access.ts';
import type { Authentication } from '../authentication.ts';
import { themeOf } from '../pages/theme.ts';

type Needed = Pick<Authentication, 'require' | 'viewer' | 'csrf'>;

export interface LivePagesTools<T extends Needed> {
  live: Pick<Live, 'position'>;
  authentication: T;
  clock: Clock;
}

/** Pages also tell of what is not in the log of changes: they are drawn anew at least this often. */
const AT_LEAST_EVERY_MS = 60_000;
/** Another version of the programme draws other pages. */
const STARTED = newId();

/**
 * The authentication for pages that are kept up to date: who may read one is told what it wants to hear of (see `liveOf`),
 * and that it has not changed (304) where it is asked for again, before anything is read for it.
 */
export function livePages<T extends Needed>({ live, authentication, clock }: LivePagesTools<T>): T {
  const fresh: RequestHandler = (request, response, next) => {
    const topic = topicOfPage(request);
    if (topic === undefined) return next();
    // Before the page is read: what changes meanwhile is told twice rather than never.
    const position = live.position();
    response.locals['live'] = liveQuery(topic, position);
    // The log of changes knows nothing of what else the others show.
    if (!/^changes?:/.test(topic)) return next();
    const period = Math.floor(clock.now().getTime() / AT_LEAST_EVERY_MS);
    const reader = [authentication.viewer(response), authentication.csrf(response), themeOf(request)];
    const tag = `W/"${sha256(JSON.stringify([STARTED, position, period, request.originalUrl, reader])).slice(0, 22)}"`;
    response.setHeader('ETag', tag);
    if (request.get('If-None-Match') !== tag) return next();
    response.status(304).end();
  };
  return {
    ...authentication,
    require(permission, use) {
      const guard = authentication.require(permission, use);
      if (permission !== 'read') return guard;
      return guards('read', (request, response, next) =>
        guard(request, response, (error?: unknown) =>
          error === undefined ? fresh(request, response, next) : next(error),
        ),
      );
    },
  };
}

/** The query of `/events` for the page that is being answered; `undefined`: it stays as it is. */
export function liveOf(response: Response): string | undefined {
  return response.locals['live'] as string | undefined;
}

/** What keeps a page up to date, by its address. */
export function topicOfPage({ method, path, query }: Request): string | undefined {
  if (method !== 'GET') return undefined;
  const [screen, first, second, ...rest] = path.split('/').slice(1).map(decoded);
  if (rest.length > 0) return undefined;
  if (screen === 'changes' && second === undefined) return first ? `change:${first}` : `changes:${listQuery(query)}`;
  if (screen === 'evaluations' && first && second) return `evaluations:${first}/${second}`;
  if (screen === 'fleet' && first === undefined) return screen;
  return screen === 'connections' && second === undefined ? screen : undefined;
}

/** The filter of a list, and which page of it. */
function listQuery(query: Request['query']): string {
  const pages = ['cursor', 'limit'].flatMap((name) => {
    const value = query[name];
    return typeof value === 'string' && value !== '' ? [[name, value] as [string, string]] : [];
  });
  return new URLSearchParams([...filterFields(readFilter(query)), ...pages]).toString();
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
