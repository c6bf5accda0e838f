import type { JsonObject } from '../base/json.ts';

/** Something to prove oneself with: a session, an API token, a password for one use. Times are milliseconds since 1970. */
export interface Credential {
  kind: string;
  /** Names it in lists and when it is revoked; unique within its kind. */
  id: string;
  /** Hex SHA-256 of the secret; the secret itself is nowhere. */
  hash: string;
  createdAt: number;
  usedAt: number;
  expiresAt: number;
  data: JsonObject;
}

/** What has expired is as if it were not there, whether it was removed already or not. */
export interface CredentialStore {
  /** Takes the place of an expired one. False: one with this kind and id is there, and nothing was changed. */
  add(credential: Credential): Promise<boolean>;
  find(kind: string, hash: string, now: number): Promise<Credential | undefined>;
  /** Finds and removes it; of several callers, on whichever replica, one gets it. */
  take(kind: string, hash: string, now: number): Promise<Credential | undefined>;
  /** Says that it was used, and until when it is good from now on. One that is gone stays gone. */
  touch(credential: Pick<Credential, 'kind' | 'id' | 'hash' | 'usedAt' | 'expiresAt'>): Promise<void>;
  /** Newest first, at most `limit`. */
  list(kind: string, now: number, limit: number): Promise<Credential[]>;
  /** False: there was none. */
  remove(kind: string, id: string): Promise<boolean>;
  /** Removes what has expired; answers how many. */
  purge(now: number): Promise<number>;
}
