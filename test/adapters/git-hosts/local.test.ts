import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type BareRepository, createBareRepository } from '../../../examples/sandbox/git.ts';
import type { GitHost, PullRequest } from '../../../src/adapters/git-hosts/git-host.ts';
import { local } from '../../../src/adapters/git-hosts/local.ts';
import { AdapterError } from '../../../src/base/adapter-error.ts';
import { Secret } from '../../../src/base/secret.ts';
import { type GitHostWorld, gitHostContract } from '../../contracts/git-host.ts';
import { serveGitOverHttp } from '../../support/git-http.ts';

const SECRET = 'hunter2-canary';

gitHostContract('a repository on this disk', async () => {
  const origin = createBareRepository();
  const cacheDir = temporary();
  return {
    host: createLocal(cacheDir, [join(origin.path, '..')]),
    origin,
    repository: { url: origin.path },
    missing: { url: `file://${join(origin.path, '..', 'missing.git')}` },
    unreachable: unreachable(cacheDir),
    secret: SECRET,
    close: async () => {
      origin.remove();
      rmSync(cacheDir, { recursive: true, force: true });
    },
  };
});

gitHostContract('a repository behind HTTP', overHttp);

async function overHttp(): Promise<GitHostWorld> {
  const origin = createBareRepository();
  const cacheDir = temporary();
  const server = await serveGitOverHttp(join(origin.path, '..'), { username: 'robot', password: SECRET });
  const credentials = { username: 'robot', password: { env: 'GIT_PASSWORD' } };
  return {
    host: createLocal(cacheDir, [server.url], { credentials }),
    origin,
    repository: { url: `${server.url}/${basename(origin.path)}` },
    missing: { url: `${server.url}/missing.git` },
    unreachable: unreachable(cacheDir),
    secret: SECRET,
    async close() {
      await server.close();
      origin.remove();
      rmSync(cacheDir, { recursive: true, force: true });
    },
  };
}

