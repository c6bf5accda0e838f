import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { AdapterError } from '../../base/adapter-error.ts';
import { codeOf } from '../../base/error-code.ts';
import { newId } from '../../base/ids.ts';
import { Secret } from '../../base/secret.ts';
import type { TreeFile } from '../../promotion/file-edit.ts';
import { type AddressPolicy, refusedAddress } from '../addresses.ts';
import type { TlsPaths } from '../tls-files.ts';
import { type Clone, type CloneOf, createGitClones } from './git-clones.ts';
import { createGitCommand, type GitCommand } from './git-command.ts';
import { AUTHOR, commitEdits, commitTree, listFilesAt } from './git-files.ts';
import type { CallOptions, Comparison, NewCommit, NewFiles } from './git-host.ts';
import { commitMerge, type MergeWish } from './git-merge.ts';
import { compareCommits, isContained } from './git-reading.ts';
import { pushRefs } from './git-repository.ts';
import { requireBranch, requireNewCommit, requireNewFiles, requirePath, requireSha } from './names.ts';

const LOOK_TIMEOUT_MS = 30_000;
const PUSH_TIMEOUT_MS = 60_000;
/** How long addresses count that a name was found to have. */
const PINNED_MS = 5_000;

export interface GitRemoteOptions {
  /** Who is asked, for messages. */
  name: string;
  /** Where all repositories are, and the only place that sees the login: `https://gitlab.example.com`. */
  site: URL;
  login: { username: string; password: Secret };
  addresses: AddressPolicy;
  cacheDir: string;
  tls?: TlsPaths;
  /** How many clones are kept; default 32. */
  maxClones?: number;
}

/**
 * Commits for a host whose API cannot make the same commit twice: by Git itself, over HTTP, from clones without
 * history and contents. `url` is a clone URL below the site. Throws only AdapterError.
 */
export interface GitRemote {
  listFiles(url: string, sha: string, folder: string, options?: CallOptions): Promise<TreeFile[]>;
  createCommit(url: string, wanted: NewCommit, options?: CallOptions): Promise<string>;
  commitFiles(url: string, wanted: NewFiles, options?: CallOptions): Promise<string>;
  /** What `head` brings that `base` has not; both full SHAs. For hosts that do not count lines, or not all of them. */
  compare(url: string, base: string, head: string, options?: CallOptions): Promise<Comparison>;
  /** Whether `ancestor` is contained in `descendant`; both full SHAs. */
  contains(url: string, descendant: string, ancestor: string, options?: CallOptions): Promise<boolean>;
  /**
   * Merges and points the base branch at the merge commit, only while it is where the wish says. `conflict`: it is not,
   * or the two cannot be merged.
   */
  mergeBranches(url: string, wanted: MergeWish, options?: CallOptions): Promise<string>;
  /** Points a branch at a commit that the host has; makes it where it is missing. */
  pointBranch(url: string, branch: string, sha: string, options?: CallOptions): Promise<void>;
  /** Deletes a branch while it still is at this commit; otherwise it stays. */
  deleteBranch(url: string, branch: string, sha: string, options?: CallOptions): Promise<void>;
  /** Removes the clones. */
  close(): Promise<void>;
}

/** @see GitRemote */
export function createGitRemote(options: GitRemoteOptions): GitRemote {
  const clones = createGitClones(options.cacheDir, (home) => guardedGit(options, home), options.maxClones);

  async function use<T>(
    url: string,
    call: CallOptions | undefined,
    work: (clone: Clone) => Promise<T>,
    of: CloneOf = 'trees',
  ): Promise<T> {
    if (new URL(url).origin !== options.site.origin) {
      throw new AdapterError('rejected', `${options.name}: a repository elsewhere than on ${options.site.host}`);
    }
    return clones.use(url, of, call, work);
  }

  async function point(clone: Clone, url: string, branch: string, sha: string, call?: CallOptions): Promise<void> {
    const ref = `refs/heads/${branch}`;
    const from = await headOf(clone.git, url, ref, call);
    if (from === sha) return;
    if (!clone.has(sha)) await clone.fetch([sha], call);
    const { done, why } = await push(clone.git, url, { ref, from, to: sha }, call);
    if (!done) throw new AdapterError('conflict', `${branch} changed while we pushed it: ${why}`);
  }

  return {
    close: () => clones.close(),

    async listFiles(url, sha, folder, call) {
      requireSha(sha);
      if (folder !== '') requirePath(folder);
      return use(url, call, async (clone) => {
        await clone.fetch([sha], call);
        return listFilesAt(clone.git, sha, folder, call);
      });
    },

    async compare(url, base, head, call) {
      requireSha(base);
      requireSha(head);
      const work = async (clone: Clone) => {
        await clone.fetch([base, head], call);
        return compareCommits(clone.git, base, head, call);
      };
      return use(url, call, work, 'history');
    },

    async contains(url, descendant, ancestor, call) {
      requireSha(descendant);
      requireSha(ancestor);
      const work = async (clone: Clone) => {
        await clone.fetch([descendant, ancestor], call);
        return isContained(clone.git, descendant, ancestor, call);
      };
      return use(url, call, work, 'history');
    },

    async createCommit(url, wanted, call) {
      requireNewCommit(wanted);
      return use(url, call, async (clone) => {
        await clone.fetch([wanted.treeOf, ...wanted.parents], call);
        const sha = await commitTree(clone.git, AUTHOR, { ...wanted, tree: `${wanted.treeOf}^{tree}` }, call);
        clone.made(sha);
        await point(clone, url, wanted.branch, sha, call);
        return sha;
      });
    },

    async commitFiles(url, wanted, call) {
      requireNewFiles(wanted);
      return use(url, call, async (clone) => {
        const sources = wanted.edits.flatMap((edit) => (edit.kind === 'copy' ? [edit.from.sha] : []));
        await clone.fetch([wanted.parent, ...sources], call);
        const index = join(clone.gitDir, `index-${newId()}`);
        const sha = await commitEdits(clone.git, AUTHOR, wanted, index, call);
        clone.made(sha);
        if (sha !== wanted.parent) await point(clone, url, wanted.branch, sha, call);
        return sha;
      });
    },

    async mergeBranches(url, wanted, call) {
      requireBranch(wanted.baseBranch);
      for (const sha of [wanted.base, wanted.head, wanted.mergeBase]) requireSha(sha);
      return use(url, call, async (clone) => {
        await clone.fetch([wanted.base, wanted.head, wanted.mergeBase], call);
        const sha = await commitMerge(clone.git, wanted, call);
        const update = { ref: `refs/heads/${wanted.baseBranch}`, from: wanted.base, to: sha };
        const { done, why } = await push(clone.git, url, update, call);
        if (!done) throw new AdapterError('conflict', `${wanted.baseBranch} changed while we merged: ${why}`);
        return sha;
      });
    },

    async pointBranch(url, branch, sha, call) {
      requireBranch(branch);
      requireSha(sha);
      return use(url, call, async (clone) => {
        await clone.fetch([], call);
        await point(clone, url, branch, sha, call);
      });
    },

    async deleteBranch(url, branch, sha, call) {
      requireBranch(branch);
      return use(url, call, async (clone) => {
        // Deleting needs no objects.
        await clone.fetch([], call);
        const ref = `refs/heads/${branch}`;
        // Where it moved on, or is gone, the lease keeps it as it is.
        await pushRefs(clone.git, url, [{ ref, from: sha, to: undefined }], call);
      });
    },
  };
}

