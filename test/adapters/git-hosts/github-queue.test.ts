import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BareRepository, createBareRepository } from '../../../examples/sandbox/git.ts';
import type { GitHost } from '../../../src/adapters/git-hosts/git-host.ts';
import { createGitHub } from '../../../src/adapters/git-hosts/github.ts';
import { AdapterError } from '../../../src/base/adapter-error.ts';
import { Secret } from '../../../src/base/secret.ts';
import { type FakeGitHub, type Fault, startFakeGitHub } from '../../support/github.ts';
import { enforceLimits } from '../../support/github-limits.ts';
import { type PortPromotion, promoteByPort } from '../../support/port-promotion.ts';
import { createVirtualTime, type VirtualTime } from '../../support/virtual-time.ts';

/** 600 take minutes, all of them spent in Git: `npm run promotions`. */
const FULL = process.env['LYNCEUS_PROMOTIONS'] === 'full';
const PROMOTIONS = FULL ? 600 : 60;
/** So few meet no limit by themselves: somebody else has used the account before. */
const OTHERS = FULL ? { requests: 0, content: 0 } : { requests: 4_400, content: 300 };
const WORKERS = 8;
const TOKEN = 'ghp_canary';
/** Of the changes, so many are done and their answer gets lost. */
const LOST = 0.05;

describe(`${PROMOTIONS} promotions at GitHub's published limits`, () => {
  let origin: BareRepository;
  let fake: FakeGitHub;
  let time: VirtualTime;
  let host: GitHost;
  let repository: { url: string };

  beforeEach(async () => {
    origin = createBareRepository();
    fake = await startFakeGitHub(origin, TOKEN);
    time = createVirtualTime(Date.parse('2026-03-02T10:00:00Z'));
    repository = { url: `${fake.url}/acme/deploy` };
    const tools = { secret: () => new Secret(TOKEN), addresses: 'any' as const, cacheDir: tmpdir() };
    host = createGitHub('github', { url: fake.url, token: { env: 'GITHUB_TOKEN' } }, tools, time);
    origin.commit({ branch: 'main', files: { a: '1\n' } });
    origin.git('branch', 'production', 'main');
    fake.accounts.named('grace').permission = 'write';
  });
  afterEach(async () => {
    await fake.close();
    origin.remove();
    expect(fake.violations).toEqual([]);
  });

  function approve(number: number): void {
    const { pulls } = fake.state;
    pulls.review(pulls.pullOf(number), fake.accounts.named('grace'), 'APPROVED', pulls.headShaOf(pulls.pullOf(number)));
  }

  /** As the queue of Lynceus does: what fails comes back, after the time that was asked for. */
  async function worker(queue: PortPromotion[], failures: Map<string, number>): Promise<void> {
    for (let promotion = queue.shift(); promotion !== undefined; promotion = queue.shift()) {
      try {
        await promoteByPort(host, repository, promotion, approve);
      } catch (error) {
        if (!(error instanceof AdapterError) || !error.retryable) throw error;
        failures.set(error.reason, (failures.get(error.reason) ?? 0) + 1);
        queue.push(promotion);
        await time.sleep(error.retryAfterMs ?? 500, undefined);
      }
    }
  }

  it('all end, none is done twice, and nothing is asked before its time', { timeout: 3_600_000 }, async () => {
    const promotions = Array.from({ length: PROMOTIONS }, (_, at): PortPromotion => {
      const name = `shop-${at}`;
      const sha = origin.commit({ branch: `verified/${at}`, from: 'main', files: { [name]: 'x' } });
      return { name, sha, baseBranch: 'production' };
    });
    const random = createRandom(42);
    const loses = (line: string): Fault | undefined =>
      !line.startsWith('GET') && random() < LOST ? { status: 502, body: 'Bad gateway', afterEffect: true } : undefined;
    const limits = enforceLimits(fake, time, loses, OTHERS);
    const failures = new Map<string, number>();
    const queue = [...promotions];
    await time.work(Array.from({ length: WORKERS }, () => () => worker(queue, failures)));

    expect(promotions.filter(({ merged }) => !merged)).toEqual([]);
    expect(limits.early).toEqual([]);
    expect(Object.keys(limits.refused), 'no limit was met: nothing was shown').not.toEqual([]);
    const { pulls } = fake.state.pulls;
    expect(pulls).toHaveLength(PROMOTIONS);
    expect(new Set(pulls.map(({ head }) => head)).size).toBe(PROMOTIONS);
    expect(pulls.filter(({ mergedAt }) => mergedAt === null)).toEqual([]);
    expect(pulls.filter(({ comments }) => comments.length !== 1)).toEqual([]);
    const merges = origin.git('rev-list', '--merges', '--parents', 'production').split('\n');
    expect(merges.map((line) => line.split(' ')[2]).toSorted()).toEqual(promotions.map(({ sha }) => sha).toSorted());
    report(limits, failures);
  });

  function report(limits: ReturnType<typeof enforceLimits>, failures: ReadonlyMap<string, number>): void {
    const hours = time.now() / 3_600_000;
    const unchanged = fake.requests.filter((request) => request.unchanged).length;
    const writes = fake.requests.filter(({ line }) => !line.startsWith('GET')).length;
    console.log(
      [
        `${PROMOTIONS} promotions in ${hours.toFixed(1)} h of GitHub's time`,
        `${fake.requests.length} requests, ${writes} of them changes, ${unchanged} unchanged, ${limits.counted()} counted`,
        `refused: ${JSON.stringify(limits.refused)}, failed tries: ${JSON.stringify(Object.fromEntries(failures))}`,
        `branches left: ${origin.git('for-each-ref', '--format=%(refname)', 'refs/heads/lynceus').split('\n').filter(Boolean).length}`,
      ].join('; '),
    );
  }
});

/** The same numbers in every run. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
