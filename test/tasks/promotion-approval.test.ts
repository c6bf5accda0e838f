import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { STATE_MARKER } from '../../src/promotion/comment.ts';
import type { FakeReview, Pull } from '../support/github-pulls.ts';
import { createGitHubPromotions, type GitHubPromotions, type Promotion } from '../support/promotion-world.ts';

const DAY = 86_400_000;

let world: GitHubPromotions;

beforeAll(async () => {
  world = await createGitHubPromotions();
  for (const login of ['grace', 'linus', 'Ada']) account(login, 'write');
  account('reader', 'read');
  account('checker[bot]', 'write').type = 'Bot';
  world.fake.accounts.teams.get('release')?.add(account('linus', 'write').id);
});
afterAll(async () => {
  expect(world.fake.violations).toEqual([]);
  await world.close();
});
beforeEach(() => {
  world.fake.requests.length = 0;
});

function account(login: string, permission: 'write' | 'read' | 'none') {
  return Object.assign(world.fake.accounts.named(login), { permission });
}

/** An open pull request, and what people do with it. */
async function opened(policy: object = {}, change: { author?: string } = {}) {
  const told = world.begin(policy, change);
  await told.look();
  const { pulls } = world.fake.state;
  const pull = pulls.pullOf(told.number());
  const review = (login: string, state: FakeReview['state'] = 'APPROVED', sha = pulls.headShaOf(pull)) =>
    pulls.review(pull, world.fake.accounts.named(login), state, sha, 'I looked at it.');
  const comment = (login: string, body: string) => pulls.comment(pull, world.fake.accounts.named(login), body);
  const answers = () => pull.comments.filter(isAnswer).map(({ body }) => body);
  return { told, pull, review, comment, answers };
}

const sentenceOf = async (told: Promotion) => {
  const outcome = await told.settle();
  return outcome.kind === 'waiting' ? outcome.blocker.sentence : `${outcome.result}: ${outcome.message}`;
};
/** What is said of the promotion as such is no answer to anybody. */
const isAnswer = ({ by, body }: Pull['comments'][number]) => by?.login === 'robot' && !body.startsWith(STATE_MARKER);
const merged = ({ mergedAt }: Pull) => mergedAt !== null;

describe('an approval at GitHub', () => {
  it('merges what was looked at, and is in the log as the decision of that person', async () => {
    const { told, pull, review } = await opened();
    expect(await sentenceOf(told)).toBe(
      `pull request ${told.number()} to production needs an approval at the Git host`,
    );
    review('grace');
    expect(await sentenceOf(told)).toBe(`pass: promoted to production by pull request ${told.number()} by robot`);
    expect(merged(pull)).toBe(true);
    const { id } = world.fake.accounts.named('grace');
    expect(told.decisions()).toMatchObject([
      {
        verdict: 'approve',
        method: 'review',
        actor: 'grace',
        reason: 'I looked at it.',
        revision: told.commit,
        host: { host: 'github', person: String(id), login: 'grace', pullRequest: told.number(), headSha: told.commit },
      },
    ]);
  });

  it('of a member is needed where the policy names a group', async () => {
    const { told, review } = await opened({ approval: policy({ groups: ['acme/release'] }) });
    review('grace');
    expect(await sentenceOf(told)).toContain('grace is in none of acme/release');
    review('linus');
    expect(await sentenceOf(told)).toContain('pass: promoted');
    expect(told.decisions().map(({ actor }) => actor)).toEqual(['linus']);
  });

  it('lets nothing through by a group that is not there', async () => {
    const { told, review } = await opened({ approval: policy({ groups: ['acme/nobody'] }) });
    review('linus');
    expect(await sentenceOf(told)).toContain('linus is in none of acme/nobody');
  });

  it('is asked for even where a pass promotes by itself, if the policy says so', async () => {
    const { told, review } = await opened({ onPass: 'automatic', approval: policy({ quorum: 2 }) });
    review('grace');
    expect(await sentenceOf(told)).toContain('has 1 of 2 approvals');
    review('linus');
    expect(await sentenceOf(told)).toContain('pass: promoted');
  });

  it('costs three questions a look while nothing changes, and none about people', async () => {
    const { told, review } = await opened();
    await told.settle();
    world.fake.requests.length = 0;
    await told.look();
    const lines = () => world.fake.requests.map(({ line }) => line.replace(/\?.*/, '').replace(/\d+/, 'n'));
    const poll = ['pulls/n', 'issues/n/comments', 'pulls/n/reviews'].map((path) => `GET /repos/acme/deploy/${path}`);
    expect(lines()).toEqual(poll);
    review('reader');
    await told.look();
    world.fake.requests.length = 0;
    await told.look();
    expect(lines()).toEqual(poll);
  });

  it('is asked about again after a while: rights come and go without a review', async () => {
    const { told, review } = await opened();
    account('newcomer', 'read');
    review('newcomer');
    expect(await sentenceOf(told)).toContain('newcomer may not write');
    account('newcomer', 'write');
    expect(await sentenceOf(told)).toContain('newcomer may not write');
    told.ahead = 11 * 60_000;
    expect(await sentenceOf(told)).toContain('pass: promoted');
  });

  it('is believed no more when the right is gone right before the merge', async () => {
    const { told, pull, review } = await opened();
    account('leaver', 'write');
    review('leaver');
    let asked = 0;
    world.fake.fault = (line) => {
      if (line.includes('/collaborators/leaver/') && ++asked === 2) account('leaver', 'read');
      return undefined;
    };
    expect(await sentenceOf(told)).toContain('leaver may not write');
    world.fake.fault = undefined;
    expect(asked).toBeGreaterThanOrEqual(2);
    expect(merged(pull)).toBe(false);
  });

  it('waits with the reason of the host where the host has rules of its own, and does not insist', async () => {
    const { told, pull, review } = await opened();
    const { pulls } = world.fake.state;
    pulls.guarded.add(pull.base);
    review('grace');
    expect(await sentenceOf(told)).toMatch(/is blocked|required/);
    for (const _ of [1, 2, 3]) await told.look();
    const puts = world.fake.requests.filter(
      ({ line }) => line.startsWith('PUT ') && line.includes(`/${pull.number}/merge`),
    );
    expect(puts).toHaveLength(1);
    pulls.satisfy(pull.number);
    expect(await sentenceOf(told)).toContain('pass: promoted');
    pulls.guarded.delete(pull.base);
  });
});

