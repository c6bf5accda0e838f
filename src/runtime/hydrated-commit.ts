import type { GitHost, Repository } from '../adapters/git-hosts/git-host.ts';
import { AdapterError } from '../base/adapter-error.ts';
import { dryShaIn, HYDRATOR_METADATA, isSha } from '../engine/hydrator-metadata.ts';
import type { Application } from '../events/application.ts';

/**
 * The commit that a hydrated one was made of: empty when nothing says so, `undefined` for an
 * application without a hydrator, and where no Git host is configured that could be asked.
 */
export type FindDryCommit = (
  application: Application,
  revision: string,
  signal: AbortSignal,
) => Promise<string | undefined>;

/**
 * Asks the application first, which knows its last hydration only (with `hydrateTo` a commit that is
 * not synced yet), then the hydrated commit itself.
 */
export function createDryCommitFinder(gitHost: (repository: Repository) => GitHost | undefined): FindDryCommit {
  return async ({ hydration, source }, revision, signal) => {
    if (hydration === undefined) return undefined;
    const made = [hydration, hydration.last].find((operation) => operation?.hydratedSha === revision);
    if (isSha(made?.drySha)) return made?.drySha;
    const repository = { url: source.repoUrl };
    try {
      const host = gitHost(repository);
      return host && dryShaIn(await host.readFile(repository, revision, HYDRATOR_METADATA, { signal }));
    } catch (error) {
      if (error instanceof AdapterError && error.reason === 'not-found') return '';
      throw error;
    }
  };
}
