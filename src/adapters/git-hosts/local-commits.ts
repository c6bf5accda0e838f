import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AdapterError } from '../../base/adapter-error.ts';
import { newId } from '../../base/ids.ts';
import { commitEdits, commitTree } from './git-files.ts';
import type { NewCommit, NewFiles } from './git-host.ts';
import type { Call, GitRepository } from './git-repository.ts';
import type { Committer } from './local-pull-requests.ts';

/** Makes a commit out of the tree of another one, without a work tree, and pushes a branch at it. */
export async function createCommitIn(
  repository: GitRepository,
  committer: Committer,
  wanted: NewCommit,
  call?: Call,
): Promise<string> {
  await repository.refresh(call);
  await requireCommits(repository, [wanted.treeOf, ...wanted.parents], call);
  const sha = await commitTree(repository.git, committer, { ...wanted, tree: `${wanted.treeOf}^{tree}` }, call);
  await pointBranchAt(repository, wanted.branch, sha, call);
  return sha;
}

/** Makes a commit with edits on top of another one and pushes a branch at it; answers the parent when nothing changes. */
export async function createFilesIn(
  repository: GitRepository,
  committer: Committer,
  wanted: NewFiles,
  scratch: string,
  call?: Call,
): Promise<string> {
  await repository.refresh(call);
  const copied = wanted.edits.flatMap((edit) => (edit.kind === 'copy' ? [edit.from.sha] : []));
  await requireCommits(repository, [...new Set([wanted.parent, ...copied])], call);
  await mkdir(scratch, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
    throw new AdapterError('unavailable', `the cache folder cannot be written (${String(error).slice(0, 100)})`);
  });
  const sha = await commitEdits(repository.git, committer, wanted, join(scratch, newId()), call);
  if (sha !== wanted.parent) await pointBranchAt(repository, wanted.branch, sha, call);
  return sha;
}

async function pointBranchAt(repository: GitRepository, branch: string, sha: string, call?: Call): Promise<void> {
  const ref = `refs/heads/${branch}`;
  const [from] = await repository.commits([ref], call);
  const { done, why } = await repository.push([{ ref, from, to: sha }], call);
  if (!done) throw new AdapterError('conflict', `${branch} changed while we pushed it: ${why}`);
}

async function requireCommits(repository: GitRepository, names: readonly string[], call?: Call): Promise<void> {
  const found = await repository.commits(names, call);
  const missing = names.find((_, at) => found[at] === undefined);
  if (missing !== undefined) throw new AdapterError('not-found', `there is no commit ${missing}`);
}
