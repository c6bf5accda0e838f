import { AdapterError } from '../../base/adapter-error.ts';
import type { CallOptions, NewPullRequest, PullRequest } from './git-host.ts';
import { type Coordinates, type GitHubApi, shaOf } from './github-api.ts';

/** Of the open pull requests into one base; who has more than this has another problem. */
const PAGES = 20;
const PAGE_SIZE = 50;

/** What we read of a pull request; lists leave out who merged it and whether. */
interface GitHubPull {
  number: number;
  html_url: string;
  state: string;
  title: string;
  body: string | null;
  created_at: string;
  merged_at?: string | null;
  merge_commit_sha?: string | null;
  merged_by?: { login: string } | null;
  head: { ref: string; sha: string; repo?: { full_name: string } | null };
  base: { ref: string; repo: { full_name: string } };
}

type Contains = (at: Coordinates, descendant: string, ancestor: string, options?: CallOptions) => Promise<boolean>;

/** Pull requests on GitHub. Whatever is done twice finds what the first time has left. */
export function createGitHubPullRequests(api: GitHubApi, contains: Contains) {
  async function open(at: Coordinates, wanted: NewPullRequest, options?: CallOptions): Promise<PullRequest> {
    if (await contains(at, wanted.baseBranch, wanted.headSha, options)) {
      throw new AdapterError('rejected', `${wanted.baseBranch} has ${wanted.headSha} already: nothing to merge`);
    }
    await pointHeadAt(at, wanted.headBranch, wanted.headSha, options);
    const existing = await findFor(at, wanted, options);
    // The branch has just been moved; the list may still show where it was.
    if (existing !== undefined) return { ...existing, headSha: wanted.headSha };
    try {
      return await create(at, wanted, options);
    } catch (error) {
      const other = isTaken(error) ? await findFor(at, wanted, options) : undefined;
      if (other === undefined) throw error;
      return { ...other, headSha: wanted.headSha };
    }
  }

  async function create(at: Coordinates, wanted: NewPullRequest, options?: CallOptions): Promise<PullRequest> {
    const { title, body, headBranch, baseBranch } = wanted;
    const { data } = await api(options, (octokit, bound) =>
      octokit.rest.pulls.create({ ...at, title, body, head: headBranch, base: baseBranch, ...bound }),
    );
    return toPullRequest(data);
  }

  async function pointHeadAt(at: Coordinates, branch: string, sha: string, options?: CallOptions): Promise<void> {
    const now = await headOf(at, branch, options);
    if (now === sha) return;
    if (now !== undefined) return moveHead(at, branch, sha, options);
    try {
      await api(options, (octokit, bound) =>
        octokit.rest.git.createRef({ ...at, ref: `refs/heads/${branch}`, sha, ...bound }),
      );
    } catch (error) {
      if (!isTaken(error)) throw error;
      await moveHead(at, branch, sha, options);
    }
  }

  async function moveHead(at: Coordinates, branch: string, sha: string, options?: CallOptions): Promise<void> {
    await api(options, (octokit, bound) =>
      octokit.rest.git.updateRef({ ...at, ref: `heads/${branch}`, sha, force: true, ...bound }),
    );
  }

  async function headOf(at: Coordinates, branch: string, options?: CallOptions): Promise<string | undefined> {
    try {
      const { data } = await api(options, (octokit, bound) =>
        octokit.rest.git.getRef({ ...at, ref: `heads/${branch}`, ...bound }),
      );
      return shaOf(data.object.sha);
    } catch (error) {
      if (error instanceof AdapterError && error.reason === 'not-found') return undefined;
      throw error;
    }
  }

  async function findFor(at: Coordinates, wanted: NewPullRequest, options?: CallOptions) {
    const { data } = await api(options, (octokit, bound) =>
      octokit.rest.pulls.list({
        ...at,
        state: 'open',
        head: `${at.owner}:${wanted.headBranch}`,
        base: wanted.baseBranch,
        ...bound,
      }),
    );
    const own = data.find((pull) => isOwn(pull) && pull.head.ref === wanted.headBranch);
    return own === undefined ? undefined : toPullRequest(own);
  }

  async function findOpen(
    at: Coordinates,
    filter: { headPrefix: string; baseBranch: string },
    options?: CallOptions,
  ): Promise<PullRequest[]> {
    const found: PullRequest[] = [];
    for (let page = 1; page <= PAGES; page += 1) {
      const { data } = await api(options, (octokit, bound) =>
        octokit.rest.pulls.list({
          ...at,
          state: 'open',
          base: filter.baseBranch,
          per_page: PAGE_SIZE,
          page,
          ...bound,
        }),
      );
      const ours = data.filter((pull) => isOwn(pull) && pull.head.ref.startsWith(filter.headPrefix));
      found.push(...ours.map(toPullRequest));
      if (data.length < PAGE_SIZE) return found;
    }
    throw new AdapterError(
      'rejected',
      `there are more than ${PAGES * PAGE_SIZE} open pull requests into ${filter.baseBranch}`,
    );
  }

  async function read(at: Coordinates, number: number, options?: CallOptions): Promise<PullRequest> {
    const { data } = await api(options, (octokit, bound) =>
      octokit.rest.pulls.get({ ...at, pull_number: number, ...bound }),
    );
    const pull = toPullRequest(data);
    if (pull.state !== 'closed') return pull;
    const issue = await api(options, (octokit, bound) =>
      octokit.rest.issues.get({ ...at, issue_number: number, ...bound }),
    );
    const closedBy = issue.data.closed_by?.login;
    return closedBy === undefined ? pull : { ...pull, endedBy: closedBy };
  }

  async function update(
    at: Coordinates,
    number: number,
    change: { title: string; body: string },
    options?: CallOptions,
  ): Promise<PullRequest> {
    const now = await read(at, number, options);
    if (now.title === change.title && now.body === change.body) return now;
    const { title, body } = change;
    const { data } = await api(options, (octokit, bound) =>
      octokit.rest.pulls.update({ ...at, pull_number: number, title, body, ...bound }),
    );
    return toPullRequest(data);
  }

  async function close(at: Coordinates, number: number, comment: string, options?: CallOptions): Promise<PullRequest> {
    const now = await read(at, number, options);
    if (now.state !== 'open') return now;
    await say(at, number, comment, options);
    const { data } = await api(options, (octokit, bound) =>
      octokit.rest.pulls.update({ ...at, pull_number: number, state: 'closed', ...bound }),
    );
    await deleteHead(at, now.headBranch, now.headSha, options);
    return toPullRequest(data);
  }

  /** Says it once, also when closing was cut off after saying it. */
  async function say(at: Coordinates, number: number, comment: string, options?: CallOptions): Promise<void> {
    const { data } = await api(options, (octokit, bound) =>
      octokit.rest.issues.listComments({ ...at, issue_number: number, per_page: 100, ...bound }),
    );
    if (data.some(({ body }) => body === comment)) return;
    await api(options, (octokit, bound) =>
      octokit.rest.issues.createComment({ ...at, issue_number: number, body: comment, ...bound }),
    );
  }

  async function merge(
    at: Coordinates,
    number: number,
    wanted: { expectedHeadSha: string; message: string },
    options?: CallOptions,
  ): Promise<PullRequest> {
    const now = await read(at, number, options);
    if (now.state === 'merged') return now;
    if (now.state === 'closed') throw new AdapterError('conflict', `pull request ${number} is closed`);
    const [title = '', ...rest] = wanted.message.split('\n');
    try {
      await api(options, (octokit, bound) =>
        octokit.rest.pulls.merge({
          ...at,
          pull_number: number,
          sha: wanted.expectedHeadSha,
          merge_method: 'merge',
          commit_title: title,
          commit_message: rest.join('\n').trim(),
          ...bound,
        }),
      );
    } catch (error) {
      const merged = await mergedMeanwhile(at, number, error, options);
      if (merged === undefined) throw error;
      return merged;
    }
    const merged = await read(at, number, options);
    if (merged.state !== 'merged')
      throw new AdapterError('bad-response', `pull request ${number} does not count as merged`);
    await deleteHead(at, now.headBranch, wanted.expectedHeadSha, options).catch(keepLeftover);
    return merged;
  }

  /** Two of us may have asked at the same time: the second is refused, and that is fine. */
  async function mergedMeanwhile(at: Coordinates, number: number, error: unknown, options?: CallOptions) {
    if (!(error instanceof AdapterError) || error.reason !== 'conflict') return undefined;
    const now = await read(at, number, options);
    return now.state === 'merged' ? now : undefined;
  }

  /** Only while it still is what we knew: somebody may have gone on working on it. */
  async function deleteHead(at: Coordinates, branch: string, sha: string, options?: CallOptions): Promise<void> {
    if ((await headOf(at, branch, options)) !== sha) return;
    try {
      await api(options, (octokit, bound) => octokit.rest.git.deleteRef({ ...at, ref: `heads/${branch}`, ...bound }));
    } catch (error) {
      // GitHub can be told to delete merged branches itself: then it was faster.
      if (!(error instanceof AdapterError) || !/does not exist/i.test(error.message)) throw error;
    }
  }

  return { open, findOpen, read, update, close, merge, pointHeadAt };
}

