import { AdapterError } from '../../base/adapter-error.ts';
import type { Secret } from '../../base/secret.ts';
import type { HostUser, Permission, Review } from '../../promotion/people.ts';
import type { CallOptions } from './git-host.ts';
import type { Coordinates, GitHubApi, GitHubConnection } from './github-api.ts';
import type { Caller } from './github-credentials.ts';
import { allPages, PAGE_SIZE } from './github-pages.ts';
import { GHOST, type GitHubUser, toHostUser, toPullRequest } from './github-pull.ts';

const REVIEW_PAGES = 10;
const MEMBER_PAGES = 20;

const VERDICTS: Readonly<Record<string, Review['verdict']>> = {
  APPROVED: 'approve',
  CHANGES_REQUESTED: 'reject',
  COMMENTED: 'comment',
  DISMISSED: 'dismissed',
};

/** Who reviewed, who may what, who we are. Known by ids: a name can be somebody else's tomorrow. */
export function createGitHubPeople({ rest: api, credentials }: GitHubConnection) {
  let known: Promise<HostUser> | undefined;

  /** The account behind our token does not change while we run. */
  function me(caller: Caller, options?: CallOptions): Promise<HostUser> {
    if (known !== undefined) return known;
    const asked = credentials === 'app' ? botOf(api, caller, options) : accountOf(api, caller, options);
    known = asked;
    asked.catch(() => {
      known = undefined;
    });
    return asked;
  }

  async function readReviews(at: Coordinates, number: number, options?: CallOptions): Promise<Review[]> {
    const all = await allPages(`reviews of pull request ${number}`, REVIEW_PAGES, async (page) => {
      const { data } = await api(options, (octokit, bound) =>
        octokit.rest.pulls.listReviews({ ...at, pull_number: number, per_page: PAGE_SIZE, page, ...bound }),
      );
      return data;
    });
    return all.flatMap((review) => {
      const verdict = VERDICTS[review.state];
      // One that was begun and not yet sent is nobody's business.
      if (verdict === undefined || review.submitted_at === undefined) return [];
      const { commit_id: headSha, body: text } = review;
      return [
        {
          by: toHostUser(review.user) ?? GHOST,
          verdict,
          ...(headSha ? { headSha } : {}),
          at: review.submitted_at,
          ...(text ? { text } : {}),
        },
      ];
    });
  }

  async function permission(at: Coordinates, user: HostUser, options?: CallOptions): Promise<Permission> {
    const answer = await permissionByLogin(at, user, options);
    if (answer !== undefined) return answer;
    const login = await loginOf(at, user, options);
    if (login === undefined || login === user.login) return 'none';
    return (await permissionByLogin(at, { ...user, login }, options)) ?? 'none';
  }

  /** `undefined` when the name is nobody's, or not that person's any more. */
  async function permissionByLogin(at: Coordinates, user: HostUser, options?: CallOptions) {
    if (!isLogin(user.login)) return undefined;
    try {
      const { data } = await api(options, (octokit, bound) =>
        octokit.rest.repos.getCollaboratorPermissionLevel({ ...at, username: user.login, ...bound }),
      );
      return toHostUser(data.user)?.id === user.id ? permissionOf(data.permission) : undefined;
    } catch (error) {
      if (!(error instanceof AdapterError) || error.reason !== 'not-found') throw error;
      await requireRepository(api, at, options);
      return undefined;
    }
  }

  /** What somebody is called now. */
  async function loginOf(at: Coordinates, user: HostUser, options?: CallOptions): Promise<string | undefined> {
    const id = Number(user.id);
    if (!Number.isSafeInteger(id) || id <= 0) return undefined;
    try {
      const { data } = await api(
        options,
        (octokit, bound) => octokit.rest.users.getById({ account_id: id, ...bound }),
        { in: at },
      );
      return data.id === id ? data.login : undefined;
    } catch (error) {
      if (error instanceof AdapterError && error.reason === 'not-found') return undefined;
      throw error;
    }
  }

  async function isMember(at: Coordinates, group: string, user: HostUser, options?: CallOptions): Promise<boolean> {
    const [org = '', team = '', ...more] = group.split('/');
    if (!isLogin(org) || !/^[\w.-]+$/.test(team) || more.length > 0) {
      throw new AdapterError('rejected', `${JSON.stringify(group.slice(0, 80))} is not organisation/team`);
    }
    try {
      const members = await allPages(`members of ${group}`, MEMBER_PAGES, async (page) => {
        const { data } = await api(
          options,
          (octokit, bound) =>
            octokit.rest.teams.listMembersInOrg({ org, team_slug: team, per_page: PAGE_SIZE, page, ...bound }),
          { in: at },
        );
        return data;
      });
      return members.some((member) => toHostUser(member)?.id === user.id);
    } catch (error) {
      if (!(error instanceof AdapterError) || error.reason !== 'not-found') throw error;
      throw new AdapterError('not-found', `there is no team ${group}, or we may not see its members`);
    }
  }

  async function approve(
    at: Coordinates,
    number: number,
    { headSha, text, token }: { headSha: string; text: string; token: Secret },
    options?: CallOptions,
  ): Promise<HostUser> {
    const caller = { person: token };
    const person = await accountOf(api, caller, options);
    if (person.bot) {
      throw new AdapterError('rejected', `${person.login} is a program: only people approve`);
    }
    const { data } = await api(options, (octokit, bound) =>
      octokit.rest.pulls.get({ ...at, pull_number: number, ...bound }),
    );
    const pull = toPullRequest(data);
    if (pull.author?.id === person.id) {
      throw new AdapterError('rejected', `${person.login} opened pull request ${number}: somebody else approves it`);
    }
    if (pull.state !== 'open') throw new AdapterError('conflict', `pull request ${number} is ${pull.state}`);
    if (pull.headSha !== headSha) {
      const [now, then] = [pull.headSha.slice(0, 7), headSha.slice(0, 7)];
      throw new AdapterError('conflict', `pull request ${number} is at ${now}, looked at was ${then}`);
    }
    if (await hasApproved(at, number, person, headSha, options)) return person;
    await api(
      options,
      (octokit, bound) =>
        octokit.rest.pulls.createReview({
          ...at,
          pull_number: number,
          commit_id: headSha,
          event: 'APPROVE',
          body: text,
          ...bound,
        }),
      caller,
    );
    return person;
  }

  /** Their last word counts: an approval before a later objection is none. */
  async function hasApproved(at: Coordinates, number: number, { id }: HostUser, sha: string, options?: CallOptions) {
    const own = (await readReviews(at, number, options)).filter((one) => one.by.id === id && one.verdict !== 'comment');
    return own.at(-1)?.verdict === 'approve' && own.at(-1)?.headSha === sha;
  }

  return { me, readReviews, permission, isMember, approve };
}

