import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BareRepository, createBareRepository } from '../../../examples/sandbox/git.ts';
import type { NewFiles } from '../../../src/adapters/git-hosts/git-host.ts';
import { createGitRemote, type GitRemote, type GitRemoteOptions } from '../../../src/adapters/git-hosts/git-remote.ts';
import { AdapterError } from '../../../src/base/adapter-error.ts';
import { Secret } from '../../../src/base/secret.ts';
import { type GitHttpServer, serveGitOverHttp } from '../../support/git-http.ts';

const PASSWORD = 'glpat-canary-of-git';
const AT = '2026-03-02T10:00:00Z';
/** About 130 kB that cannot be packed well. */
const LONG = Array.from({ length: 20_000 }, (_, at) => ((at * 2_654_435_761) % 2 ** 32).toString(36)).join('');

describe('commits through Git over HTTP', () => {
  let origin: BareRepository;
  let server: GitHttpServer;
  let cacheDir: string;
  let remote: GitRemote;
  let url: string;
  let base: string;

  beforeEach(async () => {
    origin = createBareRepository();
    origin.git('config', 'uploadpack.allowFilter', 'true');
    origin.git('config', 'http.receivepack', 'true');
    server = await serveGitOverHttp(join(origin.path, '..'), { username: 'lynceus', password: PASSWORD });
    cacheDir = mkdtempSync(join(tmpdir(), 'lynceus-cache-'));
    remote = create();
    url = `${server.url}/deploy.git`;
    origin.commit({ branch: 'main', files: { 'a/one': '1\n', 'a/two': '2\n', 'b/three': LONG } });
    base = origin.commit({ branch: 'main', files: { 'a/one': '1b\n' } });
    origin.commit({ branch: 'main', files: { 'a/two': '2b\n' } });
  });
  afterEach(async () => {
    await server.close();
    origin.remove();
    rmSync(cacheDir, { recursive: true, force: true });
  });

  const create = (change: Partial<GitRemoteOptions> = {}) =>
    createGitRemote({
      name: 'lab',
      site: new URL(server.url),
      login: { username: 'lynceus', password: new Secret(PASSWORD) },
      addresses: 'any',
      cacheDir,
      ...change,
    });
  const wish = (change: Partial<NewFiles> = {}): NewFiles => ({
    branch: 'lynceus/x',
    parent: base,
    edits: [{ kind: 'write', path: 'a/one', content: '2\n' }],
    message: 'Raise one',
    at: AT,
    ...change,
  });

  it('makes a commit on a commit that no branch is at, without its contents', async () => {
    const sha = await remote.commitFiles(url, wish());
    expect(origin.sha('lynceus/x')).toBe(sha);
    expect(origin.git('show', '-s', '--format=%P %an <%ae> %cI %s', sha)).toBe(
      `${base} Lynceus <lynceus@localhost> 2026-03-02T10:00:00+00:00 Raise one`,
    );
    expect(origin.git('diff', '--name-only', base, sha)).toBe('a/one');
    const clone = clones()[0] ?? '';
    const here = execFileSync('git', ['-C', clone, 'cat-file', '--batch-all-objects', '--batch-check'], {
      encoding: 'utf8',
    });
    // One tree of the base, the new one, and the new text: nothing else was brought.
    expect(here.split('\n').filter((line) => line.includes(' blob '))).toHaveLength(1);
  });

  it('makes the same commit again, and pushes nothing then', async () => {
    const first = await remote.commitFiles(url, wish());
    server.requests.length = 0;
    expect(await remote.commitFiles(url, wish())).toBe(first);
    expect(await create().commitFiles(url, wish())).toBe(first);
    expect(server.requests.filter((line) => line.includes('receive-pack'))).toEqual([]);
  });

  it('keeps an LFS pointer and line ends as they are, also with attributes that ask for more', async () => {
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 12345\n`;
    const parent = origin.commit({
      branch: 'lfs',
      from: 'main',
      files: { '.gitattributes': '*.bin filter=lfs\n*.txt text eol=lf\n', 'big.bin': pointer },
    });
    const sha = await remote.commitFiles(
      url,
      wish({
        parent,
        edits: [
          { kind: 'copy', path: 'copy.bin', from: { sha: parent, path: 'big.bin' } },
          { kind: 'write', path: 'x.txt', content: 'a\r\nb\r\n' },
        ],
      }),
    );
    expect(origin.bytes('cat-file', 'blob', `${sha}:copy.bin`).toString()).toBe(pointer);
    expect(origin.bytes('cat-file', 'blob', `${sha}:x.txt`).toString()).toBe('a\r\nb\r\n');
  });

  it('refuses a file in the place of a folder, and a folder in the place of a file', async () => {
    const write = (path: string) => remote.commitFiles(url, wish({ edits: [{ kind: 'write', path, content: '' }] }));
    expect(await failureOf(write('a'))).toMatchObject({
      reason: 'conflict',
      message: expect.stringContaining('a/one'),
    });
    expect(await failureOf(write('a/one/more'))).toMatchObject({ reason: 'conflict' });
    const swap: NewFiles['edits'] = [
      { kind: 'write', path: 'a', content: '' },
      { kind: 'delete', path: 'a/one' },
      { kind: 'delete', path: 'a/two' },
    ];
    const sha = await remote.commitFiles(url, wish({ edits: swap }));
    expect(origin.git('ls-tree', '--name-only', sha)).toBe('a\nb');
  });

  it('works with a host that cannot leave contents out', async () => {
    origin.git('config', 'uploadpack.allowFilter', 'false');
    const sha = await remote.commitFiles(url, wish());
    expect(origin.sha('lynceus/x')).toBe(sha);
  });

  it('leaves a branch alone that somebody moved at the same moment', async () => {
    await remote.commitFiles(url, wish());
    let moved = '';
    const guard = () => {
      moved = origin.commit({ branch: 'lynceus/x', files: { theirs: 'x' } });
    };
    const edits: NewFiles['edits'] = [{ kind: 'write', path: 'a/one', content: '3\n' }];
    expect(await failureOf(remote.commitFiles(url, wish({ edits }), { guard }))).toMatchObject({ reason: 'conflict' });
    expect(origin.sha('lynceus/x')).toBe(moved);
  });

  it('points a branch at a commit, and deletes it only where it was left', async () => {
    await remote.pointBranch(url, 'lynceus/y', base);
    expect(origin.sha('lynceus/y')).toBe(base);
    const newer = origin.commit({ branch: 'lynceus/y', files: { more: 'x' } });
    await remote.deleteBranch(url, 'lynceus/y', base);
    expect(origin.sha('lynceus/y')).toBe(newer);
    await remote.deleteBranch(url, 'lynceus/y', newer);
    expect(origin.sha('lynceus/y')).toBeUndefined();
    await remote.deleteBranch(url, 'lynceus/y', newer);
  });

  it('compares two commits from where their lines parted, and brings no content for it but what changed', async () => {
    origin.git('branch', 'other', base);
    const theirs = origin.commit({ branch: 'other', files: { 'b/other': 'x\n' } });
    const head = origin.commit({ branch: 'main', files: { 'a/one': '1c\nmore\n' }, message: 'Raise again\n\nwhy' });
    const found = await remote.compare(url, theirs, head);
    expect(found.commits.map(({ subject, author, email }) => `${subject} by ${author} <${email}>`)).toEqual([
      'Raise again by Ada <ada@example.org>',
      'Change something by Ada <ada@example.org>',
    ]);
    expect(found).toMatchObject({ totalCommits: 2, totalFiles: 2 });
    expect(found.files).toEqual([
      { path: 'a/one', additions: 2, deletions: 1 },
      { path: 'a/two', additions: 1, deletions: 1 },
    ]);
    const here = execFileSync('git', ['-C', clones()[0] ?? '', 'count-objects', '-v'], { encoding: 'utf8' });
    // The long text stays where it is.
    expect(Number(/size-pack: (\d+)/.exec(here)?.[1])).toBeLessThan(20);
    const none = { commits: [], totalCommits: 0, files: [], totalFiles: 0 };
    expect(await remote.compare(url, head, head)).toEqual(none);
    const apart = origin.commit({ branch: 'apart', files: { apart: 'x' } });
    expect(await failureOf(remote.compare(url, head, apart))).toMatchObject({ reason: 'not-found' });
  });

  it('does several things at once, one after the other', async () => {
    const branches = Array.from({ length: 6 }, (_, at) => `lynceus/${at}`);
    const made = await Promise.all(
      branches.map((branch, at) =>
        remote.commitFiles(url, wish({ branch, edits: [{ kind: 'write', path: `n${at}`, content: 'x' }] })),
      ),
    );
    expect(branches.map((branch) => origin.sha(branch))).toEqual(made);
  });

  it('says what the host refused', async () => {
    const hook = join(origin.path, 'hooks', 'pre-receive');
    execFileSync('sh', [
      '-c',
      `printf '#!/bin/sh\\necho "error: branch is protected" >&2\\nexit 1\\n' > "$1" && chmod +x "$1"`,
      'sh',
      hook,
    ]);
    const error = await failureOf(remote.commitFiles(url, wish()));
    expect(error.reason).toBe('rejected');
    expect(error.message).toContain('branch is protected');
  });

  it('never shows its password: not on disk, not in an error', async () => {
    await remote.commitFiles(url, wish());
    const basic = Buffer.from(`lynceus:${PASSWORD}`).toString('base64');
    for (const file of filesIn(cacheDir)) {
      const text = readFileSync(file).toString('latin1');
      expect(text.includes(PASSWORD) || text.includes(basic), file).toBe(false);
    }
    const wrong = create({ login: { username: 'lynceus', password: new Secret('wrong-password') } });
    const error = await failureOf(wrong.listFiles(url, base, ''));
    expect(error.reason).toBe('unauthenticated');
    expect(error.message).not.toMatch(/wrong-password|bHluY2V1/);
  });

  it('sends nothing to another origin, nor to an address that it may not reach', async () => {
    const elsewhere = await serveGitOverHttp(join(origin.path, '..'), { username: 'lynceus', password: PASSWORD });
    expect(await failureOf(remote.listFiles(`${elsewhere.url}/deploy.git`, base, ''))).toMatchObject({
      reason: 'rejected',
    });
    expect(elsewhere.requests).toEqual([]);
    await elsewhere.close();
    const team = create({ addresses: 'team' });
    expect(await failureOf(team.listFiles(url, base, ''))).toMatchObject({
      reason: 'rejected',
      message: expect.stringContaining('127.0.0.1 is not allowed'),
    });
    const named = new URL(server.url);
    named.hostname = 'localhost';
    const byName = create({ addresses: 'team', site: named });
    expect(await failureOf(byName.listFiles(`${named.origin}/deploy.git`, base, ''))).toMatchObject({
      reason: 'rejected',
    });
    expect(server.requests).toEqual([]);
  });

  it('reaches a name at the address that was judged', async () => {
    const named = new URL(server.url);
    named.hostname = 'localhost';
    const byName = create({ addresses: 'operator', site: named });
    expect(await byName.listFiles(`${named.origin}/deploy.git`, base, 'b')).toMatchObject([{ path: 'b/three' }]);
  });

  it('begins anew after a clone was spoiled', async () => {
    await remote.listFiles(url, base, '');
    for (const clone of clones()) rmSync(join(clone, 'HEAD'));
    const main = origin.sha('main') ?? '';
    await failureOf(remote.listFiles(url, main, ''));
    expect(await remote.listFiles(url, main, 'a')).toHaveLength(2);
  });

  it('leaves nothing behind when it is closed', async () => {
    await Promise.all([remote.listFiles(url, base, ''), remote.compare(url, base, origin.sha('main') ?? '')]);
    expect(clones()).toHaveLength(2);
    await remote.close();
    expect(readdirSync(join(cacheDir, 'git'))).toEqual([]);
  });

  it('keeps few clones', async () => {
    const frugal = create({ maxClones: 2 });
    for (let at = 0; at < 4; at += 1) {
      execFileSync('cp', ['-r', origin.path, join(origin.path, '..', `r${at}.git`)]);
      expect(await frugal.listFiles(`${server.url}/r${at}.git`, base, 'b')).toHaveLength(1);
    }
    expect(clones()).toHaveLength(2);
    expect(await frugal.listFiles(`${server.url}/r0.git`, base, 'b')).toHaveLength(1);
  });

  const clones = () =>
    filesIn(cacheDir)
      .filter((file) => file.endsWith('.git/config'))
      .map((file) => join(file, '..'));
});

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((file) => statSync(file).isFile());
}

async function failureOf(work: Promise<unknown>): Promise<AdapterError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(AdapterError);
  return error as AdapterError;
}
