import { describe, expect, it } from 'vitest';
import { DEFAULT_REVIEWS, type ReviewPolicy } from '../../src/definitions/delivery-promotion-approval.ts';
import { type ApprovalFacts, judgeApproval, peopleToAskAbout, type Standing } from '../../src/promotion/approval.ts';
import type { HostUser, Review } from '../../src/promotion/people.ts';

const HEAD = 'a'.repeat(40);
const OTHER = 'b'.repeat(40);
const NOW = '2026-11-21T12:00:00Z';

const person = (id: string, login = `name-${id}`): HostUser => ({ id, login, bot: false });
const grace = person('1', 'grace');
const linus = person('2', 'linus');
const us: HostUser = { id: '99', login: 'lynceus[bot]', bot: true };

const review = (change: Partial<Review> = {}): Review => ({
  by: grace,
  verdict: 'approve',
  headSha: HEAD,
  at: '2026-11-21T11:00:00Z',
  ...change,
});

const mayWrite: Standing = { permission: 'write', member: false };

interface Case {
  policy?: Partial<ReviewPolicy>;
  reviews?: Review[];
  facts?: Partial<ApprovalFacts>;
  standings?: Record<string, Standing>;
}

function judge({ policy = {}, reviews = [review()], facts = {}, standings = {} }: Case = {}) {
  const all: ApprovalFacts = {
    now: NOW,
    what: 'pull request 7 to production',
    where: 'at the Git host',
    headSha: HEAD,
    pullRequest: { state: 'open', headSha: HEAD, author: us },
    authors: new Set(['40']),
    unreadCommits: 0,
    us: us.id,
    reviews,
    standings: new Map(Object.entries({ 1: mayWrite, 2: mayWrite, ...standings })),
    ...facts,
  };
  return judgeApproval({ ...DEFAULT_REVIEWS, ...policy }, all);
}

describe('an approval', () => {
  it('lets through exactly what was looked at', () => {
    expect(judge()).toMatchObject({ verdict: 'approved', approvers: ['grace'], sentence: 'approved by grace' });
  });

  it('of two people is what a quorum of two asks for', () => {
    const policy = { quorum: 2 };
    expect(judge({ policy })).toMatchObject({
      verdict: 'waiting',
      sentence: 'pull request 7 to production has 1 of 2 approvals at the Git host',
    });
    expect(judge({ policy, reviews: [review(), review()] }).verdict).toBe('waiting');
    expect(judge({ policy, reviews: [review(), review({ by: linus })] })).toMatchObject({
      verdict: 'approved',
      approvers: ['grace', 'linus'],
    });
  });

  it('counts from a member of a group, or from somebody who is named', () => {
    const policy = { groups: ['acme/leads'], people: ['2'] };
    expect(judge({ policy, standings: { 1: { permission: 'write', member: true } } }).verdict).toBe('approved');
    expect(judge({ policy, reviews: [review({ by: linus })] }).verdict).toBe('approved');
  });

  it('counts from a program that the policy names', () => {
    const bot = { id: '7', login: 'checker[bot]', bot: true };
    const found = judge({ policy: { bots: ['7'] }, reviews: [review({ by: bot })], standings: { 7: mayWrite } });
    expect(found.verdict).toBe('approved');
  });

  it('counts from an author where the policy allows it', () => {
    const found = judge({ policy: { authors: 'allow' }, facts: { authors: new Set(['1']), unreadCommits: 9 } });
    expect(found.verdict).toBe('approved');
  });

  it('still counts after its giver only commented', () => {
    expect(judge({ reviews: [review(), review({ verdict: 'comment', headSha: OTHER })] }).verdict).toBe('approved');
  });

  it('counts again after changes were asked for', () => {
    expect(judge({ reviews: [review({ verdict: 'reject' }), review()] }).verdict).toBe('approved');
  });
});

const renamed = { ...person('66'), login: 'grace' };
const bot = { id: '7', login: 'checker[bot]', bot: true };

