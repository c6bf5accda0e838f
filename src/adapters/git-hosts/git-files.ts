import { rm } from 'node:fs/promises';
import { AdapterError } from '../../base/adapter-error.ts';
import type { TreeFile } from '../../promotion/file-edit.ts';
import type { GitCommand } from './git-command.ts';
import type { NewFiles } from './git-host.ts';
import type { Call } from './git-repository.ts';

/** The port's limit for one listing. */
const MAX_LISTED = 20_000;
/** A tree of half a million entries. */
const MAX_TREE_BYTES = 64 * 1024 * 1024;
/** Who makes commits that must come out the same, however often and wherever they are made. */
export const AUTHOR: Author = { name: 'Lynceus', email: 'lynceus@localhost' };

export interface Author {
  name: string;
  email: string;
}

/** A commit made of a tree that is there: the same wish is the same commit. */
export interface CommitWish {
  /** Anything that names a tree. */
  tree: string;
  parents: readonly string[];
  message: string;
  /** ISO 8601. */
  at: string;
}

/**
 * Files of a commit in a folder and below it (`''`: all). Needs trees, and no contents.
 *
 * @throws {AdapterError} `rejected` when there are more than 20,000
 */
export async function listFilesAt(git: GitCommand, sha: string, folder: string, call?: Call): Promise<TreeFile[]> {
  const below = folder === '' ? [] : ['--', `${folder}/`];
  const files = await listTree(git, [sha, ...below], call);
  if (files.length <= MAX_LISTED) return files;
  throw new AdapterError(
    'rejected',
    `${folder === '' ? 'the repository' : folder} has ${files.length} files; more than ${MAX_LISTED} are not listed`,
  );
}

/**
 * Makes a commit with edits on top of another one, in an index of its own, without a work tree. Contents are kept as
 * they are (no filters: an LFS pointer stays one). Answers `parent` when nothing changes; no branch points at it yet.
 *
 * @throws {AdapterError} `conflict` when an edit does not fit
 */
export async function commitEdits(
  git: GitCommand,
  author: Author,
  wanted: NewFiles,
  indexFile: string,
  call?: Call,
): Promise<string> {
  const lines = await indexLines(git, wanted, call);
  const run = { ...signalOf(call), environment: { GIT_INDEX_FILE: indexFile } };
  try {
    await git(['read-tree', wanted.parent], run);
    await git(['update-index', '-z', '--index-info'], { ...run, input: lines.map((line) => `${line}\0`).join('') });
    // Contents that stay as they are need not be here.
    const { stdout } = await git(['write-tree', '--missing-ok'], run);
    const tree = stdout.toString('utf8').trim();
    if (!(await changes(git, wanted, tree, call))) return wanted.parent;
    return await commitTree(git, author, { ...wanted, tree, parents: [wanted.parent] }, call);
  } finally {
    await Promise.all([rm(indexFile, { force: true }), rm(`${indexFile}.lock`, { force: true })]);
  }
}

/** Makes a commit object; no branch points at it yet. */
export async function commitTree(git: GitCommand, author: Author, wish: CommitWish, call?: Call): Promise<string> {
  // Second precision, as Git keeps it.
  const date = `${Math.floor(Date.parse(wish.at) / 1000)} +0000`;
  const parents = wish.parents.flatMap((sha) => ['-p', sha]);
  const { stdout } = await git(['commit-tree', wish.tree, ...parents, '-F', '-'], {
    ...signalOf(call),
    input: wish.message.endsWith('\n') ? wish.message : `${wish.message}\n`,
    environment: {
      GIT_AUTHOR_NAME: author.name,
      GIT_AUTHOR_EMAIL: author.email,
      GIT_AUTHOR_DATE: date,
      GIT_COMMITTER_NAME: author.name,
      GIT_COMMITTER_EMAIL: author.email,
      GIT_COMMITTER_DATE: date,
    },
  });
  return stdout.toString('utf8').trim();
}

/** Edits as `update-index --index-info` reads them. */
async function indexLines(git: GitCommand, wanted: NewFiles, call?: Call): Promise<string[]> {
  const trees = new Map<string, Promise<Map<string, TreeFile>>>();
  const treeOf = (sha: string) => {
    const known = trees.get(sha) ?? listTree(git, [sha], call).then(byPath);
    trees.set(sha, known);
    return known;
  };
  const before = await treeOf(wanted.parent);
  const lines: string[] = [];
  for (const edit of wanted.edits) {
    if (edit.kind === 'write') {
      const mode = before.get(edit.path)?.mode === '100755' ? '100755' : '100644';
      lines.push(`${mode} ${await writeBlob(git, edit.content, call)}\t${edit.path}`);
    } else if (edit.kind === 'delete') {
      requireEntry(before, wanted.parent, edit.path);
      lines.push(`0 ${'0'.repeat(wanted.parent.length)}\t${edit.path}`);
    } else {
      const { mode, blob } = requireEntry(await treeOf(edit.from.sha), edit.from.sha, edit.from.path);
      lines.push(`${mode} ${blob}\t${edit.path}`);
    }
  }
  return lines;
}

function requireEntry(tree: ReadonlyMap<string, TreeFile>, sha: string, path: string): TreeFile {
  const entry = tree.get(path);
  if (entry !== undefined) return entry;
  throw new AdapterError('conflict', `there is no file ${path} at ${sha.slice(0, 7)}`);
}

/** A file that takes the place of a folder takes all that is in it along: nobody asked for that. */
async function changes(git: GitCommand, wanted: NewFiles, tree: string, call?: Call): Promise<boolean> {
  const args = ['diff-tree', '-r', '-z', '--name-only', '--no-renames', wanted.parent, tree, '--'];
  const { stdout } = await git(args, { ...signalOf(call), maxBytes: MAX_TREE_BYTES });
  const changed = stdout.toString('utf8').split('\0').filter(Boolean);
  const asked = new Set(wanted.edits.map(({ path }) => path));
  const lost = changed.find((path) => !asked.has(path));
  if (lost === undefined) return changed.length > 0;
  throw new AdapterError('conflict', `${lost} is in the way: a name cannot be both a file and a folder`);
}

async function writeBlob(git: GitCommand, content: string, call?: Call): Promise<string> {
  const { stdout } = await git(['hash-object', '-w', '--stdin'], { ...signalOf(call), input: content });
  return stdout.toString('utf8').trim();
}

async function listTree(git: GitCommand, args: readonly string[], call?: Call): Promise<TreeFile[]> {
  const { stdout } = await git(['ls-tree', '-r', '-z', '--full-tree', ...args], {
    ...signalOf(call),
    maxBytes: MAX_TREE_BYTES,
  });
  return stdout.toString('utf8').split('\0').filter(Boolean).map(parseEntry);
}

function parseEntry(line: string): TreeFile {
  const [, mode, blob, path] = /^(\d{6}) \w+ ([0-9a-f]+)\t(.*)$/s.exec(line) ?? [];
  if (blob === undefined || path === undefined) throw new AdapterError('bad-response', 'git listed a tree oddly');
  return { path, blob, mode: modeOf(mode) };
}

/** Old repositories know more modes than Git still writes: those are plain files. */
function modeOf(mode: string | undefined): TreeFile['mode'] {
  return mode === '100755' || mode === '120000' || mode === '160000' ? mode : '100644';
}

function byPath(files: readonly TreeFile[]): Map<string, TreeFile> {
  return new Map(files.map((file) => [file.path, file]));
}

function signalOf(call: Call | undefined): { signal?: AbortSignal } {
  return call?.signal === undefined ? {} : { signal: call.signal };
}
