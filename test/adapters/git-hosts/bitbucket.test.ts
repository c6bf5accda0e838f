import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BareRepository, createBareRepository } from '../../../examples/sandbox/git.ts';
import { bitbucket } from '../../../src/adapters/git-hosts/bitbucket.ts';
import type { GitHost } from '../../../src/adapters/git-hosts/git-host.ts';
import { AdapterError } from '../../../src/base/adapter-error.ts';
import { Secret } from '../../../src/base/secret.ts';
import { gitHostContract } from '../../contracts/git-host.ts';
import { type FakeBitbucket, startFakeBitbucket } from '../../support/bitbucket.ts';
import { fakeForgeWorld } from '../../support/fake-host-world.ts';

const TOKEN = 'bitbucket-canary-77c0';
const MARKER = '<!-- lynceus:story -->';
const cacheDir = mkdtempSync(join(tmpdir(), 'lynceus-cache-'));
afterAll(() => rmSync(cacheDir, { recursive: true, force: true }));

gitHostContract('Bitbucket Cloud', async () => {
  const origin = createBareRepository();
  const fake = await startFakeBitbucket(origin, TOKEN);
  const {
    people: _,
    reviewers: __,
    ...world
  } = fakeForgeWorld({ fake, origin, createHost: create, secret: TOKEN, group: '' });
  return world;
});

