import { createHash } from 'node:crypto';
import { AdapterError } from '../../base/adapter-error.ts';
import { path as encode } from '../http-client.ts';
import { type Place, unless } from './azure-devops-api.ts';
import type { CallOptions, Comparison } from './git-host.ts';
import { decodeText, requireFileSize } from './git-reading.ts';
import type { GitRemote } from './git-remote.ts';
import { isRefName, isSha, requirePath, requireSha } from './names.ts';
import { type RestApi, requireAnsweredSha } from './rest-api.ts';

const NO_COMMIT = ['GitCommitDoesNotExistException', 'GitUnresolvableToCommitException'];

interface Ref {
  name: string;
  objectId: string;
  /** Of an annotated tag: what it is about. */
  peeledObjectId?: string;
}

interface Item {
  objectId: string;
  gitObjectType: string;
  isSymLink?: boolean;
  content?: string;
}

/** What is in a repository on Azure DevOps. */
export function createAzureReading(name: string, api: RestApi, remote: GitRemote) {
  /** Commit of a branch or tag, `heads/main`; `undefined` when there is none. */
  async function refAt(at: Place, ref: string, options?: CallOptions): Promise<string | undefined> {
    // Whatever begins so is listed, by name: the ref itself comes first.
    const query = { filter: ref, peelTags: 'true', $top: '20' };
    const { value } = await api.get<{ value: Ref[] }>(`${at.path}/refs`, options, query);
    const found = value.find((one) => one.name === `refs/${ref}`);
    return found && requireAnsweredSha(name, found.peeledObjectId ?? found.objectId);
  }

  function findCommit(at: Place, sha: string, options?: CallOptions) {
    const work = api.get<{ commitId: string; comment: string }>(`${at.path}${encode`/commits/${sha}`}`, options);
    return unless(NO_COMMIT, work);
  }

  async function resolve(at: Place, revision: string, options?: CallOptions): Promise<string | undefined> {
    if (!isRefName(revision)) return undefined;
    if (revision === 'HEAD') {
      const { defaultBranch } = await api.get<{ defaultBranch?: string }>(at.path, options);
      return defaultBranch === undefined ? undefined : refAt(at, defaultBranch.replace(/^refs\//, ''), options);
    }
    if (!isSha(revision)) {
      const full = revision.startsWith('refs/') ? [revision.slice(5)] : [];
      for (const ref of [`heads/${revision}`, `tags/${revision}`, ...full]) {
        const found = await refAt(at, ref, options);
        if (found !== undefined) return found;
      }
      if (!/^[0-9a-f]{7,40}$/.test(revision)) return undefined;
    }
    const commit = await findCommit(at, revision, options);
    return commit && requireAnsweredSha(name, commit.commitId);
  }

  /** @throws {AdapterError} `not-found` when there is no such commit */
  async function require(at: Place, revision: string, options?: CallOptions): Promise<string> {
    const sha = await resolve(at, revision, options);
    if (sha === undefined) throw new AdapterError('not-found', `${name} has no commit ${revision.slice(0, 80)}`);
    return sha;
  }

  async function readFile(at: Place, sha: string, path: string, options?: CallOptions): Promise<string | undefined> {
    requireSha(sha);
    requirePath(path);
    const query = {
      path: `/${path}`,
      includeContent: 'true',
      $format: 'json',
      'versionDescriptor.versionType': 'commit',
      'versionDescriptor.version': sha,
    };
    const item = await unless(['GitItemNotFoundException'], api.get<Item>(`${at.path}/items`, options, query));
    // A folder has no text, a submodule neither, and a link has that of another file.
    if (item === undefined || item.gitObjectType !== 'blob' || item.isSymLink) return undefined;
    return textOf(path, item);
  }

  async function commitMessage(at: Place, sha: string, options?: CallOptions): Promise<string> {
    requireSha(sha);
    const commit = await findCommit(at, sha, options);
    if (commit === undefined) throw new AdapterError('not-found', `${name} has no commit ${sha}`);
    return commit.comment.trimEnd();
  }

  async function contains(at: Place, descendant: string, ancestor: string, options?: CallOptions): Promise<boolean> {
    const [target, base] = await both(at, descendant, ancestor, options);
    const query = {
      baseVersionType: 'commit',
      baseVersion: base,
      targetVersionType: 'commit',
      targetVersion: target,
      $top: '1',
    };
    const { commonCommit } = await api.get<{ commonCommit?: string }>(`${at.path}/diffs/commits`, options, query);
    // Two lines that share nothing have none; Git knows.
    if (!isSha(commonCommit ?? '')) return remote.contains(at.cloneUrl, target, base, options);
    return commonCommit === base;
  }

  async function compare(at: Place, base: string, head: string, options?: CallOptions): Promise<Comparison> {
    const [from, to] = await both(at, base, head, options);
    return remote.compare(at.cloneUrl, from, to, options);
  }

  async function both(at: Place, one: string, other: string, options?: CallOptions): Promise<[string, string]> {
    const known = async (revision: string) => (isSha(revision) ? revision : require(at, revision, options));
    return [await known(one), await known(other)];
  }

  return { refAt, resolve, readFile, commitMessage, contains, compare };
}

/** Azure DevOps guesses how a file is encoded and answers what it read; only what gives the same file again is UTF-8. */
function textOf(path: string, { content = '', objectId }: Item): string {
  requireFileSize(path, Buffer.byteLength(content));
  const bytes = [content, `\uFEFF${content}`].map((text) => Buffer.from(text));
  const same = bytes.find((one) => blobName(one, objectId) === objectId);
  if (same === undefined) throw new AdapterError('rejected', `${path} is not UTF-8 text`);
  return decodeText(path, same);
}

/** Git's name of a content, by the hash that `like` is made with. */
function blobName(bytes: Uint8Array, like: string): string {
  return createHash(like.length === 64 ? 'sha256' : 'sha1')
    .update(`blob ${bytes.length}\0`)
    .update(bytes)
    .digest('hex');
}
