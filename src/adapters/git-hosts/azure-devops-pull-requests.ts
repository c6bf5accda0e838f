import { AdapterError } from '../../base/adapter-error.ts';
import { listAll, type Place } from './azure-devops-api.ts';
import type { createAzureDiscussion } from './azure-devops-discussion.ts';
import type { AzureIdentities } from './azure-devops-identities.ts';
import { type AzurePull, headBranchOf, isBehind, refOf, toPullRequest } from './azure-devops-pull.ts';
import type { createAzureReading } from './azure-devops-reading.ts';
import { fitText } from './fit-text.ts';
import type { CallOptions, GitHost, MergeMethod, NewPullRequest, PullRequest } from './git-host.ts';
import { keepLeftover, wait } from './patience.ts';
import { MOST_OPEN, requireAllOpen, requireMergeable } from './pull-request-rules.ts';
import type { RestApi } from './rest-api.ts';

/** Characters of a description, as Azure DevOps counts them. */
export const MOST_BODY = 4_000;
/** Of a merge's message: with the other options it must stay below 4,000 as well. */
const MOST_MESSAGE = 3_500;
/** A list shows no more of a description than this. */
const LISTED_BODY = 400;
const NOTHING = '0'.repeat(40);
/** Azure DevOps merges in the background. */
const PATIENCE_MS = [100, 200, 400, 800, 1_600, 3_200];
const NO_AUTO_COMPLETE = { autoCompleteSetBy: { id: '00000000-0000-0000-0000-000000000000' } };
const STRATEGIES: Record<MergeMethod, string> = { merge: 'noFastForward', squash: 'squash', rebase: 'rebase' };

interface Parts {
  name: string;
  api: RestApi;
  identities: AzureIdentities;
  reading: ReturnType<typeof createAzureReading>;
  discussion: ReturnType<typeof createAzureDiscussion>;
  /** Told of each pull request that was seen. */
  saw(at: Place, pull: PullRequest): void;
}

type Merge = { expectedHeadSha: string; message: string; method?: MergeMethod };