describe('who merges', () => {
  it('is a person where the policy says so, who may say it in a comment', async () => {
    const { told, pull, review, comment, answers } = await opened({ merge: 'person' });
    review('grace');
    expect(await sentenceOf(told)).toBe(`approved by grace: a person merges pull request ${pull.number}`);
    comment('reader', '/lynceus promote');
    expect(await sentenceOf(told)).toContain('a person merges');
    comment('grace', '/lynceus promote now that the sale is over');
    expect(await sentenceOf(told)).toContain('pass: promoted');
    expect(answers()).toEqual([expect.stringContaining('reader may not write'), expect.stringContaining('Is merged')]);
  });

  it('is the host where the policy says so: it is told once', async () => {
    const { told, pull, review } = await opened({ merge: 'host', method: 'squash' });
    const { pulls } = world.fake.state;
    pulls.guarded.add(pull.base);
    review('grace');
    expect(await sentenceOf(told)).toContain(`handed to github, which merges pull request ${pull.number}`);
    await told.look();
    expect(told.effects.filter((name) => name === 'merge')).toHaveLength(1);
    pulls.satisfy(pull.number);
    pulls.guarded.delete(pull.base);
    expect(await sentenceOf(told)).toContain('pass: promoted');
  });

  it.each([
    ['somebody holds it', ({ comment }: Awaited<ReturnType<typeof opened>>) => comment('linus', '/lynceus hold')],
    [
      'the approval is withdrawn',
      ({ review }: Awaited<ReturnType<typeof opened>>) => review('grace', 'CHANGES_REQUESTED'),
    ],
    [
      'somebody pushes',
      ({ pull }: Awaited<ReturnType<typeof opened>>) =>
        world.origin.commit({ branch: pull.head, files: { evil: 'x' } }),
    ],
  ])('is no longer the host once %s', async (_, change) => {
    const given = await opened({ merge: 'host' });
    const { told, pull, review } = given;
    const { pulls } = world.fake.state;
    pulls.guarded.add(pull.base);
    review('grace');
    expect(await sentenceOf(told)).toContain('handed to github');
    change(given);
    await told.settle();
    pulls.satisfy(pull.number);
    pulls.guarded.delete(pull.base);
    expect(merged(pull)).toBe(false);
  });

  it('is taken back from the host also when we died right after handing it over', async () => {
    const { told, pull, review, comment } = await opened({ merge: 'host' });
    const { pulls } = world.fake.state;
    pulls.guarded.add(pull.base);
    review('grace');
    told.around = (name, when) => {
      if (name === 'merge' && when === 'after') throw new Error('killed');
    };
    await expect(told.settle()).rejects.toThrow('killed');
    told.around = undefined;
    comment('linus', '/lynceus hold');
    await told.settle();
    pulls.satisfy(pull.number);
    pulls.guarded.delete(pull.base);
    expect(merged(pull)).toBe(false);
  });

  it('never merges into another branch than the one that the stage deploys from', async () => {
    const { told, pull, review } = await opened();
    world.origin.git('branch', '-f', 'main', 'stage/production');
    pull.base = 'main';
    review('grace');
    expect(await sentenceOf(told)).toContain('leads to main instead of stage/production');
    expect(merged(pull)).toBe(false);
  });

  it('is no promotion when a person merges it into another branch', async () => {
    const { told, pull } = await opened({ merge: 'person' });
    world.origin.git('branch', '-f', 'main', 'stage/production');
    pull.base = 'main';
    const { number, headSha } = await world.host.readPullRequest(told.repository, told.number());
    await world.host.mergePullRequest(told.repository, number, { expectedHeadSha: headSha, message: 'm', by: 'grace' });
    expect(await sentenceOf(told)).toContain('was merged into main instead of stage/production');
  });

  it('that nobody has given yet adds nothing to the log, for however long', async () => {
    const { told } = await opened();
    await told.settle();
    const before = JSON.stringify(told.state().tasks.at(-1)?.memo);
    told.ahead = 20 * 60_000;
    await told.look();
    expect(JSON.stringify(told.state().tasks.at(-1)?.memo)).toBe(before);
  });
});

