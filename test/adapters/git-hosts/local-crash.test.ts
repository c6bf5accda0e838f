import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BareRepository, createBareRepository } from '../../../examples/sandbox/git.ts';
import type { PullRequest } from '../../../src/adapters/git-hosts/git-host.ts';
import { local } from '../../../src/adapters/git-hosts/local.ts';
import { Secret } from '../../../src/base/secret.ts';
import { type GitHttpServer, serveGitOverHttp } from '../../support/git-http.ts';

const CHILD = new URL('../../support/merge-child.ts', import.meta.url).pathname;
/** How long an undisturbed open and merge takes here, about; kills are spread over it. */
const SPAN_MS = 400;

describe('merging in a plain repository', () => {
  let origin: BareRepository;
  let cacheDir: string;
  let verified: string;
  let before: string | undefined;

  beforeEach(() => {
    origin = createBareRepository();
    cacheDir = mkdtempSync(join(tmpdir(), 'lynceus-cache-'));
    origin.commit({ branch: 'main', files: { a: '1\n' } });
    origin.git('branch', 'stage', 'main');
    before = origin.sha('stage');
    verified = origin.commit({ branch: 'main', files: { a: '2\n' } });
  });
  afterEach(() => {
    origin.remove();
    rmSync(cacheDir, { recursive: true, force: true });
  });

  it('happens once, however often the process is killed on the way', { timeout: 120_000 }, async () => {
    const rounds = 25;
    let killed = 0;
    for (let round = 0; round < rounds; round += 1) {
      const child = start(origin.path);
      await child.ready;
      child.go();
      const timer = setTimeout(() => child.process.kill('SIGKILL'), (SPAN_MS * round) / rounds);
      killed += (await child.result) === undefined ? 1 : 0;
      clearTimeout(timer);
      expect(await finish()).toMatchObject({ state: 'merged' });
      expectMergedOnce();
      again(round);
    }
    // Killing nobody would prove nothing.
    expect(killed).toBeGreaterThan(rounds / 4);
  });

  it('happens once when several processes do it at the same time', { timeout: 120_000 }, async () => {
    for (let round = 0; round < 6; round += 1) {
      const children = [start(origin.path), start(origin.path), start(origin.path)];
      await Promise.all(children.map(({ ready }) => ready));
      for (const child of children) child.go();
      const merged = (await Promise.all(children.map(({ result }) => result))).filter((pull) => pull !== undefined);
      expect(merged).toHaveLength(3);
      expect(new Set(merged.map(({ mergeSha }) => mergeSha)).size).toBe(1);
      expectMergedOnce();
      again(round);
    }
  });

  it('keeps every push of others to the base while it tries', async () => {
    const child = start(origin.path);
    await child.ready;
    child.go();
    const pushed: string[] = [];
    let done = false;
    const result = child.result.finally(() => {
      done = true;
    });
    // Each takes one try from it at most, and it has more.
    while (!done && pushed.length < 8) {
      pushed.push(push(pushed.length));
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
    expect(await result).toMatchObject({ state: 'merged' });
    expect(pushed.length).toBeGreaterThan(1);
    for (const sha of pushed) expect(origin.tries('merge-base', '--is-ancestor', sha, 'stage')).toBe(true);
    expect(merges()).toHaveLength(1);
  });

  describe('behind HTTP', () => {
    let server: GitHttpServer;
    beforeEach(async () => {
      server = await serveGitOverHttp(join(origin.path, '..'), { username: '', password: '' });
    });
    afterEach(() => server.close());

    it('happens once for replicas that share nothing but the remote', { timeout: 60_000 }, async () => {
      const url = `${server.url.replace('//', '//:@')}/deploy.git`;
      const children = [start(url), start(url)];
      await Promise.all(children.map(({ ready }) => ready));
      for (const child of children) child.go();
      const merged = await Promise.all(children.map(({ result }) => result));
      expect(merged.map((pull) => pull?.state)).toEqual(['merged', 'merged']);
      expectMergedOnce();
    });
  });

  /** What the successor of a killed process does. */
  async function finish(): Promise<PullRequest> {
    const tools = { secret: () => new Secret(''), addresses: 'any', cacheDir } as const;
    const host = local.create('local', { urls: [origin.path] }, tools);
    const repository = { url: origin.path };
    const wanted = {
      headBranch: `lynceus/${verified.slice(0, 7)}`,
      headSha: verified,
      baseBranch: 'stage',
      title: 'Promote',
      body: 'Evidence',
    };
    const number = await host.openPullRequest(repository, wanted).then(
      (pull) => pull.number,
      () => latest(),
    );
    return host.mergePullRequest(repository, number, { expectedHeadSha: verified, message: 'Promote', by: 'heir' });
  }

  function latest(): number {
    const names = origin.git('for-each-ref', '--format=%(refname:lstrip=3)', 'refs/lynceus/pull-requests');
    return Math.max(...names.split('\n').map(Number));
  }

  function start(url: string) {
    const child: ChildProcess = spawn(process.execPath, [CHILD, url, verified, cacheDir], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    let text = '';
    const ready = new Promise<void>((resolve) => {
      child.stdout?.on('data', (chunk: Buffer) => {
        text += chunk;
        if (text.startsWith('ready')) resolve();
      });
    });
    const result = new Promise<PullRequest | undefined>((resolve) => {
      child.on('close', () => {
        const line = text.split('\n')[1] ?? '';
        resolve(line === '' ? undefined : (JSON.parse(line) as PullRequest));
      });
    });
    return { process: child, ready, result, go: () => child.stdin?.write('go\n') };
  }

  /** Merge commits that brought the verified commit. */
  function merges(): string[] {
    const rows = origin.git('rev-list', '--parents', 'stage').split('\n');
    return rows.filter((row) => row.split(' ')[2] === verified);
  }

  function expectMergedOnce(): void {
    expect(merges()).toHaveLength(1);
    expect(origin.git('rev-list', '--first-parent', '--count', `${before}..stage`)).toBe('1');
    expect(origin.git('for-each-ref', 'refs/heads/lynceus')).toBe('');
    const states = origin.git('for-each-ref', '--format=%(contents:subject)', 'refs/lynceus/pull-requests');
    expect(states).not.toContain('open');
  }

  /** The next change, on top of what was merged. */
  function again(round: number): void {
    for (const ref of origin.git('for-each-ref', '--format=%(refname)', 'refs/lynceus').split('\n')) {
      origin.git('update-ref', '-d', ref);
    }
    before = origin.sha('stage');
    verified = origin.commit({ branch: 'main', files: { a: `${round + 3}\n` } });
  }

  /** Another person's push, again and again until it fits. */
  function push(at: number): string {
    for (;;) {
      try {
        return origin.commit({ branch: 'stage', files: { [`other-${at}`]: 'x' } });
      } catch {
        // Somebody was faster.
      }
    }
  }
});