describe('pull requests in a plain repository', () => {
  let origin: BareRepository;
  let cacheDir: string;
  let host: GitHost;
  let verified: string;
  let repository: { url: string };

  beforeEach(() => {
    origin = createBareRepository();
    cacheDir = temporary();
    repository = { url: origin.path };
    host = createLocal(cacheDir, [origin.path]);
    origin.commit({ branch: 'main', files: { a: '1\n' } });
    origin.git('branch', 'stage', 'main');
    verified = origin.commit({ branch: 'main', files: { a: '2\n' } });
  });
  afterEach(() => {
    origin.remove();
    rmSync(cacheDir, { recursive: true, force: true });
  });

  const open = (by = host): Promise<PullRequest> =>
    by.openPullRequest(repository, {
      headBranch: 'lynceus/x',
      headSha: verified,
      baseBranch: 'stage',
      title: 't',
      body: 'b',
    });
  const merge = (number: number, by = host) =>
    by.mergePullRequest(repository, number, { expectedHeadSha: verified, message: 'Promote', by: 'grace' });

  it('keep every comment and label of several who write at once', async () => {
    const { number } = await open();
    const others = [host, createLocal(cacheDir, [origin.path]), createLocal(cacheDir, [origin.path])];
    await Promise.all(
      others.flatMap((one, at) => [
        one.putComment?.(repository, number, { marker: `<!-- ${at} -->`, body: `<!-- ${at} -->\nword` }),
        one.changeLabels?.(repository, number, { add: [`label ${at}`], remove: [] }),
      ]),
    );
    expect((await host.readComments?.(repository, number))?.map(({ body }) => body).toSorted()).toEqual(
      others.map((_, at) => `<!-- ${at} -->\nword`),
    );
    expect((await host.readPullRequest(repository, number)).labels?.toSorted()).toEqual(
      others.map((_, at) => `label ${at}`),
    );
  });

  it('make one commit of the same edits, whoever makes them at once', async () => {
    const wanted = {
      branch: 'lynceus/files',
      parent: verified,
      edits: [{ kind: 'write' as const, path: 'b', content: 'x' }],
      message: 'm',
      at: '2026-03-02T10:00:00Z',
    };
    const hosts = [host, host, createLocal(cacheDir, [origin.path]), createLocal(cacheDir, [origin.path])];
    const made = await Promise.allSettled(hosts.map((one) => one.commitFiles?.(repository, wanted)));
    const shas = made.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    expect(new Set(shas)).toEqual(new Set([origin.sha('lynceus/files')]));
  });

  it('are numbered from one', async () => {
    const first = await open();
    await host.closePullRequest(repository, 1, 'no');
    const second = await open();
    expect([first.number, second.number]).toEqual([1, 2]);
  });

  it('keep every state they had as a commit, with the comment', async () => {
    await open();
    await host.updatePullRequest(repository, 1, { title: 't2', body: 'b' });
    await host.closePullRequest(repository, 1, 'Superseded by 2.');
    const states = origin.git(
      'log',
      '--first-parent',
      '--format=%s',
      'refs/lynceus/pull-requests/1',
      '--not',
      verified,
    );
    expect(states.split('\n')).toEqual([
      'closed lynceus/x into stage',
      'open lynceus/x into stage',
      'open lynceus/x into stage',
    ]);
    expect(origin.git('cat-file', 'blob', 'refs/lynceus/pull-requests/1:pull-request.json')).toContain(
      'Superseded by 2.',
    );
  });

  it('keep the verified commit reachable after their branch is gone', async () => {
    await open();
    await host.closePullRequest(repository, 1, 'no');
    expect(origin.tries('merge-base', '--is-ancestor', verified, 'refs/lynceus/pull-requests/1')).toBe(true);
  });

  it('count as merged when somebody merged them by hand', async () => {
    await open();
    const tree = origin.git('rev-parse', `${verified}^{tree}`);
    const byHand = origin.git('commit-tree', tree, '-p', 'stage', '-p', verified, '-m', 'by hand');
    origin.git('update-ref', 'refs/heads/stage', byHand);
    origin.commit({ branch: 'stage', files: { later: 'x' } });

    expect(await host.readPullRequest(repository, 1)).toMatchObject({
      state: 'merged',
      mergeSha: byHand,
      endedBy: 'Ada',
    });
    expect(await host.findOpenPullRequests(repository, { headPrefix: 'lynceus/', baseBranch: 'stage' })).toEqual([]);
    const tip = origin.sha('stage');
    expect(await merge(1)).toMatchObject({ state: 'merged', mergeSha: byHand });
    expect(origin.sha('stage')).toBe(tip);
    expect(origin.sha('lynceus/x')).toBeUndefined();
  });

  it('count as merged by the head itself when the base was moved to it', async () => {
    await open();
    origin.git('update-ref', 'refs/heads/stage', verified);
    expect(await merge(1)).toMatchObject({ state: 'merged', mergeSha: verified });
  });

  it('finish a merge whose push was cut off after the base had moved', async () => {
    await open();
    const tree = origin.git('rev-parse', `${verified}^{tree}`);
    const half = origin.git('commit-tree', tree, '-p', 'stage', '-p', verified, '-m', 'Promote');
    origin.git('update-ref', 'refs/heads/stage', half);
    origin.git('update-ref', '-d', 'refs/heads/lynceus/x');
    expect(await merge(1)).toMatchObject({ state: 'merged', mergeSha: half });
    expect(origin.sha('stage')).toBe(half);
  });

  it('cannot be merged when their branch was deleted', async () => {
    await open();
    origin.git('update-ref', '-d', 'refs/heads/lynceus/x');
    expect(await reasonOf(merge(1))).toBe('conflict');
  });

  it('name the files that are in the way of a merge', async () => {
    await open();
    origin.commit({ branch: 'stage', files: { a: 'other\n' } });
    await expect(merge(1)).rejects.toThrow(/both changed a$/);
  });

  it('are merged as Lynceus, or as who is configured', async () => {
    host = createLocal(cacheDir, [origin.path], { committer: { name: 'Deploy Bot', email: 'bot@example.org' } });
    await open();
    const { mergeSha } = await merge(1);
    expect(origin.git('log', '-1', '--format=%an <%ae> %cn', mergeSha ?? '')).toBe(
      'Deploy Bot <bot@example.org> Deploy Bot',
    );
  });

  /** Something that happens at the worst moment: after we have looked, before we push. */
  const meanwhile = (act: () => void) => {
    let acted = false;
    return {
      guard: () => {
        if (!acted) act();
        acted = true;
      },
    };
  };
  const mergeWhile = (act: () => void) =>
    host.mergePullRequest(
      repository,
      1,
      { expectedHeadSha: verified, message: 'Promote', by: 'grace' },
      meanwhile(act),
    );

  it('are merged onto what somebody pushed to the base in the last moment', async () => {
    await open();
    let theirs = '';
    const merged = await mergeWhile(() => {
      theirs = origin.commit({ branch: 'stage', files: { theirs: 'x' } });
    });
    expect(origin.git('rev-list', '--parents', '-1', merged.mergeSha ?? '')).toBe(
      `${merged.mergeSha} ${theirs} ${verified}`,
    );
    expect(origin.sha('stage')).toBe(merged.mergeSha);
  });

  it('are not merged when their branch moves in the last moment', async () => {
    await open();
    const before = origin.sha('stage');
    const work = mergeWhile(() => void origin.commit({ branch: 'lynceus/x', files: { slipped: 'in' } }));
    expect(await reasonOf(work)).toBe('conflict');
    expect(origin.sha('stage')).toBe(before);
    expect((await host.readPullRequest(repository, 1)).state).toBe('open');
  });

  it('are not merged when they are closed in the last moment', async () => {
    await open();
    const before = origin.sha('stage');
    const opened = origin.sha('refs/lynceus/pull-requests/1') ?? '';
    await host.closePullRequest(repository, 1, 'no');
    const closed = origin.sha('refs/lynceus/pull-requests/1') ?? '';
    origin.git('update-ref', 'refs/lynceus/pull-requests/1', opened);
    origin.git('update-ref', 'refs/heads/lynceus/x', verified);
    const work = mergeWhile(() => void origin.git('update-ref', 'refs/lynceus/pull-requests/1', closed));
    expect(await reasonOf(work)).toBe('conflict');
    expect(origin.sha('stage')).toBe(before);
    expect((await host.readPullRequest(repository, 1)).state).toBe('closed');
  });

  it('take the next number when somebody takes theirs in the last moment', async () => {
    const wanted = { headBranch: 'lynceus/x', headSha: verified, baseBranch: 'stage', title: '', body: '' };
    const taken = () => void origin.git('update-ref', 'refs/lynceus/pull-requests/1', verified);
    const pull = await host.openPullRequest(repository, wanted, meanwhile(taken));
    expect(pull.number).toBe(2);
    expect(origin.sha('refs/lynceus/pull-requests/1')).toBe(verified);
  });

  it('obey the hooks of the repository', async () => {
    await open();
    const hook = join(origin.path, 'hooks', 'pre-receive');
    writeFileSync(hook, '#!/bin/sh\necho "stage is frozen"\nexit 1\n');
    chmodSync(hook, 0o755);
    const error = await merge(1).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ reason: 'rejected' });
    expect(String(error)).toContain('stage is frozen');
    expect((await host.readPullRequest(repository, 1)).state).toBe('open');
  });

  it.each(['', 'no json', '{}', '{"number":1}', '[]', 'null'])(
    'are an error, not a crash, when they hold %j',
    async (text) => {
      await open();
      const other = createBareRepository();
      const record = origin.commit({ branch: 'scratch', files: { 'pull-request.json': text } });
      origin.git('update-ref', 'refs/lynceus/pull-requests/1', record);
      other.remove();
      expect(await reasonOf(host.readPullRequest(repository, 1))).toBe('bad-response');
      expect((await open()).number).toBe(2);
    },
  );

  it('are not read when they are larger than any of ours', async () => {
    await open();
    const text = `{"number":1,"body":"${'x'.repeat(1024 * 1024)}"}`;
    const record = origin.commit({ branch: 'scratch', files: { 'pull-request.json': text } });
    origin.git('update-ref', 'refs/lynceus/pull-requests/1', record);
    expect(await reasonOf(host.readPullRequest(repository, 1))).toBe('rejected');
  });

  it('refuse branches that are options or no names', async () => {
    for (const headBranch of ['--force', 'a..b', 'x.lock', '', 'a b', '/x', '@']) {
      const work = host.openPullRequest(repository, {
        headBranch,
        headSha: verified,
        baseBranch: 'stage',
        title: '',
        body: '',
      });
      expect(await reasonOf(work)).toBe('rejected');
    }
  });
});

