import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BareRepository, createBareRepository } from '../../../examples/sandbox/git.ts';
import { azureDevOps } from '../../../src/adapters/git-hosts/azure-devops.ts';
import type { GitHost } from '../../../src/adapters/git-hosts/git-host.ts';
import { AdapterError } from '../../../src/base/adapter-error.ts';
import { Secret } from '../../../src/base/secret.ts';
import { gitHostContract } from '../../contracts/git-host.ts';
import { type FakeAzureDevOps, startFakeAzureDevOps } from '../../support/azure-devops.ts';
import { fakeForgeWorld } from '../../support/fake-host-world.ts';

const TOKEN = 'azure-canary-5e2a';
const REPOSITORY = '/acme/shop%20floor/_git/deploy';
const cacheDir = mkdtempSync(join(tmpdir(), 'lynceus-cache-'));
afterAll(() => rmSync(cacheDir, { recursive: true, force: true }));

gitHostContract('Azure DevOps', async () => {
  const origin = createBareRepository();
  const fake = await startFakeAzureDevOps(origin, TOKEN);
  const group = '[shop floor]\\release';
  const { people: _, ...world } = fakeForgeWorld({ fake, origin, createHost, secret: TOKEN, group });
  return {
    ...world,
    repository: { url: `${fake.url}${REPOSITORY}` },
    missing: { url: `${fake.url}/acme/shop%20floor/_git/missing` },
    unreachable: {
      host: createHost('http://127.0.0.1:1'),
      repository: { url: `http://127.0.0.1:1${REPOSITORY}` },
    },
    commentAs: (login, number, body) =>
      `${fake.pulls.comment(fake.pulls.pullOf(number), fake.accounts.named(login), body).id}/1`,
    editComment: (number, id, body) => world.editComment?.(number, id.replace('/1', ''), body),
    reviewers: {
      user: 'reviewer',
      group,
      asked: (number) => {
        const { asked, askedGroups } = fake.pulls.pullOf(number);
        return [...asked.map(({ login }) => login), ...askedGroups.map((name) => `[shop floor]\\${name}`)];
      },
    },
    protect: (branch) => void fake.guarded.add(branch),
    satisfy: (number) => void fake.satisfied.add(number),
  };
});

