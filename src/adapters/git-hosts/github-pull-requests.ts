import { AdapterError } from '../../base/adapter-error.ts';
import type { HostUser } from '../../promotion/people.ts';
import type { CallOptions, MergeMethod, NewPullRequest, PullRequest } from './git-host.ts';
import { type Coordinates, type GitHubApi, shaOf } from './github-api.ts';
import { isOwn, toPullRequest } from './github-pull.ts';

/** Of the open pull requests into one base; who has more than this has another problem. */
const PAGES = 20;
const PAGE_SIZE = 50;

type Contains = (at: Coordinates, descendant: string, ancestor: string, options?: CallOptions) => Promise<boolean>;

type Me = (at: Coordinates, options?: CallOptions) => Promise<HostUser>;

/** A branch that is of no use any more, as long as it is where we left it. */
interface Leftover {
  at: Coordinates;
  branch: string;
  sha: string;
}

/** Branches that we have just made: more than are promoted at once. */
const MAX_MADE = 1_000;

/** Pull requests on GitHub. Whatever is done twice finds what the first time has left. */
export function createGitHubPullRequests(api: GitHubApi, contains: Contains, me: Me) {
  const made = new Set<string>();
  /** Of these, the ones for which nothing was opened yet. */
  const unopened = new Set<string>();

  const leftovers: Leftover[] = [];

  async function open(at: Coordinates, wanted: NewPullRequest, options?: CallOptions): Promise<PullRequest> {
    if (await contains(at, wanted.baseBranch, wanted.headSha, options)) {
      throw new AdapterError('rejected', `${wanted.baseBranch} has ${wanted.headSha} already: nothing to merge`);
    }
    await pointHeadAt(at, wanted.headBranch, wanted.headSha, options);
    // A branch that was not there a moment ago has no pull request.
    const isNew = unopened.delete(keyOf(at, wanted.headBranch));
    const existing = isNew ? undefined : await findFor(at, wanted, options);
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

  /** Makes the branch, or moves it. One that we do not know of is most likely not there. */
  async function pointHeadAt(at: Coordinates, branch: string, sha: string, options?: CallOptions): Promise<void> {
    if (!made.has(keyOf(at, branch)) && (await makeHead(at, branch, sha, options))) return;
    const now = await headOf(at, branch, options);
    if (now === undefined) await makeHead(at, branch, sha, options);
    else if (now !== sha) await moveHead(at, branch, sha, options);
  }

  async function makeHead(at: Coordinates, branch: string, sha: string, options?: CallOptions): Promise<boolean> {
    try {
      await api(options, (octokit, bound) =>
        octokit.rest.git.createRef({ ...at, ref: `refs/heads/${branch}`, sha, ...bound }),
      );
      remember(made, keyOf(at, branch));
      remember(unopened, keyOf(at, branch));
      return true;
    } catch (error) {
      if (isTaken(error)) return false;
      throw error;
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
    wanted: { expectedHeadSha: string; message: string; method?: MergeMethod },
    options?: CallOptions,
  ): Promise<PullRequest> {
    const now = await read(at, number, options);
    const left = { at, branch: now.headBranch, sha: wanted.expectedHeadSha };
    if (now.state === 'merged') {
      // By an earlier try that was cut off, most likely before it had cleared up.
      if (!now.fork) await tidy(left, options);
      return now;
    }
    if (now.state === 'closed') throw new AdapterError('conflict', `pull request ${number} is closed`);
    // Before anything is done: whatever follows the merge must not make it look as if it had failed.
    const { login } = await me(at, options);
    const mergeSha = await mergeNow(at, number, wanted, options).catch((error: unknown) => error);
    if (typeof mergeSha !== 'string') {
      const merged = await mergedMeanwhile(at, number, mergeSha, options);
      if (merged === undefined) throw mergeSha;
      return merged;
    }
    await tidy(left, options);
    const { mergeable: _mergeable, blockedBy: _blockedBy, ...rest } = now;
    return { ...rest, state: 'merged', headSha: wanted.expectedHeadSha, mergeSha, endedBy: login };
  }

  async function mergeNow(
    at: Coordinates,
    number: number,
    {
      expectedHeadSha: sha,
      message,
      method = 'merge',
    }: { expectedHeadSha: string; message: string; method?: MergeMethod },
    options?: CallOptions,
  ): Promise<string> {
    const [title = '', ...rest] = message.split('\n');
    const { data } = await api(options, (octokit, bound) =>
      octokit.rest.pulls.merge({
        ...at,
        pull_number: number,
        sha,
        merge_method: method,
        // A rebase has no commit of its own that could carry them.
        ...(method === 'rebase' ? {} : { commit_title: title, commit_message: rest.join('\n').trim() }),
        ...bound,
      }),
    );
    if (data.merged !== true) throw new AdapterError('bad-response', `pull request ${number} does not count as merged`);
    return shaOf(data.sha);
  }

  /** The merge has happened and is answered; a branch that stays behind is untidy and no more. */
  async function tidy(left: Leftover, options?: CallOptions): Promise<void> {
    for (let next: Leftover | undefined = left; next !== undefined; next = leftovers.shift()) {
      try {
        await deleteHead(next.at, next.branch, next.sha, options);
      } catch (error) {
        if (!(error instanceof AdapterError)) throw error;
        // Most likely GitHub has asked us to stay away: the next merge that succeeds takes it along.
        if (error.retryable && leftovers.length < MAX_MADE) leftovers.push(next);
        return;
      }
    }
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

function keyOf({ owner, repo }: Coordinates, branch: string): string {
  return `${owner}/${repo} ${branch}`;
}

function remember(names: Set<string>, name: string): void {
  names.add(name);
  const [oldest] = names;
  if (names.size > MAX_MADE && oldest !== undefined) names.delete(oldest);
}

function isTaken(error: unknown): boolean {
  return error instanceof AdapterError && error.reason === 'rejected' && /already exists/i.test(error.message);
}
