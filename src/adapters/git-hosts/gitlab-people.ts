import { AdapterError } from '../../base/adapter-error.ts';
import type { Secret } from '../../base/secret.ts';
import type { HostUser, Permission, Review } from '../../promotion/people.ts';
import type { CallOptions } from './git-host.ts';
import { type GitLabMerge, type GitLabUser, harmless, PAGE, type Project, toHostUser } from './gitlab-api.ts';
import type { GitLabNote } from './gitlab-discussion.ts';
import { requireSha } from './names.ts';
import type { RestApi } from './rest-api.ts';

const MOST_VERSIONS = 500;
const MOST_KNOWN = 10_000;
/** https://docs.gitlab.com/api/access_requests/#valid-access-levels */
const LEVELS: readonly (readonly [number, Permission])[] = [
  [40, 'admin'],
  [30, 'write'],
  [10, 'read'],
];

interface Member {
  id: number;
  state: string;
  membership_state?: string;
  access_level: number;
}

interface Approval {
  user: GitLabUser;
  /** Only newer versions say it. */
  approved_at?: string | null;
}

/** The head of the merge request from a moment on. */
interface Version {
  head_commit_sha: string;
  created_at: string;
}

/** Who somebody is on GitLab, what they may do, and what they said of a merge request. */
export function createGitLabPeople(
  api: RestApi,
  listNotes: (at: Project, number: number, options?: CallOptions) => Promise<GitLabNote[]>,
) {
  const pathTo = (at: Project, number: number) => `${at.path}/merge_requests/${number}`;
  /** What somebody is stays so. */
  const programs = new Map<number, boolean>();

  /** With whether it is a program, also when its name does not tell. */
  async function described(user: GitLabUser, options?: CallOptions): Promise<HostUser> {
    const known = toHostUser(user);
    if (known.bot) return known;
    const bot = programs.get(user.id) ?? (await api.get<{ bot?: boolean }>(`/users/${user.id}`, options)).bot === true;
    if (programs.size < MOST_KNOWN) programs.set(user.id, bot);
    return { ...known, bot };
  }

  /**
   * GitLab keeps who approves, and not what they looked at. What was the head when they approved is what they
   * approved; where that cannot be known, the approval counts for no commit.
   */
  async function readReviews(at: Project, number: number, options?: CallOptions): Promise<Review[]> {
    const path = pathTo(at, number);
    const { approved_by: approvals } = await api.get<{ approved_by: Approval[] }>(`${path}/approvals`, options);
    const { items: reviewers } = await api.list<{ user: GitLabUser; state: string; created_at: string }>(
      `${path}/reviewers`,
      options,
      PAGE,
      MOST_VERSIONS,
    );
    const rejections = reviewers
      .filter(({ state }) => state === 'requested_changes')
      .map(({ user, created_at: when }): Review => ({ by: toHostUser(user), verdict: 'reject', at: when }));
    if (approvals.length === 0) return rejections;
    const timed = await timesOf(at, number, approvals, options);
    const versions = await versionsOf(at, number, options);
    const given: Review[] = [];
    // Of a reviewer it says how it stands now, and not since when: whoever asks for changes approves no more.
    const against = new Set(rejections.map(({ by }) => by.id));
    for (const { user, when } of timed.filter(({ user }) => !against.has(String(user.id)))) {
      const head = when === undefined ? undefined : headAt(versions, when);
      const at = when ?? new Date(0).toISOString();
      const by = await described(user, options);
      given.push({ by, verdict: 'approve', at, ...(head === undefined ? {} : { headSha: head }) });
    }
    return [...given, ...rejections].toSorted((one, other) => Date.parse(one.at) - Date.parse(other.at));
  }

  async function timesOf(at: Project, number: number, approvals: readonly Approval[], options?: CallOptions) {
    const known = approvals.every(({ approved_at: when }) => typeof when === 'string');
    const notes = known ? [] : await listNotes(at, number, options);
    return approvals.map(({ user, approved_at: when }) => ({ user, when: when ?? lastApproval(notes, user) }));
  }

  async function versionsOf(at: Project, number: number, options?: CallOptions): Promise<Version[]> {
    const { items } = await api.list<Version>(`${pathTo(at, number)}/versions`, options, PAGE, MOST_VERSIONS);
    return items;
  }

  async function permission(at: Project, user: HostUser, options?: CallOptions): Promise<Permission> {
    const member = await findMember(at.path, 'members/all', user, options);
    if (member === undefined) {
      await api.get(at.path, options);
      return 'none';
    }
    return LEVELS.find(([level]) => member.access_level >= level)?.[1] ?? 'none';
  }

  /** Direct members, as in GitLab's own approval rules. */
  async function isMember(group: string, user: HostUser, options?: CallOptions): Promise<boolean> {
    if (!/^[\w.][\w.-]*(?:\/[\w.][\w.-]*)*$/.test(group)) {
      throw new AdapterError('rejected', `${JSON.stringify(group.slice(0, 80))} is not the path of a group`);
    }
    const path = `/groups/${encodeURIComponent(group)}`;
    if ((await findMember(path, 'members', user, options)) !== undefined) return true;
    await api.get(path, options, { with_projects: 'false' });
    return false;
  }

  /** Whose membership has ended, or who is blocked, is none. */
  async function findMember(
    path: string,
    members: string,
    user: HostUser,
    options?: CallOptions,
  ): Promise<Member | undefined> {
    if (!/^\d{1,15}$/.test(user.id)) return undefined;
    const member = await api.find<Member>(`${path}/${members}/${user.id}`, options);
    if (member === undefined || String(member.id) !== user.id) return undefined;
    const active = member.state === 'active' && (member.membership_state ?? 'active') === 'active';
    return active ? member : undefined;
  }

  async function approve(
    at: Project,
    number: number,
    approval: { headSha: string; text: string; token: Secret },
    options?: CallOptions,
  ): Promise<HostUser> {
    const { headSha, text } = approval;
    requireSha(headSha);
    const theirs = api.as(approval.token);
    const person = toHostUser(await theirs.get<GitLabUser>('/user', options));
    const path = pathTo(at, number);
    const merge = await theirs.get<GitLabMerge>(path, options);
    if (merge.state !== 'opened') throw new AdapterError('conflict', `merge request ${number} is not open`);
    if (merge.sha !== headSha) {
      throw new AdapterError('conflict', `the head of merge request ${number} is ${merge.sha.slice(0, 7)} by now`);
    }
    const own = (await readReviews(at, number, options)).find(
      ({ by, verdict }) => by.id === person.id && verdict === 'approve',
    );
    if (own?.headSha === headSha) return person;
    // An older approval of theirs would stay as it is.
    if (own !== undefined) await theirs.send({ method: 'POST', path: `${path}/unapprove` }, options);
    await theirs.send({ method: 'POST', path: `${path}/approve`, body: { sha: headSha } }, options);
    if (text !== '')
      await theirs.send({ method: 'POST', path: `${path}/notes`, body: { body: harmless(text) } }, options);
    return person;
  }

  return { readReviews, permission, isMember, approve };
}

/** Asked once: a token stays with its account. */
export function createWhoAmI(api: RestApi): (options?: CallOptions) => Promise<HostUser> {
  let me: Promise<HostUser> | undefined;
  return (options) => {
    me ??= api.get<GitLabUser>('/user', options).then(toHostUser);
    me.catch(() => {
      me = undefined;
    });
    return me;
  };
}

/** Nobody but GitLab writes system notes; their words are the same in every language. */
function lastApproval(notes: readonly GitLabNote[], user: GitLabUser): string | undefined {
  const last = notes.findLast(
    ({ system, author, body }) => system && author.id === user.id && /^(?:un)?approved this merge request/.test(body),
  );
  return last?.body.startsWith('approved') ? last.created_at : undefined;
}

/** What the head was at a moment; nothing when that cannot be said. */
function headAt(versions: readonly Version[], when: string): string | undefined {
  const at = Date.parse(when);
  const before = versions.filter(({ created_at: since }) => Date.parse(since) < at);
  const last = before.toSorted((one, other) => Date.parse(other.created_at) - Date.parse(one.created_at))[0];
  return last?.head_commit_sha;
}