describe('Azure DevOps', () => {
  let origin: BareRepository;
  let fake: FakeAzureDevOps;
  let host: GitHost;
  let verified: string;
  let repository: { url: string };

  beforeEach(async () => {
    origin = createBareRepository();
    fake = await startFakeAzureDevOps(origin, TOKEN);
    host = createHost(fake.url);
    repository = { url: `${fake.url}${REPOSITORY}` };
    origin.commit({ branch: 'main', files: { a: '1\n' } });
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

  it.each([
    'https://dev.azure.com/acme/shop%20floor/_git/deploy',
    'https://robot@dev.azure.com/Acme/shop%20floor/_git/deploy',
    'https://acme.visualstudio.com/shop%20floor/_git/deploy',
    'https://acme.visualstudio.com/DefaultCollection/shop%20floor/_git/deploy',
    'https://dev.azure.com/acme/_git/deploy',
    'git@ssh.dev.azure.com:v3/acme/shop%20floor/deploy',
    'acme@vs-ssh.visualstudio.com:v3/acme/shop%20floor/deploy',
  ])('serves %s', (url) => {
    expect(create('https://dev.azure.com/acme').serves({ url })).toBe(true);
    expect(create('https://acme.visualstudio.com').serves({ url })).toBe(true);
    expect(create('https://dev.azure.com/other').serves({ url })).toBe(false);
  });

  it('serves the collection of a server, by HTTP and by SSH', () => {
    const server = create('https://devops.example.com/tfs/Main');
    expect(server.serves({ url: 'https://devops.example.com/tfs/Main/shop/_git/deploy' })).toBe(true);
    expect(server.serves({ url: 'ssh://devops.example.com:22/tfs/Main/shop/_git/deploy' })).toBe(true);
    expect(server.serves({ url: 'https://devops.example.com/tfs/Other/shop/_git/deploy' })).toBe(false);
    expect(server.serves({ url: 'https://devops.example.com/tfs/Main/shop/_git/deploy/more' })).toBe(false);
    expect(server.serves({ url: 'https://devops.example.com/tfs/Main/shop/deploy' })).toBe(false);
  });

  it('declares no people: only who may change rights may ask about them', () => {
    expect(host.capabilities).toMatchObject({ reviews: 'host' });
    expect(host.capabilities.people).toBeUndefined();
  });

  it('takes the head from the branch while the pull request lags behind a push', async () => {
    const { number } = await open();
    await host.readPullRequest(repository, number);
    const pushed = origin.commit({ branch: 'lynceus/x', files: { slipped: 'in' } });
    expect((await host.readPullRequest(repository, number)).headSha).toBe(pushed);
    expect((await host.readPullRequest(repository, number)).headSha).toBe(pushed);
  });

  it('merges only the verified commit, and says so to Azure DevOps itself', async () => {
    const { number } = await open();
    const before = origin.sha('stage');
    fake.fault = (line) => {
      // The branch moves between our look and our merge.
      if (line.startsWith('PATCH')) origin.commit({ branch: 'lynceus/x', files: { slipped: 'in' } });
      return undefined;
    };
    expect(await failureOf(merge(number))).toMatchObject({ reason: 'conflict' });
    expect(origin.sha('stage')).toBe(before);
  });

  it('merges once when the answer to the merge got lost', async () => {
    const { number } = await open();
    fake.fault = (line) => {
      if (!line.startsWith('PATCH')) return undefined;
      fake.fault = undefined;
      return { status: 502, body: 'bad gateway', afterEffect: true };
    };
    expect(await merge(number)).toMatchObject({ state: 'merged' });
    expect(origin.git('rev-list', '--count', '--first-parent', 'stage')).toBe('2');
  });

  it('says which policy of the branch stands against a merge, and goes past none', async () => {
    const { number } = await open();
    fake.guarded.add('stage');
    expect(await failureOf(merge(number))).toMatchObject({
      reason: 'conflict',
      message: expect.stringContaining('At least 1 reviewer must approve'),
    });
    expect((await host.readPullRequest(repository, number)).state).toBe('open');
  });

  it('takes back its wish to merge when something was pushed between look and wish', async () => {
    const { number } = await open();
    fake.guarded.add('stage');
    await host.readPullRequest(repository, number);
    fake.fault = (line) => {
      if (!line.startsWith('PATCH')) return undefined;
      fake.fault = undefined;
      origin.commit({ branch: 'lynceus/x', files: { slipped: 'in' } });
      return undefined;
    };
    const wish = host.mergeWhenReady?.(repository, number, { expectedHeadSha: verified, message: 'm' });
    expect(await failureOf(wish ?? Promise.resolve())).toMatchObject({ reason: 'conflict' });
    expect(fake.extrasOf(fake.pulls.pullOf(number)).autoComplete).toBeUndefined();
  });

  it('never takes the pull request of a fork for one of ours', async () => {
    const by = fake.accounts.named('mallory');
    fake.pulls.add({ head: 'lynceus/x', base: 'stage', title: 't', body: '', by, forkSha: verified });
    expect(await host.findOpenPullRequests(repository, { headPrefix: 'lynceus/', baseBranch: 'stage' })).toEqual([]);
    expect((await open()).number).toBe(2);
    expect(await host.readPullRequest(repository, 1)).toMatchObject({ fork: true });
  });

  it('finds pull requests beyond the first page, with the whole description', async () => {
    const long = 'x'.repeat(1_000);
    await open(long);
    const by = fake.accounts.named('mallory');
    for (let at = 0; at < 120; at += 1)
      fake.pulls.add({ head: `x-${at}`, base: 'stage', title: 't', body: '', by, forkSha: verified });
    const found = await host.findOpenPullRequests(repository, { headPrefix: 'lynceus/', baseBranch: 'stage' });
    expect(found.map(({ number, body }) => [number, body])).toEqual([[1, long]]);
  });

  it('fits a long description, keeps its end, and writes it once', async () => {
    const body = `first\n\n${'word '.repeat(2_000)}\n\nLynceus-Context: c1`;
    const pull = await open(body);
    expect(pull.body.length).toBeLessThanOrEqual(4_000);
    expect(pull.body).toMatch(/^first\n\n_The rest .*_\n\nLynceus-Context: c1$/);
    expect(await asked(() => host.updatePullRequest(repository, 1, { title: 't', body }))).toHaveLength(1);
  });

  it('marks the pull request too: only that can be required by a policy', async () => {
    const { number } = await open();
    const status = { name: 'lynceus/evaluation', state: 'success', description: 'passed' } as const;
    await host.setStatus?.(repository, verified, status);
    expect(fake.extrasOf(fake.pulls.pullOf(number)).marks).toEqual(['1 lynceus/evaluation succeeded']);
    expect(await asked(() => host.setStatus?.(repository, verified, status) ?? Promise.resolve())).toHaveLength(1);
  });

  it('asks nobody whose name two have', async () => {
    const { number } = await open();
    fake.accounts.add('twin');
    fake.accounts.add('twin');
    const answer = await host.requestReviewers?.(repository, number, { users: ['twin'], groups: [] });
    expect(answer).toEqual({ notAsked: ['twin'] });
  });

  it('does not guess what is no UTF-8, and reads a byte order mark', async () => {
    const sha = origin.commit({
      branch: 'main',
      files: { latin: new Uint8Array([0x67, 0xfc, 0x6e]), marked: '\uFEFFgrün\n' },
    });
    expect(await failureOf(host.readFile(repository, sha, 'latin'))).toMatchObject({ reason: 'rejected' });
    expect(await host.readFile(repository, sha, 'marked')).toBe('grün\n');
  });

  it('tells a token that is none from an answer that is none', async () => {
    fake.fault = () => ({ status: 302, headers: { Location: '/_signin' }, body: '<html>' });
    expect(await failureOf(host.resolve(repository, 'main'))).toMatchObject({ reason: 'unauthenticated' });
  });

  it('asks nothing before it may again, also when it is told so with a good answer', async () => {
    fake.fault = () => ({ status: 200, headers: { 'Retry-After': '30' }, body: { value: [] } });
    await host.findOpenPullRequests(repository, { headPrefix: 'lynceus/', baseBranch: 'stage' });
    fake.fault = undefined;
    expect(await asked(() => failureOf(host.resolve(repository, 'main')))).toEqual([]);
  });

  it('takes an answer that makes no sense for a failure', async () => {
    const { number } = await open();
    for (const body of ['[', '[]', 'null', '{"pullRequestId":1}', '{"status":"active","sourceRefName":1}']) {
      fake.fault = () => ({ status: 200, body });
      expect(await failureOf(host.readPullRequest(repository, number)), body).toMatchObject({ reason: 'bad-response' });
      expect(await failureOf(merge(number)), body).toMatchObject({ reason: 'bad-response' });
    }
  });

  it('needs few calls', async () => {
    expect(await asked(() => open())).toHaveLength(5);
    expect(fake.gitRequests).toEqual([]);
    expect(await asked(() => host.readPullRequest(repository, 1))).toHaveLength(1);
    expect(await asked(() => merge(1))).toHaveLength(4);
  });

  it('says how it is connected', async () => {
    expect(await host.diagnose?.()).toEqual([
      { level: 'ok', check: 'token', sentence: 'Azure DevOps takes the token of robot' },
    ]);
    const stranger = create(`${fake.url}/acme`, 'another-token');
    expect(await stranger.diagnose?.()).toMatchObject([
      { level: 'problem', remedy: expect.stringContaining('docs/git-hosts.md') },
    ]);
  });
});

function createHost(url: string): GitHost {
  return create(`${url}/acme`);
}

function create(url: string, token = TOKEN): GitHost {
  const config = { url, token: { env: 'TOKEN' } };
  return azureDevOps.create('forge', config as never, { secret: () => new Secret(token), addresses: 'any', cacheDir });
}

async function failureOf(work: Promise<unknown>): Promise<AdapterError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(AdapterError);
  return error as AdapterError;
}
