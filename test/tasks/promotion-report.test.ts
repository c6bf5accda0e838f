import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createGitHubPromotions, type GitHubPromotions, type Promotion } from '../support/promotion-world.ts';

let world: GitHubPromotions;

beforeAll(async () => {
  world = await createGitHubPromotions();
  Object.assign(world.fake.accounts.named('grace'), { permission: 'write' });
});
afterAll(async () => {
  expect(world.fake.violations).toEqual([]);
  await world.close();
});
beforeEach(() => {
  world.fake.requests.length = 0;
});

async function opened(policy: object = {}) {
  const told = world.begin(policy);
  await told.settle();
  const { pulls } = world.fake.state;
  const pull = pulls.pullOf(told.number());
  return {
    told,
    pull,
    approve: () => pulls.review(pull, world.fake.accounts.named('grace'), 'APPROVED', pulls.headShaOf(pull), 'Fine.'),
    ours: () => pull.comments.filter(({ by }) => by?.login === 'robot').map(({ body }) => body),
    marks: () => marksOf(told.commit),
  };
}

function marksOf(sha: string): Record<string, string> {
  return Object.fromEntries(world.fake.state.statusesOf(sha).map(({ context, state }) => [context, state]));
}

const writes = () => world.fake.requests.map(({ line }) => line).filter((line) => !line.startsWith('GET '));
const hold = (told: Promotion) =>
  told.happens({
    name: 'decision.made',
    at: new Date().toISOString(),
    data: {
      decision: 'hold-1',
      verdict: 'pause',
      actor: 'lin',
      method: 'token',
      reason: 'look first',
      revision: told.commit,
      evidence: '',
    },
  });

describe('what people see of a promotion at its host', () => {
  it('is one comment that follows it from its opening to its merge', async () => {
    const { told, ours, approve } = await opened();
    expect(ours()).toHaveLength(1);
    expect(ours()[0]).toContain('**Waiting:** pull request');
    approve();
    await told.settle();
    expect(ours()).toHaveLength(1);
    expect(ours()[0]).toContain('**Merged:** promoted to production by pull request');
  });

  it('says what it waits for and who can unblock it, in the words of every page', async () => {
    const approval = { quorum: 1, groups: ['acme/release-managers'], people: [], bots: [], expiresAfterMs: 6e8 };
    const { told, ours } = await opened({ approval: { ...approval, authors: 'refuse' } });
    const mark = () => {
      const all = world.fake.state.statusesOf(told.commit);
      return all.findLast(({ context }) => context === 'lynceus/promotion/production')?.description;
    };
    expect(ours()[0]).toContain('\n\n**Who:** acme/release-managers approve\n');
    expect(mark()).toMatch(
      /^Waiting for acme\/release-managers: PR \d+ to production needs 1 of acme\/release-managers$/,
    );
    hold(told);
    await told.settle();
    // Nobody is called at the host by being named.
    expect(ours()[0]).toContain('**Who:** @\u200blin resumes');
    expect(mark()).toBe('Waiting for @lin: Held by lin: look first');
  });

  it('are marks on its head, green all together only when it may be merged', async () => {
    const { told, marks, approve } = await opened({ merge: 'person' });
    expect(marks()).toEqual({
      'lynceus/verification/production': 'success',
      'lynceus/approval/production': 'pending',
      'lynceus/promotion/production': 'pending',
    });
    approve();
    await told.settle();
    expect(marks()).toEqual({
      'lynceus/verification/production': 'success',
      'lynceus/approval/production': 'success',
      'lynceus/promotion/production': 'success',
    });
  });

  it('turns red while somebody holds it, with a label that says so', async () => {
    const { told, marks, pull, ours } = await opened();
    hold(told);
    await told.settle();
    expect(marks()).toMatchObject({ 'lynceus/hold/production': 'failure', 'lynceus/promotion/production': 'failure' });
    expect(ours()[0]).toContain('**Stopped:** held by lin: look first');
    expect([...pull.labels]).toEqual(expect.arrayContaining(['lynceus', 'stage: production', 'hold']));
  });

  it('is not written again while nothing changes', async () => {
    const { told } = await opened();
    world.fake.requests.length = 0;
    for (let look = 0; look < 5; look++) await told.look();
    expect(writes()).toEqual([]);
  });

  it('does not hold up what it is about: what the host refuses now is written at a later look', async () => {
    const { told, ours } = await opened();
    hold(told);
    const refused = { status: 403, body: { message: 'Resource not accessible by integration' } };
    world.fake.fault = (line) => (/^(POST|PATCH) .*comments/.test(line) ? refused : undefined);
    const outcome = await told.look();
    world.fake.fault = undefined;
    expect(outcome).toMatchObject({ kind: 'waiting', blocker: { sentence: 'held by lin: look first' } });
    expect(ours()[0]).toContain('**Waiting:**');
    await told.look();
    expect(ours()[0]).toContain('**Stopped:** held by lin');
  });

  it.each(['before', 'after'] as const)(
    'is no second comment when the process dies right %s writing it',
    async (when) => {
      const told = world.begin({});
      let died = 0;
      told.around = (name, at) => {
        if (name === 'report' && at === when && died++ < 6) throw new Error('killed');
      };
      for (let attempt = 0; attempt < 12; attempt++) {
        await told.look().catch((error: unknown) => expect(String(error)).toContain('killed'));
      }
      expect(died).toBeGreaterThan(0);
      const pull = world.fake.state.pulls.pullOf(told.number());
      expect(pull.comments.filter(({ body }) => body.includes('<!-- lynceus:promotion -->'))).toHaveLength(1);
    },
  );
});
