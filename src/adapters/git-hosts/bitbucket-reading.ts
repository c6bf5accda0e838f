import { AdapterError } from '../../base/adapter-error.ts';
import { path as encode } from '../http-client.ts';
import { type Place, withSlashes } from './bitbucket-api.ts';
import type { CallOptions, Comparison } from './git-host.ts';
import { decodeText, MAX_FILE_BYTES, requireFileSize } from './git-reading.ts';
import type { GitRemote } from './git-remote.ts';
import { isRefName, isSha, requirePath, requireSha } from './names.ts';
import { type RestApi, requireAnsweredSha } from './rest-api.ts';

/** Of commits that pull requests name in short. */
const MOST_KNOWN = 1_000;

interface Commit {
  hash: string;
  message: string;
}

/** What is in a repository on Bitbucket Cloud. */
export function createBitbucketReading(name: string, api: RestApi, remote: GitRemote) {
  const known = new Map<string, string>();

  async function refAt(at: Place, kind: 'branches' | 'tags', ref: string, options?: CallOptions) {
    const path = `${at.path}/refs/${kind}/${withSlashes(ref)}`;
    const found = await api.find<{ target: { hash: string } }>(path, options);
    return found && requireAnsweredSha(name, found.target.hash);
  }

  /** The commit of a branch; `undefined` when there is no such branch. */
  function branch(at: Place, ref: string, options?: CallOptions): Promise<string | undefined> {
    return refAt(at, 'branches', ref, options);
  }

  function findCommit(at: Place, sha: string, options?: CallOptions): Promise<Commit | undefined> {
    return api.find<Commit>(`${at.path}${encode`/commit/${sha}`}`, options);
  }

  async function find(at: Place, revision: string, options?: CallOptions): Promise<string | undefined> {
    if (revision === 'HEAD') {
      const { mainbranch } = await api.get<{ mainbranch?: { name: string } | null }>(at.path, options);
      return mainbranch ? branch(at, mainbranch.name, options) : undefined;
    }
    if (!isSha(revision)) {
      const ref = revision.replace(/^refs\/(?:heads|tags)\//, '');
      const found = (await branch(at, ref, options)) ?? (await refAt(at, 'tags', ref, options));
      if (found !== undefined || !/^[0-9a-f]{7,40}$/.test(revision)) return found;
    }
    const commit = await findCommit(at, revision, options);
    return commit && requireAnsweredSha(name, commit.hash);
  }

  async function resolve(at: Place, revision: string, options?: CallOptions): Promise<string | undefined> {
    if (!isRefName(revision)) return undefined;
    const found = await find(at, revision, options);
    // Nothing is there in what is not there, or hidden from us.
    if (found === undefined) await api.get(at.path, options);
    return found;
  }

  /** @throws {AdapterError} `not-found` when there is no such commit */
  async function require(at: Place, revision: string, options?: CallOptions): Promise<string> {
    const sha = await resolve(at, revision, options);
    if (sha === undefined) throw new AdapterError('not-found', `${name} has no commit ${revision.slice(0, 80)}`);
    return sha;
  }

  /** Pull requests name commits by their first twelve characters. */
  async function whole(at: Place, short: string, options?: CallOptions): Promise<string> {
    if (isSha(short)) return short;
    const before = known.get(`${at.path} ${short}`);
    if (before !== undefined) return before;
    const commit = await findCommit(at, short, options);
    const sha = requireAnsweredSha(name, commit?.hash);
    learn(at, sha);
    return sha;
  }

  function learn(at: Place, sha: string): void {
    known.set(`${at.path} ${sha.slice(0, 12)}`, sha);
    for (const oldest of known.keys()) {
      if (known.size <= MOST_KNOWN) break;
      known.delete(oldest);
    }
  }

  async function readFile(at: Place, sha: string, path: string, options?: CallOptions): Promise<string | undefined> {
    requireSha(sha);
    requirePath(path);
    const where = `${at.path}/src/${sha}/${withSlashes(path)}`;
    type Meta = { type: string; size?: number; attributes?: string[] };
    const meta = await api.find<Meta>(where, options, { format: 'meta' });
    if (meta === undefined) await commitMessage(at, sha, options);
    // A folder has no text, a submodule neither, and a link has that of another file.
    const { type, size = 0, attributes = [] } = meta ?? { type: 'none' };
    if (type !== 'commit_file' || attributes.some((one) => ['link', 'subrepository'].includes(one))) return undefined;
    requireFileSize(path, size);
    return decodeText(path, await api.bytes(where, MAX_FILE_BYTES, options));
  }

  async function commitMessage(at: Place, sha: string, options?: CallOptions): Promise<string> {
    requireSha(sha);
    const commit = await findCommit(at, sha, options);
    if (commit === undefined) throw new AdapterError('not-found', `${name} has no commit ${sha}`);
    return commit.message.trimEnd();
  }

  /** Where two commits parted; `undefined` when they share nothing. */
  async function mergeBase(at: Place, one: string, other: string, options?: CallOptions): Promise<string | undefined> {
    const found = await api.find<{ hash: string }>(`${at.path}/merge-base/${one}..${other}`, options);
    if (found !== undefined) return whole(at, found.hash, options);
    await require(at, one, options);
    await require(at, other, options);
    return undefined;
  }

  async function contains(at: Place, descendant: string, ancestor: string, options?: CallOptions): Promise<boolean> {
    const [tip, sha] = await both(at, descendant, ancestor, options);
    return (await mergeBase(at, tip, sha, options)) === sha;
  }

  async function compare(at: Place, base: string, head: string, options?: CallOptions): Promise<Comparison> {
    const [from, to] = await both(at, base, head, options);
    return remote.compare(at.cloneUrl, from, to, options);
  }

  async function both(at: Place, one: string, other: string, options?: CallOptions): Promise<[string, string]> {
    const sure = async (revision: string) => (isSha(revision) ? revision : require(at, revision, options));
    return [await sure(one), await sure(other)];
  }

  return { branch, resolve, whole, learn, readFile, commitMessage, mergeBase, contains, compare };
}
