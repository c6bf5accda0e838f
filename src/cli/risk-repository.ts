import type { GitCommand } from '../adapters/git-hosts/git-command.ts';
import { type Footprint, familiarity, fingerprint } from '../risk/change.ts';
import type { RiskSignals } from '../risk/signals.ts';
import { compareWay } from '../tasks/risk-change.ts';
import { withLocalRepository } from './local-repository.ts';

/** Commits that are looked through for who changed these directories before. */
const MAX_COMMITS = 5_000;

/**
 * What a repository on this machine says of the way from one revision to another.
 *
 * @throws {AdapterError} there is no such repository or revision
 */
export function repositorySignals(
  folder: string,
  revisions: { from: string; to: string },
  signal: AbortSignal,
): Promise<RiskSignals> {
  return withLocalRepository(folder, async ({ host, repository, git, resolve }) => {
    const [from, to] = [await resolve(revisions.from), await resolve(revisions.to)];
    const change = await compareWay({ host, repository, from, to, signal });
    const authors = change.footprint && (await authorsIn(git, from, change.footprint));
    return { ...change.signals, ...(authors ? { authors } : {}) };
  });
}

/** Who changed the same directories before. */
async function authorsIn(git: GitCommand, before: string, change: Footprint): Promise<RiskSignals['authors']> {
  // What lies at the root is a directory of its own here, but Git knows only all of it by a name.
  const paths = change.directories.includes('') ? ['.'] : change.directories;
  const { stdout } = await git([
    ...['log', '-z', `--max-count=${MAX_COMMITS}`, '--format=%an', before, '--'],
    ...paths.map((directory) => `:(top,literal)${directory === '.' ? '' : directory}`),
  ]);
  const authors = [...new Set(stdout.toString('utf8').split('\0').filter(Boolean).map(fingerprint))];
  return familiarity(change, [{ authors, directories: change.directories }]);
}
