import { AdapterError } from '../../base/adapter-error.ts';
import { asked } from './asked.ts';
import { type AzureIdentity, type Place, toHostUser } from './azure-devops-api.ts';
import type { PullRequest } from './git-host.ts';
import { requireAnsweredSha } from './rest-api.ts';

/** Branches are named in full: `refs/heads/main`. */
const BRANCH = 'refs/heads/';

/** What we read of a pull request. */
export interface AzurePull {
  pullRequestId: number;
  status: string;
  title: string;
  description?: string;
  sourceRefName: string;
  targetRefName: string;
  creationDate: string;
  createdBy: AzureIdentity;
  closedBy?: AzureIdentity | null;
  isDraft?: boolean;
  /** How the last try went to merge the two branches, in the background after each push. */
  mergeStatus?: string;
  mergeFailureMessage?: string;
  /** What that try was made of, and what came of it. */
  lastMergeSourceCommit?: { commitId: string } | null;
  lastMergeCommit?: { commitId: string } | null;
  autoCompleteSetBy?: AzureIdentity | null;
  forkSource?: unknown;
  labels?: { name: string; active?: boolean }[] | null;
  reviewers?: (AzureIdentity & { vote: number })[];
}

/** As the branches of pull requests are named. */
export function refOf(branch: string): string {
  return `${BRANCH}${branch}`;
}

export function headBranchOf({ sourceRefName }: AzurePull): string {
  return sourceRefName.slice(BRANCH.length);
}

/** Whether what it says of its head is from before the last push. */
export function isBehind({ status, mergeStatus, lastMergeSourceCommit }: AzurePull): boolean {
  if (status !== 'active') return false;
  return lastMergeSourceCommit == null || mergeStatus === undefined || ['queued', 'notSet'].includes(mergeStatus);
}

/** `head`: where its branch is, when the pull request is behind. */
export function toPullRequest(name: string, at: Place, pull: AzurePull, head?: string): PullRequest {
  const state = stateOf(name, pull.status);
  const merged = state === 'merged';
  const labels = pull.labels?.filter(({ active }) => active !== false);
  return {
    number: pull.pullRequestId,
    url: `${at.cloneUrl}/pullrequest/${pull.pullRequestId}`,
    state,
    headBranch: headBranchOf(pull),
    headSha: requireAnsweredSha(name, head ?? pull.lastMergeSourceCommit?.commitId),
    baseBranch: pull.targetRefName.slice(BRANCH.length),
    title: pull.title,
    body: pull.description ?? '',
    createdAt: pull.creationDate,
    author: toHostUser(pull.createdBy),
    fork: pull.forkSource != null,
    draft: pull.isDraft ?? false,
    ...(labels === undefined ? {} : { labels: labels.map((label) => label.name) }),
    ...(merged ? { mergeSha: requireAnsweredSha(name, pull.lastMergeCommit?.commitId) } : {}),
    ...(state !== 'open' && pull.closedBy ? { endedBy: toHostUser(pull.closedBy).login } : {}),
    ...(state === 'open' ? { ...standing(pull), ...askedOf(pull) } : {}),
  };
}

/** Who has not voted. Groups have more than one name there, so that they are not told. */
function askedOf({ reviewers = [] }: AzurePull): Pick<PullRequest, 'asked'> {
  const people = reviewers.filter(({ vote, isContainer }) => vote === 0 && isContainer !== true);
  return asked(people.map((one) => toHostUser(one).login));
}

function standing({ mergeStatus, mergeFailureMessage }: AzurePull): Pick<PullRequest, 'mergeable' | 'blockedBy'> {
  if (mergeStatus === 'succeeded') return { mergeable: true };
  if (mergeStatus === 'conflicts') return { mergeable: false };
  return mergeStatus === 'rejectedByPolicy' ? { blockedBy: mergeFailureMessage || 'a policy of the branch' } : {};
}

function stateOf(name: string, status: string): PullRequest['state'] {
  if (status === 'active') return 'open';
  if (status === 'completed') return 'merged';
  if (status === 'abandoned') return 'closed';
  throw new AdapterError('bad-response', `${name} answered the status ${JSON.stringify(status)}`);
}