describe('a mirror', () => {
  let world: GitHostWorld;
  beforeAll(async () => {
    world = await overHttp();
    world.origin.commit({ branch: 'main', files: { a: '1' } });
  });
  afterAll(async () => world.close());

  it('is built again when its folder was removed', async () => {
    const cacheDir = temporary();
    const { host, repository } = again(cacheDir);
    const sha = await host.resolve(repository, 'main');
    rmSync(join(cacheDir, 'git'), { recursive: true });
    expect(await host.resolve(repository, 'main')).toBe(sha);
    rmSync(cacheDir, { recursive: true });
  });

  it('is built again when a killed git left its lock', async () => {
    const cacheDir = temporary();
    const { host, repository } = again(cacheDir);
    await host.resolve(repository, 'main');
    const process = readdirSync(join(cacheDir, 'git'))[0] ?? '';
    const clone = readdirSync(join(cacheDir, 'git', process)).find((name) => name.endsWith('.git')) ?? '';
    writeFileSync(join(cacheDir, 'git', process, clone, 'refs', 'heads', 'main.lock'), '');
    const newer = world.origin.commit({ branch: 'main', files: { a: String(Math.random()) } });
    expect(await host.resolve(repository, 'main')).toBe(newer);
    rmSync(cacheDir, { recursive: true });
  });

  it('belongs to one process: two share a cache folder without harm', async () => {
    const cacheDir = temporary();
    const hosts = [again(cacheDir), again(cacheDir), again(cacheDir)];
    const shas = await Promise.all(hosts.map(({ host, repository }) => host.resolve(repository, 'main')));
    expect(new Set(shas)).toEqual(new Set([world.origin.sha('main')]));
    expect(existsSync(join(cacheDir, 'git'))).toBe(true);
    expect(readdirSync(join(cacheDir, 'git'))).toHaveLength(3);
    rmSync(cacheDir, { recursive: true });
  });

  it('says that credentials are wrong or missing, without telling them', async () => {
    const cacheDir = temporary();
    const { url } = world.repository;
    const credentials = { username: 'robot', password: { env: 'X' } };
    const wrong = local.create(
      'local',
      { urls: [url], credentials },
      { secret: () => new Secret('wrong-canary'), addresses: 'any', cacheDir },
    );
    for (const host of [wrong, createLocal(cacheDir, [url])]) {
      const error = await host.resolve({ url }, 'main').catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ reason: 'unauthenticated' });
      expect(String(error)).not.toContain('wrong-canary');
      expect(String(error)).not.toContain(Buffer.from('robot:wrong-canary').toString('base64'));
    }
    rmSync(cacheDir, { recursive: true });
  });

  it('never shows a password that stands in a URL', async () => {
    const cacheDir = temporary();
    const url = 'http://someone:url-canary@127.0.0.1:1/x.git';
    const host = createLocal(cacheDir, ['http://127.0.0.1:1']);
    const error = await host.resolve({ url }, 'main').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ reason: 'unavailable' });
    expect(String(error)).not.toContain('url-canary');
    rmSync(cacheDir, { recursive: true });
  });

  function again(cacheDir: string) {
    const credentials = { username: 'robot', password: { env: 'GIT_PASSWORD' } };
    const { repository } = world;
    return { repository, host: createLocal(cacheDir, [repository.url], { credentials }) };
  }
});

