import { clip } from '../base/clip.ts';
import type { JsonObject } from '../base/json.ts';
import type { ReviewPolicy } from '../definitions/delivery-promotion-approval.ts';
import { short } from '../engine/revisions.ts';
import type { HostUser, Permission, Review } from './people.ts';

/** What the reviews of a pull request, or decisions taken with us, come to. */
export interface ApprovalJudgement {
  verdict: 'approved' | 'rejected' | 'waiting';
  /** Whose approvals count, by the name that people know them by. */
  approvers: string[];
  rejection?: { by: string; reason: string };
  /** At most 90 characters: what there is and what is missing. */
  sentence: string;
  /** Reviews that do not count, and why not. */
  ignored: { by: string; why: string }[];
  /** The reviews that count: approvals, and those that ask for changes. */
  counted?: Review[];
  /** What the next look wants to know of this one. */
  remember?: JsonObject;
}

/** What somebody is at the host right now. */
export interface Standing {
  permission: Permission;
  /** In one of the groups that the policy names. */
  member: boolean;
}

/** Everything that was read about one open pull request, in one go. */
export interface ApprovalFacts {
  /** ISO 8601. */
  now: string;
  /** `pull request 7 to production`, for people. */
  what: string;
  /** `here`, or `at the Git host`: where approvals are given. */
  where: string;
  /** The commit that was evaluated: what would be merged. */
  headSha: string;
  pullRequest: { state: 'open' | 'merged' | 'closed'; headSha: string; fork?: boolean; author?: HostUser };
  /** Ids of those who wrote the commits that it brings. */
  authors: ReadonlySet<string>;
  /** Commits that are too many to be listed: who wrote them is not known. */
  unreadCommits: number;
  /** The id that we ourselves have at the host. */
  us: string;
  /** All of them, oldest first. */
  reviews: readonly Review[];
  /** By id, of those whom `peopleToAskAbout` named. */
  standings: ReadonlyMap<string, Standing>;
}

const MAX_SENTENCE = 90;
/** Clocks of two machines differ; more than this is no difference but a mistake. */
const CLOCK_SKEW_MS = 5 * 60_000;

/**
 * Whose standing at the host decides something: everybody else's review counts for nothing anyhow. Who asks for changes
 * comes first: where there are too many to ask about, nobody's objection is lost among approvals.
 */
export function peopleToAskAbout(policy: ReviewPolicy, facts: Omit<ApprovalFacts, 'standings'>): HostUser[] {
  return lastWords(facts.reviews)
    .filter((review) => whyIgnored(policy, facts, review) === undefined)
    .toSorted((one, other) => Number(other.verdict === 'reject') - Number(one.verdict === 'reject'))
    .map(({ by }) => by);
}

/**
 * Whether the reviews that a pull request has now let exactly the evaluated commit through. Only the last word of each
 * person counts, people are told apart by the host's id, and whatever is not known does not count.
 */
export function judgeApproval(policy: ReviewPolicy, facts: ApprovalFacts): ApprovalJudgement {
  const unfit = whyUnfit(facts);
  if (unfit !== undefined) return wait(unfit, [], []);
  const ignored: ApprovalJudgement['ignored'] = [];
  const counted: Review[] = [];
  for (const review of lastWords(facts.reviews)) {
    const why = whyIgnored(policy, facts, review) ?? whyNotEntitled(policy, facts, review);
    if (why === undefined) counted.push(review);
    else ignored.push({ by: review.by.login, why });
  }
  const blocking = counted.find(({ verdict }) => verdict === 'reject');
  if (blocking) return wait(`${name(blocking.by)} asks for changes of ${facts.what}`, ignored, counted);
  const approvals = counted.filter(({ verdict }) => verdict === 'approve');
  if (approvals.length < policy.quorum) return wait(sayMissing(policy, facts, approvals, ignored), ignored, counted);
  if (policy.authors === 'refuse' && facts.unreadCommits > 0) {
    const sentence = `who wrote ${facts.unreadCommits} of its commits is not known: a person must merge ${facts.what}`;
    return wait(sentence, ignored, counted);
  }
  const approvers = approvals.map(({ by }) => by.login);
  const sentence = clip(`approved by ${approvals.map(({ by }) => name(by)).join(', ')}`, MAX_SENTENCE);
  return { verdict: 'approved', approvers, sentence, ignored, counted };
}

/** Whether somebody may approve at all, so may say `override` and `promote` too; `undefined`: yes. */
export function whyMayNotApprove(
  policy: ReviewPolicy,
  facts: Pick<ApprovalFacts, 'authors' | 'pullRequest' | 'us'>,
  by: HostUser,
  standing: Standing | undefined,
): string | undefined {
  return whyNoApprover(policy, facts, by) ?? whyNoStanding(policy, by, standing);
}