async function headOf(git: GitCommand, url: string, ref: string, call?: CallOptions): Promise<string | undefined> {
  const { stdout } = await git(['ls-remote', '--quiet', '--', url, ref], {
    ...(call?.signal === undefined ? {} : { signal: call.signal }),
    timeoutMs: LOOK_TIMEOUT_MS,
  });
  const lines = stdout.toString('utf8').split('\n');
  // The pattern also finds `refs/heads/other/refs/heads/…`.
  return lines.find((line) => line.endsWith(`\t${ref}`))?.split('\t')[0];
}

/** Talks about what both sides have first, and sends nothing that is built on it: contents are not here. */
function push(
  git: GitCommand,
  url: string,
  update: { ref: string; from: string | undefined; to: string },
  call?: CallOptions,
): Promise<{ done: boolean; why: string }> {
  const environment = { GIT_CONFIG_PARAMETERS: "'push.negotiate=true'" };
  const talking: GitCommand = (args, run) => git(args, { ...run, environment });
  return pushRefs(talking, url, [update], call, ['--no-thin']);
}

/** Every command goes to the site alone, over HTTP, to an address that may be connected to. */
function guardedGit(options: GitRemoteOptions, home: string): GitCommand {
  const { username, password } = options.login;
  const basic = Buffer.from(`${username}:${password.reveal()}`).toString('base64');
  const { ca, clientCertificate, clientKey } = options.tls ?? {};
  const fixed: [string, string][] = [
    [`http.${options.site.origin}/.extraHeader`, `Authorization: Basic ${basic}`],
    ['gc.auto', '0'],
    ['maintenance.auto', 'false'],
    ['http.lowSpeedLimit', '1000'],
    ['http.lowSpeedTime', '30'],
    ...(ca === undefined ? [] : [['http.sslCAInfo', ca] as [string, string]]),
    ...(clientCertificate === undefined ? [] : [['http.sslCert', clientCertificate] as [string, string]]),
    ...(clientKey === undefined ? [] : [['http.sslKey', clientKey] as [string, string]]),
  ];
  let pinned = { until: 0, pin: Promise.resolve<[string, string][]>([]) };
  return async (args, run = {}) => {
    // For every command: Git fetches what is missing here by itself.
    if (performance.now() >= pinned.until) pinned = { until: performance.now() + PINNED_MS, pin: pinOf(options) };
    const pin = await pinned.pin.catch((error: unknown) => {
      pinned.until = 0;
      throw error;
    });
    const git = createGitCommand({
      name: options.name,
      home,
      settings: [...fixed, ...pin],
      secrets: [password, new Secret(basic)],
    });
    const environment = { ...run.environment, GIT_ALLOW_PROTOCOL: 'http:https' };
    return git(args, { ...(args[0] === 'push' ? { timeoutMs: PUSH_TIMEOUT_MS } : {}), ...run, environment });
  };
}

/** Looks the name up once, judges the addresses, and has git connect to those and no others. */
async function pinOf({ name, site, addresses }: GitRemoteOptions): Promise<[string, string][]> {
  if (addresses === 'any') return [];
  const host = site.hostname.replace(/^\[|\]$/g, '');
  const found = isIP(host) === 0 ? await lookUp(name, host) : [host];
  const refused = found.find((address) => refusedAddress(address, addresses) !== undefined);
  if (refused !== undefined) {
    const why = refusedAddress(refused, addresses);
    throw new AdapterError('rejected', `connecting to ${refused} is not allowed: it ${why}`);
  }
  if (isIP(host) !== 0) return [];
  const port = site.port === '' ? (site.protocol === 'https:' ? '443' : '80') : site.port;
  const pinned = found.map((address) => (isIP(address) === 6 ? `[${address}]` : address));
  return [['http.curloptResolve', `${host}:${port}:${pinned.join(',')}`]];
}

async function lookUp(name: string, host: string): Promise<string[]> {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch (error) {
    throw new AdapterError('unavailable', `${name} cannot be reached (${codeOf(error)})`);
  }
}
