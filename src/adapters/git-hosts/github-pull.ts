import { AdapterError } from '../../base/adapter-error.ts';
import type { HostUser } from '../../promotion/people.ts';
import { asked } from './asked.ts';
import type { PullRequest } from './git-host.ts';
import { shaOf } from './github-api.ts';

/** An account as GitHub answers it in other things. */
export interface GitHubUser {
  id: number;
  login: string;
  type?: string;
}

/** What we read of a pull request; lists leave out who merged it and whether it can be. */
export interface GitHubPull {
  number: number;
  node_id?: string;
  html_url: string;
  state: string;
  title: string;
  body: string | null;
  created_at: string;
  merged_at?: string | null;
  merge_commit_sha?: string | null;
  merged_by?: { login: string } | null;
  user?: GitHubUser | null;
  draft?: boolean;
  labels?: { name?: string }[];
  mergeable?: boolean | null;
  mergeable_state?: string;
  auto_merge?: object | null;
  requested_reviewers?: { login: string }[] | null;
  requested_teams?: { slug: string }[] | null;
  head: { ref: string; sha: string; repo?: { full_name: string } | null };
  base: { ref: string; repo: { full_name: string } };
}

/** `mergeable_state`, where it is the rules of the repository that are in the way. */
const BLOCKED: Readonly<Record<string, string>> = {
  blocked: 'reviews or checks that the rules of the branch ask for are missing',
  behind: 'the rules of the branch ask for a head that has the newest base',
  draft: 'it is a draft',
};

/** Anyone can name a branch of a fork like ours. */
export function isOwn(pull: GitHubPull): boolean {
  return pull.head.repo?.full_name === pull.base.repo.full_name;
}

/** @throws {AdapterError} `bad-response` without a state or commits */
export function toPullRequest(pull: GitHubPull): PullRequest {
  const merged = typeof pull.merged_at === 'string';
  const mergeSha = merged ? shaOf(pull.merge_commit_sha) : undefined;
  const endedBy = pull.merged_by?.login;
  const state = merged ? 'merged' : stateOf(pull.state);
  const author = toHostUser(pull.user);
  const blockedBy = state === 'open' ? BLOCKED[pull.mergeable_state ?? ''] : undefined;
  return {
    number: pull.number,
    url: pull.html_url,
    state,
    headBranch: pull.head.ref,
    headSha: shaOf(pull.head.sha),
    baseBranch: pull.base.ref,
    title: pull.title,
    body: pull.body ?? '',
    createdAt: pull.created_at,
    fork: !isOwn(pull),
    draft: pull.draft === true,
    labels: (pull.labels ?? []).flatMap(({ name }) => (name === undefined ? [] : [name])),
    ...(author === undefined ? {} : { author }),
    ...(mergeSha === undefined ? {} : { mergeSha }),
    ...(endedBy === undefined ? {} : { endedBy }),
    ...(state === 'open' && typeof pull.mergeable === 'boolean' ? { mergeable: pull.mergeable } : {}),
    ...(blockedBy === undefined ? {} : { blockedBy }),
    ...(state === 'open' ? askedOf(pull) : {}),
  };
}

function askedOf({ requested_reviewers, requested_teams, base }: GitHubPull): Pick<PullRequest, 'asked'> {
  const [owner = ''] = base.repo.full_name.split('/');
  return asked(
    (requested_reviewers ?? []).map(({ login }) => login),
    (requested_teams ?? []).map(({ slug }) => `${owner}/${slug}`),
  );
}

/** `undefined` for an account that is gone. */
export function toHostUser(user: GitHubUser | null | undefined): HostUser | undefined {
  if (user === null || user === undefined) return undefined;
  if (!Number.isSafeInteger(user.id) || typeof user.login !== 'string') {
    throw new AdapterError('bad-response', 'GitHub answered an account without its id and name');
  }
  return { id: String(user.id), login: user.login, bot: user.type === 'Bot' || user.login.endsWith('[bot]') };
}

/** Stands for accounts that were deleted: it may do nothing, and nobody is it. */
export const GHOST: HostUser = { id: '0', login: 'ghost', bot: false };

function stateOf(state: string): 'open' | 'closed' {
  if (state === 'open' || state === 'closed') return state;
  throw new AdapterError('bad-response', `GitHub answered the state ${JSON.stringify(state)}`);
}
