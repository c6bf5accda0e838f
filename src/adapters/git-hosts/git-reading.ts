import { AdapterError } from '../../base/adapter-error.ts';
import type { GitCommand } from './git-command.ts';
import type { CommitInfo, CompareOptions, Comparison } from './git-host.ts';
import type { Call, GitRepository } from './git-repository.ts';
import { isRefName, isSha } from './names.ts';

/** The port's limits. */
export const MAX_FILE_BYTES = 256 * 1024;
export const MAX_COMMITS = 250;
export const MAX_FILES = 300;
/** Of so many files it is said what changed in them. */
export const MAX_PATCHES = 10;
const MAX_PATCH_BYTES = 512 * 1024;

/** Commit that a branch, tag, (short) SHA or HEAD names, as far as it has been fetched. */
export async function resolveRevision(
  repository: GitRepository,
  revision: string,
  call?: Call,
): Promise<string | undefined> {
  if (revision === 'HEAD') return repository.head(call);
  if (isSha(revision)) return (await repository.commits([revision], call))[0];
  if (!isRefName(revision)) return undefined;
  const short = /^[0-9a-f]{7,40}$/.test(revision) ? [revision] : [];
  const full = revision.startsWith('refs/') ? [revision] : [];
  const names = [`refs/heads/${revision}`, `refs/tags/${revision}`, ...full, ...short];
  return (await repository.commits(names, call)).find((sha) => sha !== undefined);
}

/**
 * Text of a file at a commit; links within the repository are followed, as GitHub does.
 *
 * @throws {AdapterError} `rejected` when it is too large or no UTF-8 text
 */
export async function readFileAt(
  repository: GitRepository,
  sha: string,
  path: string,
  call?: Call,
): Promise<string | undefined> {
  const { stdout } = await repository.git(
    ['cat-file', '--follow-symlinks', '--batch-check=%(objectname) %(objecttype) %(objectsize)'],
    { input: `${sha}:${path}\n`, ...call },
  );
  const [, id, size] = /^([0-9a-f]{40,64}) blob (\d+)$/m.exec(stdout.toString('utf8')) ?? [];
  if (id === undefined) return undefined;
  requireFileSize(path, Number(size));
  const blob = await repository.git(['cat-file', 'blob', id], { ...call, maxBytes: MAX_FILE_BYTES });
  return decodeText(path, blob.stdout);
}

/** An object as Git keeps it. */
interface GitObject {
  id: string;
  bytes: Buffer;
}

/**
 * Objects by expression with what they hold, looked up one after the other; `undefined` for what is not there.
 *
 * @param maxBytes of all together
 * @throws {AdapterError} `rejected` when there is more
 */
export async function readObjects(
  git: GitCommand,
  names: readonly string[],
  maxBytes: number,
  call?: Call,
): Promise<(GitObject | undefined)[]> {
  const { stdout } = await git(['cat-file', '--batch'], { input: `${names.join('\n')}\n`, ...call, maxBytes });
  let at = 0;
  return names.map(() => {
    const end = stdout.indexOf('\n', at);
    const [, id, size] = /^([0-9a-f]{40,64}) \w+ (\d+)$/.exec(stdout.toString('latin1', at, end)) ?? [];
    at = end + 1;
    if (id === undefined) return undefined;
    const bytes = stdout.subarray(at, at + Number(size));
    at += bytes.length + 1;
    return { id, bytes };
  });
}

/** @throws {AdapterError} `rejected` above 256 KiB */
export function requireFileSize(path: string, bytes: number): void {
  if (bytes <= MAX_FILE_BYTES) return;
  throw new AdapterError('rejected', `${path} has ${bytes} bytes; files of more than ${MAX_FILE_BYTES} are not read`);
}

/** @throws {AdapterError} `rejected` for anything but UTF-8 */
export function decodeText(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new AdapterError('rejected', `${path} is not UTF-8 text`);
  }
}

