import { AdapterError } from '../../base/adapter-error.ts';
import type { Comment, CommitStatus, HostUser } from '../../promotion/people.ts';
import { path as encode } from '../http-client.ts';
import type { CallOptions } from './git-host.ts';
import { type GiteaPull, type GiteaUser, PAGE, type Place, toHostUser } from './gitea-api.ts';
import { requireSha } from './names.ts';
import { createOwnComments } from './own-comments.ts';
import type { RestApi } from './rest-api.ts';

/** The port's limit. */
const MOST_COMMENTS = 500;
const MOST_LABELS = 2_000;
/** A calm grey: the label's name says what it means. */
const LABEL_COLOR = '#8c959f';

interface GiteaComment {
  id: number;
  body: string;
  user: GiteaUser;
  created_at: string;
  updated_at: string;
}

/** What is said around a pull request on Gitea. */
export function createGiteaDiscussion(api: RestApi, whoAmI: (options?: CallOptions) => Promise<HostUser>) {
  async function listComments(at: Place, number: number, options?: CallOptions): Promise<GiteaComment[]> {
    try {
      // No pages: Gitea answers all of them, oldest first.
      return await api.get<GiteaComment[]>(`${at.path}/issues/${number}/comments`, options);
    } catch (error) {
      // Also when there is no such pull request Gitea says that it broke.
      if (error instanceof AdapterError && error.reason === 'unavailable') await requirePull(at, number, options);
      throw error;
    }
  }

  async function requirePull(at: Place, number: number, options?: CallOptions): Promise<void> {
    await api.get(`${at.path}/pulls/${number}`, options);
  }

  async function readComments(at: Place, number: number, options?: CallOptions): Promise<Comment[]> {
    const all = await listComments(at, number, options);
    return all.slice(-MOST_COMMENTS).map((comment) => ({
      id: String(comment.id),
      by: toHostUser(comment.user),
      body: comment.body,
      at: comment.created_at,
      edited: comment.updated_at !== comment.created_at,
    }));
  }

  async function write(at: Place, number: number, body: string, options?: CallOptions): Promise<void> {
    await api.send({ method: 'POST', path: `${at.path}/issues/${number}/comments`, body: { body } }, options);
  }

  async function ownComments(at: Place, number: number, options?: CallOptions): Promise<GiteaComment[]> {
    const all = await listComments(at, number, options);
    if (all.length === 0) return [];
    const me = await whoAmI(options);
    return all.filter(({ user }) => String(user.id) === me.id);
  }

  const { say, putComment } = createOwnComments<Place, GiteaComment>({
    list: ownComments,
    textOf: ({ body }) => body,
    write,
    async rewrite(at, _number, { id }, body, options) {
      await api.send({ method: 'PATCH', path: `${at.path}/issues/comments/${id}`, body: { body } }, options);
    },
  });

  async function changeLabels(
    at: Place,
    number: number,
    change: { add: readonly string[]; remove: readonly string[] },
    options?: CallOptions,
  ): Promise<void> {
    const { labels } = await api.get<GiteaPull>(`${at.path}/pulls/${number}`, options);
    const now = labels ?? [];
    const missing = change.add.filter((name) => !now.some((label) => label.name === name));
    if (missing.length > 0) {
      const ids = await labelIds(at, missing, options);
      await api.send({ method: 'POST', path: `${at.path}/issues/${number}/labels`, body: { labels: ids } }, options);
    }
    for (const { id, name } of now) {
      if (!change.remove.includes(name)) continue;
      await api.send({ method: 'DELETE', path: `${at.path}/issues/${number}/labels/${id}` }, options);
    }
  }

  async function labelIds(at: Place, names: readonly string[], options?: CallOptions): Promise<number[]> {
    type Label = { id: number; name: string };
    const { items } = await api.list<Label>(`${at.path}/labels`, options, PAGE, MOST_LABELS);
    const ids: number[] = [];
    for (const name of names) {
      const known = items.find((label) => label.name === name);
      const body = { name, color: LABEL_COLOR };
      ids.push(
        known?.id ?? (await api.send<Label>({ method: 'POST', path: `${at.path}/labels`, body }, options)).data.id,
      );
    }
    return ids;
  }

  async function requestReviewers(
    at: Place,
    number: number,
    wanted: { users: readonly string[]; groups: readonly string[] },
    options?: CallOptions,
  ): Promise<{ notAsked: string[] }> {
    const pull = await api.get<GiteaPull>(`${at.path}/pulls/${number}`, options);
    const asked = new Set((pull.requested_reviewers ?? []).map(({ login }) => login));
    const askedTeams = new Set((pull.requested_reviewers_teams ?? []).map(({ name }) => name));
    const notAsked: string[] = [];
    const ask = async (who: string, body: object) => {
      const path = `${at.path}/pulls/${number}/requested_reviewers`;
      // One by one: a single name that is wrong has Gitea ask nobody.
      await api.send({ method: 'POST', path, body }, options).catch((error: unknown) => {
        const refused = error instanceof AdapterError && ['not-found', 'rejected'].includes(error.reason);
        if (!refused) throw error;
        notAsked.push(who);
      });
    };
    for (const login of wanted.users) {
      if (!asked.has(login)) await ask(login, { reviewers: [login], team_reviewers: [] });
    }
    for (const group of wanted.groups) {
      const [owner, team = '', ...more] = group.split('/');
      if (owner !== at.owner || team === '' || more.length > 0) notAsked.push(group);
      else if (!askedTeams.has(team)) await ask(group, { reviewers: [], team_reviewers: [team] });
    }
    return { notAsked };
  }

  async function setStatus(at: Place, sha: string, wanted: CommitStatus, options?: CallOptions): Promise<void> {
    requireSha(sha);
    interface Mark {
      context: string;
      status: string;
      description: string;
      target_url: string;
    }
    const path = `${at.path}${encode`/commits/${sha}/status`}`;
    const now = await api.get<{ statuses?: Mark[] | null }>(path, options, PAGE);
    const { name, state, description, url = '' } = wanted;
    const mark = (now.statuses ?? []).find(({ context }) => context === name);
    if (mark?.status === state && mark.description === description && mark.target_url === url) return;
    const body = { context: name, state, description, target_url: url };
    await api.send({ method: 'POST', path: `${at.path}/statuses/${sha}`, body }, options);
  }

  return { readComments, say, putComment, changeLabels, requestReviewers, setStatus };
}
