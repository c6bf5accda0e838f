import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { branchTip, REMOVAL } from '../git.ts';

const run = promisify(execFile);
const GIT_TIMEOUT_MS = 30_000;
const MAX_FILE_BYTES = 1024 * 1024;
const MAX_FILES = 200;
const FULL_SHA = /^[0-9a-f]{40}$/;

export interface CommitMetadata {
  author: string;
  date: string;
  message: string;
  tags: string[];
}

/** Reads real Git repositories, as Argo CD's repo-server does: local ones in place, others through a mirror. */
export interface Repositories {
  /** Commit that a branch, tag or SHA names; `undefined` when there is none. */
  resolve(repoUrl: string, revision: string): Promise<string | undefined>;
  /** Changes exactly when something below the path does; `undefined` when the path is not there. */
  treeOf(repoUrl: string, sha: string, path: string): Promise<string | undefined>;
  /** Texts by path, at most 200 files. */
  files(repoUrl: string, sha: string, path: string): Promise<Record<string, string>>;
  metadata(repoUrl: string, sha: string): Promise<CommitMetadata | undefined>;
  close(): Promise<void>;
}

/** @param aliases folders to read instead of URLs that do not serve Git */
export function createRepositories(aliases: Readonly<Record<string, string>> = {}): Repositories {
  const mirrors = new Map<string, Promise<string>>();
  // What a full SHA means never changes, and asking Git costs a process each time.
  const known = new Map<string, Promise<unknown>>();

  /** Asks once for what belongs to a commit; what was not there is asked again. */
  function once<T>(sha: string, what: string, ask: () => Promise<T | undefined>): Promise<T | undefined> {
    if (!FULL_SHA.test(sha)) return ask();
    const key = `${sha} ${what}`;
    const asked = (known.get(key) as Promise<T | undefined> | undefined) ?? ask();
    known.set(key, asked);
    void asked.then(
      (answer) => answer === undefined && known.delete(key),
      () => known.delete(key),
    );
    return asked;
  }

  async function git(dir: string, ...args: string[]): Promise<string | undefined> {
    try {
      const { stdout } = await run('git', ['-C', dir, '-c', 'safe.directory=*', ...args], {
        timeout: GIT_TIMEOUT_MS,
        maxBuffer: 8 * MAX_FILE_BYTES,
      });
      return stdout;
    } catch {
      return undefined;
    }
  }

  async function directoryOf(repoUrl: string): Promise<string> {
    const path = repoUrl.startsWith('file://') ? fileURLToPath(repoUrl) : (aliases[repoUrl] ?? repoUrl);
    if (existsSync(path)) return path;
    const ours = mirrors.get(repoUrl) ?? mirror(repoUrl);
    mirrors.set(repoUrl, ours);
    return ours;
  }

  async function mirror(repoUrl: string): Promise<string> {
    const dir = await mkdtemp(join(tmpdir(), 'sandbox-argocd-'));
    await git(dir, 'init', '--quiet', '--bare');
    await git(dir, 'remote', 'add', '--mirror=fetch', 'origin', repoUrl);
    return dir;
  }

  return {
    async resolve(repoUrl, revision) {
      const dir = await directoryOf(repoUrl);
      if (mirrors.has(repoUrl)) await git(dir, 'fetch', '--quiet', '--prune', 'origin');
      const tip = branchTip(dir, `refs/heads/${revision}`);
      if (tip !== undefined && tip !== 'ask') return tip;
      return once(revision, dir, async () => {
        for (const ref of [`refs/heads/${revision}`, revision]) {
          const sha = await git(dir, 'rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`);
          if (sha !== undefined) return sha.trim();
        }
        return undefined;
      });
    },

    async treeOf(repoUrl, sha, path) {
      const [dir, inside] = [await directoryOf(repoUrl), cleanPath(path)];
      return once(sha, `${dir} tree ${inside}`, async () => {
        const tree = await git(dir, 'rev-parse', '--verify', '--quiet', `${sha}:${inside}`);
        return tree?.trim();
      });
    },

    async files(repoUrl, sha, path) {
      const dir = await directoryOf(repoUrl);
      const inside = cleanPath(path);
      const listing = await git(
        dir,
        'ls-tree',
        '-r',
        '-z',
        '--name-only',
        '--full-tree',
        sha,
        `${inside === '' ? '.' : inside}`,
      );
      const names = (listing ?? '')
        .split('\0')
        .filter((name) => name !== '')
        .slice(0, MAX_FILES);
      const texts = await Promise.all(
        names.map(async (name) => [name, await git(dir, 'show', `${sha}:${name}`)] as const),
      );
      return Object.fromEntries(texts.filter((entry): entry is [string, string] => entry[1] !== undefined));
    },

    async metadata(repoUrl, sha) {
      const dir = await directoryOf(repoUrl);
      const text = await git(dir, 'show', '-s', '--format=%an <%ae>%n%cI%n%B', '--end-of-options', sha);
      if (text === undefined) return undefined;
      const [author = '', date = '', ...message] = text.trimEnd().split('\n');
      const tags = (await git(dir, 'tag', '--points-at', sha)) ?? '';
      return {
        author,
        date: `${new Date(date).toISOString().slice(0, 19)}Z`,
        message: message.join('\n'),
        tags: tags.split('\n').filter((tag) => tag !== ''),
      };
    },

    async close() {
      const dirs = await Promise.all(mirrors.values());
      await Promise.all(dirs.map((dir) => rm(dir, REMOVAL)));
    },
  };
}

function cleanPath(path: string): string {
  return path
    .replace(/^(?:\.?\/)+/, '')
    .replace(/\/+$/, '')
    .replace(/^\.$/, '');
}
