import { AdapterError } from '../../base/adapter-error.ts';
import type { CallOptions, MergeMethod, PullRequest } from './git-host.ts';
import type { Coordinates, GitHubConnection } from './github-api.ts';
import { type GitHubPull, toPullRequest } from './github-pull.ts';

/** All of them are only in GraphQL; what asks for a merge takes the head that it is about. */
const AUTO_MERGE = `mutation($pullRequestId: ID!, $expectedHeadOid: GitObjectID!, $mergeMethod: PullRequestMergeMethod!, $commitHeadline: String!, $commitBody: String!) {
  enablePullRequestAutoMerge(input: {pullRequestId: $pullRequestId, expectedHeadOid: $expectedHeadOid, mergeMethod: $mergeMethod, commitHeadline: $commitHeadline, commitBody: $commitBody}) {
    pullRequest { number }
  }
}`;
const ENQUEUE = `mutation($pullRequestId: ID!, $expectedHeadOid: GitObjectID!) {
  enqueuePullRequest(input: {pullRequestId: $pullRequestId, expectedHeadOid: $expectedHeadOid}) {
    mergeQueueEntry { position }
  }
}`;
const NO_AUTO_MERGE = `mutation($pullRequestId: ID!) {
  disablePullRequestAutoMerge(input: {pullRequestId: $pullRequestId}) {
    pullRequest { number }
  }
}`;
const DEQUEUE = `mutation($id: ID!) {
  dequeuePullRequest(input: {id: $id}) {
    mergeQueueEntry { position }
  }
}`;

interface Wanted {
  expectedHeadSha: string;
  message: string;
  method?: MergeMethod;
}

type MergeNow = (at: Coordinates, number: number, wanted: Wanted, options?: CallOptions) => Promise<PullRequest>;

/** Has GitHub merge as soon as its rules allow: by auto-merge, or through the merge queue of the branch. */
export function createGitHubMergeWhenReady({ rest: api, graphql }: GitHubConnection, mergeNow: MergeNow) {
  async function mergeWhenReady(
    at: Coordinates,
    number: number,
    wanted: Wanted,
    options?: CallOptions,
  ): Promise<PullRequest> {
    const { data } = await api(options, (octokit, bound) =>
      octokit.rest.pulls.get({ ...at, pull_number: number, ...bound }),
    );
    const found: GitHubPull = data;
    const pull = toPullRequest(found);
    if (pull.state === 'merged') return pull;
    if (pull.state === 'closed') throw new AdapterError('conflict', `pull request ${number} is closed`);
    if (pull.headSha !== wanted.expectedHeadSha) {
      const [now, then] = [pull.headSha.slice(0, 7), wanted.expectedHeadSha.slice(0, 7)];
      throw new AdapterError('conflict', `${pull.headBranch} is at ${now}, expected was ${then}`);
    }
    if (found.auto_merge) return pull;
    const id = found.node_id;
    if (id === undefined)
      throw new AdapterError('bad-response', `GitHub answered pull request ${number} without its id`);
    return (await enable(at, id, wanted, options)) ? pull : atOnce(at, pull, id, wanted, options);
  }

  /** Whether GitHub now waits for its rules; it does not where there is nothing left to wait for. */
  async function enable(at: Coordinates, id: string, wanted: Wanted, options?: CallOptions): Promise<boolean> {
    const [commitHeadline = '', ...rest] = wanted.message.split('\n');
    const variables = {
      pullRequestId: id,
      expectedHeadOid: wanted.expectedHeadSha,
      mergeMethod: (wanted.method ?? 'merge').toUpperCase(),
      commitHeadline,
      commitBody: rest.join('\n').trim(),
    };
    try {
      await graphql(options, AUTO_MERGE, variables, { in: at });
      return true;
    } catch (error) {
      if (error instanceof AdapterError && /clean status|unstable status/i.test(error.message)) return false;
      throw error;
    }
  }

  async function atOnce(at: Coordinates, pull: PullRequest, id: string, wanted: Wanted, options?: CallOptions) {
    try {
      return await mergeNow(at, pull.number, wanted, options);
    } catch (error) {
      if (!(error instanceof AdapterError) || !/merge queue/i.test(error.message)) throw error;
      await graphql(options, ENQUEUE, { pullRequestId: id, expectedHeadOid: wanted.expectedHeadSha }, { in: at });
      return pull;
    }
  }

  /** From auto-merge it may have gone on to the queue of the branch, which REST says nothing of. */
  async function mergeNotYet(at: Coordinates, number: number, options?: CallOptions): Promise<void> {
    const { data } = await api(options, (octokit, bound) =>
      octokit.rest.pulls.get({ ...at, pull_number: number, ...bound }),
    );
    const { node_id: id, auto_merge: isWaiting, state }: GitHubPull = data;
    if (state !== 'open' || id === undefined) return;
    if (isWaiting) await graphql(options, NO_AUTO_MERGE, { pullRequestId: id }, { in: at });
    try {
      await graphql(options, DEQUEUE, { id }, { in: at });
    } catch (error) {
      // It is in none, the branch has none, or this GitHub knows none.
      if (!(error instanceof AdapterError) || !/queue/i.test(error.message)) throw error;
    }
  }

  return { mergeWhenReady, mergeNotYet };
}