describe('nobody gets a promotion merged by', () => {
  type Opened = Awaited<ReturnType<typeof opened>>;
  const cases: [string, (given: Opened) => unknown, object?, { author?: string }?][] = [
    ['approving as our own account', ({ review }) => review('robot')],
    ['approving their own commit', ({ review }) => review('Ada'), {}, { author: 'Ada' }],
    ['approving an older head', ({ review }) => review('grace', 'APPROVED', world.origin.sha('stage/production'))],
    ['an approval that was dismissed', ({ review }) => review('grace', 'DISMISSED')],
    ['approving, then asking for changes', ({ review }) => [review('grace'), review('grace', 'CHANGES_REQUESTED')]],
    [
      'approving where somebody else asks for changes',
      ({ review }) => [review('linus', 'CHANGES_REQUESTED'), review('grace')],
    ],
    ['a comment in a review', ({ review }) => review('grace', 'COMMENTED')],
    ['a review that was not sent yet', ({ review }) => review('grace', 'PENDING')],
    ['approving without the right to write', ({ review }) => review('reader')],
    ['approving from outside of the organisation', ({ review }) => [account('stranger', 'none'), review('stranger')]],
    ['a program', ({ review }) => review('checker[bot]')],
    [
      'approving outside of the group',
      ({ review }) => review('grace'),
      { approval: { ...policy({ groups: ['acme/release'] }) } },
    ],
    ['a deleted account', ({ pull, told }) => world.fake.state.pulls.review(pull, null, 'APPROVED', told.commit)],
    ['an approval that expired', ({ review, told }) => [review('grace'), Object.assign(told, { ahead: 8 * DAY })]],
    [
      'taking the name of somebody who could approve',
      ({ pull, told }) => renamedApproves(pull, told.commit),
      { approval: { ...policy(), people: ['1'] } },
    ],
    [
      'words in a comment',
      ({ comment }) => [comment('grace', 'LGTM, approved!'), comment('grace', '/lynceus approve')],
    ],
    [
      'a command that lets it through without approval',
      ({ comment }) => [comment('grace', '/lynceus promote'), comment('grace', '/lynceus override it is urgent')],
    ],
    [
      'pushing after the approval',
      ({ review, pull }) => [review('grace'), world.origin.commit({ branch: pull.head, files: { evil: 'x' } })],
    ],
    [
      'pushing before the approval',
      ({ review, pull }) => [world.origin.commit({ branch: pull.head, files: { evil: 'x' } }), review('grace')],
    ],
    [
      'approving another pull request',
      async ({ pull, told }) => {
        const other = await opened();
        world.fake.state.pulls.review(other.pull, world.fake.accounts.named('reader'), 'APPROVED', told.commit);
        expect(pull.number).not.toBe(other.pull.number);
      },
    ],
    [
      'approving a fork of the same name',
      ({ pull, told }) => {
        const number = world.fake.openFromFork(pull.head, told.commit, pull.base);
        world.fake.state.pulls.review(
          world.fake.state.pulls.pullOf(number),
          world.fake.accounts.named('grace'),
          'APPROVED',
          told.commit,
        );
      },
    ],
  ];

  it.each(cases)('%s', async (_, act, policyOf = {}, change = {}) => {
    const given = await opened(policyOf, change);
    const before = world.origin.sha('stage/production');
    await act(given);
    const outcome = await given.told.settle();
    expect(outcome).toMatchObject({ kind: 'waiting' });
    expect(merged(given.pull)).toBe(false);
    expect(world.origin.sha('stage/production')).toBe(before);
    expect(given.told.decisions().filter(({ verdict }) => verdict === 'approve')).toEqual([]);
  });

  it('approving edits that take over what they wrote', async () => {
    const changes = [{ set: { file: 'app.json', path: 'version', value: 7 } }];
    const { told, pull, review } = await opened({ changes }, { author: 'Ada' });
    expect(pull.headSha).not.toBe(told.commit);
    review('Ada');
    expect(await sentenceOf(told)).toContain('Ada wrote a commit in it');
    expect(merged(pull)).toBe(false);
    review('grace');
    expect(await sentenceOf(told)).toContain('pass: promoted');
  });

  it('approving what is closed already', async () => {
    const { told, pull, review } = await opened();
    pull.state = 'closed';
    review('grace');
    expect(await sentenceOf(told)).toContain('fail: pull request');
    expect(merged(pull)).toBe(false);
  });

  function renamedApproves(pull: Pull, sha: string) {
    const old = account('boss', 'write');
    old.login = 'boss-who-left';
    const thief = account('boss', 'write');
    expect(thief.id).not.toBe(old.id);
    return world.fake.state.pulls.review(pull, thief, 'APPROVED', sha);
  }
});

