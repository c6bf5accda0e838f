import { AdapterError } from '../../base/adapter-error.ts';
import { HttpFailure } from '../http-client.ts';
import { asked } from './asked.ts';
import type { CallOptions, NewPullRequest, PullRequest } from './git-host.ts';
import type { GitRemote } from './git-remote.ts';
import { type GitLabMerge, harmless, PAGE, type Project, toHostUser } from './gitlab-api.ts';
import type { createGitLabDiscussion } from './gitlab-discussion.ts';
import type { createGitLabReading } from './gitlab-reading.ts';
import { keepLeftover, wait } from './patience.ts';
import { MOST_OPEN, requireAllOpen, requireMergeable } from './pull-request-rules.ts';
import { type RestApi, requireAnsweredSha } from './rest-api.ts';

/** GitLab looks at each push in the background, and merges nothing until it has. */
const PATIENCE_MS = [300, 600, 1_200, 2_400];
const STILL_LOOKING = ['checking', 'unchecked', 'preparing', 'approvals_syncing', 'cannot_be_merged_recheck'];
/** States that say nothing of rules. */
const NO_RULE = [...STILL_LOOKING, 'mergeable', 'conflict', 'not_open', 'broken_status'];

interface Parts {
  name: string;
  api: RestApi;
  remote: GitRemote;
  reading: ReturnType<typeof createGitLabReading>;
  discussion: ReturnType<typeof createGitLabDiscussion>;
}

interface Wanted {
  expectedHeadSha: string;
  message: string;
}

