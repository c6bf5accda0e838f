import { AdapterError } from '../../base/adapter-error.ts';
import type { Comment, CommitStatus, HostUser } from '../../promotion/people.ts';
import { path as encode } from '../http-client.ts';
import { type AzureIdentity, type Place, toHostUser } from './azure-devops-api.ts';
import type { AzureIdentities } from './azure-devops-identities.ts';
import type { AzurePull } from './azure-devops-pull.ts';
import type { CallOptions } from './git-host.ts';
import { requireSha } from './names.ts';
import { createOwnComments } from './own-comments.ts';
import type { RestApi } from './rest-api.ts';

/** The port's limit. */
const MOST_COMMENTS = 500;
const STATES = { pending: 'pending', success: 'succeeded', failure: 'failed' } as const;

interface Thread {
  id: number;
  isDeleted?: boolean;
  comments?: ThreadComment[];
}

interface ThreadComment {
  id: number;
  author: AzureIdentity;
  content?: string;
  /** `system` when Azure DevOps itself says what happened. */
  commentType: string;
  publishedDate: string;
  lastContentUpdatedDate: string;
  isDeleted?: boolean;
}

interface Found {
  thread: number;
  comment: ThreadComment;
}

interface Mark {
  state: string;
  description?: string;
  targetUrl?: string | null;
  context: { name: string; genre?: string | null };
}

interface Parts {
  api: RestApi;
  identities: AzureIdentities;
  whoAmI(options?: CallOptions): Promise<HostUser>;
  /** The pull request that was last seen with this head. */
  pullOf(at: Place, sha: string): number | undefined;
}

