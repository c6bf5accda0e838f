import { AdapterError } from '../../base/adapter-error.ts';
import { asked } from './asked.ts';
import type { CallOptions, GitHost, MergeMethod, NewPullRequest, PullRequest } from './git-host.ts';
import type { GitRemote } from './git-remote.ts';
import { type GiteaPull, type GiteaUser, PAGE, type Place, toHostUser } from './gitea-api.ts';
import type { createGiteaDiscussion } from './gitea-discussion.ts';
import type { createGiteaReading } from './gitea-reading.ts';
import { keepLeftover, wait } from './patience.ts';
import { MOST_OPEN, requireAllOpen, requireMergeable } from './pull-request-rules.ts';
import { type RestApi, requireAnsweredSha } from './rest-api.ts';

/** Gitea looks for conflicts after each push, and merges nothing until it has. */
const PATIENCE_MS = [200, 400, 800, 1_600];

interface Parts {
  name: string;
  api: RestApi;
  remote: GitRemote;
  reading: ReturnType<typeof createGiteaReading>;
  discussion: ReturnType<typeof createGiteaDiscussion>;
}

/** Pull requests on Gitea. Whatever is done twice finds what the first time has left. */
export function createGiteaPullRequests({ name, api, remote, reading, discussion }: Parts) {
  const pathTo = (at: Place, number: number) => `${at.path}/pulls/${number}`;

  async function open(at: Place, wanted: NewPullRequest, options?: CallOptions): Promise<PullRequest> {
    const { headBranch, headSha, baseBranch } = wanted;
    if (await reading.contains(at, baseBranch, headSha, options)) {
      throw new AdapterError('rejected', `${baseBranch} has ${headSha} already: nothing to merge`);
    }
    await pointHead(at, headBranch, headSha, options);
    return create(at, wanted, options);
  }

  /** A new branch is one call; to move one takes Git. */
  async function pointHead(at: Place, branch: string, sha: string, options?: CallOptions): Promise<void> {
    const path = `${at.path}/branches`;
    const now = await api.find<{ commit: { id: string } }>(`${path}/${encodeURIComponent(branch)}`, options);
    if (now?.commit.id === sha) return;
    if (now !== undefined) return remote.pointBranch(at.cloneUrl, branch, sha, options);
    const body = { new_branch_name: branch, old_ref_name: sha };
    try {
      await api.send({ method: 'POST', path, body }, options);
    } catch (error) {
      // Somebody else made it: Gitea says so (409), or breaks where that was at the same moment (500).
      const raced = error instanceof AdapterError && ['conflict', 'unavailable'].includes(error.reason);
      if (!raced) throw error;
      await remote.pointBranch(at.cloneUrl, branch, sha, options);
    }
  }

  async function create(at: Place, wanted: NewPullRequest, options?: CallOptions): Promise<PullRequest> {
    const { title, body, headBranch: head, headSha, baseBranch: base } = wanted;
    const path = `${at.path}/pulls`;
    let made: GiteaPull | undefined;
    try {
      made = (await api.send<GiteaPull>({ method: 'POST', path, body: { title, body, head, base } }, options)).data;
    } catch (error) {
      if (!(error instanceof AdapterError) || error.reason !== 'conflict') throw error;
      const other = await findFor(at, wanted, options);
      if (other === undefined) throw error;
      return { ...other, headSha };
    }
    // Asked twice at the same moment Gitea opens two: the older one stays.
    const first = await findFor(at, wanted, options);
    if (first === undefined || first.number >= made.number) return { ...toPullRequest(name, made), headSha };
    await api.send({ method: 'PATCH', path: pathTo(at, made.number), body: { state: 'closed' } }, options);
    return { ...first, headSha };
  }

  async function findFor(at: Place, wanted: NewPullRequest, options?: CallOptions): Promise<PullRequest | undefined> {
    const found = await findOpen(at, { headPrefix: wanted.headBranch, baseBranch: wanted.baseBranch }, options);
    return found
      .filter(({ headBranch }) => headBranch === wanted.headBranch)
      .reduce<PullRequest | undefined>(
        (first, pull) => (first && first.number < pull.number ? first : pull),
        undefined,
      );
  }

  async function findOpen(
    at: Place,
    filter: { headPrefix: string; baseBranch: string },
    options?: CallOptions,
  ): Promise<PullRequest[]> {
    // Older servers know no `base_branch`, and leave it out.
    const query = { state: 'open', base_branch: filter.baseBranch, ...PAGE };
    const { items, more } = await api.list<GiteaPull>(`${at.path}/pulls`, options, query, MOST_OPEN);
    requireAllOpen(more, 'pull requests');
    return items
      .filter((pull) => isOwn(pull) && pull.base.ref === filter.baseBranch)
      .filter((pull) => pull.head.label.startsWith(filter.headPrefix))
      .map((pull) => toPullRequest(name, pull));
  }

  async function read(at: Place, number: number, options?: CallOptions): Promise<PullRequest> {
    const data = await api.get<GiteaPull>(pathTo(at, number), options);
    const pull = toPullRequest(name, data);
    if (pull.state !== 'closed') return pull;
    const endedBy = await closedBy(at, data, options);
    return endedBy === undefined ? pull : { ...pull, endedBy };
  }

  /** Only the conversation says who closed it. */
  async function closedBy(at: Place, pull: GiteaPull, options?: CallOptions): Promise<string | undefined> {
    const closed = Date.parse(pull.closed_at ?? '');
    if (Number.isNaN(closed)) return undefined;
    const since = new Date(closed - 2_000).toISOString();
    const path = `${at.path}/issues/${pull.number}/timeline`;
    const { items } = await api.list<{ type: string; user?: GiteaUser | null }>(path, options, { since, ...PAGE }, 100);
    return items.findLast(({ type }) => type === 'close')?.user?.login;
  }

  async function update(
    at: Place,
    number: number,
    change: { title: string; body: string },
    options?: CallOptions,
  ): Promise<PullRequest> {
    const now = await read(at, number, options);
    if (now.title === change.title && now.body === change.body) return now;
    const { title, body } = change;
    const path = pathTo(at, number);
    const { data } = await api.send<GiteaPull>({ method: 'PATCH', path, body: { title, body } }, options);
    return toPullRequest(name, data);
  }

  async function close(at: Place, number: number, comment: string, options?: CallOptions): Promise<PullRequest> {
    const now = await read(at, number, options);
    if (now.state !== 'open') return now;
    await discussion.say(at, number, comment, options);
    const path = pathTo(at, number);
    const { data } = await api.send<GiteaPull>({ method: 'PATCH', path, body: { state: 'closed' } }, options);
    await remote.deleteBranch(at.cloneUrl, now.headBranch, now.headSha, options);
    return { ...toPullRequest(name, data), headSha: now.headSha };
  }

  async function merge(
    at: Place,
    number: number,
    wanted: Parameters<GitHost['mergePullRequest']>[2],
    options?: CallOptions,
  ): Promise<PullRequest> {
    const now = await read(at, number, options);
    if (requireMergeable(now, wanted.expectedHeadSha).state === 'merged') return now;
    try {
      await mergePatiently(at, number, wanted, options);
    } catch (error) {
      const merged = await mergedMeanwhile(at, number, error, options);
      if (merged === undefined) throw error;
      return merged;
    }
    const merged = await read(at, number, options);
    if (merged.state !== 'merged')
      throw new AdapterError('bad-response', `pull request ${number} does not count as merged`);
    await remote.deleteBranch(at.cloneUrl, now.headBranch, wanted.expectedHeadSha, options).catch(keepLeftover);
    return merged;
  }

  async function mergePatiently(
    at: Place,
    number: number,
    wanted: { expectedHeadSha: string; message: string; method?: MergeMethod },
    options?: CallOptions,
  ): Promise<void> {
    const [title = '', ...rest] = wanted.message.split('\n');
    // These spellings are understood by all versions of Gitea and Forgejo.
    const body = {
      Do: wanted.method ?? 'merge',
      MergeTitleField: title,
      MergeMessageField: rest.join('\n').trim(),
      head_commit_id: wanted.expectedHeadSha,
      delete_branch_after_merge: false,
    };
    for (const pause of [...PATIENCE_MS, undefined]) {
      try {
        await api.send({ method: 'POST', path: `${pathTo(at, number)}/merge`, body }, options);
        return;
      } catch (error) {
        if (!(error instanceof AdapterError) || !/try again later/i.test(error.message)) throw error;
        // It says the same of what conflicts: that stays so.
        if (pause === undefined) {
          throw new AdapterError('conflict', `${name} cannot merge pull request ${number}: it conflicts`, {
            cause: error,
          });
        }
        await wait(name, pause, options?.signal);
      }
    }
  }

  /** Two of us may have asked at the same time: the second is refused, and that is fine. */
  async function mergedMeanwhile(at: Place, number: number, error: unknown, options?: CallOptions) {
    if (!(error instanceof AdapterError) || !['conflict', 'unavailable'].includes(error.reason)) return undefined;
    const now = await read(at, number, options);
    return now.state === 'merged' ? now : undefined;
  }

  return { open, findOpen, read, update, close, merge };
}

