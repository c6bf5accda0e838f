import { AdapterError } from '../../base/adapter-error.ts';
import { listAll, type Place } from './bitbucket-api.ts';
import { type createBitbucketDiscussion, MOST_TEXT } from './bitbucket-discussion.ts';
import { toBitbucket } from './bitbucket-markdown.ts';
import { type BitbucketPull, isOwn, toPullRequest } from './bitbucket-pull.ts';
import type { createBitbucketReading } from './bitbucket-reading.ts';
import { fitText } from './fit-text.ts';
import type { CallOptions, GitHost, NewPullRequest, PullRequest } from './git-host.ts';
import type { GitRemote } from './git-remote.ts';
import { keepLeftover, wait } from './patience.ts';
import { MOST_OPEN, requireAllOpen } from './pull-request-rules.ts';
import type { RestApi } from './rest-api.ts';

/** Bitbucket notices in the background what a push has merged. */
const PATIENCE_MS = [100, 200, 400, 800, 1_600, 3_200];

interface Parts {
  name: string;
  api: RestApi;
  remote: GitRemote;
  reading: ReturnType<typeof createBitbucketReading>;
  discussion: ReturnType<typeof createBitbucketDiscussion>;
}

/** Pull requests on Bitbucket Cloud. Whatever is done twice finds what the first time has left. */
export function createBitbucketPullRequests({ name, api, remote, reading, discussion }: Parts) {
  const pathTo = (at: Place, number: number) => `${at.path}/pullrequests/${number}`;

  async function toPull(at: Place, pull: BitbucketPull, options?: CallOptions): Promise<PullRequest> {
    const short = pull.source.commit?.hash;
    if (short === undefined) throw new AdapterError('bad-response', `${name} answered no head of ${pull.id}`);
    const headSha = await reading.whole(at, short, options);
    const merged = pull.merge_commit && (await reading.whole(at, pull.merge_commit.hash, options));
    return toPullRequest(name, pull, headSha, merged ?? undefined);
  }

  function get(at: Place, number: number, options?: CallOptions): Promise<BitbucketPull> {
    return api.get<BitbucketPull>(pathTo(at, number), options);
  }

  async function read(at: Place, number: number, options?: CallOptions): Promise<PullRequest> {
    return toPull(at, await get(at, number, options), options);
  }

  async function open(at: Place, wanted: NewPullRequest, options?: CallOptions): Promise<PullRequest> {
    const { headBranch, headSha, baseBranch } = wanted;
    if (await reading.contains(at, baseBranch, headSha, options)) {
      throw new AdapterError('rejected', `${baseBranch} has ${headSha} already: nothing to merge`);
    }
    const isNew = await pointHead(at, headBranch, headSha, options);
    reading.learn(at, headSha);
    const before = isNew ? undefined : await findFor(at, wanted, options);
    return { ...(before ?? (await create(at, wanted, options))), headSha };
  }

  /** A new branch is one call; to move one takes Git. Answers whether it is new. */
  async function pointHead(at: Place, branch: string, sha: string, options?: CallOptions): Promise<boolean> {
    const now = await reading.branch(at, branch, options);
    if (now === sha) return false;
    if (now === undefined) {
      try {
        const body = { name: branch, target: { hash: sha } };
        await api.send({ method: 'POST', path: `${at.path}/refs/branches`, body }, options);
        return true;
      } catch (error) {
        // Somebody made it meanwhile.
        if (!(error instanceof AdapterError) || !['conflict', 'rejected'].includes(error.reason)) throw error;
        if ((await reading.branch(at, branch, options)) === undefined) throw error;
      }
    }
    await remote.pointBranch(at.cloneUrl, branch, sha, options);
    return false;
  }

  async function create(at: Place, wanted: NewPullRequest, options?: CallOptions): Promise<PullRequest> {
    const body = {
      title: wanted.title,
      description: fitText(toBitbucket(wanted.body), MOST_TEXT),
      source: { branch: { name: wanted.headBranch } },
      destination: { branch: { name: wanted.baseBranch } },
      close_source_branch: false,
    };
    const { data } = await api.send<BitbucketPull>({ method: 'POST', path: `${at.path}/pullrequests`, body }, options);
    // Asked twice at the same moment it may open two: the older one stays.
    const first = await findFor(at, wanted, options);
    if (first === undefined || first.number >= data.id) return toPullRequest(name, data, wanted.headSha, undefined);
    await decline(at, data.id, options);
    return first;
  }

  async function findFor(at: Place, wanted: NewPullRequest, options?: CallOptions): Promise<PullRequest | undefined> {
    const found = await findOpen(at, { headPrefix: wanted.headBranch, baseBranch: wanted.baseBranch }, options);
    const same = found.filter(({ headBranch }) => headBranch === wanted.headBranch);
    return same.toSorted((one, other) => one.number - other.number)[0];
  }

  async function findOpen(
    at: Place,
    filter: { headPrefix: string; baseBranch: string },
    options?: CallOptions,
  ): Promise<PullRequest[]> {
    const base = filter.baseBranch.replace(/["\\]/g, '\\$&');
    const query = { q: `state="OPEN" AND destination.branch.name="${base}"`, pagelen: '50' };
    const { items, more } = await listAll<BitbucketPull>(api, `${at.path}/pullrequests`, options, query, MOST_OPEN);
    requireAllOpen(more, 'pull requests');
    const found: PullRequest[] = [];
    for (const pull of items) {
      const ours = isOwn(pull) && pull.source.branch.name.startsWith(filter.headPrefix);
      if (ours) found.push(await toPull(at, pull, options));
    }
    return found;
  }

  async function update(
    at: Place,
    number: number,
    { title, body }: { title: string; body: string },
    options?: CallOptions,
  ): Promise<PullRequest> {
    const now = await get(at, number, options);
    const description = fitText(toBitbucket(body), MOST_TEXT);
    if (now.title === title && (now.description ?? '') === description) return toPull(at, now, options);
    // Reviewers that are not named again are taken away.
    const change = { title, description, reviewers: (now.reviewers ?? []).map(({ uuid }) => ({ uuid })) };
    const path = pathTo(at, number);
    const { data } = await api.send<BitbucketPull>({ method: 'PUT', path, body: change }, options);
    return toPull(at, data, options);
  }

  async function decline(at: Place, number: number, options?: CallOptions): Promise<BitbucketPull> {
    const path = `${pathTo(at, number)}/decline`;
    return (await api.send<BitbucketPull>({ method: 'POST', path }, options)).data;
  }

  async function close(at: Place, number: number, comment: string, options?: CallOptions): Promise<PullRequest> {
    const now = await read(at, number, options);
    if (now.state !== 'open') return now;
    await discussion.say(at, number, comment, options);
    const closed = await toPull(at, await decline(at, number, options), options);
    await remote.deleteBranch(at.cloneUrl, now.headBranch, now.headSha, options);
    return closed;
  }

  async function merge(
    at: Place,
    number: number,
    wanted: Parameters<GitHost['mergePullRequest']>[2],
    options?: CallOptions,
  ): Promise<PullRequest> {
    const now = await read(at, number, options);
    if (now.state === 'merged') return now;
    if (now.state === 'closed') throw new AdapterError('conflict', `pull request ${number} is closed`);
    let made: string | undefined;
    try {
      made = await mergeByGit(at, now, wanted, options);
    } catch (error) {
      // Two of us may have merged at the same time: the second push is refused, and that is fine.
      if (!(error instanceof AdapterError) || !['conflict', 'timeout', 'unavailable'].includes(error.reason))
        throw error;
      const after = await read(at, number, options);
      if (after.state !== 'merged') throw error;
      return after;
    }
    const merged = await untilMerged(at, now, made, options);
    await remote.deleteBranch(at.cloneUrl, now.headBranch, wanted.expectedHeadSha, options).catch(keepLeftover);
    return merged;
  }

  /** Bitbucket's own merge takes whatever the head is by then; a push says what is merged, and into what. */
  async function mergeByGit(
    at: Place,
    { number, headBranch, baseBranch }: PullRequest,
    { expectedHeadSha: head, message }: { expectedHeadSha: string; message: string },
    options?: CallOptions,
  ): Promise<string | undefined> {
    const tip = await reading.branch(at, headBranch, options);
    if (tip !== head) {
      const where = tip === undefined ? 'gone' : tip.slice(0, 7);
      throw new AdapterError('conflict', `the head of pull request ${number} is ${where} by now`);
    }
    const base = await reading.branch(at, baseBranch, options);
    const mergeBase = base && (await reading.mergeBase(at, base, head, options));
    if (base === undefined || mergeBase === undefined)
      throw new AdapterError('conflict', `${headBranch} and ${baseBranch} have nothing in common`);
    // Merged before, and Bitbucket has not noticed yet.
    if (mergeBase === head) return undefined;
    const wish = { baseBranch, headBranch, base, head, mergeBase, message, at: new Date().toISOString() };
    const sha = await remote.mergeBranches(at.cloneUrl, wish, options).catch((error: unknown) => {
      throw error instanceof AdapterError && /hook declined|permission/i.test(error.message)
        ? new AdapterError('forbidden', error.message, { cause: error })
        : error;
    });
    reading.learn(at, sha);
    return sha;
  }

  async function untilMerged(at: Place, before: PullRequest, made: string | undefined, options?: CallOptions) {
    const { number, headSha, baseBranch } = before;
    for (const pause of [...PATIENCE_MS, undefined]) {
      const pull = await read(at, number, options);
      if (pull.state === 'merged') return made === undefined ? pull : { ...pull, mergeSha: made };
      // What was pushed after our last look is not merged: so it is no merged one to Bitbucket either.
      if (pull.headSha !== headSha) {
        const sentence = `${baseBranch} has ${headSha.slice(0, 7)}, but pull request ${number} is at ${pull.headSha.slice(0, 7)} by now`;
        throw new AdapterError('conflict', sentence);
      }
      if (pause !== undefined) await wait(name, pause, options?.signal);
    }
    throw new AdapterError('unavailable', `${name} has not noticed yet that pull request ${number} is merged`);
  }

  return { open, findOpen, read, update, close, merge };
}
