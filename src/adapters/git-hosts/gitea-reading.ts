import { AdapterError } from '../../base/adapter-error.ts';
import { isJsonObject } from '../../base/json.ts';
import { path as encode } from '../http-client.ts';
import type { CallOptions, Comparison } from './git-host.ts';
import { decodeText, requireFileSize } from './git-reading.ts';
import type { GitRemote } from './git-remote.ts';
import type { Place } from './gitea-api.ts';
import { isRefName, requirePath, requireSha } from './names.ts';
import { type RestApi, requireAnsweredSha } from './rest-api.ts';

/** Without counting lines and checking signatures: that takes Gitea seconds. */
const BRIEF = { stat: 'false', verification: 'false', files: 'false' };

interface Commit {
  sha: string;
  commit: { message: string };
}

/** What is in a repository on Gitea. */
export function createGiteaReading(name: string, api: RestApi, remote: GitRemote) {
  function findCommit(at: Place, revision: string, options?: CallOptions): Promise<Commit | undefined> {
    return api.find<Commit>(`${at.path}${encode`/git/commits/${revision}`}`, options, BRIEF);
  }

  async function resolve(at: Place, revision: string, options?: CallOptions): Promise<string | undefined> {
    if (!isRefName(revision)) return undefined;
    const commit = await findCommit(at, revision, options);
    if (commit !== undefined) return requireAnsweredSha(name, commit.sha);
    await requireRepository(at, options);
    return undefined;
  }

  /** @throws {AdapterError} `not-found` when there is no such commit */
  async function require(at: Place, revision: string, options?: CallOptions): Promise<string> {
    const sha = await resolve(at, revision, options);
    if (sha === undefined) throw new AdapterError('not-found', `${name} has no commit ${revision.slice(0, 80)}`);
    return sha;
  }

  /** @throws {AdapterError} `not-found` when it is missing or hidden from us */
  async function requireRepository(at: Place, options?: CallOptions): Promise<void> {
    await api.get(at.path, options);
  }

  async function readFile(at: Place, sha: string, path: string, options?: CallOptions): Promise<string | undefined> {
    requireSha(sha);
    requirePath(path);
    const encoded = path.split('/').map(encodeURIComponent).join('/');
    const found = await api.find<unknown>(`${at.path}/contents/${encoded}`, options, { ref: sha });
    if (found !== undefined) return textOf(name, path, found);
    await commitMessage(at, sha, options);
    return undefined;
  }

  async function commitMessage(at: Place, sha: string, options?: CallOptions): Promise<string> {
    requireSha(sha);
    const commit = await findCommit(at, sha, options);
    if (commit === undefined) throw new AdapterError('not-found', `${name} has no commit ${sha}`);
    return commit.commit.message.trimEnd();
  }

  /** What has nothing that the other one lacks is contained in it. */
  async function contains(at: Place, descendant: string, ancestor: string, options?: CallOptions): Promise<boolean> {
    try {
      const range = encode`/compare/${descendant}...${ancestor}`;
      const { total_commits: total } = await api.get<{ total_commits: unknown }>(`${at.path}${range}`, options, BRIEF);
      if (Number.isInteger(total)) return total === 0;
    } catch (error) {
      if (!(error instanceof AdapterError) || error.reason !== 'unavailable') throw error;
      // Gitea breaks on two lines that share nothing; Git does not.
      const shas = [await require(at, descendant, options), await require(at, ancestor, options)];
      return remote.contains(at.cloneUrl, shas[0] ?? '', shas[1] ?? '', options);
    }
    throw new AdapterError('bad-response', `${name} counted no commits`);
  }

  async function compare(at: Place, base: string, head: string, options?: CallOptions): Promise<Comparison> {
    const shas = [await require(at, base, options), await require(at, head, options)];
    return remote.compare(at.cloneUrl, shas[0] ?? '', shas[1] ?? '', options);
  }

  return { resolve, readFile, commitMessage, contains, compare };
}

function textOf(name: string, path: string, data: unknown): string | undefined {
  // A folder is a list; a submodule has no text, and a link has that of another file.
  if (!isJsonObject(data) || data['type'] !== 'file') return undefined;
  requireFileSize(path, Number(data['size']));
  if (data['encoding'] !== 'base64' || typeof data['content'] !== 'string') {
    throw new AdapterError('bad-response', `${name} answered ${path} without its content`);
  }
  const bytes = Buffer.from(data['content'], 'base64');
  requireFileSize(path, bytes.length);
  return decodeText(path, bytes);
}
