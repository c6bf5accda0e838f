import { tmpdir } from 'node:os';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type BareRepository, createBareRepository } from '../../../examples/sandbox/git.ts';
import type { AdapterTools } from '../../../src/adapters/adapter-kind.ts';
import type { ApiTime } from '../../../src/adapters/git-hosts/api-limits.ts';
import type { GitHost } from '../../../src/adapters/git-hosts/git-host.ts';
import { createGitHub as createGitHubHost, github } from '../../../src/adapters/git-hosts/github.ts';
import { AdapterError } from '../../../src/base/adapter-error.ts';
import { Secret } from '../../../src/base/secret.ts';
import { gitHostContract } from '../../contracts/git-host.ts';
import { type FakeGitHub, startFakeGitHub } from '../../support/github.ts';
import { HOOK_URL } from '../../support/github-hooks.ts';
import { createGitHubWorld, GITHUB_WORLD_TOKEN } from '../../support/github-world.ts';

const TOKEN = GITHUB_WORLD_TOKEN;

gitHostContract('GitHub', () => createGitHubWorld((fake) => createGitHub(fake.url)));

gitHostContract('GitHub as an App', () =>
  createGitHubWorld((fake) => {
    const app = { id: fake.app.id, privateKey: { env: 'GITHUB_APP_KEY' } };
    return github.create('github', { url: fake.url, app, writeIntervalMs: 0 }, tools(fake.app.privateKey));
  }),
);

