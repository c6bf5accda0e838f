import type { GitHost, Repository } from '../adapters/git-hosts/git-host.ts';
import { AdapterError, type FailureReason } from '../base/adapter-error.ts';
import { ownPaths, touches } from '../engine/own-paths.ts';
import type { Application } from '../events/application.ts';

/** Whether what Git asks an application for now has the same files for it as what it asked for before. */
export type FindUntouched = (application: Application, before: string, signal: AbortSignal) => Promise<boolean>;

/** What is waited out; anything else is no reason to hold a change back. */
const PASSES: ReadonlySet<FailureReason> = new Set(['unavailable', 'timeout', 'rate-limited', 'cancelled']);
/** Applications of one repository ask for the same pair of commits within seconds. */
const MAX_KEPT = 100;

/**
 * Tells commits on a shared branch apart that are none of an application's business, so that only those of a service start
 * anything for it. Whatever cannot be told is its business: more files than a host lists, a history that was
 * rewritten, a host that has no such commits.
 */
export function createUntouchedFinder(gitHost: (repository: Repository) => GitHost | undefined): FindUntouched {
  const kept = new Map<string, Promise<string[] | undefined>>();

  function changedFiles(repository: Repository, before: string, now: string, signal: AbortSignal) {
    const key = JSON.stringify([repository.url, before, now]);
    const known = kept.get(key);
    if (known) return known;
    const asked = readChanged(gitHost, repository, before, now, signal);
    kept.set(key, asked);
    // What failed is asked again by the next.
    asked.catch(() => kept.delete(key));
    if (kept.size > MAX_KEPT) kept.delete(kept.keys().next().value ?? '');
    return asked;
  }

  return async (application, before, signal) => {
    const { source, targetRevision } = application;
    const own = ownPaths(application);
    if (!own || targetRevision === undefined || own.paths.includes('')) return false;
    const files = await changedFiles({ url: source.repoUrl }, before, targetRevision, signal);
    return files !== undefined && !touches(own, files);
  };
}

async function readChanged(
  gitHost: (repository: Repository) => GitHost | undefined,
  repository: Repository,
  before: string,
  now: string,
  signal: AbortSignal,
): Promise<string[] | undefined> {
  try {
    const host = gitHost(repository);
    if (!host || !(await host.contains(repository, now, before, { signal }))) return undefined;
    const { files, totalFiles } = await host.compare(repository, before, now, { signal });
    return files.length === totalFiles ? files.map(({ path }) => path) : undefined;
  } catch (error) {
    if (error instanceof AdapterError && !PASSES.has(error.reason)) return undefined;
    throw error;
  }
}
