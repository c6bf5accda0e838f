import { mkdir, readdir, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AdapterError } from '../../base/adapter-error.ts';
import type { Guard } from '../../base/guard.ts';
import type { GitCommand } from './git-command.ts';
import { sayUrl } from './repository-url.ts';

/** A first clone of a large repository takes minutes; what comes after takes seconds. */
const FETCH_TIMEOUT_MS = 300_000;
const PUSH_TIMEOUT_MS = 60_000;
/** Clones that no process has touched for this long were left behind; a living one clones again. */
const ABANDONED_AFTER_MS = 3_600_000;
/** Everything that matters under one name each, as it is at the remote. */
const MIRRORED = ['heads', 'tags', 'lynceus'].map((space) => `+refs/${space}/*:refs/${space}/*`);

export interface Call {
  signal?: AbortSignal;
  guard?: Guard;
}

/** One ref to change: only while it is `from`, to `to`; `undefined` means that it does not exist. */
export interface RefUpdate {
  ref: string;
  from: string | undefined;
  to: string | undefined;
}

/** A repository as we work with it: `gitDir` has its objects and, after `refresh`, its refs. */
export interface GitRepository {
  refresh(call?: Call): Promise<void>;
  /** Runs git in it. */
  git: GitCommand;
  /** Object names of commits by expression, in one look; `undefined` for what is not there. */
  commits(names: readonly string[], call?: Call): Promise<(string | undefined)[]>;
  /** What HEAD names at the remote. */
  head(call?: Call): Promise<string | undefined>;
  /**
   * Changes all refs or none, each only from the value that is given. Answers false, with what git
   * said, when somebody else was faster.
   */
  push(updates: readonly RefUpdate[], call?: Call): Promise<{ done: boolean; why: string }>;
}

/** A repository on this machine, used where it is. */
export async function openHere(git: GitCommand, path: string): Promise<GitRepository> {
  const gitDir = await findGitDir(path);
  const inside: GitCommand = (args, run) => git(args, { gitDir, ...run });
  return {
    git: inside,
    refresh: async () => {},
    commits: (names, call) => lookUp(inside, names, call),
    head: async (call) => (await lookUp(inside, ['HEAD'], call))[0],
    push: (updates, call) => pushRefs(inside, gitDir, updates, call),
  };
}

/**
 * A repository elsewhere, mirrored into `gitDir`. The folder belongs to this process alone, so no
 * other one can hold its locks or clean it up; between remotes and replicas only pushes decide.
 */
export function openMirror(git: GitCommand, url: string, gitDir: string): GitRepository {
  const inside: GitCommand = (args, run) => git(args, { gitDir, ...run });
  let running: Promise<void> | undefined;
  let queued: Promise<void> | undefined;

  function fetch(): Promise<void> {
    running = fetchMirror(git, url, gitDir).finally(() => {
      running = undefined;
    });
    return running;
  }

  /** Whoever asks while a fetch runs needs a later one, but all who wait can share it. */
  function shared(): Promise<void> {
    if (running === undefined) return fetch();
    queued ??= running
      .catch(() => {})
      .then(() => {
        queued = undefined;
        return fetch();
      });
    return queued;
  }

  return {
    git: inside,
    refresh: (call) => untilAborted(shared(), call?.signal),
    // Before the first fetch there is no repository to look into, and nothing is here.
    commits: async (names, call) =>
      (await exists(join(gitDir, 'HEAD'))) ? lookUp(inside, names, call) : names.map(() => undefined),
    async head(call) {
      const { stdout } = await git(['ls-remote', '--', url, 'HEAD'], { ...signalOf(call), timeoutMs: PUSH_TIMEOUT_MS });
      return /^([0-9a-f]{40,64})\tHEAD$/m.exec(stdout.toString('utf8'))?.[1];
    },
    push: (updates, call) => pushRefs(inside, url, updates, call),
  };
}

/** Removes what ended processes have left in a folder of clones; best effort. */
export async function removeAbandoned(folder: string, now: Date): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name);
    const info = await stat(path).catch(() => undefined);
    if (info === undefined || now.getTime() - info.mtimeMs < ABANDONED_AFTER_MS) continue;
    await rm(path, { recursive: true, force: true }).catch(() => {});
  }
}

