import { AdapterError } from '../../base/adapter-error.ts';
import type { GitCommand } from './git-command.ts';
import { AUTHOR, commitTree } from './git-files.ts';
import type { Call } from './git-repository.ts';

/** Two branches to merge, and where the two parted: full SHAs. */
export interface MergeWish {
  baseBranch: string;
  headBranch: string;
  base: string;
  head: string;
  mergeBase: string;
  message: string;
  /** ISO 8601. */
  at: string;
}

/**
 * Merges two commits without a work tree, and answers the tree; git 2.38 or newer.
 *
 * @throws {AdapterError} `conflict`, with the files
 */
export async function mergeTrees(
  git: GitCommand,
  base: string,
  head: string,
  { headBranch, baseBranch }: { headBranch: string; baseBranch: string },
  call?: Call,
): Promise<string> {
  const args = ['merge-tree', '--write-tree', '--name-only', '--no-messages', '-z', base, head];
  const { code, stdout } = await git(args, {
    ...(call?.signal === undefined ? {} : { signal: call.signal }),
    answers: [1],
  });
  const [tree = '', ...files] = stdout.toString('utf8').split('\0').filter(Boolean);
  if (code === 0) return tree.trim();
  const named = [...new Set(files)].slice(0, 10).join(', ');
  throw new AdapterError(
    'conflict',
    `${headBranch} cannot be merged into ${baseBranch}: both changed ${named || 'the same files'}`,
  );
}

/**
 * A merge commit of two commits whose history is not here: their files and those of where they parted are enough. No
 * branch points at it yet.
 */
export async function commitMerge(git: GitCommand, wish: MergeWish, call?: Call): Promise<string> {
  const { at, message } = wish;
  const alone = (sha: string, parents: string[]) =>
    commitTree(git, AUTHOR, { tree: `${sha}^{tree}`, parents, message: 'A part of a merge', at }, call);
  const start = await alone(wish.mergeBase, []);
  const [ours, theirs] = [await alone(wish.base, [start]), await alone(wish.head, [start])];
  const tree = await mergeTrees(git, ours, theirs, wish, call);
  return commitTree(git, AUTHOR, { tree, parents: [wish.base, wish.head], message, at }, call);
}