/** Whether somebody may steer a promotion without letting anything through; `undefined`: yes. */
export function whyMayNotSteer(
  policy: ReviewPolicy,
  us: string,
  by: HostUser,
  standing: Standing | undefined,
): string | undefined {
  if (by.id === us) return 'is our own account';
  if (by.bot && !policy.bots.includes(by.id)) return 'is a program';
  return canWrite(standing) ? undefined : 'may not write to the repository';
}

/** Nothing that anybody says of this pull request counts. */
function whyUnfit({ pullRequest, headSha, what }: ApprovalFacts): string | undefined {
  if (pullRequest.state !== 'open') return `${what} is ${pullRequest.state}: no approval counts any more`;
  if (pullRequest.fork) return `${what} comes from a fork, which is none of ours`;
  if (pullRequest.headSha !== headSha) return `${what} no longer points at the evaluated commit`;
  return undefined;
}

/** The newest verdict of each person; a comment takes nothing back, and what was dismissed is gone. */
function lastWords(reviews: readonly Review[]): Review[] {
  const last = new Map<string, Review>();
  for (const review of reviews) {
    if (review.verdict !== 'comment') last.set(review.by.id, review);
  }
  return [...last.values()].filter(({ verdict }) => verdict === 'approve' || verdict === 'reject');
}

/** What can be said without asking the host who somebody is. */
function whyIgnored(
  policy: ReviewPolicy,
  facts: Omit<ApprovalFacts, 'standings'>,
  { by, verdict, headSha, at }: Review,
): string | undefined {
  if (by.id === '') return 'is nobody that the host knows';
  if (by.id === facts.us) return 'is our own account';
  if (by.bot && !policy.bots.includes(by.id)) return 'is a program';
  // Who asks for changes asks for them until they say otherwise, whatever is pushed meanwhile.
  if (verdict === 'reject') return undefined;
  if (headSha === undefined) return 'the host does not say which commit was looked at';
  if (headSha !== facts.headSha) return `looked at ${short(headSha)}`;
  const age = Date.parse(facts.now) - Date.parse(at);
  if (!(age >= -CLOCK_SKEW_MS)) return 'approved at no time that makes sense';
  if (age > policy.expiresAfterMs) return 'approved too long ago';
  return whyNoApprover(policy, facts, by);
}

function whyNoApprover(
  policy: ReviewPolicy,
  { authors, pullRequest, us }: Pick<ApprovalFacts, 'authors' | 'pullRequest' | 'us'>,
  by: HostUser,
): string | undefined {
  if (by.id === us) return 'is our own account';
  if (by.bot && !policy.bots.includes(by.id)) return 'is a program';
  if (policy.authors === 'allow') return undefined;
  if (by.id === pullRequest.author?.id) return 'opened it';
  return authors.has(by.id) ? 'wrote a commit in it' : undefined;
}

function whyNotEntitled(policy: ReviewPolicy, { standings }: ApprovalFacts, { by, verdict }: Review) {
  const standing = standings.get(by.id);
  // Whoever may write may stop it: that needs no trust.
  if (verdict === 'reject') return canWrite(standing) ? undefined : 'may not write to the repository';
  return whyNoStanding(policy, by, standing);
}

function whyNoStanding(policy: ReviewPolicy, by: HostUser, standing: Standing | undefined): string | undefined {
  if (!canWrite(standing)) return 'may not write to the repository';
  if (policy.bots.includes(by.id) || policy.people.includes(by.id)) return undefined;
  if (policy.people.length === 0 && policy.groups.length === 0) return undefined;
  if (policy.groups.length > 0 && standing?.member === true) return undefined;
  const groups = policy.groups.length > 0 ? `in none of ${policy.groups.join(', ')}` : 'not among those who approve';
  return `is ${groups} (id ${by.id})`;
}

function canWrite(standing: Standing | undefined): boolean {
  return standing?.permission === 'write' || standing?.permission === 'admin';
}

function sayMissing(
  { quorum }: ReviewPolicy,
  { what, where }: ApprovalFacts,
  approvals: readonly Review[],
  ignored: ApprovalJudgement['ignored'],
): string {
  const [first] = ignored;
  if (first === undefined && quorum === 1) return `${what} needs an approval ${where}`;
  if (first === undefined) return `${what} has ${approvals.length} of ${quorum} approvals ${where}`;
  return `${what} needs ${quorum - approvals.length} more; ${clip(first.by, 30)} ${first.why}`;
}

function wait(sentence: string, ignored: ApprovalJudgement['ignored'], counted: Review[]): ApprovalJudgement {
  return { verdict: 'waiting', approvers: [], sentence: clip(sentence, MAX_SENTENCE), ignored, counted };
}

function name({ login }: HostUser): string {
  return clip(login, 40);
}