describe('nobody lets a promotion through with', () => {
  const cases: [string, Case, string][] = [
    ['no review at all', { reviews: [] }, 'needs an approval at the Git host'],
    ['a comment', { reviews: [review({ verdict: 'comment' })] }, 'needs an approval'],
    ['an approval that was dismissed', { reviews: [review({ verdict: 'dismissed' })] }, 'needs an approval'],
    ['an approval dismissed later', { reviews: [review(), review({ verdict: 'dismissed' })] }, 'needs an approval'],
    ['an approval of an older head', { reviews: [review({ headSha: OTHER })] }, 'grace looked at bbbbbbbb'],
    ['an approval of no commit', { reviews: [{ by: grace, verdict: 'approve', at: NOW }] }, 'does not say which'],
    ['an approval before changes were asked for', { reviews: [review(), review({ verdict: 'reject' })] }, 'changes'],
    [
      'changes asked for on an older head',
      { reviews: [review(), review({ by: linus, verdict: 'reject', headSha: OTHER })] },
      'linus asks for changes',
    ],
    ['an approval that expired', { reviews: [review({ at: '2026-11-14T11:59:59Z' })] }, 'grace approved too long ago'],
    [
      'an approval out of the future',
      { reviews: [review({ at: '2026-11-21T13:00:00Z' })] },
      'no time that makes sense',
    ],
    ['an approval of no time', { reviews: [review({ at: 'yesterday' })] }, 'no time that makes sense'],
    ['our own account', { reviews: [review({ by: us })] }, 'is our own account'],
    [
      'our own account, whatever the policy says',
      { policy: { bots: ['99'], authors: 'allow' }, reviews: [review({ by: us })], standings: { 99: mayWrite } },
      'is our own account',
    ],
    ['a program', { reviews: [review({ by: bot })], standings: { 7: mayWrite } }, 'is a program'],
    ['who opened it', { facts: { pullRequest: { state: 'open', headSha: HEAD, author: grace } } }, 'grace opened it'],
    ['the author of a commit in it', { facts: { authors: new Set(['1']) } }, 'grace wrote a commit in it'],
    ['commits of unknown authors', { facts: { unreadCommits: 12 } }, 'who wrote 12 of its commits is not known'],
    ['somebody who may read', { standings: { 1: { permission: 'read', member: true } } }, 'may not write'],
    ['somebody who is not there', { reviews: [review({ by: person('404') })] }, 'may not write'],
    ['somebody who is in no group', { policy: { groups: ['acme/leads'] } }, 'is in none of acme/leads (id 1)'],
    ['somebody who is not named', { policy: { people: ['2'] } }, 'not among those who approve (id 1)'],
    [
      'a name that was somebody else’s',
      { policy: { people: ['1'] }, reviews: [review({ by: renamed })], standings: { 66: mayWrite } },
      'not among those who approve (id 66)',
    ],
    [
      'an account without an id',
      { reviews: [review({ by: person('') })], standings: { '': mayWrite } },
      'nobody that the host knows',
    ],
    [
      'a head from a fork',
      { facts: { pullRequest: { state: 'open', headSha: HEAD, fork: true } } },
      'comes from a fork',
    ],
    [
      'a push after the approval',
      { facts: { pullRequest: { state: 'open', headSha: OTHER } } },
      'no longer points at the evaluated commit',
    ],
    ['a pull request that is closed', { facts: { pullRequest: { state: 'closed', headSha: HEAD } } }, 'is closed'],
    ['a pull request that is merged', { facts: { pullRequest: { state: 'merged', headSha: HEAD } } }, 'is merged'],
    [
      'the same person twice',
      { policy: { quorum: 2 }, reviews: [review(), review({ by: { ...grace, login: 'grace-hopper' } })] },
      'has 1 of 2 approvals',
    ],
  ];

  it.each(cases)('%s', (_, given, sentence) => {
    const found = judge(given);
    expect(found).toMatchObject({ verdict: 'waiting', approvers: [] });
    expect(found.sentence).toContain(sentence);
    expect(found.sentence.length).toBeLessThanOrEqual(90);
  });

  it('keeps who asks for changes without a right from standing in the way', () => {
    const found = judge({
      reviews: [review(), review({ by: linus, verdict: 'reject' })],
      standings: { 2: { permission: 'read', member: false } },
    });
    expect(found).toMatchObject({
      verdict: 'approved',
      ignored: [{ by: 'linus', why: 'may not write to the repository' }],
    });
  });

  it('fits into a sentence whatever people are called', () => {
    const long = review({ by: person('1', 'x'.repeat(300)), verdict: 'reject' });
    expect(judge({ reviews: [long] }).sentence.length).toBeLessThanOrEqual(90);
    const many = Array.from({ length: 9 }, (_, at) => review({ by: person(`1${at}`, 'y'.repeat(60)) }));
    const standings = Object.fromEntries(many.map(({ by }) => [by.id, mayWrite]));
    const found = judge({ reviews: many, standings });
    expect(found.verdict).toBe('approved');
    expect(found.sentence.length).toBeLessThanOrEqual(90);
  });
});

describe('asking the host about people', () => {
  it('leaves out everybody whose review counts for nothing anyhow', () => {
    const reviews = [
      review(),
      review({ by: linus, verdict: 'reject', headSha: OTHER }),
      review({ by: us }),
      review({ by: person('3'), headSha: OTHER }),
      review({ by: person('40') }),
      review({ by: person('5'), verdict: 'comment' }),
    ];
    const facts = {
      now: NOW,
      what: '',
      where: '',
      headSha: HEAD,
      pullRequest: { state: 'open', headSha: HEAD } as const,
      authors: new Set(['40']),
      unreadCommits: 0,
      us: us.id,
      reviews,
    };
    // Who objects comes first, and is never one too many to ask about.
    expect(peopleToAskAbout(DEFAULT_REVIEWS, facts)).toEqual([linus, grace]);
  });
});