describe('a command in a comment', () => {
  it('is heard however many others have written, who are not all answered', async () => {
    const { told, comment, answers } = await opened();
    for (let count = 0; count < 110; count += 1) comment('reader', '/lynceus hold');
    await told.settle();
    expect(answers().length).toBeLessThanOrEqual(20);
    expect(JSON.stringify(told.state().tasks.at(-1)?.memo).length).toBeLessThan(8_000);
    comment('linus', '/lynceus hold');
    expect(await sentenceOf(told)).toContain('held by linus');
    expect(told.decisions()).toHaveLength(1);
  });

  it('holds and resumes as the person who wrote it, once', async () => {
    const { told, comment, answers } = await opened();
    comment('grace', '/lynceus hold until Monday');
    await told.settle();
    expect(told.state().paused).toMatchObject({ actor: 'grace', reason: 'until Monday' });
    comment('linus', '/lynceus resume');
    await told.settle();
    expect(told.state().paused).toBeUndefined();
    await told.settle();
    expect(told.decisions().map(({ verdict, method, actor }) => [verdict, method, actor])).toEqual([
      ['pause', 'comment', 'grace'],
      ['resume', 'comment', 'linus'],
    ]);
    expect(told.decisions()[0]?.host?.comment).toBeTruthy();
    expect(answers()).toHaveLength(2);
  });

  it.each([
    ['somebody who may only read', 'reader', '/lynceus hold'],
    ['a program', 'checker[bot]', '/lynceus hold'],
    ['ourselves', 'robot', '/lynceus hold'],
    ['somebody outside of the approvers', 'grace', '/lynceus override now'],
    ['a quote', 'grace', '> /lynceus hold'],
  ])('is not obeyed from %s', async (_, login, body) => {
    const { told, comment } = await opened({ approval: policy({ groups: ['acme/release'] }) });
    comment(login, body);
    await told.settle();
    expect(told.decisions()).toEqual([]);
    expect(told.state().paused).toBeUndefined();
  });

  it('is not obeyed once it was edited, and the answer says so', async () => {
    const { told, comment, answers } = await opened();
    const written = comment('grace', 'Hello');
    Object.assign(written, { body: '/lynceus hold', updatedAt: '2099-01-01T00:00:00Z' });
    await told.settle();
    expect(told.decisions()).toEqual([]);
    expect(answers()).toEqual([expect.stringContaining('changed after it was written')]);
  });

  it('is answered once, also when we died right after obeying', async () => {
    const { told, comment, answers } = await opened();
    comment('grace', '/lynceus hold');
    told.around = (name, when) => {
      if (name === 'answer' && when === 'after') throw new Error('killed');
    };
    await expect(told.look()).rejects.toThrow('killed');
    told.around = undefined;
    await told.settle();
    expect(answers()).toHaveLength(1);
    expect(told.decisions()).toHaveLength(1);
  });

  it('of an approver lets it past a closed window, and is no approval', async () => {
    const windows = [
      { kind: 'deny', spans: [{ start: 0, end: 10_080 }], timeZone: 'UTC', reason: 'frozen', text: 'all' },
    ];
    const { told, review, comment } = await opened({ windows });
    comment('grace', '/lynceus override the fix cannot wait');
    expect(await sentenceOf(told)).toContain('needs an approval');
    review('linus');
    expect(await sentenceOf(told)).toContain('pass: promoted');
    expect(told.decisions().map(({ verdict, actor }) => [verdict, actor])).toEqual([
      ['override', 'grace'],
      ['approve', 'linus'],
    ]);
  });
});

function policy(change: object = {}) {
  return { quorum: 1, groups: [], people: [], authors: 'refuse', bots: [], expiresAfterMs: 7 * DAY, ...change };
}
