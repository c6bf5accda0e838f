import { AdapterError } from '../../base/adapter-error.ts';
import { AUTHOR } from './git-files.ts';
import type { CallOptions, NewCommit } from './git-host.ts';
import { type Coordinates, type GitHubApi, shaOf } from './github-api.ts';

/** A commit made of a tree that is there. */
interface Wish {
  tree: string;
  parents: readonly string[];
  message: string;
  /** ISO 8601. */
  at: string;
}

/** Makes a commit out of the tree of another one, without a clone. No branch points at it yet. */
export async function createCommitAt(
  api: GitHubApi,
  at: Coordinates,
  wanted: NewCommit,
  options?: CallOptions,
): Promise<string> {
  const tree = await treeOf(api, at, wanted.treeOf, options);
  return commitTree(api, at, { ...wanted, tree }, options);
}

/** Makes a commit object; no branch points at it yet. */
export async function commitTree(
  api: GitHubApi,
  at: Coordinates,
  { tree, parents, message, at: moment }: Wish,
  options?: CallOptions,
): Promise<string> {
  // Second precision, as Git keeps it: the answer and the next try must agree.
  const author = { ...AUTHOR, date: `${new Date(moment).toISOString().slice(0, 19)}Z` };
  try {
    const { data } = await api(options, (octokit, bound) =>
      octokit.rest.git.createCommit({
        ...at,
        message,
        tree,
        parents: [...parents],
        author,
        committer: author,
        ...bound,
      }),
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
