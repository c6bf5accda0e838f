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

/** A clone without history and contents: of the commits that were asked for, it has the trees. */
export interface Clone {
  gitDir: string;
  /** Runs git in it. */
  git: GitCommand;
  /** Brings what is not here yet; `not-found` when the remote does not have it. Of no commits: an empty clone. */
  fetch(commits: readonly string[], call?: Call): Promise<void>;
}

export interface GitClones {
  /** Lends a clone of this URL; to one after the other. */
  use<T>(url: string, call: Call | undefined, work: (clone: Clone) => Promise<T>): Promise<T>;
}

interface Kept extends Clone {
  commits: Set<string>;
  /** What uses it, until it is done. */
  busy: Promise<unknown>;
}

/** Clones in a folder that belongs to this process alone; what ended processes left there goes. */
export function createGitClones(cacheDir: string, gitFor: (home: string) => GitCommand): GitClones {
  const clones = join(cacheDir, 'git');
  const folder = join(clones, newId());
  const git = gitFor(join(folder, 'home'));
  const kept = new Map<string, Kept>();
  let swept: Promise<void> | undefined;

  function open(url: string): Kept {
    const known = kept.get(url);
    if (known !== undefined && known.commits.size < MAX_COMMITS) {
      // Back to the end of the line.
      kept.delete(url);
      kept.set(url, known);
      return known;
    }
    if (known !== undefined) drop(url, known);
    for (const [oldest, clone] of kept) if (kept.size >= MAX_CLONES) drop(oldest, clone);
    const made = newClone(git, url, join(folder, `${newId()}.git`));
    kept.set(url, made);
    return made;
  }

  function drop(url: string, clone: Kept): void {
    if (kept.get(url) === clone) kept.delete(url);
    const remove = () => rm(clone.gitDir, { recursive: true, force: true }).catch(() => {});
    clone.busy = clone.busy.then(remove, remove);
  }

  return {
    async use(url, call, work) {
      if (call?.signal?.aborted) throw new AdapterError('cancelled', 'the request was given up');
      swept ??= removeAbandoned(clones, new Date());
      await swept;
      const clone = open(url);
      const done = clone.busy.catch(() => {}).then(() => work(clone));
      clone.busy = done;
      try {
        return await done;
      } catch (error) {
        // A git that was cut off may have left locks behind; nobody else works here, and a new clone costs little.
        if (!(error instanceof AdapterError) || !isHarmless(error)) drop(url, clone);
        throw error;
      } finally {
        if ((await sizeOf(clone)) > MAX_CLONE_KIB) drop(url, clone);
      }
    },
  };
}

function newClone(git: GitCommand, url: string, gitDir: string): Kept {
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
    async fetch(wanted, call) {
      const missing = [...new Set(wanted)].filter((sha) => !commits.has(sha));
      if (missing.length === 0 && ready) return;
      await prepare();
      if (missing.length === 0) return;
      await inside(
        [
          ...['fetch', '--quiet', '--depth=1', '--filter=blob:none', '--no-tags', '--no-write-fetch-head'],
          ...['--no-auto-maintenance', 'origin'],
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
