import type { GitHost, Repository } from '../adapters/git-hosts/git-host.ts';
import { AdapterError } from '../base/adapter-error.ts';
import { isJsonObject } from '../base/json.ts';
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

/** Argo CD's hydrator writes it to the root of the branch, beside the manifests. */
const METADATA = 'hydrator.metadata';
const SHA = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/**
 * Asks the application first, which knows its last hydration only (with `hydrateTo` a commit that is
 * not synced yet), then the hydrated commit itself.
 */
export function createDryCommitFinder(gitHost: (repository: Repository) => GitHost | undefined): FindDryCommit {
  return async ({ hydration, source }, revision, signal) => {
    if (hydration === undefined) return undefined;
    if (hydration.hydratedSha === revision && SHA.test(hydration.drySha ?? '')) return hydration.drySha;
    const repository = { url: source.repoUrl };
    try {
      const host = gitHost(repository);
      return host && drySha(await host.readFile(repository, revision, METADATA, { signal }));
    } catch (error) {
      if (error instanceof AdapterError && error.reason === 'not-found') return '';
      throw error;
    }
  };
}

function drySha(text = ''): string {
  try {
    const metadata: unknown = JSON.parse(text);
    const sha = isJsonObject(metadata) ? metadata['drySha'] : undefined;
    return typeof sha === 'string' && SHA.test(sha) ? sha : '';
  } catch {
    return '';
  }
}