/** The merge has happened and is answered; a branch that stays behind is untidy and no more. */
function keepLeftover(error: unknown): void {
  if (!(error instanceof AdapterError)) throw error;
}

/** Anyone can name a branch of a fork like ours. */
function isOwn(pull: GitHubPull): boolean {
  return pull.head.repo?.full_name === pull.base.repo.full_name;
}

function isTaken(error: unknown): boolean {
  return error instanceof AdapterError && error.reason === 'rejected' && /already exists/i.test(error.message);
}

function toPullRequest(pull: GitHubPull): PullRequest {
  const merged = typeof pull.merged_at === 'string';
  const mergeSha = merged ? shaOf(pull.merge_commit_sha) : undefined;
  const endedBy = pull.merged_by?.login;
  return {
    number: pull.number,
    url: pull.html_url,
    state: merged ? 'merged' : stateOf(pull.state),
    headBranch: pull.head.ref,
    headSha: shaOf(pull.head.sha),
    baseBranch: pull.base.ref,
    title: pull.title,
    body: pull.body ?? '',
    createdAt: pull.created_at,
    ...(mergeSha === undefined ? {} : { mergeSha }),
    ...(endedBy === undefined ? {} : { endedBy }),
  };
}

function stateOf(state: string): 'open' | 'closed' {
  if (state === 'open' || state === 'closed') return state;
  throw new AdapterError('bad-response', `GitHub answered the state ${JSON.stringify(state)}`);
}
