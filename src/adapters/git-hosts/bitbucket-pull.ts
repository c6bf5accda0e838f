import { AdapterError } from '../../base/adapter-error.ts';
import { asked } from './asked.ts';
import { type BitbucketUser, toHostUser } from './bitbucket-api.ts';
import type { PullRequest } from './git-host.ts';

/** What we read of a pull request. */
export interface BitbucketPull {
  id: number;
  state: string;
  title: string;
  description?: string | null;
  draft?: boolean;
  author: BitbucketUser;
  closed_by?: BitbucketUser | null;
  created_on: string;
  /** `hash` is short; `repository` is `null` when a fork is gone. */
  source: End;
  destination: End;
  merge_commit?: { hash: string } | null;
  reviewers?: { uuid: string; nickname?: string }[];
  participants?: { user?: { uuid: string }; approved?: boolean; state?: string | null }[];
  links: { html: { href: string } };
}

interface End {
  branch: { name: string };
  commit: { hash: string } | null;
  repository: { uuid: string } | null;
}

/** Anyone can name a branch of a fork like ours. */
export function isOwn({ source, destination }: BitbucketPull): boolean {
  return source.repository !== null && source.repository.uuid === destination.repository?.uuid;
}

/** `headSha` and `mergeSha` whole: it names them in short. */
export function toPullRequest(
  name: string,
  pull: BitbucketPull,
  headSha: string,
  mergeSha: string | undefined,
): PullRequest {
  const state = stateOf(name, pull.state);
  return {
    number: pull.id,
    url: pull.links.html.href,
    state,
    headBranch: pull.source.branch.name,
    headSha,
    baseBranch: pull.destination.branch.name,
    title: pull.title,
    body: pull.description ?? '',
    createdAt: pull.created_on,
    author: toHostUser(pull.author),
    fork: !isOwn(pull),
    draft: pull.draft ?? false,
    ...(state === 'merged' && mergeSha !== undefined ? { mergeSha } : {}),
    ...(state !== 'open' && pull.closed_by ? { endedBy: toHostUser(pull.closed_by).login } : {}),
    ...(state === 'open' ? askedOf(pull) : {}),
  };
}

/** Who has approved or asks for changes is among the participants; answers of lists have neither. */
function askedOf({ reviewers = [], participants = [] }: BitbucketPull): Pick<PullRequest, 'asked'> {
  const spoken = new Set(participants.flatMap(({ approved, state, user }) => (approved || state ? [user?.uuid] : [])));
  return asked(reviewers.flatMap(({ uuid, nickname }) => (spoken.has(uuid) ? [] : [nickname])));
}

function stateOf(name: string, state: string): PullRequest['state'] {
  if (state === 'OPEN') return 'open';
  if (state === 'MERGED') return 'merged';
  if (state === 'DECLINED' || state === 'SUPERSEDED') return 'closed';
  throw new AdapterError('bad-response', `${name} answered the state ${JSON.stringify(state)}`);
}