describe('GitHub', () => {
  let origin: BareRepository;
  let fake: FakeGitHub;
  let host: GitHost;
  let verified: string;
  let repository: { url: string };

  beforeEach(async () => {
    origin = createBareRepository();
    fake = await startFakeGitHub(origin, TOKEN);
    host = createGitHub(fake.url);
    repository = { url: `${fake.url}/acme/deploy.git` };
    origin.commit({ branch: 'main', files: { a: '1\n' } });
    origin.git('branch', 'stage', 'main');
    verified = origin.commit({ branch: 'main', files: { a: '2\n' } });
  });
  afterEach(async () => {
    await fake.close();
    origin.remove();
    expect(fake.violations).toEqual([]);
  });

  const open = (headBranch = 'lynceus/x') =>
    host.openPullRequest(repository, { headBranch, headSha: verified, baseBranch: 'stage', title: 't', body: 'b' });
  const merge = (number: number) =>
    host.mergePullRequest(repository, number, { expectedHeadSha: verified, message: 'Promote\n\nwhy', by: 'grace' });
  const lines = () => fake.requests.map(({ line }) => line);

  it('has its own page for reviews', async () => {
    expect(host.capabilities.reviews).toBe('host');
    expect((await open()).url).toBe('https://github.example/acme/deploy/pull/1');
  });

  it('never takes the pull request of a fork for one of ours', async () => {
    fake.openFromFork('lynceus/x', verified, 'stage');
    expect(await host.findOpenPullRequests(repository, { headPrefix: 'lynceus/', baseBranch: 'stage' })).toEqual([]);
    expect((await open()).number).toBe(2);
  });

  it('finds pull requests beyond the first page', async () => {
    await open();
    for (let at = 0; at < 50; at += 1) fake.openFromFork(`x-${at}`, verified, 'stage');
    const found = await host.findOpenPullRequests(repository, { headPrefix: 'lynceus/', baseBranch: 'stage' });
    expect(found.map(({ number }) => number)).toEqual([1]);
  });

  it('merges only the verified commit, and says so to GitHub itself', async () => {
    const { number } = await open();
    const before = origin.sha('stage');
    fake.fault = (line) => {
      // The branch moves between our look and our merge.
      if (line.endsWith('/merge')) origin.commit({ branch: 'lynceus/x', files: { slipped: 'in' } });
      return undefined;
    };
    expect(await failureOf(merge(number))).toMatchObject({ reason: 'conflict' });
    expect(origin.sha('stage')).toBe(before);
  });

  it('merges once when the answer to the merge got lost', async () => {
    const { number } = await open();
    fake.fault = (line) =>
      line.endsWith('/merge') ? { status: 502, body: 'Bad gateway', afterEffect: true } : undefined;
    expect(await failureOf(merge(number))).toMatchObject({ reason: 'unavailable' });
    fake.fault = undefined;
    expect(await merge(number)).toMatchObject({ state: 'merged', mergeSha: origin.sha('stage') });
    expect(lines().filter((line) => line.endsWith('/merge'))).toHaveLength(1);
  });

  it('opens one pull request when the answer to opening it got lost', async () => {
    fake.fault = (line) => (line === 'POST /repos/acme/deploy/pulls' ? { status: 500, afterEffect: true } : undefined);
    expect(await failureOf(open())).toMatchObject({ reason: 'unavailable' });
    fake.fault = undefined;
    expect((await open()).number).toBe(1);
  });

  it('finds the one that somebody else opened a moment earlier', async () => {
    let raced = false;
    fake.fault = (line) => {
      if (line !== 'POST /repos/acme/deploy/pulls' || raced) return undefined;
      raced = true;
      return {
        status: 422,
        body: {
          message: 'Validation Failed',
          errors: [{ resource: 'PullRequest', code: 'custom', message: 'A pull request already exists for acme:x.' }],
        },
        afterEffect: true,
      };
    };
    expect(await open()).toMatchObject({ number: 1, state: 'open', headSha: verified });
  });

  it('says why it closes exactly once, also when closing was cut off after saying it', async () => {
    const { number } = await open();
    fake.fault = (line) => (line.startsWith('PATCH /repos/acme/deploy/pulls/') ? { status: 503 } : undefined);
    expect(await failureOf(host.closePullRequest(repository, number, 'Superseded.'))).toMatchObject({
      reason: 'unavailable',
    });
    fake.fault = undefined;
    await host.closePullRequest(repository, number, 'Superseded.');
    expect(fake.comments(number)).toEqual(['Superseded.']);
  });

  it('counts a merge as done even if the branch cannot be deleted', async () => {
    const { number } = await open();
    fake.fault = (line) => (line.startsWith('DELETE') ? { status: 403, body: { message: 'Protected' } } : undefined);
    expect(await merge(number)).toMatchObject({ state: 'merged' });
    expect(origin.sha('lynceus/x')).toBe(verified);
  });

  it('deletes the branch with the next merge when GitHub asked to wait', async () => {
    const { number } = await open();
    fake.fault = (line) => (line.startsWith('DELETE') ? { status: 503 } : undefined);
    await merge(number);
    fake.fault = undefined;
    expect(origin.sha('lynceus/x')).toBe(verified);
    const headSha = origin.commit({ branch: 'main', files: { more: 'x' } });
    const wanted = { headBranch: 'lynceus/y', headSha, baseBranch: 'stage', title: 't', body: 'b' };
    const { number: second } = await host.openPullRequest(repository, wanted);
    await host.mergePullRequest(repository, second, { expectedHeadSha: headSha, message: 'm', by: 'grace' });
    expect(origin.sha('lynceus/x')).toBeUndefined();
    expect(origin.sha('lynceus/y')).toBeUndefined();
  });

  it('keeps a head branch on which somebody went on working', async () => {
    const { number } = await open();
    fake.fault = (line) => {
      if (line.includes('/git/ref/')) origin.commit({ branch: 'lynceus/x', files: { more: 'work' } });
      return undefined;
    };
    expect(await merge(number)).toMatchObject({ state: 'merged' });
    expect(origin.sha('lynceus/x')).toBeDefined();
    expect(lines().some((line) => line.startsWith('DELETE'))).toBe(false);
  });

  it.each([
    [401, {}, 'unauthenticated'],
    [403, {}, 'forbidden'],
    [403, { 'x-ratelimit-remaining': '17' }, 'forbidden'],
    [404, {}, 'not-found'],
    [409, {}, 'conflict'],
    [410, {}, 'rejected'],
    [422, {}, 'rejected'],
    [429, {}, 'rate-limited'],
    [500, {}, 'unavailable'],
    [503, {}, 'unavailable'],
    [504, {}, 'timeout'],
    [301, { location: 'https://evil.example/' }, 'bad-response'],
  ] as const)('understands %i %j as %s', async (status, headers, reason) => {
    fake.fault = () => ({ status, headers, body: { message: `No. ${TOKEN}` } });
    const error = await failureOf(host.readPullRequest(repository, 1));
    expect(error).toMatchObject({ reason });
    expect(error?.message).not.toContain(TOKEN);
  });

  it.each(['<html>maintenance</html>', '[]', 'null', '{}', '{"number":1,"head":{}}', '"text"', '{"head":{"sha":7}}'])(
    'makes no pull request out of the answer %s',
    async (body) => {
      fake.fault = () => ({ status: 200, body });
      expect(await failureOf(host.readPullRequest(repository, 1))).toMatchObject({ reason: 'bad-response' });
    },
  );

  it.each(['[]', 'null', '{}', '{"status":"unheard of"}', '{"commits":null,"total_commits":"x"}'])(
    'makes no comparison out of the answer %s',
    async (body) => {
      fake.fault = () => ({ status: 200, body });
      expect(await failureOf(host.contains(repository, 'main', verified))).toMatchObject({ reason: 'bad-response' });
      expect(await failureOf(host.compare(repository, 'main', verified))).toMatchObject({ reason: 'bad-response' });
    },
  );

  it('does not read an answer without end', async () => {
    fake.fault = () => ({ status: 200, body: JSON.stringify({ filler: 'x'.repeat(21 * 1024 * 1024) }) });
    expect(await failureOf(host.readPullRequest(repository, 1))).toMatchObject({ reason: 'bad-response' });
  });

  it('gives up a request that takes too long for us', async () => {
    fake.fault = () => ({ status: 200, delayMs: Number.POSITIVE_INFINITY });
    const signal = AbortSignal.timeout(100);
    expect(await failureOf(host.readPullRequest(repository, 1, { signal }))).toMatchObject({ reason: 'cancelled' });
  });

  it('takes a repository that is hidden from us for no missing file', async () => {
    fake.fault = () => ({ status: 404, body: { message: 'Not Found' } });
    expect(await failureOf(host.readFile(repository, verified, 'slo.yaml'))).toMatchObject({ reason: 'not-found' });
    expect(await failureOf(host.resolve(repository, 'main'))).toMatchObject({ reason: 'not-found' });
  });

  it('follows no redirect, so its token goes nowhere else', async () => {
    const canary = await startFakeGitHub(origin, TOKEN);
    fake.fault = () => ({ status: 307, headers: { location: `${canary.url}/api/v3/repos/acme/deploy` } });
    await failureOf(host.resolve(repository, 'main'));
    await failureOf(open());
    expect(canary.requests).toEqual([]);
    await canary.close();
  });

  describe('when GitHub asks to slow down', () => {
    it.each([
      ['Retry-After', 403, { 'retry-after': '7' }, 7_000],
      ['a primary limit', 403, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': 'in 30 s' }, 30_000],
      ['a primary limit without a time', 429, {}, 60_000],
    ] as const)('waits as long as %s says', async (_, status, headers, ms) => {
      const body = { message: 'API rate limit exceeded' };
      const reset = 'x-ratelimit-reset' in headers ? { 'x-ratelimit-reset': inSeconds(30) } : {};
      fake.fault = () => ({ status, headers: { ...headers, ...reset }, body });
      const error = await failureOf(host.resolve(repository, 'main'));
      expect(error).toMatchObject({ reason: 'rate-limited' });
      expect(error?.retryAfterMs).toBeGreaterThan(ms - 5_000);
      expect(error?.retryAfterMs).toBeLessThanOrEqual(ms);
    });

    it('knows a secondary limit by its words', async () => {
      fake.fault = () => ({ status: 403, body: { message: 'You have exceeded a secondary rate limit.' } });
      expect(await failureOf(host.resolve(repository, 'main'))).toMatchObject({
        reason: 'rate-limited',
        retryAfterMs: 60_000,
      });
    });

    it('sends nothing before the time is over, and goes on after it', async () => {
      fake.fault = () => ({ status: 429, headers: { 'retry-after': '1' } });
      await failureOf(host.resolve(repository, 'main'));
      fake.fault = undefined;
      expect(await failureOf(open())).toMatchObject({ reason: 'rate-limited' });
      expect(fake.requests).toHaveLength(1);
      await new Promise((resolve) => setTimeout(resolve, 1_050));
      expect(await host.resolve(repository, 'main')).toBe(verified);
    });

    it('spaces out what changes something', async () => {
      const slept: number[] = [];
      let now = 0;
      const time: ApiTime = {
        now: () => now,
        wall: () => Date.now(),
        sleep: async (ms) => {
          slept.push(ms);
          now += ms;
        },
      };
      const config = { url: fake.url, token: { env: 'GITHUB_TOKEN' } };
      host = createGitHubHost('github', config, tools(TOKEN), time);
      await open('lynceus/1');
      await open('lynceus/2');
      expect(lines().filter((line) => !line.startsWith('GET'))).toHaveLength(4);
      expect(slept).toEqual([1_000, 1_000, 1_000]);
    });
  });
});

describe('the repositories that a GitHub host serves', () => {
  let hosts: Record<'com' | 'own' | 'residency', GitHost>;
  beforeAll(() => {
    hosts = {
      com: createGitHub(),
      own: createGitHub('https://git.acme.example'),
      residency: createGitHub('https://acme.ghe.com'),
    };
  });

  it.each([
    'https://github.com/acme/deploy',
    'https://github.com/acme/deploy.git',
    'https://github.com/acme/deploy/',
    'https://GitHub.com/acme/deploy.git',
    'https://robot:token@github.com/acme/deploy.git',
    'git@github.com:acme/deploy.git',
    'ssh://git@github.com/acme/deploy.git',
    'ssh://git@ssh.github.com:443/acme/deploy.git',
  ])('include %s', (url) => {
    expect(hosts.com.serves({ url })).toBe(true);
    expect(hosts.own.serves({ url })).toBe(false);
  });

  it.each([
    'https://github.com.evil.example/acme/deploy',
    'https://evil.example/github.com/acme',
    'https://github.com@evil.example/acme/deploy',
    'https://github.com/acme',
    'https://github.com/acme/deploy/tree/main',
    'https://github.com/acme/../../user',
    'https://github.com/acme/..%2f..%2fuser',
    'http://github.com:81/acme/deploy',
    'git://github.com/acme/deploy',
    'file:///github.com/acme/deploy',
  ])('do not include %s', (url) => {
    expect(hosts.com.serves({ url })).toBe(false);
  });

  it('are those of the configured server', () => {
    expect(hosts.own.serves({ url: 'git@git.acme.example:team/deploy.git' })).toBe(true);
    expect(hosts.residency.serves({ url: 'https://acme.ghe.com/team/deploy' })).toBe(true);
  });
});

function createGitHub(url?: string, writeIntervalMs = 0): GitHost {
  const config = { ...(url === undefined ? {} : { url }), token: { env: 'GITHUB_TOKEN' }, writeIntervalMs };
  return github.create('github', { ...config, hookUrl: HOOK_URL }, tools(TOKEN));
}

function tools(secret: string): AdapterTools {
  return { secret: () => new Secret(secret), addresses: 'any', cacheDir: tmpdir() };
}

function inSeconds(seconds: number): string {
  return String(Math.floor(Date.now() / 1000) + seconds);
}

async function failureOf(work: Promise<unknown>): Promise<AdapterError | undefined> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error !== undefined && !(error instanceof AdapterError)) throw error;
  return error;
}