/** Pull requests on Azure DevOps. Whatever is done twice finds what the first time has left. */
export function createAzurePullRequests({ name, api, identities, reading, discussion, saw }: Parts) {
  const pathTo = (at: Place, number: number) => `${at.path}/pullrequests/${number}`;

  async function toPull(at: Place, pull: AzurePull, options?: CallOptions): Promise<PullRequest> {
    const behind = isBehind(pull) && pull.forkSource == null;
    const head = behind ? await reading.refAt(at, `heads/${headBranchOf(pull)}`, options) : undefined;
    const made = toPullRequest(name, at, pull, head);
    saw(at, made);
    return made;
  }

  async function change(at: Place, number: number, body: object, options?: CallOptions): Promise<AzurePull> {
    return (await api.send<AzurePull>({ method: 'PATCH', path: pathTo(at, number), body }, options)).data;
  }

  async function open(at: Place, wanted: NewPullRequest, options?: CallOptions): Promise<PullRequest> {
    const { headBranch, headSha, baseBranch } = wanted;
    if (await reading.contains(at, baseBranch, headSha, options)) {
      throw new AdapterError('rejected', `${baseBranch} has ${headSha} already: nothing to merge`);
    }
    await pointHead(at, headBranch, headSha, options);
    const made = { ...(await create(at, wanted, options)), headSha };
    saw(at, made);
    return made;
  }

  /** Twice: who asks at the same moment may have made it meanwhile. */
  async function pointHead(at: Place, branch: string, sha: string, options?: CallOptions): Promise<void> {
    for (let tries = 0; tries < 2; tries += 1) {
      const now = await reading.refAt(at, `heads/${branch}`, options);
      if (now === sha || (await moveRef(at, branch, now ?? NOTHING, sha, options))) return;
    }
    throw new AdapterError('conflict', `${branch} changed while we moved it`);
  }

  /** Only while it is where we think; answers false when it is not. */
  async function moveRef(at: Place, branch: string, from: string, to: string, options?: CallOptions): Promise<boolean> {
    type Update = { success: boolean; updateStatus: string; customMessage?: string | null };
    const body = [{ name: refOf(branch), oldObjectId: from, newObjectId: to }];
    const { data } = await api.send<{ value: Update[] }>({ method: 'POST', path: `${at.path}/refs`, body }, options);
    const [update] = data.value;
    if (update?.success === true) return true;
    const status = String(update?.updateStatus);
    if (status === 'staleOldObjectId') return false;
    const reason = /Required$/.test(status) ? 'forbidden' : 'rejected';
    throw new AdapterError(reason, `${name} did not move ${branch}: ${update?.customMessage || status}`);
  }

  async function create(at: Place, wanted: NewPullRequest, options?: CallOptions): Promise<PullRequest> {
    const body = {
      title: wanted.title,
      description: fitText(wanted.body, MOST_BODY),
      sourceRefName: refOf(wanted.headBranch),
      targetRefName: refOf(wanted.baseBranch),
    };
    try {
      const path = `${at.path}/pullrequests`;
      const { data } = await api.send<AzurePull>({ method: 'POST', path, body }, options);
      return toPullRequest(name, at, data, wanted.headSha);
    } catch (error) {
      if (!(error instanceof AdapterError) || error.reason !== 'conflict') throw error;
      const found = await findOpen(at, { headPrefix: wanted.headBranch, baseBranch: wanted.baseBranch }, options);
      const other = found.find(({ headBranch }) => headBranch === wanted.headBranch);
      if (other === undefined) throw error;
      return read(at, other.number, options);
    }
  }

  async function findOpen(
    at: Place,
    filter: { headPrefix: string; baseBranch: string },
    options?: CallOptions,
  ): Promise<PullRequest[]> {
    const query = { 'searchCriteria.status': 'active', 'searchCriteria.targetRefName': refOf(filter.baseBranch) };
    const { items, more } = await listAll<AzurePull>(api, `${at.path}/pullrequests`, options, query, MOST_OPEN);
    requireAllOpen(more, 'pull requests');
    const found: PullRequest[] = [];
    for (const pull of items) {
      // Anyone can name a branch of a fork like ours.
      if (pull.forkSource != null || !headBranchOf(pull).startsWith(filter.headPrefix)) continue;
      const isCut = (pull.description?.length ?? 0) >= LISTED_BODY;
      found.push(isCut ? await read(at, pull.pullRequestId, options) : await toPull(at, pull, options));
    }
    return found;
  }

  async function read(at: Place, number: number, options?: CallOptions): Promise<PullRequest> {
    return toPull(at, await api.get<AzurePull>(pathTo(at, number), options), options);
  }

  async function update(
    at: Place,
    number: number,
    wanted: { title: string; body: string },
    options?: CallOptions,
  ): Promise<PullRequest> {
    const now = await read(at, number, options);
    const description = fitText(wanted.body, MOST_BODY);
    if (now.title === wanted.title && now.body === description) return now;
    const pull = await change(at, number, { title: wanted.title, description }, options);
    return toPullRequest(name, at, pull, now.headSha);
  }

  async function close(at: Place, number: number, comment: string, options?: CallOptions): Promise<PullRequest> {
    const now = await read(at, number, options);
    if (now.state !== 'open') return now;
    await discussion.say(at, number, comment, options);
    const pull = await change(at, number, { status: 'abandoned' }, options);
    await moveRef(at, now.headBranch, now.headSha, NOTHING, options);
    return toPullRequest(name, at, pull, now.headSha);
  }

  async function merge(
    at: Place,
    number: number,
    wanted: Parameters<GitHost['mergePullRequest']>[2],
    options?: CallOptions,
  ): Promise<PullRequest> {
    const now = await readFor(at, number, wanted.expectedHeadSha, options);
    if (now.state === 'merged') return now;
    try {
      const lastMergeSourceCommit = { commitId: wanted.expectedHeadSha };
      await change(
        at,
        number,
        { status: 'completed', lastMergeSourceCommit, completionOptions: optionsOf(wanted) },
        options,
      );
    } catch (error) {
      // Two of us may have asked at the same time: the second is refused, and that is fine.
      if (!(error instanceof AdapterError) || !['conflict', 'unavailable', 'rejected'].includes(error.reason))
        throw error;
      const after = await read(at, number, options);
      if (after.state !== 'merged') throw error;
      return after;
    }
    const merged = await untilMerged(at, number, options);
    await moveRef(at, now.headBranch, wanted.expectedHeadSha, NOTHING, options).catch(keepLeftover);
    return merged;
  }

  /** @throws {AdapterError} `conflict` when it is closed, or its head is another one */
  async function readFor(at: Place, number: number, headSha: string, options?: CallOptions): Promise<PullRequest> {
    return requireMergeable(await read(at, number, options), headSha);
  }

  async function untilMerged(at: Place, number: number, options?: CallOptions): Promise<PullRequest> {
    for (const pause of [...PATIENCE_MS, undefined]) {
      const pull = await api.get<AzurePull>(pathTo(at, number), options);
      if (pull.status !== 'active') return toPull(at, pull, options);
      const { mergeStatus = '', mergeFailureMessage } = pull;
      if (['conflicts', 'failure', 'rejectedByPolicy'].includes(mergeStatus)) {
        const why = mergeFailureMessage ? `${mergeStatus}: ${mergeFailureMessage.slice(0, 200)}` : mergeStatus;
        throw new AdapterError('conflict', `${name} did not merge pull request ${number}: ${why}`);
      }
      if (pause === undefined) break;
      await wait(name, pause, options?.signal);
    }
    throw new AdapterError('unavailable', `${name} has not merged pull request ${number} yet`);
  }

  async function mergeWhenReady(at: Place, number: number, wanted: Merge, options?: CallOptions): Promise<PullRequest> {
    const now = await api.get<AzurePull>(pathTo(at, number), options);
    const before = await toPull(at, now, options);
    if (before.state === 'merged') return before;
    if (before.state === 'closed' || before.headSha !== wanted.expectedHeadSha) {
      return readFor(at, number, wanted.expectedHeadSha, options);
    }
    const { id } = await identities.whoAmI(options);
    if (now.autoCompleteSetBy?.id === id) return before;
    await change(at, number, { autoCompleteSetBy: { id }, completionOptions: optionsOf(wanted) }, options);
    const after = await read(at, number, options);
    if (after.state !== 'open' || after.headSha === wanted.expectedHeadSha) return after;
    // Something was pushed between our look and our wish, which names no commit: taken back.
    await change(at, number, NO_AUTO_COMPLETE, options);
    return readFor(at, number, wanted.expectedHeadSha, options);
  }

  async function mergeNotYet(at: Place, number: number, options?: CallOptions): Promise<void> {
    const { status, autoCompleteSetBy } = await api.get<AzurePull>(pathTo(at, number), options);
    const { id } = await identities.whoAmI(options);
    if (status === 'active' && autoCompleteSetBy?.id === id) await change(at, number, NO_AUTO_COMPLETE, options);
  }

  return { open, findOpen, read, update, close, merge, mergeWhenReady, mergeNotYet };
}

function optionsOf({ message, method = 'merge' }: Merge): object {
  const mergeCommitMessage = fitText(message.trimEnd(), MOST_MESSAGE);
  // The branch is deleted by ourselves, and only where it was merged.
  return { mergeStrategy: STRATEGIES[method], mergeCommitMessage, deleteSourceBranch: false };
}
