import { AdapterError } from '../../base/adapter-error.ts';
import { sha256 } from '../../base/ids.ts';
import type { Comment, CommitStatus, HostUser } from '../../promotion/people.ts';
import { path as encode } from '../http-client.ts';
import { type BitbucketUser, listAll, type Place, toHostUser } from './bitbucket-api.ts';
import { fromBitbucket, toBitbucket } from './bitbucket-markdown.ts';
import type { BitbucketPull } from './bitbucket-pull.ts';
import { fitText } from './fit-text.ts';
import type { CallOptions } from './git-host.ts';
import { requireSha } from './names.ts';
import { createOwnComments } from './own-comments.ts';
import type { RestApi } from './rest-api.ts';

/** The port's limit. */
const MOST_COMMENTS = 500;
/** Characters of a text. */
export const MOST_TEXT = 32_000;
/** Characters of a mark's key. */
const MOST_KEY = 40;
const STATES = { pending: 'INPROGRESS', success: 'SUCCESSFUL', failure: 'FAILED' } as const;

interface BitbucketComment {
  id: number;
  content: { raw: string };
  user: BitbucketUser | null;
  created_on: string;
  updated_on: string;
  deleted?: boolean;
}

/** What is said around a pull request on Bitbucket Cloud. */
export function createBitbucketDiscussion(api: RestApi, isAccessToken: boolean) {
  let me: Promise<HostUser | undefined> | undefined;

  /** The account that we act as; `undefined` for an access token, which may not ask. */
  function whoAmI(options?: CallOptions): Promise<HostUser | undefined> {
    me ??= api.get<BitbucketUser>('/user', options).then(toHostUser, (error: unknown) => {
      const refused = error instanceof AdapterError && ['unauthenticated', 'forbidden'].includes(error.reason);
      if (!isAccessToken || !refused) throw error;
      return undefined;
    });
    me.catch(() => {
      me = undefined;
    });
    return me;
  }

  const pathTo = (at: Place, number: number) => `${at.path}/pullrequests/${number}`;

  async function listComments(at: Place, number: number, options?: CallOptions): Promise<BitbucketComment[]> {
    const query = { sort: '-created_on', pagelen: '100' };
    const path = `${pathTo(at, number)}/comments`;
    const { items } = await listAll<BitbucketComment>(api, path, options, query, MOST_COMMENTS);
    return items.filter(({ deleted, user }) => deleted !== true && user !== null).toReversed();
  }

  async function readComments(at: Place, number: number, options?: CallOptions): Promise<Comment[]> {
    return (await listComments(at, number, options)).map(({ id, content, user, created_on, updated_on }) => ({
      id: String(id),
      by: toHostUser(user ?? { uuid: '' }),
      body: fromBitbucket(content.raw),
      at: created_on,
      edited: updated_on !== created_on,
    }));
  }

  async function ownComments(at: Place, number: number, options?: CallOptions): Promise<BitbucketComment[]> {
    const all = await listComments(at, number, options);
    if (all.length === 0) return [];
    const own = (await whoAmI(options))?.id ?? (await authorOf(at, number, options));
    return all.filter(({ user }) => user?.uuid === own);
  }

  /** An access token may not ask who it is; the pull request was opened with it. */
  async function authorOf(at: Place, number: number, options?: CallOptions): Promise<string> {
    return (await api.get<BitbucketPull>(pathTo(at, number), options)).author.uuid;
  }

  async function write(at: Place, number: number, raw: string, options?: CallOptions): Promise<void> {
    const path = `${pathTo(at, number)}/comments`;
    await api.send({ method: 'POST', path, body: { content: { raw } } }, options);
  }

  const { say, putComment } = createOwnComments<Place, BitbucketComment>({
    list: ownComments,
    textOf: ({ content }) => content.raw,
    write,
    async rewrite(at, number, { id }, raw, options) {
      const path = `${pathTo(at, number)}/comments/${id}`;
      await api.send({ method: 'PUT', path, body: { content: { raw } } }, options);
    },
    kept: (text) => fitText(toBitbucket(text), MOST_TEXT),
  });

  async function setStatus(at: Place, sha: string, wanted: CommitStatus, options?: CallOptions): Promise<void> {
    requireSha(sha);
    type Mark = { state: string; description?: string | null; url: string };
    const where = `${at.path}${encode`/commit/${sha}`}/statuses/build`;
    // By how it begins we know a mark of our own when its webhook comes.
    const begins = wanted.name.slice(0, wanted.name.indexOf('/') + 1).slice(0, MOST_KEY / 2);
    const key = wanted.name.length <= MOST_KEY ? wanted.name : `${begins}${sha256(wanted.name)}`.slice(0, MOST_KEY);
    // Bitbucket takes no mark without a link.
    const { description, url = `${at.page}/commits/${sha}` } = wanted;
    const state = STATES[wanted.state];
    const now = await api.find<Mark>(`${where}${encode`/${key}`}`, options);
    if (now?.state === state && (now.description ?? '') === description && now.url === url) return;
    const body = { key, name: wanted.name, state, description, url };
    await api.send({ method: 'POST', path: where, body }, options);
  }

  return { whoAmI, readComments, say, putComment, setStatus };
}