/** What is said around a pull request on Azure DevOps. */
export function createAzureDiscussion({ api, identities, whoAmI, pullOf }: Parts) {
  const pathTo = (at: Place, number: number) => `${at.path}/pullRequests/${number}`;

  async function listComments(at: Place, number: number, options?: CallOptions): Promise<Found[]> {
    // No pages: Azure DevOps answers all of them.
    const { value } = await api.get<{ value: Thread[] }>(`${pathTo(at, number)}/threads`, options);
    return value
      .filter(({ isDeleted }) => isDeleted !== true)
      .flatMap(({ id, comments }) => (comments ?? []).map((comment) => ({ thread: id, comment })))
      .filter(({ comment }) => comment.commentType !== 'system' && comment.isDeleted !== true)
      .toSorted((one, other) => Date.parse(one.comment.publishedDate) - Date.parse(other.comment.publishedDate));
  }

  async function readComments(at: Place, number: number, options?: CallOptions): Promise<Comment[]> {
    const all = await listComments(at, number, options);
    return all.slice(-MOST_COMMENTS).map(({ thread, comment }) => ({
      id: `${thread}/${comment.id}`,
      by: toHostUser(comment.author),
      body: comment.content ?? '',
      at: comment.publishedDate,
      edited: comment.lastContentUpdatedDate !== comment.publishedDate,
    }));
  }

  async function ownComments(at: Place, number: number, options?: CallOptions): Promise<Found[]> {
    const all = await listComments(at, number, options);
    if (all.length === 0) return [];
    const me = await whoAmI(options);
    return all.filter(({ comment }) => comment.author.id === me.id);
  }

  async function write(at: Place, number: number, content: string, options?: CallOptions): Promise<void> {
    // Closed: where all discussions must be resolved ours holds nothing up.
    const body = { comments: [{ parentCommentId: 0, content, commentType: 'text' }], status: 'closed' };
    await api.send({ method: 'POST', path: `${pathTo(at, number)}/threads`, body }, options);
  }

  const { say, putComment } = createOwnComments<Place, Found>({
    list: ownComments,
    textOf: ({ comment }) => comment.content,
    write,
    async rewrite(at, number, { thread, comment }, content, options) {
      const path = `${pathTo(at, number)}/threads/${thread}/comments/${comment.id}`;
      await api.send({ method: 'PATCH', path, body: { content } }, options);
    },
  });

  async function changeLabels(
    at: Place,
    number: number,
    change: { add: readonly string[]; remove: readonly string[] },
    options?: CallOptions,
  ): Promise<void> {
    type Label = { id: string; name: string; active?: boolean };
    const where = `${pathTo(at, number)}/labels`;
    const { value } = await api.get<{ value: Label[] }>(where, options);
    const now = value.filter(({ active }) => active !== false);
    for (const name of change.add) {
      if (!now.some((label) => label.name === name))
        await api.send({ method: 'POST', path: where, body: { name } }, options);
    }
    for (const { id, name } of now) {
      if (change.remove.includes(name))
        await api.send({ method: 'DELETE', path: `${where}${encode`/${id}`}` }, options);
    }
  }

  async function requestReviewers(
    at: Place,
    number: number,
    wanted: { users: readonly string[]; groups: readonly string[] },
    options?: CallOptions,
  ): Promise<{ notAsked: string[] }> {
    const { reviewers = [] } = await api.get<AzurePull>(pathTo(at, number), options);
    const notAsked: string[] = [];
    const ask = async (who: string, group: boolean) => {
      const id = await identities.find(who, group, options);
      if (id === undefined) return void notAsked.push(who);
      // Who is asked again loses the vote.
      if (reviewers.some((one) => one.id === id)) return;
      const path = `${pathTo(at, number)}${encode`/reviewers/${id}`}`;
      await api.send({ method: 'PUT', path, body: { id, vote: 0 } }, options).catch((error: unknown) => {
        const refused = error instanceof AdapterError && ['not-found', 'rejected'].includes(error.reason);
        if (!refused) throw error;
        notAsked.push(who);
      });
    };
    for (const user of wanted.users) await ask(user, false);
    for (const group of wanted.groups) await ask(group, true);
    return { notAsked };
  }

  async function setStatus(at: Place, sha: string, wanted: CommitStatus, options?: CallOptions): Promise<void> {
    requireSha(sha);
    const where = `${at.path}${encode`/commits/${sha}/statuses`}`;
    const { value } = await api.get<{ value: Mark[] }>(where, options, { latestOnly: 'true', $top: '100' });
    const body = toMark(wanted);
    if (value.some((mark) => isSame(mark, body))) return;
    const number = pullOf(at, sha);
    if (number !== undefined) await markPull(at, number, sha, body, options);
    await api.send({ method: 'POST', path: where, body }, options);
  }

  /** Only the mark of a pull request can be required by a branch's policy, and it counts for one push. */
  async function markPull(at: Place, number: number, sha: string, body: Mark, options?: CallOptions): Promise<void> {
    type Iteration = { id: number; sourceRefCommit: { commitId: string } };
    const { value } = await api.get<{ value: Iteration[] }>(`${pathTo(at, number)}/iterations`, options);
    const last = value.findLast(({ sourceRefCommit }) => sourceRefCommit.commitId === sha);
    if (last === undefined) return;
    const path = `${pathTo(at, number)}/iterations/${last.id}/statuses`;
    await api.send({ method: 'POST', path, body }, options);
  }

  return { readComments, say, putComment, changeLabels, requestReviewers, setStatus };
}

/** `lynceus/evaluation` is the genre `lynceus`: policies show and require the two together. */
function toMark({ name, state, description, url }: CommitStatus): Mark {
  const [genre = '', ...rest] = name.split('/');
  const context = rest.length === 0 ? { name } : { genre, name: rest.join('/') };
  return { state: STATES[state], description, ...(url === undefined ? {} : { targetUrl: url }), context };
}

function isSame(one: Mark, other: Mark): boolean {
  const said = ({ state, description = '', targetUrl, context }: Mark) =>
    JSON.stringify([state, description, targetUrl ?? '', context.genre ?? '', context.name]);
  return said(one) === said(other);
}
