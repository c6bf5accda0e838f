import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ADDRESS = 'ada@example.org';
/** To remove a folder with all that is in it. What git began for a process that was killed may still write there. */
export const REMOVAL = { recursive: true, force: true, maxRetries: 10 };
const NEWLINE = Buffer.from('\n');
/** Fixed, so that a test never depends on who runs it. */
const ENVIRONMENT = {
  PATH: process.env['PATH'] ?? '',
  HOME: tmpdir(),
  LC_ALL: 'C',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_AUTHOR_NAME: 'Ada',
  GIT_AUTHOR_EMAIL: ADDRESS,
  GIT_COMMITTER_NAME: 'Ada',
  GIT_COMMITTER_EMAIL: ADDRESS,
};

export interface CommitOptions {
  /** Branch to put the commit on; created when missing, from `from` or from nothing. */
  branch: string;
  /** Branch or SHA to start a new branch from. */
  from?: string;
  files?: Record<string, string | Uint8Array | null>;
  message?: string;
  author?: string;
}

/** A real bare repository on disk, changed without a work tree as another person's pushes would. */
export interface BareRepository {
  path: string;
  /** Runs git in it and answers what it printed, trimmed. */
  git(...args: string[]): string;
  /** What it printed, as it is. */
  bytes(...args: string[]): Buffer;
  /** Whether it succeeded. */
  tries(...args: string[]): boolean;
  /** The commit that a revision names, or `undefined`. */
  sha(revision: string): string | undefined;
  /** Commits files on a branch (`null` deletes one) and answers the SHA. */
  commit(options: CommitOptions): string;
  remove(): void;
}

/** Creates `<temporary folder>/<name>.git`. */
export function createBareRepository(name = 'deploy'): BareRepository {
  const folder = mkdtempSync(join(tmpdir(), 'lynceus-git-'));
  const path = join(folder, `${name}.git`);
  execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', path], { env: ENVIRONMENT });
  return { ...inBareRepository(path), remove: () => rmSync(folder, REMOVAL) };
}

/** The same operations on a bare repository that exists already. */
export function inBareRepository(path: string): Omit<BareRepository, 'remove'> {
  function run(args: readonly string[], input?: string | Uint8Array, env: Record<string, string> = {}): string {
    return execFileSync('git', [`--git-dir=${path}`, ...args], {
      env: { ...ENVIRONMENT, ...env },
      encoding: 'utf8',
      stdio: ['pipe', 'pipe', 'pipe'],
      maxBuffer: 64 * 1024 * 1024,
      ...(input === undefined ? {} : { input }),
    }).trimEnd();
  }
  const git = (...args: string[]) => run(args);
  const bytes = (...args: string[]) =>
    execFileSync('git', [`--git-dir=${path}`, ...args], { env: ENVIRONMENT, maxBuffer: 64 * 1024 * 1024 });
  const tries = (...args: string[]) =>
    spawnSync('git', [`--git-dir=${path}`, ...args], { env: ENVIRONMENT }).status === 0;
  const commits = new Set<string>();
  const sha = (revision: string) => {
    if (commits.has(revision)) return revision;
    const found = branchTip(path, revision);
    const answer = found === 'ask' ? asked(revision) : found;
    if (answer !== undefined) commits.add(answer);
    return answer;
  };
  const asked = (revision: string) => {
    const answer = spawnSync('git', [`--git-dir=${path}`, 'rev-parse', '--verify', '--quiet', `${revision}^{commit}`], {
      env: ENVIRONMENT,
      encoding: 'utf8',
    });
    return answer.status === 0 ? answer.stdout.trim() : undefined;
  };

  function commit({ branch, from, files = {}, message = 'Change something', author = 'Ada' }: CommitOptions): string {
    const ref = `refs/heads/${branch}`;
    const parent = sha(ref) ?? (from === undefined ? undefined : sha(from));
    const lines = [
      ...[`commit ${ref}`, 'mark :1', `author ${author} <${ADDRESS}> now`, `committer Ada <${ADDRESS}> now`],
      ...data(message.endsWith('\n') ? message : `${message}\n`),
      ...(parent === undefined ? [] : [`from ${parent}`]),
      ...Object.entries(files).flatMap(([file, content]) =>
        content === null ? [`D ${quoted(file)}`] : [`M 100644 inline ${quoted(file)}`, ...data(content)],
      ),
      ...['get-mark :1', 'done', ''],
    ];
    const input = Buffer.concat(lines.flatMap((line) => [Buffer.from(line), NEWLINE]));
    return run(['fast-import', '--quiet', '--done', '--date-format=now'], input);
  }

  return { path, git, bytes, tries, sha, commit };
}

/**
 * What the file of a branch says, which is quicker than git; `undefined`: there is no such branch; `ask`: only git itself
 * knows, as of all that is not the full name of a branch.
 *
 * @param ref `refs/heads/main`
 */
export function branchTip(repository: string, ref: string): string | 'ask' | undefined {
  if (!/^refs\/heads(?:\/[\w-]+(?:\.[\w-]+)*)+$/.test(ref)) return 'ask';
  try {
    const text = readFileSync(join(repository, ref), 'utf8').trimEnd();
    return /^[0-9a-f]{40}$/.test(text) ? text : 'ask';
  } catch {
    return existsSync(join(repository, 'packed-refs')) ? 'ask' : undefined;
  }
}

/** As `git fast-import` reads contents. */
function data(content: string | Uint8Array): (string | Uint8Array)[] {
  return [`data ${Buffer.byteLength(content)}`, content];
}

function quoted(path: string): string {
  return `"${path.replace(/["\\]/g, '\\$&').replaceAll('\n', '\\n')}"`;
}
