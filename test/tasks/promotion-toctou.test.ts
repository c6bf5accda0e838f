import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BareRepository } from '../../examples/sandbox/git.ts';
import type { TaskOutcome } from '../../src/tasks/task.ts';
import {
  createGitHubPromotions,
  createLocalPromotions,
  type GitHubPromotions,
  type Promotion,
  type PromotionWorld,
} from '../support/promotion-world.ts';

const ROUNDS = process.env['LYNCEUS_TOCTOU'] === 'full' ? 200 : 10;
const LIMIT = { timeout: ROUNDS * 30_000 };
const BRANCH = 'stage/production';
/** What happened in all rounds, to be sure that they met both sides of the race. */
const met = { pushed: 0, merged: 0, kept: 0 };

/** https://en.wikipedia.org/wiki/Linear_congruential_generator, with the constants of Numerical Recipes. */
function randomBy(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

type Push = 'head' | 'base' | 'both' | 'there and back';
const PUSHES: readonly Push[] = ['head', 'base', 'both', 'there and back'];

/** Pushes somebody's work, and answers what nobody evaluated and what must not get lost. */
function pushed(origin: BareRepository, head: string, commit: string, push: Push, round: number) {
  const evil: string[] = [];
  const theirs: string[] = [];
  const there = origin.sha(`refs/heads/${head}`) !== undefined;
  if (push !== 'base' && there) {
    evil.push(
      ...unlessRefused(() => origin.commit({ branch: head, files: { [`evil-${round}`]: 'x' }, message: 'Slip in' })),
    );
    if (push === 'there and back') unlessRefused(() => origin.git('update-ref', `refs/heads/${head}`, commit));
  }
  if (push === 'base' || push === 'both') {
    const change = { branch: BRANCH, files: { [`other-${round}`]: 'y' }, message: 'Change production' };
    theirs.push(...unlessRefused(() => origin.commit(change)));
  }
  return { evil, theirs };
}

/** Git takes no push to a branch that moves or goes in that moment. */
function unlessRefused(push: () => string): string[] {
  try {
    return [push()];
  } catch (error) {
    if (/cannot lock ref|Not updating/.test(String(error))) return [];
    throw error;
  }
}

function expectSound(
  origin: BareRepository,
  told: Promotion,
  outcome: TaskOutcome,
  { evil, theirs }: ReturnType<typeof pushed>,
): void {
  met.pushed += Number(evil.length + theirs.length > 0);
  const isIn = (commit: string) => origin.tries('merge-base', '--is-ancestor', commit, BRANCH);
  for (const commit of evil) expect(isIn(commit), `${commit} was evaluated by nobody`).toBe(false);
  for (const commit of theirs) expect(isIn(commit), `${commit} was lost`).toBe(true);
  if (outcome.kind === 'waiting') {
    met.kept += 1;
    expect(isIn(told.commit)).toBe(false);
    expect(outcome.blocker.kind).toBe('conflict');
    return;
  }
  met.merged += 1;
  expect(outcome).toMatchObject({ status: 'succeeded', result: 'pass' });
  const { mergeSha } = outcome.data ?? {};
  expect(origin.git('rev-parse', `${mergeSha}^2`)).toBe(told.commit);
}

describe(`pushed at a random moment between approval and merge, ${ROUNDS} times, nothing unevaluated is merged`, () => {
  describe('by GitHub', () => {
    let world: GitHubPromotions;
    beforeAll(async () => {
      world = await createGitHubPromotions();
      world.fake.accounts.named('grace').permission = 'write';
    });
    afterAll(async () => {
      world.fake.fault = undefined;
      expect(world.fake.violations).toEqual([]);
      await world.close();
    });

    it('whoever pushes where', LIMIT, async () => {
      const random = randomBy(20_261_121);
      const undisturbed = await approved();
      world.fake.requests.length = 0;
      await undisturbed.told.settle();
      const requests = world.fake.requests.length;
      for (let round = 1; round <= ROUNDS; round += 1) {
        const { told, pull } = await approved();
        const [at, push] = [random(requests), PUSHES[random(PUSHES.length)] as Push];
        let count = 0;
        let done: ReturnType<typeof pushed> = { evil: [], theirs: [] };
        world.fake.fault = () => {
          if (count++ === at) done = pushed(world.origin, pull.head, told.commit, push, round);
          return undefined;
        };
        const outcome = await told.settle();
        world.fake.fault = undefined;
        expectSound(world.origin, told, outcome, done);
      }
    });

    async function approved() {
      const told = world.begin();
      await told.look();
      const { pulls } = world.fake.state;
      const pull = pulls.pullOf(told.number());
      pulls.review(pull, world.fake.accounts.named('grace'), 'APPROVED', told.commit);
      return { told, pull };
    }
  });

  describe('in a plain repository', () => {
    let world: PromotionWorld;
    beforeAll(() => {
      world = createLocalPromotions();
    });
    afterAll(() => world.close());

    it('whoever pushes where', LIMIT, async () => {
      const random = randomBy(42);
      for (let round = 1; round <= ROUNDS; round += 1) {
        const told = world.begin();
        await told.look();
        const pull = await world.host.readPullRequest({ url: world.origin.path }, told.number());
        told.approve('grace');
        const push = PUSHES[random(PUSHES.length)] as Push;
        const soon = sleep(random(200)).then(() => pushed(world.origin, pull.headBranch, told.commit, push, round));
        const [outcome, done] = await Promise.all([told.settle(), soon]);
        expectSound(world.origin, told, outcome, done);
      }
    });
  });

  it('and both sides of the race were met', () => {
    console.log(
      `TOCTOU: 2 x ${ROUNDS} rounds, ${met.pushed} pushes, ${met.merged} merged, ${met.kept} kept from being merged`,
    );
    expect(met.merged).toBeGreaterThan(0);
    expect(met.kept).toBeGreaterThan(0);
  });
});