/** Merge requests on GitLab. Whatever is done twice finds what the first time has left. */
export function createGitLabMergeRequests({ name, api, remote, reading, discussion }: Parts) {
  const pathTo = (at: Project, number: number) => `${at.path}/merge_requests/${number}`;

  async function open(at: Project, wanted: NewPullRequest, options?: CallOptions): Promise<PullRequest> {
    const { headBranch, headSha, baseBranch } = wanted;
    if (await reading.contains(at, baseBranch, headSha, options)) {
      throw new AdapterError('rejected', `${baseBranch} has ${headSha} already: nothing to merge`);
    }
    await pointHead(at, headBranch, headSha, options);
    const body = {
      source_branch: headBranch,
      target_branch: baseBranch,
      title: wanted.title,
      description: harmless(wanted.body),
      remove_source_branch: false,
    };
    try {
      const { data } = await api.send<GitLabMerge>(
        { method: 'POST', path: `${at.path}/merge_requests`, body },
        options,
      );
      // GitLab notices a moved branch a moment later.
      return { ...toPullRequest(name, data), headSha };
    } catch (error) {
      if (!(error instanceof AdapterError) || error.reason !== 'conflict') throw error;
      const other = await findFor(at, wanted, options);
      if (other === undefined) throw error;
      return { ...other, headSha };
    }
  }

  /** A new branch is one call; to move one takes Git. */
  async function pointHead(at: Project, branch: string, sha: string, options?: CallOptions): Promise<void> {
    const path = `${at.path}/repository/branches`;
    const now = await api.find<{ commit: { id: string } }>(`${path}/${encodeURIComponent(branch)}`, options);
    if (now?.commit.id === sha) return;
    if (now !== undefined) return remote.pointBranch(at.cloneUrl, branch, sha, options);
    try {
      await api.send({ method: 'POST', path, body: { branch, ref: sha } }, options);
    } catch (error) {
      if (!(error instanceof AdapterError) || !/already exists/i.test(error.message)) throw error;
      await remote.pointBranch(at.cloneUrl, branch, sha, options);
    }
  }

  /** Only ours are read as a whole: nobody else's oddities stand in our way. */
  async function list(
    at: Project,
    filter: Record<string, string>,
    isOurs: (branch: string) => boolean,
    options?: CallOptions,
  ): Promise<PullRequest[]> {
    const query = { state: 'opened', ...filter, ...PAGE };
    const { items, more } = await api.list<GitLabMerge>(`${at.path}/merge_requests`, options, query, MOST_OPEN);
    requireAllOpen(more, 'merge requests');
    const ours = items.filter((merge) => isOwn(merge) && isOurs(merge.source_branch));
    return ours.map((merge) => toPullRequest(name, merge));
  }

  async function findFor(at: Project, wanted: NewPullRequest, options?: CallOptions): Promise<PullRequest | undefined> {
    const { headBranch, baseBranch } = wanted;
    const filter = { source_branch: headBranch, target_branch: baseBranch };
    const found = await list(at, filter, (branch) => branch === headBranch, options);
    return found.find((pull) => pull.baseBranch === baseBranch);
  }

  function findOpen(
    at: Project,
    filter: { headPrefix: string; baseBranch: string },
    options?: CallOptions,
  ): Promise<PullRequest[]> {
    const { headPrefix, baseBranch } = filter;
    return list(at, { target_branch: baseBranch }, (branch) => branch.startsWith(headPrefix), options);
  }

  async function read(at: Project, number: number, options?: CallOptions): Promise<PullRequest> {
    return toPullRequest(name, await api.get<GitLabMerge>(pathTo(at, number), options));
  }

  async function change(at: Project, number: number, body: object, options?: CallOptions): Promise<PullRequest> {
    const { data } = await api.send<GitLabMerge>({ method: 'PUT', path: pathTo(at, number), body }, options);
    return toPullRequest(name, data);
  }

  async function update(
    at: Project,
    number: number,
    wanted: { title: string; body: string },
    options?: CallOptions,
  ): Promise<PullRequest> {
    const now = await read(at, number, options);
    const description = harmless(wanted.body);
    if (now.title === wanted.title && now.body === description) return now;
    return change(at, number, { title: wanted.title, description }, options);
  }

  async function close(at: Project, number: number, comment: string, options?: CallOptions): Promise<PullRequest> {
    const now = await read(at, number, options);
    if (now.state !== 'open') return now;
    await discussion.say(at, number, comment, options);
    const closed = await change(at, number, { state_event: 'close' }, options);
    await remote.deleteBranch(at.cloneUrl, now.headBranch, now.headSha, options);
    return { ...closed, headSha: now.headSha };
  }

  async function merge(at: Project, number: number, wanted: Wanted, options?: CallOptions): Promise<PullRequest> {
    const now = await readForMerge(at, number, wanted, options);
    if (now.state === 'merged') return now;
    const merged = await accept(at, number, wanted, {}, options);
    if (merged.state !== 'merged')
      throw new AdapterError('bad-response', `merge request ${number} does not count as merged`);
    await remote.deleteBranch(at.cloneUrl, now.headBranch, wanted.expectedHeadSha, options).catch(keepLeftover);
    return merged;
  }

  /** GitLab forgets it again when somebody pushes: it merges this head or nothing. */
  async function mergeWhenReady(
    at: Project,
    number: number,
    wanted: Wanted,
    options?: CallOptions,
  ): Promise<PullRequest> {
    const data = await api.get<GitLabMerge>(pathTo(at, number), options);
    const now = requireMergeable(toPullRequest(name, data), wanted.expectedHeadSha, 'merge request');
    if (now.state === 'merged' || data.merge_when_pipeline_succeeds === true) return now;
    // The second name is the one of versions before 17.11.
    const waiting = { auto_merge: true, merge_when_pipeline_succeeds: true };
    try {
      return await accept(at, number, wanted, waiting, options);
    } catch (error) {
      if (!(error instanceof AdapterError) || error.reason !== 'conflict') throw error;
      // There is nothing to wait for, or it does not know what: then it can be merged now, or it says why not.
      return merge(at, number, wanted, options);
    }
  }

  async function mergeNotYet(at: Project, number: number, options?: CallOptions): Promise<void> {
    const data = await api.get<GitLabMerge>(pathTo(at, number), options);
    if (data.state !== 'opened' || data.merge_when_pipeline_succeeds !== true) return;
    const path = `${pathTo(at, number)}/cancel_merge_when_pipeline_succeeds`;
    await api.send({ method: 'POST', path }, options);
  }

  async function readForMerge(at: Project, number: number, wanted: Wanted, options?: CallOptions) {
    return requireMergeable(await read(at, number, options), wanted.expectedHeadSha, 'merge request');
  }

  async function accept(
    at: Project,
    number: number,
    wanted: Wanted,
    more: object,
    options?: CallOptions,
  ): Promise<PullRequest> {
    const body = {
      sha: wanted.expectedHeadSha,
      merge_commit_message: wanted.message,
      should_remove_source_branch: false,
      squash: false,
      ...more,
    };
    for (const pause of [...PATIENCE_MS, undefined]) {
      try {
        const { data } = await api.send<GitLabMerge>(
          { method: 'PUT', path: `${pathTo(at, number)}/merge`, body },
          options,
        );
        return toPullRequest(name, data);
      } catch (error) {
        const data = await api.get<GitLabMerge>(pathTo(at, number), options);
        const now = toPullRequest(name, data);
        // Two of us may have asked at the same time: the second is refused, and that is fine.
        if (now.state === 'merged') return now;
        const looking = isConflict(error) && STILL_LOOKING.includes(data.detailed_merge_status ?? '');
        if (!looking || pause === undefined) throw refusal(error, now);
        await wait(name, pause, options?.signal);
      }
    }
    throw new AdapterError('conflict', `merge request ${number} cannot be merged`);
  }

  return { open, findOpen, read, update, close, merge, mergeWhenReady, mergeNotYet };
}

