import type { Viewer } from '../answers/viewer.ts';
import { parseDuration } from '../base/duration.ts';
import type { CountQuery, KeyFilter } from '../store/changes.ts';
import { searchKeys } from './find-change.ts';

/** What a list of changes is narrowed to; several values of one filter are alternatives. */
export interface BoardQuery {
  /** A commit (4 digits of it or more), digest, pull request, version, service, words of the title. */
  q?: string;
  /** Only the reader's own. Nobody's where nobody has signed in. */
  mine?: boolean;
  /** `me`: only those that wait for the reader. */
  needs?: string;
  state?: readonly string[];
  stage?: readonly string[];
  team?: readonly string[];
  /** Names or logins. */
  author?: readonly string[];
  project?: readonly string[];
  service?: readonly string[];
  kind?: readonly string[];
  ring?: readonly string[];
  cluster?: readonly string[];
  /** Moved within this time (`7d`), or since then (ISO 8601). Absent: all. */
  since?: string;
  cursor?: string;
  /** Default 50. */
  limit?: number;
}

/** Columns that are filtered by as they are; an empty list is no filter. */
const COLUMNS = ['state', 'stage', 'team', 'project', 'service', 'kind'] as const;
const KEYS = ['ring', 'cluster'] as const;

/**
 * What the store is asked.
 *
 * @param timely changes that wait for the reader, whatever their keys say
 */
export function storeQuery(
  query: BoardQuery,
  viewer: Viewer | undefined,
  now: Date,
  timely: readonly string[] = [],
): CountQuery {
  const { q, mine, needs, author = [], since } = query;
  const columns = COLUMNS.flatMap((name) => {
    const values = query[name] ?? [];
    return values.length === 0 ? [] : [[name, values]];
  });
  const movedSince = since === undefined ? undefined : momentIn(since, now);
  const keys: KeyFilter[] = [
    ...(q === undefined ? [] : searchKeys(q)),
    ...(author.length === 0 ? [] : [{ names: ['author'], values: author.map((name) => name.toLowerCase()) }]),
    ...KEYS.flatMap((name) => {
      const values = query[name] ?? [];
      // Each is met by much of the fleet.
      return values.length === 0 ? [] : [{ names: [name], values, often: true }];
    }),
    ...(mine ? [{ names: ['author'], values: viewer ? namesOf(viewer) : [] }] : []),
    ...(needs === undefined ? [] : [{ names: ['needs'], values: viewer ? meanings(viewer) : [], orId: timely }]),
  ];
  return {
    ...Object.fromEntries(columns),
    ...(movedSince === undefined ? {} : { movedSince }),
    ...(keys.length === 0 ? {} : { keys }),
  };
}

/** Milliseconds since 1970 out of `7d` or a date; `undefined`: neither. */
export function momentIn(since: string, now: Date): number | undefined {
  const span = parseDuration(since);
  if (span !== undefined) return Math.max(0, now.getTime() - span);
  const at = /^\d{4}-\d{2}-\d{2}(?:T[\d:.]+(?:Z|[+-]\d{2}:\d{2})?)?$/.test(since) ? Date.parse(since) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at);
}

/** How authors are called who are the reader. */
function namesOf({ name, mail }: Viewer): string[] {
  return [name.toLowerCase(), ...(mail === undefined ? [] : [mail])];
}

/** How facts name a reader: by themselves, their groups and teams, their roles. */
export function meanings({ name, groups, teams = [], roles }: Viewer): string[] {
  const named = [...groups, ...teams, ...ROLE_WORDS.filter(([role]) => roles.includes(role)).map(([, word]) => word)];
  return [`person:${name}`, ...new Set(named.map((group) => `group:${group}`))];
}

/** Who is asked where no group is named. */
const ROLE_WORDS = [
  ['approver', 'approvers'],
  ['operator', 'operators'],
] as const;
