import { AdapterError, type FailureReason } from '../../base/adapter-error.ts';
import type { Secret } from '../../base/secret.ts';
import type { HostUser } from '../../promotion/people.ts';
import type { HttpClientOptions, HttpFailure } from '../http-client.ts';
import type { Repository } from './git-host.ts';
import { pathOn, sayUrl } from './repository-url.ts';
import { createRestApi, type RestApi } from './rest-api.ts';

/** The most that a page may have. */
export const PAGE = { per_page: '100' };
/** Accounts that GitLab makes for tokens of projects and groups, and for services. */
const BOT = /^(?:project|group)_\d+_bot|^service_account_|^(?:ghost|support-bot|alert-bot|GitLabDuo)/;

/** A project as GitLab's paths name it. */
export interface Project {
  /** `/projects/acme%2Fshop%2Fdeploy`. */
  path: string;
  /** Where Git finds it. */
  cloneUrl: string;
}

/** An account as GitLab describes it. */
export interface GitLabUser {
  id: number;
  username: string;
}

/** What we read of a merge request. */
export interface GitLabMerge {
  iid: number;
  web_url: string;
  state: string;
  title: string;
  description: string | null;
  created_at: string;
  source_branch: string;
  target_branch: string;
  source_project_id: number;
  target_project_id: number;
  sha: string;
  draft?: boolean;
  author: GitLabUser;
  labels: string[];
  reviewers?: GitLabUser[] | null;
  has_conflicts?: boolean;
  merge_status?: string;
  detailed_merge_status?: string;
  merge_when_pipeline_succeeds?: boolean;
  merge_commit_sha?: string | null;
  squash_commit_sha?: string | null;
  merge_user?: GitLabUser | null;
  merged_by?: GitLabUser | null;
  closed_by?: GitLabUser | null;
}

export function createGitLabApi(client: HttpClientOptions, token: Secret, writeIntervalMs: number): RestApi {
  return createRestApi({
    client,
    token,
    writeIntervalMs,
    login: (secret) => ({ headers: { 'PRIVATE-TOKEN': secret.reveal() } }),
    reasonOf,
  });
}

/** `undefined` when the repository is not on this site. */
export function projectOf(site: URL, repository: Repository): Project | undefined {
  const path = pathOn(site, repository.url);
  const parts = path?.split('/') ?? [];
  if (path === undefined || parts.length < 2 || !parts.every((part) => /^[\w.][\w.+-]*$/.test(part))) return undefined;
  return {
    path: `/projects/${encodeURIComponent(path)}`,
    cloneUrl: `${site.href.replace(/\/+$/, '')}/${path}.git`,
  };
}

/** @throws {AdapterError} `rejected` when the repository is not on this site */
export function requireProject(name: string, site: URL, repository: Repository): Project {
  const project = projectOf(site, repository);
  if (project !== undefined) return project;
  throw new AdapterError('rejected', `${name} does not serve ${sayUrl(repository.url)}`);
}

/** Its name tells a program that GitLab made; what else is one, only `/users/<id>` says. */
export function toHostUser({ id, username }: GitLabUser): HostUser {
  return { id: String(id), login: username, bot: BOT.test(username) };
}

/** GitLab runs lines of a text that begin with a slash as commands of its writer: ours are words and nothing else. */
export function harmless(text: string): string {
  return text.replace(/^([ \t]*)\/(?=\w)/gm, '$1&#47;');
}

/** 405: its rules do not let it be merged (yet); 406 of old versions: it conflicts. */
function reasonOf({ status, body }: HttpFailure): FailureReason | undefined {
  if (status === 405 || status === 406) return 'conflict';
  if (status === 400 && /could not find ref|invalid reference/i.test(JSON.stringify(body))) return 'not-found';
  return undefined;
}
