import { AdapterError } from '../../base/adapter-error.ts';
import { path as encode } from '../http-client.ts';
import type { CallOptions, Comparison } from './git-host.ts';
import { decodeText, requireFileSize } from './git-reading.ts';
import type { GitRemote } from './git-remote.ts';
import type { Project } from './gitlab-api.ts';
import { isRefName, isSha, requirePath, requireSha } from './names.ts';
import { type RestApi, requireAnsweredSha } from './rest-api.ts';

interface Commit {
  id: string;
  message: string;
}

/** What is in a repository on GitLab. */
export function createGitLabReading(name: string, api: RestApi, remote: GitRemote) {
  function findCommit(at: Project, revision: string, options?: CallOptions): Promise<Commit | undefined> {
    return api.find<Commit>(`${at.path}${encode`/repository/commits/${revision}`}`, options, { stats: 'false' });
  }

  async function resolve(at: Project, revision: string, options?: CallOptions): Promise<string | undefined> {
    if (!isRefName(revision)) return undefined;
    const commit = await findCommit(at, revision, options);
    if (commit !== undefined) return requireAnsweredSha(name, commit.id);
    // Missing or hidden from us: that must not pass for "no such commit".
    await api.get(at.path, options);
    return undefined;
  }

  /** @throws {AdapterError} `not-found` when there is no such commit */
  async function require(at: Project, revision: string, options?: CallOptions): Promise<string> {
    const sha = await resolve(at, revision, options);
    if (sha === undefined) throw new AdapterError('not-found', `${name} has no commit ${revision.slice(0, 80)}`);
    return sha;
  }

  async function readFile(at: Project, sha: string, path: string, options?: CallOptions): Promise<string | undefined> {
    requireSha(sha);
    requirePath(path);
    type File = { size: number; encoding: string; content: string };
    const file = await api.find<File>(`${at.path}${encode`/repository/files/${path}`}`, options, { ref: sha });
    if (file === undefined) {
      await commitMessage(at, sha, options);
      return undefined;
    }
    requireFileSize(path, file.size);
    if (file.encoding !== 'base64')
      throw new AdapterError('bad-response', `${name} answered ${path} without its content`);
    const bytes = Buffer.from(file.content, 'base64');
    requireFileSize(path, bytes.length);
    return decodeText(path, bytes);
  }

  async function commitMessage(at: Project, sha: string, options?: CallOptions): Promise<string> {
    requireSha(sha);
    const commit = await findCommit(at, sha, options);
    if (commit === undefined) throw new AdapterError('not-found', `${name} has no commit ${sha}`);
    return commit.message.trimEnd();
  }

  async function contains(at: Project, descendant: string, ancestor: string, options?: CallOptions): Promise<boolean> {
    const sha = isSha(ancestor) ? ancestor : await require(at, ancestor, options);
    // A list in a query is written with brackets here, and without them everywhere else.
    const query = [descendant, sha].map((ref) => `refs%5B%5D=${encodeURIComponent(ref)}`).join('&');
    try {
      const { id } = await api.get<{ id: unknown }>(`${at.path}/repository/merge_base?${query}`, options);
      return requireAnsweredSha(name, id) === sha;
    } catch (error) {
      // Two commits that both exist and share nothing: the answer is known.
      if (error instanceof AdapterError && /merge base not found/i.test(error.message)) return false;
      throw error;
    }
  }

  async function compare(at: Project, base: string, head: string, options?: CallOptions): Promise<Comparison> {
    const shas = [await require(at, base, options), await require(at, head, options)];
    return remote.compare(at.cloneUrl, shas[0] ?? '', shas[1] ?? '', options);
  }

  return { resolve, readFile, commitMessage, contains, compare };
}
