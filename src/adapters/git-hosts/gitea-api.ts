import { AdapterError, type FailureReason } from '../../base/adapter-error.ts';
import type { Secret } from '../../base/secret.ts';
import type { HostUser } from '../../promotion/people.ts';
import { type HttpClientOptions, type HttpFailure, path } from '../http-client.ts';
import type { Repository } from './git-host.ts';
import { pathOn, sayUrl } from './repository-url.ts';
import { createRestApi, type RestApi } from './rest-api.ts';

/** How many entries a page has at most, unless an administrator says otherwise. */
export const PAGE = { limit: '50' };

/** A repository as Gitea's paths name it. */
export interface Place {
  owner: string;
  repo: string;
  /** `/repos/acme/deploy`. */
  path: string;
  /** Where Git finds it. */
  cloneUrl: string;
}

/** An account as Gitea describes it. */
export interface GiteaUser {
  id: number;
  login: string;
}

/** What we read of a pull request. */
export interface GiteaPull {
  number: number;
  html_url: string;
  state: string;
  title: string;
  body: string;
  created_at: string;
  closed_at?: string | null;
  draft?: boolean;
  mergeable?: boolean;
  merged: boolean;
  merge_commit_sha?: string | null;
  merged_by?: GiteaUser | null;
  user: GiteaUser;
  labels?: { id: number; name: string }[] | null;
  requested_reviewers?: GiteaUser[] | null;
  requested_reviewers_teams?: { name: string }[] | null;
  /** `ref` is another one once the branch is gone; `label` stays. */
  head: { label: string; sha: string; repo_id: number };
  base: { ref: string; repo_id: number };
}

export function createGiteaApi(client: HttpClientOptions, token: Secret, writeIntervalMs: number): RestApi {
  return createRestApi({
    client,
    token,
    writeIntervalMs,
    login: (secret) => ({ headers: { Authorization: `token ${secret.reveal()}` } }),
    reasonOf,
  });
}

/** `undefined` when the repository is not on this site. */
export function placeOf(site: URL, repository: Repository): Place | undefined {
  const [owner = '', repo = '', ...more] = pathOn(site, repository.url)?.split('/') ?? [];
  if (more.length > 0 || ![owner, repo].every((part) => /^[\w.-]+$/.test(part))) return undefined;
  const root = site.href.replace(/\/+$/, '');
  return { owner, repo, path: path`/repos/${owner}/${repo}`, cloneUrl: `${root}/${owner}/${repo}.git` };
}

/** @throws {AdapterError} `rejected` when the repository is not on this site */
export function requirePlace(name: string, site: URL, repository: Repository): Place {
  const place = placeOf(site, repository);
  if (place !== undefined) return place;
  throw new AdapterError('rejected', `${name} does not serve ${sayUrl(repository.url)}`);
}

/** Gitea does not say who is a program; its own (Actions, and people who are gone) have no number. */
export function toHostUser({ id, login }: GiteaUser): HostUser {
  return { id: String(id), login, bot: id <= 0 };
}

function reasonOf({ status, body }: HttpFailure): FailureReason | undefined {
  if (status === 405) return /not allowed to merge/i.test(JSON.stringify(body)) ? 'forbidden' : 'conflict';
  // The repository is archived, or the conversation is locked.
  return status === 423 ? 'forbidden' : undefined;
}
