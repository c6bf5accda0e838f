import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BareRepository, createBareRepository } from '../../../examples/sandbox/git.ts';
import type { ApiTime } from '../../../src/adapters/git-hosts/api-limits.ts';
import type { GitHost } from '../../../src/adapters/git-hosts/git-host.ts';
import { createGitHub } from '../../../src/adapters/git-hosts/github.ts';
import type { AdapterError } from '../../../src/base/adapter-error.ts';
import { Secret } from '../../../src/base/secret.ts';
import { type FakeGitHub, startFakeGitHub } from '../../support/github.ts';

const MINUTE_MS = 60_000;

describe('GitHub with an App', () => {
  let origin: BareRepository;
  let fake: FakeGitHub;
  let host: GitHost;
  let repository: { url: string };
  let sha: string;
  let clock: number;

  beforeEach(async () => {
    origin = createBareRepository();
    fake = await startFakeGitHub(origin, 'ghp_nobody_uses_this');
    clock = Date.parse('2026-03-02T10:00:00Z');
    fake.app.wall = () => clock;
    host = create({ app: { id: fake.app.id, privateKey: { env: 'KEY' } } }, fake.app.privateKey);
    repository = { url: `${fake.url}/acme/deploy` };
    sha = origin.commit({ branch: 'main', files: { a: '1\n' } });
  });
  afterEach(async () => {
    await fake.close();
    origin.remove();
    expect(fake.violations).toEqual([]);
  });

  function create(login: object, secret: string): GitHost {
    const time: ApiTime = { now: () => clock, wall: () => clock, sleep: async () => {} };
    const tools = { secret: () => new Secret(secret), addresses: 'any' as const, cacheDir: tmpdir() };
    return createGitHub('github', { url: fake.url, writeIntervalMs: 0, ...login }, tools, time);
  }

  const asked = (part: string) => fake.requests.filter(({ line }) => line.includes(part));
  const failure = (work: Promise<unknown> | undefined) =>
    (work ?? Promise.resolve()).then(
      () => undefined,
      (error: AdapterError) => error,
    );

  it('has a token for this repository and these rights alone', async () => {
    fake.app.permissions = { ...fake.app.permissions, administration: 'write', members: 'read', workflows: 'write' };
    await host.resolve(repository, 'main');
    expect(fake.app.tokens).toMatchObject([
      {
        repositories: ['deploy'],
        permissions: {
          contents: 'write',
          pull_requests: 'write',
          statuses: 'write',
          metadata: 'read',
          members: 'read',
        },
      },
    ]);
    expect(Object.keys(fake.app.tokens[0]?.permissions ?? {})).not.toContain('workflows');
  });

  it('asks for no more than it was granted', async () => {
    fake.app.permissions = { contents: 'read', metadata: 'read' };
    expect(await host.resolve(repository, 'main')).toBe(sha);
    expect(fake.app.tokens[0]?.permissions).toEqual({ contents: 'read', metadata: 'read' });
  });

  it('makes one token for all that ask at once, and keeps it until five minutes before its end', async () => {
    await Promise.all(['main', 'a', 'b'].map((name) => host.resolve(repository, name)));
    clock += 54 * MINUTE_MS;
    await host.resolve(repository, 'main');
    expect(fake.app.tokens).toHaveLength(1);
    clock += MINUTE_MS;
    await host.resolve(repository, 'main');
    expect(fake.app.tokens).toHaveLength(2);
    expect(asked('/installation')).toHaveLength(1 + 2);
    expect(fake.requests.at(-1)?.authorization).toBe('Bearer ghs_2');
  });

  it('shows its key to nobody, and what proves it only where it belongs', async () => {
    await host.whoAmI?.();
    await host.resolve(repository, 'main');
    for (const { line, authorization = '' } of fake.requests) {
      expect(authorization).not.toContain('PRIVATE');
      expect(authorization.includes('.'), line).toBe(/ \/app|\/installation$/.test(line));
    }
  });

  it('makes a new token when GitHub no longer knows the old one', async () => {
    await host.resolve(repository, 'main');
    fake.app.tokens[0]!.token = 'revoked';
    expect(await failure(host.resolve(repository, 'main'))).toMatchObject({ reason: 'unauthenticated' });
    expect(await host.resolve(repository, 'main')).toBe(sha);
  });

  it('says that it is not installed there', async () => {
    fake.app.installed = false;
    const error = await failure(host.resolve(repository, 'main'));
    expect(error).toMatchObject({ reason: 'not-found' });
    expect(error?.message).toBe('the GitHub App is not installed on acme/deploy, or there is no such repository');
    fake.app.installed = true;
    expect(await host.resolve(repository, 'main')).toBe(sha);
  });

  it('acts as a bot of its own, whose approval is refused before GitHub is asked', async () => {
    const me = await host.whoAmI?.();
    expect(me).toMatchObject({ login: 'lynceus[bot]', bot: true });
    origin.git('branch', 'stage', 'main');
    const headSha = origin.commit({ branch: 'main', files: { a: '2\n' } });
    const wanted = { headBranch: 'lynceus/x', headSha, baseBranch: 'stage', title: 't', body: 'b' };
    const { number } = await host.openPullRequest(repository, wanted);
    const token = new Secret(fake.accounts.find('lynceus[bot]')?.token ?? '');
    const error = await failure(host.approvePullRequest?.(repository, number, { headSha, text: 'me', token }));
    expect(error).toMatchObject({ reason: 'rejected', message: 'lynceus[bot] is a program: only people approve' });
    expect(asked('/reviews')).toEqual([]);
  });

  it.each([
    [{}, 'x', 'github: take either token or app'],
    [{ token: { env: 'T' }, app: { id: 1, privateKey: { env: 'K' } } }, 'x', 'github: take either token or app'],
    [{ app: { id: 1, privateKey: { env: 'K' } } }, 'canary-key', /^github: app\.privateKey is no RSA key in PEM/],
  ] as const)('refuses %j', (login, secret, words) => {
    const attempt = () => create(login, secret);
    expect(attempt).toThrow(words);
    expect(attempt).not.toThrow('canary-key');
  });

  it('has missed deliveries of this repository sent again, a third failure excepted', async () => {
    const { hooks } = fake.state;
    const since = new Date(Date.now() - MINUTE_MS);
    hooks.deliver(502, 'lost');
    hooks.deliver(401, 'refused by us');
    hooks.deliver(0, 'other repository', false, 8);
    hooks.deliver(504, 'healed');
    hooks.deliver(200, 'healed', true);
    for (let at = 0; at < 3; at += 1) hooks.deliver(500, 'hopeless', at > 0);
    for (let at = 0; at < 150; at += 1) hooks.deliver(200);
    const before = hooks.sentAgain();
    expect(await host.redeliver?.(repository, since)).toBe(1);
    expect(hooks.deliveries.filter(({ guid }) => guid === 'lost').map(({ status_code: code }) => code)).toEqual([
      200, 502,
    ]);
    expect(hooks.sentAgain()).toBe(before + 1);
    expect(await host.redeliver?.(repository, new Date(Date.now() + MINUTE_MS))).toBe(0);
  });

  it('is told which right is missing', async () => {
    expect(await host.diagnose?.()).toMatchObject([{ level: 'ok', check: 'app' }]);
    fake.app.permissions = { contents: 'write', pull_requests: 'read', metadata: 'read' };
    expect(await host.diagnose?.()).toMatchObject([
      { level: 'problem', sentence: 'the GitHub App may not write pull requests' },
    ]);
    fake.app.permissions = { contents: 'write', pull_requests: 'write' };
    expect((await host.diagnose?.())?.map(({ level }) => level)).toEqual(['ok', 'warning', 'warning']);
    fake.app.id += 1;
    expect(await host.diagnose?.()).toMatchObject([{ level: 'problem', check: 'app' }]);
  });
});
