import type { SequenceTriggered } from '../events/types.ts';

/** A change as the Git repository knows it that people write to. */
export interface InGit {
  repository: { url: string };
  /** The folder of the application in it. */
  path: string;
  revision: string;
  previousRevision?: string;
}

/**
 * Where a change is in Git. Usually that is what is synced; beside a chart it is the repository of its
 * values, before hydration the commit that was hydrated.
 */
export function inGit({ source, revision, previousRevision }: SequenceTriggered): InGit {
  const [now, before] =
    source.revision === undefined ? [revision, previousRevision] : [source.revision, source.previousRevision];
  return {
    repository: { url: source.repoUrl },
    path: source.path,
    revision: now,
    ...(before === undefined ? {} : { previousRevision: before }),
  };
}