async function fetchMirror(git: GitCommand, url: string, gitDir: string): Promise<void> {
  await mkdir(gitDir, { recursive: true }).catch((error: unknown) => {
    throw new AdapterError('unavailable', `the folder for clones cannot be written (${String(error).slice(0, 100)})`);
  });
  await utimes(dirname(gitDir), new Date(), new Date()).catch(() => {});
  const fetch = async () => {
    if (!(await exists(join(gitDir, 'HEAD')))) await git(['init', '--quiet', '--bare', gitDir]);
    await git(['fetch', '--quiet', '--prune', '--no-tags', '--no-write-fetch-head', '--', url, ...MIRRORED], {
      gitDir,
      timeoutMs: FETCH_TIMEOUT_MS,
    });
  };
  try {
    await fetch();
  } catch (error) {
    // Nobody else works here: a lock or a broken folder can only be left from a git that was killed.
    if (!(error instanceof AdapterError) || !isBroken(error)) throw error;
    await rm(gitDir, { recursive: true, force: true });
    await mkdir(gitDir, { recursive: true });
    await fetch();
  }
}

function isBroken(error: AdapterError): boolean {
  return error.reason === 'conflict' || /not a git repository/.test(error.message);
}

async function lookUp(git: GitCommand, names: readonly string[], call?: Call): Promise<(string | undefined)[]> {
  const input = names.map((name) => `${name}^{commit}\n`).join('');
  const { stdout } = await git(['cat-file', '--batch-check=%(objectname) %(objecttype)'], { input, ...signalOf(call) });
  const lines = stdout.toString('utf8').split('\n');
  return names.map((_, at) => /^([0-9a-f]{40,64}) commit$/.exec(lines[at] ?? '')?.[1]);
}

/** Changes all refs or none at a remote, each only from the value that is given; `options` go to git push. */
export async function pushRefs(
  git: GitCommand,
  remote: string,
  updates: readonly RefUpdate[],
  call: Call = {},
  options: readonly string[] = [],
): Promise<{ done: boolean; why: string }> {
  const changes = updates.filter((update) => update.from !== update.to);
  if (changes.length === 0) return { done: true, why: '' };
  call.guard?.();
  const { code, stdout, stderr } = await git(
    [
      'push',
      '--porcelain',
      // Not every host knows it, and one ref needs it not.
      ...(changes.length > 1 ? ['--atomic'] : []),
      '--no-verify',
      '--no-follow-tags',
      '--recurse-submodules=no',
      ...options,
      ...changes.map(({ ref, from }) => `--force-with-lease=${ref}:${from ?? ''}`),
      '--',
      remote,
      ...changes.map(({ ref, to }) => `${to ?? ''}:${ref}`),
    ],
    { ...signalOf(call), timeoutMs: PUSH_TIMEOUT_MS, answers: [1] },
  );
  if (code === 0) return { done: true, why: '' };
  return judgeRefusal(stdout.toString('utf8'), stderr, remote);
}

/** What a remote says of a ref that changed in the meantime, in the words of several git versions. */
const RACED =
  /stale info|already exists|lock ref|failed to (?:update|lock)|incorrect old value|fetch first|non-fast-forward|remote ref updated/i;

function judgeRefusal(porcelain: string, stderr: string, remote: string): { done: boolean; why: string } {
  const reasons = [...porcelain.matchAll(/^!\t\S+\t(.*)$/gm)].map((match) => (match[1] ?? '').slice(0, 200));
  // With --atomic every ref is refused; only the others say for which reason.
  const own = reasons.filter((reason) => !/\(atomic /.test(reason));
  const refused = own.find((reason) => !RACED.test(reason));
  const said = (/^remote: (?:error: |fatal: )?(.*)$/m.exec(stderr)?.[1] ?? '').trim().slice(0, 200);
  const why = `${refused ?? own[0] ?? reasons[0] ?? 'no reason given'}${said === '' ? '' : ` (${said})`}`;
  if (refused === undefined && reasons.length > 0) return { done: false, why };
  throw new AdapterError('rejected', `${sayUrl(remote)} refused the push: ${why}`);
}

async function findGitDir(path: string): Promise<string> {
  for (const candidate of [join(path, '.git'), path, `${path}.git`]) {
    if ((await exists(join(candidate, 'HEAD'))) && (await exists(join(candidate, 'objects')))) return candidate;
  }
  throw new AdapterError('not-found', `there is no Git repository at ${path}`);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function signalOf(call: Call | undefined): { signal?: AbortSignal } {
  return call?.signal === undefined ? {} : { signal: call.signal };
}

/** Leaves the shared work running for the others who wait for it. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = () => reject(new AdapterError('cancelled', 'fetching the repository was given up'));
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  work.catch(() => {});
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