describe('the URLs that it serves', () => {
  const serves = (urls: string[], url: string) => createLocal(tmpdir(), urls).serves({ url });

  it('lie at or below a configured one', () => {
    expect(serves(['/srv/git'], '/srv/git/deploy.git')).toBe(true);
    expect(serves(['/srv/git'], 'file:///srv/git/deploy')).toBe(true);
    expect(serves(['file:///srv/git/deploy'], '/srv/git/deploy.git')).toBe(true);
    expect(serves(['ssh://git@git.example/team'], 'git@git.example:team/deploy.git')).toBe(true);
    expect(serves(['https://git.example/'], 'https://GIT.example/team/deploy.git')).toBe(true);
  });

  it('do not only begin like one', () => {
    expect(serves(['/srv/git'], '/srv/git-secret/x.git')).toBe(false);
    expect(serves(['/srv/git'], '/srv/git/../secret.git')).toBe(false);
    expect(serves(['/srv/git'], 'file:///srv/git/%2e%2e/secret.git')).toBe(false);
    expect(serves(['https://git.example'], 'https://git.example.evil/x')).toBe(false);
    expect(serves(['https://git.example'], 'https://git.example@evil/x')).toBe(false);
    expect(serves(['https://git.example'], 'http://git.example/x')).toBe(false);
  });

  it('stop the start when they are none', () => {
    expect(() => createLocal(tmpdir(), ['relative/path'])).toThrow(/neither an absolute path nor a Git URL/);
  });
});

function unreachable(cacheDir: string) {
  // Port 1 is reserved; nothing listens there.
  const host = createLocal(cacheDir, ['git://127.0.0.1:1']);
  return { host, repository: { url: 'git://127.0.0.1:1/deploy.git' } };
}

function createLocal(cacheDir: string, urls: string[], more: object = {}): GitHost {
  return local.create('local', { urls, ...more }, { secret: () => new Secret(SECRET), addresses: 'any', cacheDir });
}

function temporary(): string {
  return mkdtempSync(join(tmpdir(), 'lynceus-cache-'));
}

async function reasonOf(work: Promise<unknown>): Promise<string | undefined> {
  return work.then(
    () => undefined,
    (error: unknown) => (error instanceof AdapterError ? error.reason : String(error)),
  );
}
