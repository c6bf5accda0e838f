import { AdapterError } from '../../base/adapter-error.ts';
import type { Comment, CommitStatus, HostUser } from '../../promotion/people.ts';
import type { CallOptions } from './git-host.ts';
import { type GitLabMerge, type GitLabUser, harmless, PAGE, type Project, toHostUser } from './gitlab-api.ts';
import { requireSha } from './names.ts';
import { createOwnComments } from './own-comments.ts';
import type { RestApi } from './rest-api.ts';

/** The port's limit, and as much again for what GitLab notes itself. */
const MOST_COMMENTS = 500;
const MOST_NOTES = 1_000;
const STATES = { pending: 'pending', success: 'success', failure: 'failed' } as const;

/** A comment, or (`system`) what GitLab itself puts on record. */
export interface GitLabNote {
  id: number;
  body: string;
  author: GitLabUser;
  created_at: string;
  updated_at: string;
  system: boolean;
}

/** What is said around a merge request on GitLab. */
export function createGitLabDiscussion(api: RestApi, whoAmI: (options?: CallOptions) => Promise<HostUser>) {
  const pathTo = (at: Project, number: number) => `${at.path}/merge_requests/${number}`;

  /** Oldest first. */
  async function listNotes(at: Project, number: number, options?: CallOptions): Promise<GitLabNote[]> {
    const query = { sort: 'desc', order_by: 'created_at', ...PAGE };
    const { items } = await api.list<GitLabNote>(`${pathTo(at, number)}/notes`, options, query, MOST_NOTES);
    return items.toReversed();
  }

  async function readComments(at: Project, number: number, options?: CallOptions): Promise<Comment[]> {
    const notes = (await listNotes(at, number, options)).filter(({ system }) => !system);
    return notes.slice(-MOST_COMMENTS).map((note) => ({
      id: String(note.id),
      by: toHostUser(note.author),
      body: note.body,
      at: note.created_at,
      edited: note.updated_at !== note.created_at,
    }));
  }

  async function write(at: Project, number: number, body: string, options?: CallOptions): Promise<void> {
    await api.send({ method: 'POST', path: `${pathTo(at, number)}/notes`, body: { body } }, options);
  }

  async function ownNotes(at: Project, number: number, options?: CallOptions): Promise<GitLabNote[]> {
    const notes = (await listNotes(at, number, options)).filter(({ system }) => !system);
    if (notes.length === 0) return [];
    const me = await whoAmI(options);
    return notes.filter(({ author }) => String(author.id) === me.id);
  }

  const { say, putComment } = createOwnComments<Project, GitLabNote>({
    list: ownNotes,
    textOf: ({ body }) => body,
    write,
    async rewrite(at, number, { id }, body, options) {
      await api.send({ method: 'PUT', path: `${pathTo(at, number)}/notes/${id}`, body: { body } }, options);
    },
    kept: harmless,
  });

  async function changeLabels(
    at: Project,
    number: number,
    change: { add: readonly string[]; remove: readonly string[] },
    options?: CallOptions,
  ): Promise<void> {
    const odd = [...change.add, ...change.remove].find((label) => label.includes(',') || label.trim() === '');
    if (odd !== undefined) throw new AdapterError('rejected', `${JSON.stringify(odd)} is no label on GitLab`);
    const { labels } = await api.get<GitLabMerge>(pathTo(at, number), options);
    const add = change.add.filter((label) => !labels.includes(label));
    const remove = change.remove.filter((label) => labels.includes(label));
    if (add.length + remove.length === 0) return;
    // Labels that are missing GitLab makes itself.
    const body = { add_labels: add.join(','), remove_labels: remove.join(',') };
    await api.send({ method: 'PUT', path: pathTo(at, number), body }, options);
  }

  /** GitLab asks people, no groups; without a licence one person at most. */
  async function requestReviewers(
    at: Project,
    number: number,
    wanted: { users: readonly string[]; groups: readonly string[] },
    options?: CallOptions,
  ): Promise<{ notAsked: string[] }> {
    const { reviewers } = await api.get<GitLabMerge>(pathTo(at, number), options);
    const now = reviewers ?? [];
    const missing = wanted.users.filter((login) => !now.some(({ username }) => username === login));
    const found: GitLabUser[] = [];
    for (const login of missing) {
      const users = await api.get<GitLabUser[]>('/users', options, { username: login });
      found.push(...users.filter(({ username }) => username.toLowerCase() === login.toLowerCase()));
    }
    let asked = now;
    if (found.length > 0) {
      const body = { reviewer_ids: [...now, ...found].map(({ id }) => id) };
      const { data } = await api.send<GitLabMerge>({ method: 'PUT', path: pathTo(at, number), body }, options);
      asked = data.reviewers ?? [];
    }
    const isAsked = (login: string) => asked.some(({ username }) => username.toLowerCase() === login.toLowerCase());
    return { notAsked: [...wanted.users.filter((login) => !isAsked(login)), ...wanted.groups] };
  }

  async function setStatus(at: Project, sha: string, wanted: CommitStatus, options?: CallOptions): Promise<void> {
    requireSha(sha);
    interface Mark {
      name: string;
      status: string;
      description: string | null;
      target_url: string | null;
    }
    const { name, description, url } = wanted;
    const state = STATES[wanted.state];
    const query = { name, ...PAGE };
    const marks = await api.get<Mark[]>(`${at.path}/repository/commits/${sha}/statuses`, options, query);
    const mark = marks.find((one) => one.name === name);
    if (mark?.status === state) {
      // What waits cannot be made to wait again, even with other words: GitLab refuses it.
      if (state === 'pending') return;
      if (mark.description === description && (mark.target_url ?? undefined) === url) return;
    }
    const body = { name, state, description, ...(url === undefined ? {} : { target_url: url }) };
    await api.send({ method: 'POST', path: `${at.path}/statuses/${sha}`, body }, options);
  }

  return { listNotes, readComments, write, say, putComment, changeLabels, requestReviewers, setStatus };
}