/** To a merge GitLab answers 401 when we may not, and 422 when it could not. */
function refusal(error: unknown, now: PullRequest): unknown {
  if (!(error instanceof AdapterError)) return error;
  const status = error.cause instanceof HttpFailure ? error.cause.status : undefined;
  if (status === 401) return new AdapterError('forbidden', `we may not merge into ${now.baseBranch}`, { cause: error });
  if (status !== 405 && status !== 406 && status !== 422) return error;
  const why = now.blockedBy ?? (now.mergeable === false ? 'it conflicts' : 'GitLab does not say why');
  return new AdapterError('conflict', `merge request ${now.number} cannot be merged: ${why}`, { cause: error });
}

function isConflict(error: unknown): boolean {
  return error instanceof AdapterError && error.reason === 'conflict';
}

/** Anyone can name a branch of a fork like ours. */
function isOwn(merge: GitLabMerge): boolean {
  return merge.source_project_id === merge.target_project_id;
}

function toPullRequest(name: string, merge: GitLabMerge): PullRequest {
  const state = stateOf(name, merge.state);
  const endedBy = state === 'merged' ? (merge.merge_user ?? merge.merged_by) : merge.closed_by;
  const status = merge.detailed_merge_status;
  return {
    number: merge.iid,
    url: merge.web_url,
    state,
    headBranch: merge.source_branch,
    headSha: requireAnsweredSha(name, merge.sha),
    baseBranch: merge.target_branch,
    title: merge.title,
    body: merge.description ?? '',
    createdAt: merge.created_at,
    author: toHostUser(merge.author),
    fork: !isOwn(merge),
    draft: merge.draft === true,
    labels: merge.labels,
    ...mergeableOf(merge),
    ...(state === 'open' && status !== undefined && !NO_RULE.includes(status)
      ? { blockedBy: status.replaceAll('_', ' ') }
      : {}),
    // Without a merge commit the head itself, or its squashed form, is on the base.
    ...(state === 'merged'
      ? { mergeSha: requireAnsweredSha(name, merge.merge_commit_sha ?? merge.squash_commit_sha ?? merge.sha) }
      : {}),
    ...(state === 'open' || endedBy == null ? {} : { endedBy: endedBy.username }),
    ...(state === 'open' ? asked((merge.reviewers ?? []).map(({ username }) => username)) : {}),
  };
}

function mergeableOf(merge: GitLabMerge): { mergeable?: boolean } {
  if (merge.has_conflicts === true) return { mergeable: false };
  return merge.merge_status === 'can_be_merged' ? { mergeable: true } : {};
}

/** `locked`: it is being merged right now. */
function stateOf(name: string, state: string): PullRequest['state'] {
  if (state === 'opened' || state === 'locked') return 'open';
  if (state === 'merged' || state === 'closed') return state;
  throw new AdapterError('bad-response', `${name} answered the state ${JSON.stringify(state)}`);
}