async function accountOf(api: GitHubApi, caller: Caller, options?: CallOptions): Promise<HostUser> {
  const { data } = await api(options, (octokit, bound) => octokit.rest.users.getAuthenticated({ ...bound }), caller);
  return requireUser(data);
}

/** An App acts as an account that is named after it. */
async function botOf(api: GitHubApi, caller: Caller, options?: CallOptions): Promise<HostUser> {
  const { data: app } = await api(options, (octokit, bound) => octokit.rest.apps.getAuthenticated({ ...bound }), {
    app: true,
  });
  const slug = app?.slug;
  if (slug === undefined) throw new AdapterError('bad-response', 'GitHub answered its App without a name');
  const { data } = await api(
    options,
    (octokit, bound) => octokit.rest.users.getByUsername({ username: `${slug}[bot]`, ...bound }),
    caller,
  );
  return requireUser(data);
}

function requireUser(data: GitHubUser): HostUser {
  const user = toHostUser(data);
  if (user !== undefined) return user;
  throw new AdapterError('bad-response', 'GitHub answered no account');
}

/** Whether a 404 is about what was asked for, and not about the repository. */
export async function requireRepository(api: GitHubApi, at: Coordinates, options?: CallOptions): Promise<void> {
  await api(options, (octokit, bound) => octokit.rest.repos.get({ ...at, ...bound }));
}

/** GitHub says `write` for maintain, and `read` for triage. */
function permissionOf(value: string): Permission {
  if (value === 'admin' || value === 'write' || value === 'read' || value === 'none') return value;
  throw new AdapterError('bad-response', `GitHub answered the permission ${JSON.stringify(value.slice(0, 40))}`);
}

function isLogin(text: string): boolean {
  return /^[\w.-]+(?:\[bot\])?$/.test(text) && !/^\.+$/.test(text);
}