/** @throws {AdapterError} `not-found` when the two have no common ancestor */
export async function compareCommits(
  git: GitCommand,
  base: string,
  head: string,
  { patches, ...call }: Call & Pick<CompareOptions, 'patches'> = {},
): Promise<Comparison> {
  const ancestor = await mergeBase(git, base, head, call);
  const range = `${base}..${head}`;
  const count = await git(['rev-list', '--count', range], { ...call });
  const log = await git(
    ['log', '-z', `--max-count=${MAX_COMMITS}`, '--format=%H%x00%an%x00%ae%x00%at%x00%s', range, '--'],
    {
      ...call,
    },
  );
  const files = await changedFiles(git, ancestor, head, call);
  return {
    commits: parseLog(log.stdout.toString('utf8')),
    totalCommits: Number(count.stdout.toString('utf8')),
    files: patches
      ? await withPatches(git, ancestor, head, files.slice(0, MAX_FILES), call)
      : files.slice(0, MAX_FILES),
    totalFiles: files.length,
  };
}

/** Whether `ancestor` is contained in `descendant`. */
export async function isContained(
  git: GitCommand,
  descendant: string,
  ancestor: string,
  call?: Call,
): Promise<boolean> {
  const { code } = await git(['merge-base', '--is-ancestor', ancestor, descendant], {
    ...call,
    answers: [1],
  });
  return code === 0;
}

async function mergeBase(git: GitCommand, base: string, head: string, call?: Call): Promise<string> {
  const { code, stdout } = await git(['merge-base', base, head], { ...call, answers: [1] });
  if (code === 0) return stdout.toString('utf8').trim();
  throw new AdapterError('not-found', `${base.slice(0, 7)} and ${head.slice(0, 7)} have no common ancestor`);
}

async function changedFiles(git: GitCommand, from: string, to: string, call?: Call): Promise<Comparison['files']> {
  const args = ['diff-tree', '-r', '-z', '--numstat', '--no-renames', '--no-ext-diff', '--no-textconv', from, to, '--'];
  const { stdout } = await git(args, { ...call });
  return stdout.toString('utf8').split('\0').filter(Boolean).map(parseNumstat);
}

/** What cannot be read, as it is too much, is left out: the numbers are known. */
async function withPatches(
  git: GitCommand,
  from: string,
  to: string,
  files: Comparison['files'],
  call: Call,
): Promise<Comparison['files']> {
  const first = files.slice(0, MAX_PATCHES);
  if (first.length === 0) return files;
  const flags = ['-r', '-p', '-U1', '--no-color', '--no-renames', '--no-ext-diff', '--no-textconv'];
  const paths = first.map(({ path }) => `:(literal)${path}`);
  try {
    const run = { ...call, maxBytes: MAX_PATCH_BYTES };
    const { stdout } = await git(['diff-tree', ...flags, from, to, '--', ...paths], run);
    // No line of a file can look like this: each begins with a sign.
    const parts = stdout
      .toString('utf8')
      .split(/^diff --git .*$/m)
      .slice(1);
    if (parts.length !== first.length) return files;
    const hunks = parts.map((part) => /^@@ [\s\S]*/m.exec(part)?.[0]);
    return files.map((file, at) => (hunks[at] === undefined ? file : { ...file, patch: hunks[at] }));
  } catch (error) {
    if (!(error instanceof AdapterError) || error.reason === 'cancelled') throw error;
    return files;
  }
}

function parseNumstat(line: string): Comparison['files'][number] {
  const [additions = '', deletions = '', ...path] = line.split('\t');
  // Binary files show a dash: no lines were counted.
  return { path: path.join('\t'), additions: Number(additions) || 0, deletions: Number(deletions) || 0 };
}

function parseLog(text: string): CommitInfo[] {
  const fields = text.split('\0');
  const commits: CommitInfo[] = [];
  for (let at = 0; at + 4 < fields.length; at += 5) {
    const [sha = '', author = '', email = '', seconds = '', subject = ''] = fields.slice(at, at + 5);
    const by = { author, ...(email === '' ? {} : { email }) };
    commits.push({ sha, ...by, date: toIso(Number(seconds) * 1000), subject });
  }
  return commits;
}

/** A commit's date is whatever its author wrote; one that no calendar has becomes the epoch. */
function toIso(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? new Date(0).toISOString() : date.toISOString();
}
