import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createGitCommand, type GitCommand } from '../adapters/git-hosts/git-command.ts';
import type { GitHost } from '../adapters/git-hosts/git-host.ts';
import { openHere } from '../adapters/git-hosts/git-repository.ts';
import { local } from '../adapters/git-hosts/local.ts';
import { AdapterError } from '../base/adapter-error.ts';
import { Secret } from '../base/secret.ts';
import { type Footprint, familiarity, fingerprint } from '../risk/change.ts';
import type { RiskSignals } from '../risk/signals.ts';
import { compareWay } from '../tasks/risk-change.ts';

/** Commits that are looked through for who changed these directories before. */
const MAX_COMMITS = 5_000;
const NAME = 'this repository';

/**
 * What a repository on this machine says of the way from one revision to another.
 *
 * @throws {AdapterError} there is no such repository or revision
 */
export async function repositorySignals(
  folder: string,
  revisions: { from: string; to: string },
  signal: AbortSignal,
): Promise<RiskSignals> {
  const home = mkdtempSync(path.join(tmpdir(), 'lynceus-risk-'));
  try {
    const at = path.resolve(folder);
    const { git } = await openHere(createGitCommand({ home, name: NAME }), at);
    const [from, to] = [await resolve(git, revisions.from), await resolve(git, revisions.to)];
    const change = await compareWay({ host: hostOf(at, home), repository: { url: at }, from, to, signal });
    const authors = change.footprint && (await authorsIn(git, from, change.footprint));
    return { ...change.signals, ...(authors ? { authors } : {}) };
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

function hostOf(folder: string, cacheDir: string): GitHost {
  return local.create(NAME, { urls: [folder] }, { secret: () => new Secret(''), addresses: 'operator', cacheDir });
}

async function resolve(git: GitCommand, revision: string): Promise<string> {
  const { code, stdout } = await git(['rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`], {
    answers: [1, 128],
  });
  if (code === 0) return stdout.toString('utf8').trim();
  throw new AdapterError('not-found', `there is no commit ${revision.slice(0, 100)} in ${NAME}`);
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
