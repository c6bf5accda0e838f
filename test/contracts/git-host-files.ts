import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import type { NewFiles } from '../../src/adapters/git-hosts/git-host.ts';
import type { FileEdit } from '../../src/promotion/file-edit.ts';
import type { Round } from './git-host.ts';

const AT = '2026-03-02T10:00:00.750Z';
/** No UTF-8, and a NUL in the middle. */
const BINARY = new Uint8Array([0x89, 0x50, 0x00, 0xff, 0xfe, 0x0a]);

export function gitHostFiles(now: () => Round): void {
  const branch = () => `lynceus/podtato/files/${now().round}`;
  const list = (sha: string, folder = '') => now().host.listFiles?.(now().repository, sha, folder) ?? missing();
  const make = (parent: string, edits: readonly FileEdit[], change: Partial<NewFiles> = {}, options = {}) =>
    now().host.commitFiles?.(
      now().repository,
      { branch: branch(), parent, edits, message: 'Edit files\n\nünïcode', at: AT, ...change },
      options,
    ) ?? missing();
  const write = (path: string, content: string): FileEdit => ({ kind: 'write', path, content });
  const text = (sha: string, path: string) => now().origin.bytes('cat-file', 'blob', `${sha}:${path}`).toString();
  const tree = (sha: string) => now().origin.git('ls-tree', '-r', '--full-tree', sha);
  const content = (files: Record<string, string | Uint8Array | null>, from = 'main') =>
    now().origin.commit({ branch: `files-${now().round}`, from, files });

  /** A commit whose tree has a program, a link and a submodule, which `origin.commit` does not make. */
  function special(): string {
    const { origin, round } = now();
    const base = content({ 'in/run.sh': '#!/bin/sh\n', 'in/link': 'run.sh', 'in/logo.png': BINARY });
    const inner = origin.git('ls-tree', `${base}:in`).split('\n').map(withMode);
    inner.push(`160000 commit ${origin.sha('main')}\tmodule`);
    const outer = origin
      .git('ls-tree', base)
      .split('\n')
      .filter((line) => !line.endsWith('\tin'));
    const tree = makeTree([...outer, `040000 tree ${makeTree(inner)}\tin`]);
    const sha = origin.git('commit-tree', tree, '-p', base, '-m', 'x');
    origin.git('update-ref', `refs/heads/files-${round}`, sha);
    return sha;
  }

  function makeTree(lines: readonly string[]): string {
    const input = lines.map((line) => `${line}\n`).join('');
    return execFileSync('git', [`--git-dir=${now().origin.path}`, 'mktree'], { input, encoding: 'utf8' }).trim();
  }

  describe('listing files', () => {
    it('lists every file below a folder, with the name of its content', async () => {
      const sha = content({ 'a/one.yaml': '1', 'a/b/two.yaml': '2', 'a.yaml': '3', 'ab/three.yaml': '1' });
      const all = await list(sha);
      expect(all.map(({ path }) => path)).toEqual(expect.arrayContaining(['a.yaml', 'a/b/two.yaml', 'README.md']));
      const inside = (await list(sha, 'a')).toSorted((one, two) => (one.path < two.path ? -1 : 1));
      expect(inside.map(({ path }) => path)).toEqual(['a/b/two.yaml', 'a/one.yaml']);
      expect(inside.map(({ mode }) => mode)).toEqual(['100644', '100644']);
      expect(inside[1]?.blob).toBe(now().origin.git('rev-parse', `${sha}:a/one.yaml`));
      expect(inside[1]?.blob).toBe(all.find(({ path }) => path === 'ab/three.yaml')?.blob);
    });

    it('tells programs, links and submodules apart from files', async () => {
      const found = await list(special(), 'in');
      expect(Object.fromEntries(found.map(({ path, mode }) => [path, mode]))).toEqual({
        'in/link': '120000',
        'in/logo.png': '100644',
        'in/module': '160000',
        'in/run.sh': '100755',
      });
    });

    it('knows names that are not ASCII, and odd ones', async () => {
      const names = ['odd/grüße.md', 'odd/a b', 'odd/[x]*', 'odd/"q"', 'odd/ -x'];
      const sha = content(Object.fromEntries(names.map((name) => [name, 'x'])));
      expect((await list(sha, 'odd')).map(({ path }) => path).toSorted()).toEqual(names.toSorted());
    });

    it('finds nothing in a folder that is not there, or is a file', async () => {
      expect(await list(now().verified, 'nowhere')).toEqual([]);
      expect(await list(now().verified, 'README.md')).toEqual([]);
    });

    it('finds nothing in no repository and at no commit', async () => {
      const { fails, host, world, verified } = now();
      await fails('not-found', list('e'.repeat(40)));
      await fails('not-found', host.listFiles?.(world.missing, verified, '') ?? missing());
      await fails('rejected', list('main'));
      await fails('rejected', list(verified, '../x'));
    });
  });

  describe('committing files', () => {
    it('writes, replaces and deletes files, and leaves the others alone', async () => {
      const parent = content({ 'keep/me': 'kept', 'old/name': 'gone', 'change.yaml': 'image: 1\n' });
      const sha = await make(parent, [
        write('change.yaml', 'image: 2\n'),
        write('new/deep/größe.txt', 'Größe 世界\n'),
        write('empty', ''),
        { kind: 'delete', path: 'old/name' },
      ]);
      const { origin, host, repository } = now();
      expect(origin.sha(branch())).toBe(sha);
      expect(origin.git('rev-parse', `${sha}^`)).toBe(parent);
      expect(text(sha, 'change.yaml')).toBe('image: 2\n');
      expect(text(sha, 'new/deep/größe.txt')).toBe('Größe 世界\n');
      expect(text(sha, 'empty')).toBe('');
      expect(text(sha, 'keep/me')).toBe('kept');
      expect(origin.tries('cat-file', '-e', `${sha}:old`)).toBe(false);
      expect(await host.commitMessage(repository, sha)).toBe('Edit files\n\nünïcode');
      expect(origin.git('log', '-1', '--format=%ct %at %an', sha)).toBe('1772445600 1772445600 Lynceus');
    });

    it('copies from another commit, also what is no text, with its mode', async () => {
      const from = special();
      const parent = now().origin.commit({ branch: `other-${now().round}`, from: 'main', files: { out: 'x' } });
      const edits = ['run.sh', 'link', 'logo.png'].map(
        (name): FileEdit => ({ kind: 'copy', path: `out.d/${name}`, from: { sha: from, path: `in/${name}` } }),
      );
      const sha = await make(parent, edits);
      const lines = (commit: string, folder: string) =>
        now()
          .origin.git('ls-tree', `${commit}:${folder}`)
          .split('\n')
          .filter((line) => !line.includes('commit'));
      expect(lines(sha, 'out.d')).toEqual(lines(from, 'in'));
    });

    it('keeps the mode of a program whose text changes', async () => {
      const sha = await make(special(), [write('in/run.sh', '#!/bin/bash\n')]);
      expect(tree(sha)).toMatch(/^100755 blob \w+\tin\/run\.sh$/m);
    });

    it('is the same commit when it is made again, and moves a branch that is elsewhere', async () => {
      const { verified, origin } = now();
      const first = await make(verified, [write('x', '1')]);
      expect(await make(verified, [write('x', '1')])).toBe(first);
      const second = await make(verified, [write('x', '2')]);
      expect(origin.sha(branch())).toBe(second);
      expect(await make(verified, [write('x', '1')])).toBe(first);
      expect(origin.sha(branch())).toBe(first);
    });

    it('answers the parent, and makes no branch, when nothing changes', async () => {
      const parent = content({ same: 'x\n', run: 'y\n' });
      const copy: FileEdit = { kind: 'copy', path: 'run', from: { sha: parent, path: 'run' } };
      expect(await make(parent, [write('same', 'x\n'), copy])).toBe(parent);
      expect(await make(parent, [])).toBe(parent);
      expect(now().origin.sha(branch())).toBeUndefined();
    });

    it('says which file does not fit', async () => {
      const { fails, verified, origin } = now();
      await fails('conflict', make(verified, [{ kind: 'delete', path: 'not/here' }]));
      const copy = (path: string, sha = verified): FileEdit => ({ kind: 'copy', path: 'x', from: { sha, path } });
      await fails('conflict', make(verified, [copy('not/here')]));
      const folder = content({ 'folder/file': 'x' });
      await fails('conflict', make(verified, [copy('folder', folder)]));
      await fails('not-found', make('e'.repeat(40), [write('x', '1')]));
      await fails('not-found', make(verified, [copy('x', 'e'.repeat(40))]));
      expect(origin.sha(branch())).toBeUndefined();
    });

    it.each(['', '../x', '/x', 'a/../b', 'a\nb', '.git/hooks/post-update', 'a/.GIT/config'])(
      'refuses the path %j',
      async (path) => {
        const { fails, verified, origin } = now();
        await fails('rejected', make(verified, [write(path, 'x')]));
        await fails('rejected', make(verified, [{ kind: 'delete', path }]));
        expect(origin.sha(branch())).toBeUndefined();
      },
    );

    it('refuses two edits of one file, and what is no branch, commit or moment', async () => {
      const { fails, verified } = now();
      await fails('rejected', make(verified, [write('x', '1'), { kind: 'delete', path: 'x' }]));
      await fails('rejected', make('main', [write('x', '1')]));
      await fails('rejected', make(verified, [write('x', '1')], { branch: '--force' }));
      await fails('rejected', make(verified, [write('x', '1')], { at: 'yesterday' }));
      await fails('rejected', make(verified, [write('x', 'half \ud800')]));
    });

    it('changes nothing once it is no longer entitled to', async () => {
      const { fails, verified, origin, refuse } = now();
      await fails('cancelled', make(verified, [write('x', '1')], {}, { guard: refuse }));
      expect(origin.sha(branch())).toBeUndefined();
    });

    it('becomes a pull request', async () => {
      const headSha = await make(now().verified, [write('promoted.yaml', 'image: 2\n')]);
      const pull = await now().open({ headBranch: branch(), headSha });
      expect(pull).toMatchObject({ state: 'open', headBranch: branch(), headSha });
    });
  });
}

function withMode(line: string): string {
  if (line.endsWith('\trun.sh')) return line.replace('100644', '100755');
  return line.endsWith('\tlink') ? line.replace('100644', '120000') : line;
}

function missing(): never {
  throw new Error('every host lists and commits files');
}
