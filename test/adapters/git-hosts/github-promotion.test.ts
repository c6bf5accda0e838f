import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BareRepository, createBareRepository } from '../../../examples/sandbox/git.ts';
import type { ApiTime } from '../../../src/adapters/git-hosts/api-limits.ts';
import type { GitHost } from '../../../src/adapters/git-hosts/git-host.ts';
import { createGitHub } from '../../../src/adapters/git-hosts/github.ts';
import type { AdapterError } from '../../../src/base/adapter-error.ts';
import { Secret } from '../../../src/base/secret.ts';
import { type FakeGitHub, startFakeGitHub } from '../../support/github.ts';

const TOKEN = 'ghp_canary';

/** What is GitHub's alone; the contract has what all hosts do. */
describe('a promotion on GitHub', () => {
  let origin: BareRepository;
  let fake: FakeGitHub;
  let host: GitHost;
  let repository: { url: string };
  let headSha: string;
  let clock: number;

  beforeEach(async () => {
    origin = createBareRepository();
    fake = await startFakeGitHub(origin, TOKEN);
    clock = 0;
    const time: ApiTime = { now: () => clock, wall: () => 1_772_445_600_000 + clock, sleep: async () => {} };
    const tools = { secret: () => new Secret(TOKEN), addresses: 'any' as const, cacheDir: tmpdir() };
    const config = { url: fake.url, token: { env: 'GITHUB_TOKEN' }, writeIntervalMs: 0 };
    host = createGitHub('github', config, tools, time);
    repository = { url: `${fake.url}/acme/deploy` };
    origin.commit({ branch: 'main', files: { a: '1\n' } });
    origin.git('branch', 'stage', 'main');
    headSha = origin.commit({ branch: 'main', files: { a: '2\n' } });
  });
  afterEach(async () => {
    await fake.close();
    origin.remove();
    expect(fake.violations).toEqual([]);
  });

  const open = (baseBranch = 'stage') =>
    host.openPullRequest(repository, { headBranch: 'lynceus/x', headSha, baseBranch, title: 't', body: 'b' });
  const whenReady = (number: number) =>
    host.mergeWhenReady?.(repository, number, { expectedHeadSha: headSha, message: 'Promote\n\nwhy' });
  const lines = (part = '') => fake.requests.map(({ line }) => line).filter((line) => line.includes(part));
  const failure = (work: Promise<unknown> | undefined) =>
    (work ?? Promise.resolve()).then(
      () => undefined,
      (error: AdapterError) => error,
    );

  describe('that GitHub merges', () => {
    it('goes through the merge queue where the branch has one', async () => {
      fake.state.pulls.queues.add('stage');
      const { number } = await open();
      expect(await whenReady(number)).toMatchObject({ state: 'open' });
      expect(fake.state.pulls.pullOf(number).queued).toBe(true);
      fake.state.pulls.satisfy(number);
      expect(await host.readPullRequest(repository, number)).toMatchObject({ state: 'merged' });
    });

    it('is asked for beside the REST API of a server, not below it', async () => {
      fake.state.pulls.guarded.add('stage');
      await whenReady((await open()).number);
      expect(lines('graphql')).toEqual(['POST /api/graphql']);
    });

    it.each([
      ['FORBIDDEN', 'Auto merge is not allowed for this repository', 'forbidden'],
      ['NOT_FOUND', 'Could not resolve to a node', 'not-found'],
      ['UNPROCESSABLE', `Something about ${TOKEN}`, 'conflict'],
    ] as const)('is refused as %s, which is no success', async (type, message, reason) => {
      const { number } = await open();
      fake.fault = (line) =>
        line.includes('graphql') ? { status: 200, body: { data: null, errors: [{ type, message }] } } : undefined;
      const error = await failure(whenReady(number));
      expect(error).toMatchObject({ reason });
      expect(error?.message).not.toContain(TOKEN);
    });
  });

  it('is blocked by the rules of the branch, in words', async () => {
    fake.state.pulls.guarded.add('stage');
    const { number } = await open();
    expect(await host.readPullRequest(repository, number)).toMatchObject({
      mergeable: true,
      blockedBy: 'reviews or checks that the rules of the branch ask for are missing',
    });
    const merge = { expectedHeadSha: headSha, message: 'm', by: 'grace' };
    const error = await failure(host.mergePullRequest(repository, number, merge));
    expect(error).toMatchObject({ reason: 'conflict' });
    expect(error?.message).toContain('At least 1 approving review is required');
  });

  it('says when it cannot be merged, and who wrote the commits that it brings', async () => {
    const grace = fake.accounts.named('Grace');
    origin.commit({ branch: 'stage', files: { a: 'hotfix\n' } });
    const newer = origin.commit({ branch: 'main', files: { b: '1' }, author: 'Grace' });
    const { number } = await open();
    expect(await host.readPullRequest(repository, number)).toMatchObject({ mergeable: false });
    const { commits } = await host.compare(repository, headSha, newer);
    expect(commits[0]?.by).toEqual({ id: String(grace.id), login: 'Grace', bot: false });
  });

  it('knows the pull request of a fork', async () => {
    const number = fake.openFromFork('lynceus/x', headSha, 'stage');
    expect(await host.readPullRequest(repository, number)).toMatchObject({ fork: true, author: { login: 'mallory' } });
  });

  describe('under review', () => {
    it('leaves out what was begun and not sent, and keeps a deleted account apart', async () => {
      const { number } = await open();
      const { pulls } = fake.state;
      pulls.review(pulls.pullOf(number), fake.accounts.named('grace'), 'PENDING', headSha);
      pulls.review(pulls.pullOf(number), null, 'APPROVED', headSha);
      pulls.review(pulls.pullOf(number), fake.accounts.named('grace'), 'COMMENTED', headSha, 'hm');
      const found = await host.readReviews?.(repository, number);
      expect(found?.map(({ by, verdict }) => `${by.login} ${verdict}`)).toEqual(['ghost approve', 'grace comment']);
      expect(await host.permission?.(repository, found?.[0]?.by ?? { id: '', login: '', bot: false })).toBe('none');
    });

    it('has more reviews than fit a page, and never so many that some do not count', async () => {
      const { number } = await open();
      const { pulls } = fake.state;
      const say = () => pulls.review(pulls.pullOf(number), fake.accounts.named('grace'), 'COMMENTED', headSha);
      for (let at = 0; at < 150; at += 1) say();
      expect(await host.readReviews?.(repository, number)).toHaveLength(150);
      for (let at = 150; at < 1_000; at += 1) say();
      expect(await failure(host.readReviews?.(repository, number))).toMatchObject({ reason: 'rejected' });
    });

    it.each(['acme', 'acme/a/b', '../x/y', 'acme/..%2fowners', ''])('takes %j for no group', async (group) => {
      const user = { id: '1', login: 'grace', bot: false };
      expect(await failure(host.isMember?.(repository, group, user))).toMatchObject({ reason: 'rejected' });
    });

    it('asks no team of another organisation, and names it', async () => {
      const { number } = await open();
      fake.accounts.named('grace').permission = 'write';
      const wanted = { users: ['grace'], groups: ['evil/release'] };
      expect(await host.requestReviewers?.(repository, number, wanted)).toEqual({ notAsked: ['evil/release'] });
      expect(fake.state.pulls.pullOf(number).asked).toEqual(['grace']);
    });

    it('is not approved by the account that Lynceus acts as', async () => {
      const { number } = await open();
      const approval = { headSha, text: 'fine', token: new Secret(TOKEN) };
      expect(await failure(host.approvePullRequest?.(repository, number, approval))).toMatchObject({
        reason: 'rejected',
      });
      expect(await host.readReviews?.(repository, number)).toEqual([]);
    });

    it('lets a person who was asked to wait wait, and nobody else', async () => {
      const { number } = await open();
      const grace = fake.accounts.named('grace');
      const approval = { headSha, text: 'fine', token: new Secret(grace.token) };
      fake.fault = (line) => (line === 'GET /user' ? { status: 429, headers: { 'retry-after': '30' } } : undefined);
      const approving = () => failure(host.approvePullRequest?.(repository, number, approval));
      expect(await approving()).toMatchObject({ reason: 'rate-limited' });
      fake.fault = undefined;
      const before = lines('/user').length;
      expect(await approving()).toMatchObject({ reason: 'rate-limited', retryAfterMs: 30_000 });
      expect(lines('/user')).toHaveLength(before);
      expect(await host.readPullRequest(repository, number)).toMatchObject({ state: 'open' });
      clock += 30_000;
      expect(await approving()).toBeUndefined();
    });
  });

  describe('of files', () => {
    const commit = (edits: Parameters<NonNullable<GitHost['commitFiles']>>[1]['edits'], parent = headSha) =>
      host.commitFiles?.(repository, { branch: 'lynceus/f', parent, edits, message: 'm', at: '2026-03-02T10:00:00Z' });

    it('finds its way in a tree that is too large for one answer', async () => {
      const files = { 'apps/shop/a.yaml': '1', 'apps/shop/in/b.yaml': '2', 'apps/x/c.yaml': '3', 'other/d.yaml': '4' };
      const sha = origin.commit({ branch: 'main', files });
      fake.state.git.limits.treeEntries = 4;
      const paths = async (folder: string) =>
        (await host.listFiles?.(repository, sha, folder))?.map(({ path }) => path);
      expect(await paths('apps/shop')).toEqual(['apps/shop/a.yaml', 'apps/shop/in/b.yaml']);
      expect((await paths(''))?.toSorted()).toEqual(['a', ...Object.keys(files)]);
      const made = await commit(
        [{ kind: 'copy', path: 'apps/x/c.yaml', from: { sha, path: 'apps/shop/a.yaml' } }],
        sha,
      );
      expect(origin.git('show', `${made}:apps/x/c.yaml`)).toBe('1');
      expect(origin.git('diff', '--name-only', sha, made ?? '')).toBe('apps/x/c.yaml');
    });

    it('sends much in parts, and one commit comes of it', async () => {
      const content = 'x'.repeat(900_000);
      const made = await commit(['b', 'c', 'd'].map((path) => ({ kind: 'write', path, content: `${path}${content}` })));
      expect(lines('/git/trees').filter((line) => line.startsWith('POST'))).toHaveLength(2);
      expect(origin.git('diff', '--name-only', headSha, made ?? '').split('\n')).toEqual(['b', 'c', 'd']);
      expect(origin.git('rev-parse', `${made}^`)).toBe(headSha);
    });

    it('never makes a folder of a file that somebody has', async () => {
      const error = await failure(commit([{ kind: 'write', path: 'a/b', content: 'x' }]));
      expect(error).toMatchObject({
        reason: 'conflict',
        message: 'a/b is in the way: a name cannot be both a file and a folder',
      });
    });

    it('asks once for what never changes', async () => {
      await host.listFiles?.(repository, headSha, '');
      const before = fake.requests.length;
      await host.listFiles?.(repository, headSha, 'x');
      await commit([{ kind: 'delete', path: 'nowhere' }])?.catch(() => {});
      expect(fake.requests).toHaveLength(before);
    });
  });

  describe('at its pace', () => {
    it('asks again only whether something has changed', async () => {
      const { number } = await open();
      await host.readPullRequest(repository, number);
      const again = await host.readPullRequest(repository, number);
      expect(fake.requests.at(-1)?.unchanged).toBe(true);
      expect(again).toMatchObject({ number, state: 'open' });
      origin.commit({ branch: 'lynceus/x', files: { slipped: 'in' } });
      expect((await host.readPullRequest(repository, number)).headSha).toBe(origin.sha('lynceus/x'));
    });

    it('sends nothing once an answer said that nothing is left', async () => {
      const reset = String(1_772_445_600 + 120);
      fake.headers = () => ({ 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset });
      expect(await host.resolve(repository, 'main')).toBe(headSha);
      const before = fake.requests.length;
      const error = await failure(host.resolve(repository, 'stage'));
      expect(error).toMatchObject({ reason: 'rate-limited', retryAfterMs: 120_000 });
      expect(fake.requests).toHaveLength(before);
      clock += 120_000;
      expect(await host.resolve(repository, 'main')).toBe(headSha);
    });
  });
});
