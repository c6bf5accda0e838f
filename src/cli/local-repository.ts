import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createGitCommand, type GitCommand } from '../adapters/git-hosts/git-command.ts';
import type { GitHost, Repository } from '../adapters/git-hosts/git-host.ts';
import { openHere } from '../adapters/git-hosts/git-repository.ts';
import { local } from '../adapters/git-hosts/local.ts';
import { AdapterError } from '../base/adapter-error.ts';
import { Secret } from '../base/secret.ts';

export const REPOSITORY_NAME = 'this repository';

/** A repository on this machine, to read in. */
export interface LocalRepository {
  host: GitHost;
  repository: Repository;
  git: GitCommand;
  /** The commit that one of these names; the first that is there. */
  resolve(...revisions: string[]): Promise<string>;
}

/**
 * Opens a repository on this machine for as long as something is done with it.
 *
 * @throws {AdapterError} there is none, or what `act` throws
 */
export async function withLocalRepository<T>(folder: string, act: (opened: LocalRepository) => Promise<T>): Promise<T> {
  const home = mkdtempSync(path.join(tmpdir(), 'lynceus-local-'));
  try {
    const at = path.resolve(folder);
    const { git } = await openHere(createGitCommand({ home, name: REPOSITORY_NAME }), at);
    const tools = { secret: () => new Secret(''), addresses: 'operator', cacheDir: home } as const;
    const host = local.create(REPOSITORY_NAME, { urls: [at] }, tools);
    return await act({ host, repository: { url: at }, git, resolve: (...names) => resolve(git, names) });
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

async function resolve(git: GitCommand, revisions: readonly string[]): Promise<string> {
  for (const revision of revisions) {
    const named = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`];
    const { code, stdout } = await git(named, { answers: [1, 128] });
    if (code === 0) return stdout.toString('utf8').trim();
  }
  const said = revisions.at(-1)?.slice(0, 100);
  throw new AdapterError('not-found', `there is no commit ${said} in ${REPOSITORY_NAME}`);
}
