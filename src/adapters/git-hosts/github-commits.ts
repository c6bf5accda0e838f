import { AdapterError } from '../../base/adapter-error.ts';
import type { CallOptions, NewCommit } from './git-host.ts';
import { type Coordinates, type GitHubApi, shaOf } from './github-api.ts';

/** With a fixed author and time the same wish is the same commit; the token's owner shows at the pull request. */
const AUTHOR = { name: 'Lynceus', email: 'lynceus@localhost' } as const;

/** Makes a commit out of the tree of another one, without a clone. No branch points at it yet. */
export async function createCommitAt(
  api: GitHubApi,
  at: Coordinates,
  wanted: NewCommit,
  options?: CallOptions,
): Promise<string> {
  const tree = await treeOf(api, at, wanted.treeOf, options);
  // Second precision, as Git keeps it: the answer and the next try must agree.
  const author = { ...AUTHOR, date: `${new Date(wanted.at).toISOString().slice(0, 19)}Z` };
  const { message, parents } = wanted;
  try {
    const { data } = await api(options, (octokit, bound) =>
      octokit.rest.git.createCommit({ ...at, message, tree, parents, author, committer: author, ...bound }),
    );
    return shaOf(data.sha);
  } catch (error) {
    if (!(error instanceof AdapterError) || !/parent sha does not exist/i.test(error.message)) throw error;
    throw new AdapterError('not-found', `a parent of the new commit is not there: ${parents.join(', ')}`);
  }
}

async function treeOf(api: GitHubApi, at: Coordinates, sha: string, options?: CallOptions): Promise<string> {
  const { data } = await api(options, (octokit, bound) =>
    octokit.rest.git.getCommit({ ...at, commit_sha: sha, ...bound }),
  );
  return shaOf(data.tree.sha);
}