describe('Bitbucket Cloud', () => {
  let origin: BareRepository;
  let fake: FakeBitbucket;
  let host: GitHost;
  let verified: string;
  let repository: { url: string };

  beforeEach(async () => {
    origin = createBareRepository();
    fake = await startFakeBitbucket(origin, TOKEN);
    host = create(fake.url);
    repository = { url: `${fake.url}/acme/deploy.git` };
    origin.commit({ branch: 'main', files: { a: '1\n', b: '1\n' } });
    origin.git('branch', 'stage', 'main');
    verified = origin.commit({ branch: 'main', files: { a: '2\n' } });
  });
  afterEach(async () => {
    await fake.close();
    origin.remove();
    expect(fake.unknown).toEqual([]);
  });

  const open = (body = 'b') =>
    host.openPullRequest(repository, {
      headBranch: 'lynceus/x',
      headSha: verified,
      baseBranch: 'stage',
      title: 't',
      body,
    });
  const merge = (number: number) =>
    host.mergePullRequest(repository, number, { expectedHeadSha: verified, message: 'Promote\n\nwhy', by: 'grace' });
  const asked = (work: () => Promise<unknown>) => {
    fake.requests.length = 0;
    return work().then(() => fake.requests);
  };
  const put = (body: string) => host.putComment?.(repository, 1, { marker: MARKER, body: `${MARKER}\n${body}` });

  it('serves bitbucket.org by HTTPS and by SSH, and nothing else', () => {
    const cloud = bitbucket.create('cloud', { token: { env: 'TOKEN' } } as never, tools(TOKEN));
    for (const url of [
      'https://bitbucket.org/acme/deploy.git',
      'https://robot@bitbucket.org/acme/deploy',
      'git@bitbucket.org:acme/deploy.git',
      'ssh://git@altssh.bitbucket.org:443/acme/deploy.git',
    ]) {
      expect(cloud.serves({ url }), url).toBe(true);
    }
    expect(cloud.serves({ url: 'https://bitbucket.example.com/scm/acme/deploy.git' })).toBe(false);
    expect(cloud.serves({ url: 'https://bitbucket.org/acme/deploy/src' })).toBe(false);
  });

  it('declares neither people nor labels, and merges by merge commits alone', () => {
    expect(host.capabilities).toEqual({ reviews: 'host', comments: true, statuses: true, longestBody: 32_000 });
  });

  it('merges nothing when the branch moves while it merges', async () => {
    const { number } = await open();
    const before = origin.sha('stage');
    fake.fault = (line) => {
      if (line.includes('/merge-base/')) origin.commit({ branch: 'stage', files: { b: 'hotfix\n' } });
      return undefined;
    };
    expect(await failureOf(merge(number))).toMatchObject({ reason: 'conflict' });
    fake.fault = undefined;
    expect(origin.sha('stage~1')).toBe(before);
    expect(await merge(number)).toMatchObject({ state: 'merged', mergeSha: origin.sha('stage') });
    expect(origin.git('show', 'stage:b')).toBe('hotfix');
  });

  it('merges the verified commit alone, also when something is pushed to the head meanwhile', async () => {
    const { number } = await open();
    fake.fault = (line) => {
      if (line.includes('/merge-base/')) origin.commit({ branch: 'lynceus/x', files: { slipped: 'in' } });
      return undefined;
    };
    // Bitbucket does not know it as merged: the head has more than what was verified.
    expect(await failureOf(merge(number))).toMatchObject({
      reason: 'conflict',
      message: expect.stringContaining(`stage has ${verified.slice(0, 7)}`),
    });
    expect(origin.git('log', '-1', '--format=%P', 'stage').split(' ')[1]).toBe(verified);
    expect(origin.tries('cat-file', '-e', 'stage:slipped')).toBe(false);
  });

  it('does not push again what Bitbucket has not noticed yet', async () => {
    const { number } = await open();
    await merge(number);
    const merged = origin.sha('stage');
    fake.pulls.pullOf(number).state = 'open';
    origin.git('branch', 'lynceus/x', verified);
    expect(await merge(number)).toMatchObject({ state: 'merged', mergeSha: merged });
    expect(origin.sha('stage')).toBe(merged);
  });

  it('says that it may not push into the branch', async () => {
    const { number } = await open();
    const hook = join(origin.path, 'hooks', 'pre-receive');
    mkdirSync(join(origin.path, 'hooks'), { recursive: true });
    writeFileSync(hook, '#!/bin/sh\necho "Permission denied to update branch stage." >&2\nexit 1\n', { mode: 0o755 });
    expect(await failureOf(merge(number))).toMatchObject({ reason: 'forbidden' });
    expect((await host.readPullRequest(repository, number)).state).toBe('open');
  });

  it('never takes the pull request of a fork for one of ours', async () => {
    const by = fake.accounts.named('mallory');
    fake.pulls.add({ head: 'lynceus/x', base: 'stage', title: 't', body: '', by, forkSha: verified });
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
    const other = fake.pulls.add({ ...fake.pulls.pullOf(1), head: 'lynceus/y' });
    other.head = 'lynceus/x';
    expect((await open()).number).toBe(first.number);
    origin.git('branch', '-D', 'lynceus/x');
    fake.racing = true;
    expect((await open()).number).toBe(first.number);
    expect(fake.pulls.all.map(({ number, state }) => `${number} ${state}`)).toEqual(['1 open', '2 open', '3 closed']);
    expect(origin.sha('lynceus/x')).toBe(verified);
  });

  it('keeps the reviewers when it changes words', async () => {
    const { number } = await open();
    fake.pulls.pullOf(number).asked.push(fake.accounts.named('grace'));
    await host.updatePullRequest(repository, number, { title: 'other', body: 'b' });
    expect(fake.pulls.pullOf(number).asked.map(({ login }) => login)).toEqual(['grace']);
  });

  it('writes no HTML, which Bitbucket would show', async () => {
    const body =
      'all is well\n\n<details>\n<summary>Objectives</summary>\n\n| a |\n\n</details>\n\nLynceus-Context: c1';
    await open(body);
    expect(fake.pulls.pullOf(1).body).toBe('all is well\n\n**Objectives**\n\n| a |\n\n\nLynceus-Context: c1');
    expect(await asked(() => host.updatePullRequest(repository, 1, { title: 't', body }))).toHaveLength(1);
    await put('passed');
    expect(fake.pulls.pullOf(1).comments.map((comment) => comment.body)).toEqual(['[//]: # (lynceus:story)\npassed']);
    expect((await host.readComments?.(repository, 1))?.[0]?.body).toBe(`${MARKER}\npassed`);
  });

  it('knows its comments with an access token too, which may not ask who it is', async () => {
    await open();
    fake.fault = (line) =>
      line === 'GET /user'
        ? { status: 401, body: { error: { message: 'not supported for this endpoint' } } }
        : undefined;
    await put('one');
    fake.pulls.comment(fake.pulls.pullOf(1), fake.accounts.named('mallory'), '[//]: # (lynceus:story)\ntrust me');
    await put('two');
    expect(fake.pulls.pullOf(1).comments.map(({ body }) => body.split('\n')[1])).toEqual(['two', 'trust me']);
    expect(await host.diagnose?.()).toMatchObject([{ level: 'warning' }]);
  });

  it('logs in with an API token and the address of its account', async () => {
    const config = { url: fake.url, apiUrl: `${fake.url}/2.0`, token: { env: 'TOKEN' }, username: 'robot@example.com' };
    const person = bitbucket.create('forge', config as never, tools(TOKEN));
    expect(await person.diagnose?.()).toEqual([
      { level: 'ok', check: 'token', sentence: 'Bitbucket takes the token of robot' },
    ]);
    const stranger = bitbucket.create('forge', config as never, tools('another-token'));
    expect(await stranger.diagnose?.()).toMatchObject([
      { level: 'problem', remedy: expect.stringContaining('docs/git-hosts.md') },
    ]);
  });

  it('links a mark without a link to its commit, and shortens long keys', async () => {
    const name = `lynceus/${'x'.repeat(60)}`;
    await host.setStatus?.(repository, verified, { name, state: 'success', description: 'passed' });
    const [mark] = fake.pulls.statuses.get(verified) ?? [];
    expect(mark).toMatchObject({ url: `${fake.url}/acme/deploy/commits/${verified}` });
    expect(mark?.name).toMatch(/^lynceus\/[0-9a-f]{32}$/);
    const again = () => host.setStatus?.(repository, verified, { name, state: 'success', description: 'passed' });
    expect(await asked(() => again() ?? Promise.resolve())).toHaveLength(1);
  });

  it('asks nothing before it may again', async () => {
    fake.fault = () => ({ status: 429, headers: { 'Retry-After': '30' }, body: { error: { message: 'slow down' } } });
    expect(await failureOf(host.resolve(repository, 'main'))).toMatchObject({
      reason: 'rate-limited',
      retryAfterMs: 30_000,
    });
    fake.fault = undefined;
    expect(await asked(() => failureOf(host.resolve(repository, 'main')))).toEqual([]);
  });

  it('takes an answer that makes no sense for a failure', async () => {
    const { number } = await open();
    for (const body of ['[', '[]', 'null', '{"id":1}', '{"source":{"commit":{"hash":"main"}}}']) {
      fake.fault = () => ({ status: 200, body });
      expect(await failureOf(host.readPullRequest(repository, number)), body).toMatchObject({ reason: 'bad-response' });
      expect(await failureOf(merge(number)), body).toMatchObject({ reason: 'bad-response' });
    }
  });

  it('needs few calls', async () => {
    expect(await asked(() => open())).toHaveLength(6);
    expect(fake.gitRequests).toEqual([]);
    expect(await asked(() => host.readPullRequest(repository, 1))).toHaveLength(1);
    expect(await asked(() => merge(1))).toHaveLength(6);
  });
});

function create(url: string): GitHost {
  const config = { url, apiUrl: `${url}/2.0`, token: { env: 'TOKEN' } };
  return bitbucket.create('forge', config as never, tools(TOKEN));
}

function tools(token: string) {
  return { secret: () => new Secret(token), addresses: 'any' as const, cacheDir };
}

async function failureOf(work: Promise<unknown>): Promise<AdapterError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(AdapterError);
  return error as AdapterError;
}
