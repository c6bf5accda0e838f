import { mkdir, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { AdapterError } from '../../base/adapter-error.ts';
import { newId } from '../../base/ids.ts';
import type { GitCommand } from './git-command.ts';
import { type Call, removeAbandoned } from './git-repository.ts';

const FETCH_TIMEOUT_MS = 120_000;
/** Clones kept at the same time; the one that was not used for the longest goes. */
const MAX_CLONES = 32;
/** A clone begins anew after so many commits, or when it holds so much. */
const MAX_COMMITS = 200;
const MAX_CLONE_KIB = 256 * 1024;

/** What a clone has of the commits that were asked for: their trees alone, or all commits before them alone. */
export type CloneOf = 'trees' | 'history';

/** A clone without contents. What is missing Git brings by itself when it is looked at. */
export interface Clone {
  gitDir: string;
  /** Runs git in it. */
  git: GitCommand;
  /** Brings what is not here yet; `not-found` when the remote does not have it. Of no commits: an empty clone. */
  fetch(commits: readonly string[], call?: Call): Promise<void>;
  has(sha: string): boolean;
  /** This commit was made here: nobody else has it yet. */
  made(sha: string): void;
}

export interface GitClones {
  /** Lends a clone of this URL; to one after the other. */
  use<T>(url: string, of: CloneOf, call: Call | undefined, work: (clone: Clone) => Promise<T>): Promise<T>;
  /** Removes all of them. */
  close(): Promise<void>;
}

const EXTENT: Record<CloneOf, readonly string[]> = {
  trees: ['--depth=1', '--filter=blob:none'],
  history: ['--filter=tree:0'],
};

interface Kept extends Clone {
  commits: Set<string>;
  /** What uses it, until it is done. */
  busy: Promise<unknown>;
}

/** Clones in a folder that belongs to this process alone; what ended processes left there goes. */
export function createGitClones(
  cacheDir: string,
  gitFor: (home: string) => GitCommand,
  maxClones = MAX_CLONES,
): GitClones {
  const clones = join(cacheDir, 'git');
  const folder = join(clones, newId());
  const git = gitFor(join(folder, 'home'));
  const kept = new Map<string, Kept>();
  let swept: Promise<void> | undefined;

  function open(key: string, url: string, of: CloneOf): Kept {
    const known = kept.get(key);
    if (known !== undefined && known.commits.size < MAX_COMMITS) {
      // Back to the end of the line.
      kept.delete(key);
      kept.set(key, known);
      return known;
    }
    if (known !== undefined) drop(key, known);
    for (const [oldest, clone] of kept) if (kept.size >= maxClones) drop(oldest, clone);
    const made = newClone(git, url, of, join(folder, `${newId()}.git`));
    kept.set(key, made);
    return made;
  }

  function drop(key: string, clone: Kept): void {
    if (kept.get(key) === clone) kept.delete(key);
    const remove = () => rm(clone.gitDir, { recursive: true, force: true }).catch(() => {});
    clone.busy = clone.busy.then(remove, remove);
  }

  return {
    async close() {
      await Promise.allSettled([...kept.values()].map(({ busy }) => busy));
      kept.clear();
      await rm(folder, { recursive: true, force: true }).catch(() => {});
    },

    async use(url, of, call, work) {
      if (call?.signal?.aborted) throw new AdapterError('cancelled', 'the request was given up');
      swept ??= removeAbandoned(clones, new Date());
      await swept;
      const key = `${of} ${url}`;
      const clone = open(key, url, of);
      const done = clone.busy.catch(() => {}).then(() => work(clone));
      clone.busy = done;
      try {
        return await done;
      } catch (error) {
        // A git that was cut off may have left locks behind; nobody else works here, and a new clone costs little.
        if (!(error instanceof AdapterError) || !isHarmless(error)) drop(key, clone);
        throw error;
      } finally {
        if ((await sizeOf(clone)) > MAX_CLONE_KIB) drop(key, clone);
      }
    },
  };
}

function newClone(git: GitCommand, url: string, of: CloneOf, gitDir: string): Kept {
  const inside: GitCommand = (args, run) => git(args, { gitDir, ...run });
  const commits = new Set<string>();
  let ready = false;

  async function prepare(): Promise<void> {
    await mkdir(gitDir, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
      throw new AdapterError('unavailable', `the folder for clones cannot be written (${String(error).slice(0, 100)})`);
    });
    // What is looked at here counts as in use.
    await utimes(join(gitDir, '..'), new Date(), new Date()).catch(() => {});
    if (ready) return;
    await git(['init', '--quiet', '--bare', gitDir]);
    await inside(['config', 'remote.origin.url', url]);
    ready = true;
  }

  return {
    gitDir,
    git: inside,
    commits,
    busy: Promise.resolve(),
    has: (sha) => commits.has(sha),
    made: (sha) => void commits.add(sha),
    async fetch(wanted, call) {
      const missing = [...new Set(wanted)].filter((sha) => !commits.has(sha));
      if (missing.length === 0 && ready) return;
      await prepare();
      if (missing.length === 0) return;
      await inside(
        [
          ...['fetch', '--quiet', ...EXTENT[of], '--no-tags', '--no-write-fetch-head', '--no-auto-maintenance'],
          'origin',
          // Under a name of their own: what has one is not sent again.
          ...missing.map((sha) => `+${sha}:refs/kept/${sha}`),
        ],
        { ...(call?.signal === undefined ? {} : { signal: call.signal }), timeoutMs: FETCH_TIMEOUT_MS },
      );
      for (const sha of missing) commits.add(sha);
    },
  };
}

function isHarmless(error: AdapterError): boolean {
  if (error.reason === 'not-found') return /not our ref/.test(error.message);
  return ['forbidden', 'unauthenticated', 'rejected'].includes(error.reason);
}

async function sizeOf(clone: Kept): Promise<number> {
  if (clone.commits.size === 0) return 0;
  const { stdout } = await clone.git(['count-objects', '-v']).catch(() => ({ stdout: '' }));
  const sizes = [...stdout.toString().matchAll(/^size(?:-pack)?: (\d+)$/gm)];
  return sizes.reduce((sum, [, kib]) => sum + Number(kib), 0);
}
