import { AdapterError } from '../../base/adapter-error.ts';
import type { Comment, CommitStatus, HostUser } from '../../promotion/people.ts';
import type { CallOptions } from './git-host.ts';
import type { Coordinates, GitHubApi } from './github-api.ts';
import { allPages, lastPage, PAGE_SIZE } from './github-pages.ts';
import { GHOST, type GitHubUser, toHostUser } from './github-pull.ts';

/** The port's limit: the newest 500. */
const MAX_COMMENTS = 500;
/** Until ours is found: it is one of the first. */
const MAX_PAGES = 30;
/** GitHub keeps 1,000 marks of one name on a commit. */
const STATUS_PAGES = 5;

interface GitHubComment {
  id: number;
  body?: string | undefined;
  user?: GitHubUser | null;
  created_at: string;
  updated_at: string;
}

/** Comments, labels, requests for review and marks: what has not changed is not written again. */
export function createGitHubDiscussion(
  api: GitHubApi,
  me: (at: Coordinates, options?: CallOptions) => Promise<HostUser>,
) {
  async function pageOf(at: Coordinates, number: number, page: number, options?: CallOptions) {
    const { data, headers } = await api(options, (octokit, bound) =>
      octokit.rest.issues.listComments({ ...at, issue_number: number, per_page: PAGE_SIZE, page, ...bound }),
    );
    return { comments: data as GitHubComment[], last: lastPage(headers.link) };
  }

  /** Only one of our own account, so that nobody speaks in our name. */
  async function findOurs(at: Coordinates, number: number, marker: string, options?: CallOptions) {
    const { id } = await me(at, options);
    for (let page = 1; page <= MAX_PAGES; page += 1) {
      const { comments } = await pageOf(at, number, page, options);
      const ours = comments.find(({ body = '', user }) => toHostUser(user)?.id === id && body.startsWith(marker));
      if (ours !== undefined || comments.length < PAGE_SIZE) return ours;
    }
    throw new AdapterError('rejected', `pull request ${number} has more than ${MAX_PAGES * PAGE_SIZE} comments`);
  }

  async function putComment(
    at: Coordinates,
    number: number,
    { marker, body }: { marker: string; body: string },
    options?: CallOptions,
  ): Promise<void> {
    const ours = await findOurs(at, number, marker, options);
    if (ours?.body === body) return;
    await api<unknown>(options, (octokit, bound) =>
      ours === undefined
        ? octokit.rest.issues.createComment({ ...at, issue_number: number, body, ...bound })
        : octokit.rest.issues.updateComment({ ...at, comment_id: ours.id, body, ...bound }),
    );
  }

  async function readComments(at: Coordinates, number: number, options?: CallOptions): Promise<Comment[]> {
    const first = await pageOf(at, number, 1, options);
    const last = first.last ?? 1;
    // One page more than fit: the last one is rarely full.
    const from = Math.max(2, last - MAX_COMMENTS / PAGE_SIZE);
    const found = from > 2 ? [] : [...first.comments];
    for (let page = from; page <= last; page += 1) {
      found.push(...(await pageOf(at, number, page, options)).comments);
    }
    return found.slice(-MAX_COMMENTS).map(toComment);
  }

  async function changeLabels(
    at: Coordinates,
    number: number,
    { add, remove }: { add: readonly string[]; remove: readonly string[] },
    options?: CallOptions,
  ): Promise<void> {
    const { data } = await api(options, (octokit, bound) =>
      octokit.rest.pulls.get({ ...at, pull_number: number, ...bound }),
    );
    // GitHub takes labels for the same whatever their case.
    const there = new Set(data.labels.map(({ name }) => name.toLowerCase()));
    const labels = add.filter((label) => !there.has(label.toLowerCase()));
    if (labels.length > 0) {
      await api(options, (octokit, bound) =>
        octokit.rest.issues.addLabels({ ...at, issue_number: number, labels: [...labels], ...bound }),
      );
    }
    for (const name of remove.filter((label) => there.has(label.toLowerCase()))) {
      await api<unknown>(options, (octokit, bound) =>
        octokit.rest.issues.removeLabel({ ...at, issue_number: number, name, ...bound }),
      ).catch(unlessGone);
    }
  }

  async function requestReviewers(
    at: Coordinates,
    number: number,
    { users, groups }: { users: readonly string[]; groups: readonly string[] },
    options?: CallOptions,
  ): Promise<{ notAsked: string[] }> {
    const { data } = await api(options, (octokit, bound) =>
      octokit.rest.pulls.get({ ...at, pull_number: number, ...bound }),
    );
    const asked = new Set([
      ...(data.requested_reviewers ?? []).map(({ login }) => login.toLowerCase()),
      ...(data.requested_teams ?? []).map(({ slug }) => `${at.owner}/${slug}`.toLowerCase()),
    ]);
    const wanted = [...new Set([...users, ...groups])].filter((name) => !asked.has(name.toLowerCase()));
    // Other organisations' teams cannot be asked, and a user name has no slash.
    const possible = wanted.filter((name) => !name.includes('/') || ownGroup(at, name) !== undefined);
    const rest = wanted.filter((name) => !possible.includes(name));
    if (possible.length === 0) return { notAsked: rest };
    if (await askAll(at, number, possible, options)) return { notAsked: rest };
    // One who cannot be asked keeps all from being asked: find out who.
    const refused: string[] = [];
    for (const name of possible.length === 1 ? [] : possible) {
      if (!(await askAll(at, number, [name], options))) refused.push(name);
    }
    return { notAsked: [...rest, ...(possible.length === 1 ? possible : refused)] };
  }

  async function askAll(at: Coordinates, number: number, names: readonly string[], options?: CallOptions) {
    const teams = names.flatMap((name) => ownGroup(at, name) ?? []);
    const reviewers = names.filter((name) => !name.includes('/'));
    try {
      await api(options, (octokit, bound) =>
        octokit.rest.pulls.requestReviewers({
          ...at,
          pull_number: number,
          ...(reviewers.length === 0 ? {} : { reviewers }),
          ...(teams.length === 0 ? {} : { team_reviewers: teams }),
          ...bound,
        }),
      );
      return true;
    } catch (error) {
      if (error instanceof AdapterError && error.reason === 'rejected') return false;
      throw error;
    }
  }

  async function setStatus(at: Coordinates, sha: string, status: CommitStatus, options?: CallOptions): Promise<void> {
    const all = await allPages(`marks on ${sha.slice(0, 7)}`, STATUS_PAGES, async (page) => {
      const { data } = await api(options, (octokit, bound) =>
        octokit.rest.repos.getCombinedStatusForRef({ ...at, ref: sha, per_page: PAGE_SIZE, page, ...bound }),
      );
      return data.statuses;
    });
    const now = all.find(({ context }) => context === status.name);
    const { state, description, url } = status;
    const same = now?.state === state && now.description === description && (now.target_url ?? undefined) === url;
    if (same) return;
    await api(options, (octokit, bound) =>
      octokit.rest.repos.createCommitStatus({
        ...at,
        sha,
        state,
        description,
        context: status.name,
        ...(url === undefined ? {} : { target_url: url }),
        ...bound,
      }),
    );
  }

  return { putComment, readComments, changeLabels, requestReviewers, setStatus };
}

/** `organisation/team` of the repository's own organisation, as GitHub calls the team. */
function ownGroup(at: Coordinates, name: string): string | undefined {
  const [organisation = '', team, ...more] = name.split('/');
  const own = organisation.toLowerCase() === at.owner.toLowerCase() && more.length === 0;
  return own && team !== '' ? team : undefined;
}

function toComment({ id, body = '', user, created_at: at, updated_at: updated }: GitHubComment): Comment {
  return { id: String(id), by: toHostUser(user) ?? GHOST, body, at, edited: updated !== at };
}

function unlessGone(error: unknown): void {
  if (!(error instanceof AdapterError) || error.reason !== 'not-found') throw error;
}
