import { sha256 } from '../../base/ids.ts';
import type { Secret } from '../../base/secret.ts';
import { type ApiLimits, type ApiTime, createApiLimits } from './api-limits.ts';

/** Who and what: the two names that GitHub's paths are made of. */
export interface Coordinates {
  owner: string;
  repo: string;
}

/** On whose behalf a request is sent. */
export type Caller =
  /** Ourselves, in this repository. */
  | { in: Coordinates }
  /** Ourselves, wherever: what is asked belongs to no repository. */
  | { in?: undefined }
  /** The App as such, which only tells of itself. */
  | { app: true }
  /** A person, by their own token. */
  | { person: Secret };

/** With what a request is sent, and how fast. */
export interface Grant {
  token: Secret;
  limits: ApiLimits;
}

export interface Credentials {
  /** What tokens are made of: an App's come and go. */
  readonly kind: 'token' | 'app';
  grant(caller: Caller): Promise<Grant>;
  /** GitHub does not know the token (any more): the next one is made anew. */
  drop(caller: Caller): void;
}

/** More people than approve within a few days on one replica. */
const MAX_PEOPLE = 200;

/** Everybody who calls has a pace of their own: GitHub counts by token. */
export function createPaces(name: string, writeIntervalMs: number, time: ApiTime): (key: string) => ApiLimits {
  const paces = new Map<string, ApiLimits>();
  return (key) => {
    const known = paces.get(key) ?? createApiLimits(name, writeIntervalMs, time);
    paces.delete(key);
    paces.set(key, known);
    const [oldest] = paces.keys();
    if (paces.size > MAX_PEOPLE && oldest !== undefined) paces.delete(oldest);
    return known;
  };
}

/** A person's own token is used and not kept; only how long GitHub asked them to wait. */
export function grantOfPerson(person: Secret, paces: (key: string) => ApiLimits): Grant {
  return { token: person, limits: paces(sha256(`person ${person.reveal()}`)) };
}

/** One token for everything. */
export function tokenCredentials(token: Secret, limits: ApiLimits, paces: (key: string) => ApiLimits): Credentials {
  return {
    kind: 'token',
    grant: async (caller) => ('person' in caller ? grantOfPerson(caller.person, paces) : { token, limits }),
    drop: () => {},
  };
}
