import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BareRepository, createBareRepository } from '../../../examples/sandbox/git.ts';
import type { GitHost } from '../../../src/adapters/git-hosts/git-host.ts';
import { gitea } from '../../../src/adapters/git-hosts/gitea.ts';
import { AdapterError } from '../../../src/base/adapter-error.ts';
import { Secret } from '../../../src/base/secret.ts';
import { gitHostContract } from '../../contracts/git-host.ts';
import { fakeForgeWorld } from '../../support/fake-host-world.ts';
import { type FakeGitea, startFakeGitea } from '../../support/gitea.ts';

const TOKEN = 'gitea-canary-8c1d';
const cacheDir = mkdtempSync(join(tmpdir(), 'lynceus-cache-'));
afterAll(() => rmSync(cacheDir, { recursive: true, force: true }));

gitHostContract('Gitea', async () => {
  const origin = createBareRepository();
  const fake = await startFakeGitea(origin, TOKEN);
  return fakeForgeWorld({ fake, origin, createHost, secret: TOKEN, group: 'acme/release' });
});

describe('Gitea', () => {
  let origin: BareRepository;
  let fake: FakeGitea;
  let host: GitHost;
  let verified: string;
  let repository: { url: string };

  beforeEach(async () => {
    origin = createBareRepository();
    fake = await startFakeGitea(origin, TOKEN);
    host = createHost(fake.url);
    repository = { url: `${fake.url}/acme/deploy.git` };
    origin.commit({ branch: 'main', files: { a: '1\n' } });
    origin.git('branch', 'stage', 'main');
    verified = origin.commit({ branch: 'main', files: { a: '2\n' } });
  });
  afterEach(async () => {
    await fake.close();
    origin.remove();
    expect(fake.unknown).toEqual([]);
  });

  const open = (headBranch = 'lynceus/x') =>
    host.openPullRequest(repository, { headBranch, headSha: verified, baseBranch: 'stage', title: 't', body: 'b' });
  const merge = (number: number) =>
    host.mergePullRequest(repository, number, { expectedHeadSha: verified, message: 'Promote\n\nwhy', by: 'grace' });
  const asked = (work: () => Promise<unknown>) => {
    fake.requests.length = 0;
    return work().then(() => fake.requests);
  };

  it('declares no merging when ready: Gitea would also merge what is pushed afterwards', () => {
    expect(host.capabilities.mergeWhenReady).toBeUndefined();
    expect(host.mergeWhenReady).toBeUndefined();
  });

  it('serves a site below a path, by HTTP and by SSH', () => {
    const below = create('https://git.example.com/forge');
    expect(below.serves({ url: 'https://git.example.com/forge/acme/deploy.git' })).toBe(true);
    expect(below.serves({ url: 'git@git.example.com:acme/deploy.git' })).toBe(true);
    expect(below.serves({ url: 'https://git.example.com/acme/deploy' })).toBe(false);
    expect(below.serves({ url: 'https://git.example.com/forge/acme/deploy/more' })).toBe(false);
  });

  it('never takes the pull request of a fork for one of ours', async () => {
    const { accounts, pulls } = fake;
    pulls.add({
      head: 'lynceus/x',
      base: 'stage',
      title: 't',
      body: '',
      by: accounts.named('mallory'),
      forkSha: verified,
    });
    expect(await host.findOpenPullRequests(repository, { headPrefix: 'lynceus/', baseBranch: 'stage' })).toEqual([]);
    expect((await open()).number).toBe(2);
    expect(await host.readPullRequest(repository, 1)).toMatchObject({ fork: true });
  });

  it('finds pull requests beyond the first page', async () => {
    await open();
    const by = fake.accounts.named('mallory');
    for (let at = 0; at < 60; at += 1)
      fake.pulls.add({ head: `x-${at}`, base: 'stage', title: 't', body: '', by, forkSha: verified });
    const found = await host.findOpenPullRequests(repository, { headPrefix: 'lynceus/', baseBranch: 'stage' });
    expect(found.map(({ number }) => number)).toEqual([1]);
  });

  it('keeps the older one of two that were opened at the same moment', async () => {
    const first = await open();
    fake.racing = true;
    expect((await open()).number).toBe(first.number);
    expect(fake.pulls.all.map(({ number, state }) => `${number} ${state}`)).toEqual(['1 open', '2 closed']);
    expect(origin.sha('lynceus/x')).toBe(verified);
  });

  it('merges only the verified commit, and says so to Gitea itself', async () => {
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
    fake.fault = (line) => {
      if (!line.endsWith('/merge')) return undefined;
      fake.fault = undefined;
      return { status: 502, body: 'bad gateway', afterEffect: true };
    };
    expect(await merge(number)).toMatchObject({ state: 'merged' });
    expect(origin.git('rev-list', '--count', '--first-parent', 'stage')).toBe('2');
  });

  it('waits while Gitea still looks for conflicts', async () => {
    const { number } = await open();
    let refusals = 2;
    fake.fault = (line) => {
      if (!line.endsWith('/merge') || refusals === 0) return undefined;
      refusals -= 1;
      return { status: 405, body: { message: 'Please try again later' } };
    };
    expect(await merge(number)).toMatchObject({ state: 'merged' });
  });

  it('tells what is forbidden from what conflicts', async () => {
    const { number } = await open();
    fake.fault = (line) =>
      line.endsWith('/merge') ? { status: 405, body: { message: 'User not allowed to merge PR' } } : undefined;
    expect(await failureOf(merge(number))).toMatchObject({ reason: 'forbidden' });
    fake.fault = (line) =>
      line.endsWith('/merge') ? { status: 405, body: { message: 'Does not have enough approvals' } } : undefined;
    expect(await failureOf(merge(number))).toMatchObject({
      reason: 'conflict',
      message: expect.stringContaining('approvals'),
    });
  });

  it('says what the team of an organisation is when it may not look into it', async () => {
    fake.fault = (line) =>
      line.includes('/members/') ? { status: 403, body: { message: 'Must be a team member' } } : undefined;
    const grace = { id: '7', login: 'grace', bot: false };
    expect(await failureOf(host.isMember?.(repository, 'acme/release', grace) ?? Promise.resolve())).toMatchObject({
      reason: 'forbidden',
    });
  });

  it('asks nothing before it may again', async () => {
    fake.fault = () => ({ status: 429, headers: { 'Retry-After': '30' }, body: { message: 'slow down' } });
    expect(await failureOf(host.resolve(repository, 'main'))).toMatchObject({
      reason: 'rate-limited',
      retryAfterMs: 30_000,
    });
    fake.fault = undefined;
    expect(await asked(() => failureOf(host.resolve(repository, 'main')))).toEqual([]);
  });

  it('takes an answer that makes no sense for a failure', async () => {
    const { number } = await open();
    for (const body of ['[', '[]', 'null', '{"number":1}', '{"head":{"sha":"main"},"base":{}}']) {
      fake.fault = () => ({ status: 200, body });
      expect(await failureOf(host.readPullRequest(repository, number)), body).toMatchObject({ reason: 'bad-response' });
      expect(await failureOf(merge(number)), body).toMatchObject({ reason: 'bad-response' });
    }
  });

  it('needs few calls', async () => {
    expect(await asked(() => open())).toHaveLength(5);
    expect(fake.gitRequests).toEqual([]);
    expect(await asked(() => host.readPullRequest(repository, 1))).toHaveLength(1);
    expect(await asked(() => merge(1))).toHaveLength(3);
  });

  it('says how it is connected', async () => {
    expect(await host.diagnose?.()).toEqual([
      { level: 'ok', check: 'token', sentence: 'Gitea 1.26.0 takes the token of robot' },
    ]);
    const stranger = create(fake.url, 'another-token');
    expect(await stranger.diagnose?.()).toMatchObject([
      { level: 'problem', remedy: expect.stringContaining('docs/git-hosts.md') },
    ]);
  });
});

function createHost(url: string): GitHost {
  return create(url);
}

function create(url: string, token = TOKEN): GitHost {
  const config = { url, token: { env: 'TOKEN' } };
  return gitea.create('forge', config as never, { secret: () => new Secret(token), addresses: 'any', cacheDir });
}

async function failureOf(work: Promise<unknown>): Promise<AdapterError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(AdapterError);
  return error as AdapterError;
}
