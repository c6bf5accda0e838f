import type { GitHost, PullRequest } from '../adapters/git-hosts/git-host.ts';
import { AdapterError } from '../base/adapter-error.ts';
import { isJsonObject } from '../base/json.ts';
import type { ReviewPolicy } from '../definitions/delivery-promotion-approval.ts';
import { inGit } from '../engine/in-git.ts';
import { lastMerged } from '../engine/promotion-order.ts';
import { type ApprovalFacts, peopleToAskAbout, type Standing } from '../promotion/approval.ts';
import type { HostUser, Review } from '../promotion/people.ts';
import type { PromotionScene } from './promotion-scene.ts';
import { BEGINNING, LOOK_BACK } from './promotion-turn.ts';

/** A host that tells who reviewed, and who may do what. */
export type HostWithPeople = GitHost & Required<Pick<GitHost, 'readReviews' | 'permission' | 'isMember' | 'whoAmI'>>;

/** More people than this do not review one pull request; each of them costs a question or two. */
const MAX_PEOPLE = 50;

export function tellsOfPeople(host: GitHost): host is HostWithPeople {
  return host.capabilities.people === true;
}

/** Who may not approve it because it is theirs: ids of authors, and how many commits nobody listed. */
export type Authors = Pick<ApprovalFacts, 'authors' | 'unreadCommits'>;

export const NO_AUTHORS: Authors = { authors: new Set(), unreadCommits: 0 };

/**
 * Who wrote what the pull request brings, as far as the host knows their accounts: its own commits, and of one that is
 * made of edits the commits whose values it takes over.
 */
export async function readAuthors(scene: PromotionScene): Promise<Authors> {
  const { input, target, host, repository, head, revision } = scene;
  const spans: (readonly [string, string])[] = [[target.branch, head]];
  const since = scene.step.changes === undefined ? undefined : await takenOverSince(scene);
  if (since !== undefined) spans.push([since, revision]);
  const authors = new Set<string>();
  let unreadCommits = 0;
  for (const [base, tip] of spans) {
    const { commits, totalCommits } = await host.compare(repository, base, tip, input);
    for (const { by } of commits) if (by !== undefined) authors.add(by.id);
    unreadCommits += Math.max(0, totalCommits - commits.length);
  }
  return { authors, unreadCommits };
}

/** The commit whose values the stage has already; before the first promotion the one that was verified before. */
async function takenOverSince({ input, tools, target }: PromotionScene): Promise<string | undefined> {
  const own = await tools.history.sequences(input.triggered.place, BEGINNING, LOOK_BACK);
  const earlier = lastMerged(target.to, own)?.state.triggered;
  return earlier ? inGit(earlier).revision : inGit(input.triggered).previousRevision;
}

/** Everything that decides about an open pull request but the standing of people, out of one reading. */
export function factsOf(
  scene: PromotionScene,
  { number, state, headSha, fork, author }: PullRequest,
  read: Authors & { us: string; reviews: readonly Review[] },
): Omit<ApprovalFacts, 'standings'> {
  return {
    now: scene.input.now.toISOString(),
    what: `pull request ${number} to ${scene.target.to}`,
    where: scene.host.capabilities.reviews === 'lynceus' ? 'here' : 'at the Git host',
    headSha: scene.head,
    pullRequest: {
      state,
      headSha,
      ...(fork === undefined ? {} : { fork }),
      ...(author === undefined ? {} : { author }),
    },
    ...read,
  };
}

/** What those are at the host now whose reviews would count; nobody else is asked about. */
export async function readStandings(
  scene: PromotionScene,
  host: HostWithPeople,
  policy: ReviewPolicy,
  facts: Omit<ApprovalFacts, 'standings'>,
): Promise<Map<string, Standing>> {
  const people = peopleToAskAbout(policy, facts).slice(0, MAX_PEOPLE);
  const standings = new Map<string, Standing>();
  for (const person of people) standings.set(person.id, await standingOf(scene, host, policy, person));
  return standings;
}

/** What somebody may do now, and whether they are in a group of the policy. */
export async function standingOf(
  { input, repository }: PromotionScene,
  host: HostWithPeople,
  policy: ReviewPolicy,
  person: HostUser,
): Promise<Standing> {
  const permission = await host.permission(repository, person, input);
  const mayWrite = permission === 'write' || permission === 'admin';
  const named = policy.people.includes(person.id) || policy.bots.includes(person.id);
  if (!mayWrite || named) return { permission, member: false };
  for (const group of policy.groups) {
    if (await isIn(host, repository.url, group, person, input)) return { permission, member: true };
  }
  return { permission, member: false };
}

/** A group that is not there, or that we may not see, has no members: that must not end a promotion. */
async function isIn(
  host: HostWithPeople,
  url: string,
  group: string,
  person: HostUser,
  options: PromotionScene['input'],
): Promise<boolean> {
  try {
    return await host.isMember({ url }, group, person, options);
  } catch (error) {
    if (error instanceof AdapterError && CLOSED_GROUPS.has(error.reason)) return false;
    throw error;
  }
}

const CLOSED_GROUPS: ReadonlySet<string> = new Set(['not-found', 'forbidden', 'rejected']);

/** What an earlier look remembered below a key. */
export function remembered({ memo }: PromotionScene, key: string) {
  const found = memo[key];
  return isJsonObject(found) ? found : {};
}
