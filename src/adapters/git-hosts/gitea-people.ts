import { AdapterError } from '../../base/adapter-error.ts';
import type { Secret } from '../../base/secret.ts';
import type { HostUser, Permission, Review } from '../../promotion/people.ts';
import { path as encode } from '../http-client.ts';
import type { CallOptions } from './git-host.ts';
import { type GiteaPull, type GiteaUser, PAGE, type Place, toHostUser } from './gitea-api.ts';
import { isSha, requireSha } from './names.ts';
import type { RestApi } from './rest-api.ts';

const MOST_REVIEWS = 1_000;
const MOST_TEAMS = 1_000;

interface GiteaReview {
  user?: GiteaUser | null;
  state: string;
  body: string;
  commit_id: string;
  dismissed: boolean;
  submitted_at: string;
}

const VERDICTS: Readonly<Record<string, Review['verdict']>> = {
  APPROVED: 'approve',
  REQUEST_CHANGES: 'reject',
  COMMENT: 'comment',
};

const PERMISSIONS: Readonly<Record<string, Permission>> = {
  owner: 'admin',
  admin: 'admin',
  write: 'write',
  read: 'read',
  none: 'none',
};

/** Who somebody is on Gitea, what they may do, and what they said of a pull request. */
export function createGiteaPeople(name: string, api: RestApi) {
  let me: Promise<HostUser> | undefined;

  /** Asked once: a token stays with its account. */
  function whoAmI(options?: CallOptions): Promise<HostUser> {
    me ??= api.get<GiteaUser>('/user', options).then(toHostUser);
    me.catch(() => {
      me = undefined;
    });
    return me;
  }

  async function readReviews(at: Place, number: number, options?: CallOptions): Promise<Review[]> {
    const path = `${at.path}/pulls/${number}/reviews`;
    const { items, more } = await api.list<GiteaReview>(path, options, PAGE, MOST_REVIEWS);
    if (more) throw new AdapterError('rejected', `pull request ${number} has more than ${MOST_REVIEWS} reviews`);
    return items.flatMap(toReview);
  }

  async function permission(at: Place, user: HostUser, options?: CallOptions): Promise<Permission> {
    const found = await byLogin(user, options, (login) =>
      api.find<{ permission: string; user?: GiteaUser | null }>(
        `${at.path}${encode`/collaborators/${login}/permission`}`,
        options,
      ),
    );
    if (found === undefined) return 'none';
    const known = PERMISSIONS[found.permission];
    if (known === undefined)
      throw new AdapterError('bad-response', `${name} answered the permission ${JSON.stringify(found.permission)}`);
    return known;
  }

  async function isMember(group: string, user: HostUser, options?: CallOptions): Promise<boolean> {
    const [organisation = '', team = '', ...more] = group.split('/');
    if (organisation === '' || team === '' || more.length > 0) {
      throw new AdapterError('rejected', `${JSON.stringify(group.slice(0, 80))} is not organisation/team`);
    }
    const path = encode`/orgs/${organisation}/teams`;
    const { items } = await api.list<{ id: number; name: string }>(path, options, PAGE, MOST_TEAMS);
    const found = items.find((one) => one.name.toLowerCase() === team.toLowerCase());
    if (found === undefined) throw new AdapterError('not-found', `${name} has no team ${group}`);
    // Answered to owners of the organisation and to members of the team; to all others it is forbidden.
    const member = await byLogin(user, options, async (login) => {
      const account = await api.find<GiteaUser>(encode`/teams/${String(found.id)}/members/${login}`, options);
      return account && { user: account };
    });
    return member !== undefined;
  }

  /**
   * Asks for somebody by the name that we know, and by their present one when that is somebody else's by now. What is
   * answered is about this very account, or nothing is answered.
   */
  async function byLogin<T extends { user?: GiteaUser | null }>(
    user: HostUser,
    options: CallOptions | undefined,
    ask: (login: string) => Promise<T | undefined>,
  ): Promise<T | undefined> {
    const first = await ask(user.login);
    if (String(first?.user?.id) === user.id) return first;
    const login = await loginOf(user, options);
    if (login === undefined || login === user.login) return undefined;
    const second = await ask(login);
    return String(second?.user?.id) === user.id ? second : undefined;
  }

  async function loginOf(user: HostUser, options?: CallOptions): Promise<string | undefined> {
    const { data } = await api.get<{ data: GiteaUser[] | null }>('/users/search', options, { uid: user.id });
    return (data ?? []).find(({ id }) => String(id) === user.id)?.login;
  }

  async function approve(
    at: Place,
    number: number,
    approval: { headSha: string; text: string; token: Secret },
    options?: CallOptions,
  ): Promise<HostUser> {
    requireSha(approval.headSha);
    const theirs = api.as(approval.token);
    const person = toHostUser(await theirs.get<GiteaUser>('/user', options));
    const pull = await theirs.get<GiteaPull>(`${at.path}/pulls/${number}`, options);
    if (pull.state !== 'open') throw new AdapterError('conflict', `pull request ${number} is not open`);
    if (pull.head.sha !== approval.headSha) {
      throw new AdapterError('conflict', `the head of pull request ${number} is ${pull.head.sha.slice(0, 7)} by now`);
    }
    const own = (await readReviews(at, number, options)).filter(({ by }) => by.id === person.id);
    const last = own.findLast(({ verdict }) => verdict !== 'comment');
    if (last?.verdict === 'approve' && last.headSha === approval.headSha) return person;
    const body = { event: 'APPROVED', body: approval.text, commit_id: approval.headSha };
    await theirs.send({ method: 'POST', path: `${at.path}/pulls/${number}/reviews`, body }, options);
    return person;
  }

  return { whoAmI, readReviews, permission, isMember, approve };
}

/** Requests for review and what is not sent yet are no reviews. */
function toReview(review: GiteaReview): Review[] {
  const verdict = VERDICTS[review.state];
  if (verdict === undefined || review.user == null) return [];
  return [
    {
      by: toHostUser(review.user),
      verdict: review.dismissed ? 'dismissed' : verdict,
      at: review.submitted_at,
      ...(isSha(review.commit_id) ? { headSha: review.commit_id } : {}),
      ...(review.body === '' ? {} : { text: review.body }),
    },
  ];
}
