import { AdapterError } from '../../base/adapter-error.ts';
import type { NewCommit } from './git-host.ts';
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
  const ref = `refs/heads/${wanted.branch}`;
  const sha = await write(repository, committer, wanted, call);
  const [from] = await repository.commits([ref], call);
  const { done, why } = await repository.push([{ ref, from, to: sha }], call);
  if (!done) throw new AdapterError('conflict', `${wanted.branch} changed while we pushed it: ${why}`);
  return sha;
}

async function requireCommits(repository: GitRepository, names: readonly string[], call?: Call): Promise<void> {
  const found = await repository.commits(names, call);
  const missing = names.find((_, at) => found[at] === undefined);
  if (missing !== undefined) throw new AdapterError('not-found', `there is no commit ${missing}`);
}

async function write(repository: GitRepository, { name, email }: Committer, wanted: NewCommit, call?: Call) {
  const date = `${Math.floor(Date.parse(wanted.at) / 1000)} +0000`;
  const { stdout } = await repository.git(
    ['commit-tree', `${wanted.treeOf}^{tree}`, ...wanted.parents.flatMap((sha) => ['-p', sha]), '-F', '-'],
    {
      ...(call?.signal === undefined ? {} : { signal: call.signal }),
      input: wanted.message.endsWith('\n') ? wanted.message : `${wanted.message}\n`,
      environment: {
        GIT_AUTHOR_NAME: name,
        GIT_AUTHOR_EMAIL: email,
        GIT_AUTHOR_DATE: date,
        GIT_COMMITTER_NAME: name,
        GIT_COMMITTER_EMAIL: email,
        GIT_COMMITTER_DATE: date,
      },
    },
  );
  return stdout.toString('utf8').trim();
}