/** Anyone can name a branch of a fork like ours. */
function isOwn(pull: GiteaPull): boolean {
  return pull.head.repo_id === pull.base.repo_id;
}

function toPullRequest(name: string, pull: GiteaPull): PullRequest {
  const endedBy = pull.merged_by?.login;
  return {
    number: pull.number,
    url: pull.html_url,
    state: pull.merged ? 'merged' : stateOf(name, pull.state),
    headBranch: pull.head.label,
    headSha: requireAnsweredSha(name, pull.head.sha),
    baseBranch: pull.base.ref,
    title: pull.title,
    body: pull.body,
    createdAt: pull.created_at,
    author: toHostUser(pull.user),
    fork: !isOwn(pull),
    draft: pull.draft ?? /^(?:WIP:|\[WIP\])/i.test(pull.title),
    labels: (pull.labels ?? []).map((label) => label.name),
    // When it says no it may not have looked yet.
    ...(pull.mergeable === true ? { mergeable: true } : {}),
    ...(pull.merged ? { mergeSha: requireAnsweredSha(name, pull.merge_commit_sha) } : {}),
    ...(pull.merged && endedBy !== undefined ? { endedBy } : {}),
    ...(pull.state === 'open' && !pull.merged ? askedOf(pull) : {}),
  };
}

/** Teams are named without the organisation that they are of: it owns the repository. */
function askedOf({ requested_reviewers, requested_reviewers_teams, html_url }: GiteaPull): Pick<PullRequest, 'asked'> {
  const owner = html_url.split('/').at(-4) ?? '';
  return asked(
    (requested_reviewers ?? []).map((one) => one?.login),
    (requested_reviewers_teams ?? []).map((one) => `${owner}/${one?.name}`),
  );
}

function stateOf(name: string, state: string): 'open' | 'closed' {
  if (state === 'open' || state === 'closed') return state;
  throw new AdapterError('bad-response', `${name} answered the state ${JSON.stringify(state)}`);
}
