import { onlyAdapterErrors } from './api-limits.ts';
import type { GitHost, Repository } from './git-host.ts';
import { requireBranch, requireNewCommit, requireNewFiles, requirePath, requireSha } from './names.ts';

/** Methods of the port that are not about one repository. */
type Other = 'kind' | 'name' | 'capabilities' | 'diagnose' | 'serves' | 'whoAmI' | 'close';
type RepositoryMethods = Omit<GitHost, Other>;

/** The same method, told where the host has the repository instead of what people call it. */
type At<Place, Method> = Method extends (repository: Repository, ...rest: infer Rest) => infer Answer
  ? (at: Place, ...rest: Rest) => Answer
  : Method;

/** What an adapter does for the port; what it leaves out the host has not. */
export type WorkAt<Place> = { [Key in keyof RepositoryMethods]: At<Place, RepositoryMethods[Key]> };

type Rest<Key extends keyof RepositoryMethods> =
  NonNullable<RepositoryMethods[Key]> extends (repository: Repository, ...rest: infer Found) => unknown ? Found : never;

/** What is refused before anybody is asked. */
const REQUIRED: { [Key in keyof RepositoryMethods]?: (...rest: Rest<Key>) => void } = {
  createCommit: (wanted) => requireNewCommit(wanted),
  commitFiles: (wanted) => requireNewFiles(wanted),
  listFiles(sha, folder) {
    requireSha(sha);
    if (folder !== '') requirePath(folder);
  },
  openPullRequest({ headBranch, baseBranch, headSha }) {
    requireBranch(headBranch);
    requireBranch(baseBranch);
    requireSha(headSha);
  },
  mergePullRequest: (_number, { expectedHeadSha }) => requireSha(expectedHeadSha),
  mergeWhenReady: (_number, { expectedHeadSha }) => requireSha(expectedHeadSha),
  setStatus: (sha) => requireSha(sha),
  approvePullRequest: (_number, { headSha }) => requireSha(headSha),
};

type AnyMethod = (first: unknown, ...rest: unknown[]) => Promise<unknown>;

/**
 * The methods of the port that are about one repository, with the manners that all of them have: nonsense is refused
 * unasked, the repository must be one of this host's, and whatever goes wrong is an AdapterError.
 *
 * @param placeOf throws where the host does not serve the repository
 */
export function repositoryMethods<Place>(
  name: string,
  placeOf: (repository: Repository) => Place,
  work: WorkAt<Place>,
): RepositoryMethods {
  const methods = Object.entries(work).map(([key, act]) => {
    const required = REQUIRED[key as keyof RepositoryMethods] as ((...rest: unknown[]) => void) | undefined;
    const method = (repository: Repository, ...rest: unknown[]) =>
      onlyAdapterErrors(name, async () => {
        required?.(...rest);
        return (act as AnyMethod)(placeOf(repository), ...rest);
      });
    return [key, method] as const;
  });
  return Object.fromEntries(methods) as unknown as RepositoryMethods;
}
