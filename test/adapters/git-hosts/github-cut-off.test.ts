import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BareRepository, createBareRepository } from '../../../examples/sandbox/git.ts';
import type { GitHost } from '../../../src/adapters/git-hosts/git-host.ts';
import { github } from '../../../src/adapters/git-hosts/github.ts';
import { Secret } from '../../../src/base/secret.ts';
import { type FakeGitHub, type Fault, startFakeGitHub } from '../../support/github.ts';
import { type PortPromotion, promoteByPort } from '../../support/port-promotion.ts';

const TOKEN = 'ghp_canary';

/** Whoever goes on after a crash knows nothing but what was written down: here, nothing at all. */
describe('a promotion on GitHub that is cut off', () => {
  let origin: BareRepository;
  let fake: FakeGitHub;

  beforeEach(async () => {
    origin = createBareRepository();
    fake = await startFakeGitHub(origin, TOKEN);
    fake.accounts.named('grace').permission = 'write';
    origin.commit({ branch: 'main', files: { a: '1\n' } });
  });
  afterEach(async () => {
    await fake.close();
    origin.remove();
    expect(fake.violations).toEqual([]);
  });

  function restart(): GitHost {
    const tools = { secret: () => new Secret(TOKEN), addresses: 'any' as const, cacheDir: tmpdir() };
    return github.create('github', { url: fake.url, token: { env: 'T' }, writeIntervalMs: 0 }, tools);
  }

  function approve(number: number): void {
    const { pulls } = fake.state;
    const pull = pulls.pullOf(number);
    if (pull.reviews.length > 0) return;
    pulls.review(pull, fake.accounts.named('grace'), 'APPROVED', pulls.headShaOf(pull));
  }

  const isChange = (line: string) => !line.startsWith('GET');

  /** Fails from the given change on: the process is gone. Answers whether it came that far. */
  async function cutOffAt(change: number, promotion: PortPromotion, afterEffect: boolean): Promise<boolean> {
    let seen = 0;
    fake.fault = (line): Fault | undefined => {
      if (isChange(line)) seen += 1;
      if (seen < change) return undefined;
      return {
        status: 502,
        body: 'gone',
        ...(afterEffect && seen === change && isChange(line) ? { afterEffect } : {}),
      };
    };
    await promoteByPort(restart(), { url: `${fake.url}/acme/deploy` }, promotion, approve).catch(() => {});
    fake.fault = undefined;
    return seen >= change;
  }

  it.each([
    ['before', false],
    ['after', true],
  ])('%s any of its changes has one pull request, one merge and one comment in the end', async (_, afterEffect) => {
    let change = 1;
    for (let more = true; more; change += 1) {
      const baseBranch = `stage/${change}`;
      origin.git('branch', baseBranch, 'main');
      const sha = origin.commit({ branch: `verified/${change}`, from: 'main', files: { [`${change}`]: 'x' } });
      const fresh = () => ({ name: `shop-${change}`, sha, baseBranch });
      more = await cutOffAt(change, fresh(), afterEffect);
      const pulls = () => fake.state.pulls.pulls.filter(({ base }) => base === baseBranch);
      const known = pulls().at(0)?.mergedAt === undefined || pulls().at(0)?.mergedAt === null;
      // Its number is written down before anything is done about it.
      const promotion: PortPromotion = known ? fresh() : { ...fresh(), number: pulls().at(0)?.number ?? 0 };
      await promoteByPort(restart(), { url: `${fake.url}/acme/deploy` }, promotion, approve);
      const [pull, ...others] = pulls();
      expect(others, `change ${change}`).toEqual([]);
      expect(pull?.comments.map(({ body }) => body)).toEqual(['<!-- lynceus:story -->\nIt was merged.']);
      expect(pull?.labels).toEqual(['lynceus']);
      expect(origin.sha(`lynceus/shop-${change}`)).toBeUndefined();
      const merges = origin.git('rev-list', '--merges', baseBranch).split('\n').filter(Boolean);
      expect(merges).toEqual([pull?.mergeSha]);
    }
    // Branch, pull request, mark, label, comment, merge, branch, comment: and one that is never reached.
    expect(change - 1).toBe(9);
  });
});
