import { join } from 'node:path';
import Type, { type Static } from 'typebox';
import { AdapterError } from '../../base/adapter-error.ts';
import { newId } from '../../base/ids.ts';
import { Secret } from '../../base/secret.ts';
import { type AdapterTools, defineAdapter, SecretRef } from '../adapter-kind.ts';
import { createGitCommand, type GitCommand } from './git-command.ts';
import { listFilesAt } from './git-files.ts';
import type { CallOptions, GitHost, PullRequest, Repository } from './git-host.ts';
import { compareCommits, isContained, readFileAt, resolveRevision } from './git-reading.ts';
import { type GitRepository, openHere, openMirror, removeAbandoned } from './git-repository.ts';
import { createCommitIn, createFilesIn } from './local-commits.ts';
import { createLocalDiscussion } from './local-discussion.ts';
import { createLocalPullRequests } from './local-pull-requests.ts';
import { isSha, requireBranch, requireNewCommit, requireNewFiles, requirePath, requireSha } from './names.ts';
import { liesBelow, parseRepositoryUrl, type RepositoryAddress, sayUrl } from './repository-url.ts';

const schema = Type.Object(
  {
    urls: Type.Array(Type.String({ minLength: 1 }), {
      minItems: 1,
      description: 'repositories served: a path, or a URL (file, git, http, https, ssh), or a folder above them',
    }),
    committer: Type.Optional(
      Type.Object(
        { name: Type.String({ pattern: '^[^<>\\n]+$' }), email: Type.String({ pattern: '^[^<>\\s]+$' }) },
        { additionalProperties: false, description: 'who merges; default Lynceus <lynceus@localhost>' },
      ),
    ),
    credentials: Type.Optional(
      Type.Object(
        { username: Type.String({ minLength: 1 }), password: SecretRef },
        { additionalProperties: false, description: 'sent to the http(s) URLs above, and nowhere else' },
      ),
    ),
  },
  { additionalProperties: false },
);
type LocalConfig = Static<typeof schema>;

/**
 * Any Git repository without a forge around it: on this disk, or behind git://, http(s):// or ssh://.
 * Pull requests live in the repository itself, as `refs/lynceus/pull-requests/<n>`
 * (docs/adr/0004-local-git-host.md).
 */
export const local = defineAdapter<GitHost, typeof schema>({ kind: 'local', schema, create: createLocal });

function createLocal(name: string, config: LocalConfig, tools: AdapterTools): GitHost {
  const prefixes = config.urls.map((url) => requireAddress(name, url));
  const open = openRepositories(name, config, tools, prefixes);
  const serves = (repository: Repository) => servedAddress(prefixes, repository) !== undefined;
  const committer = config.committer ?? { name: 'Lynceus', email: 'lynceus@localhost' };
  const pullRequests = createLocalPullRequests(committer);
  const discussion = createLocalDiscussion(pullRequests, committer);
  const scratch = join(tools.cacheDir, 'git-index');

  async function use(repository: Repository, options?: CallOptions): Promise<GitRepository> {
    if (options?.signal?.aborted) throw new AdapterError('cancelled', `${name}: the request was given up`);
    return open(repository);
  }

  async function fresh(repository: Repository, options?: CallOptions): Promise<GitRepository> {
    const opened = await use(repository, options);
    await opened.refresh(options);
    return opened;
  }

  /** Commits never change: one that is here already needs no look at the remote. */
  async function withCommits(repository: Repository, names: readonly string[], options?: CallOptions) {
    const opened = await use(repository, options);
    if (names.every(isSha)) {
      const here = await opened.commits(names, options);
      if (here.every((sha) => sha !== undefined)) return { opened, shas: names };
    }
    await opened.refresh(options);
    const shas: string[] = [];
    for (const revision of names) {
      const sha = await resolveRevision(opened, revision, options);
      if (sha === undefined)
        throw new AdapterError('not-found', `${sayUrl(repository.url)} has no commit ${revision.slice(0, 80)}`);
      shas.push(sha);
    }
    return { opened, shas };
  }

  return {
    kind: 'local',
    name,
    capabilities: { reviews: 'lynceus', comments: true, labels: true },
    serves,

    async resolve(repository, revision, options) {
      return resolveRevision(await fresh(repository, options), revision, options);
    },

    async readFile(repository, sha, path, options) {
      requireSha(sha);
      requirePath(path);
      const { opened } = await withCommits(repository, [sha], options);
      return readFileAt(opened, sha, path, options);
    },

    async compare(repository, base, head, options) {
      const { opened, shas } = await withCommits(repository, [base, head], options);
      return compareCommits(opened.git, shas[0] ?? '', shas[1] ?? '', options);
    },

    async contains(repository, descendant, ancestor, options) {
      const { opened, shas } = await withCommits(repository, [descendant, ancestor], options);
      return isContained(opened.git, shas[0] ?? '', shas[1] ?? '', options);
    },

    async commitMessage(repository, sha, options) {
      requireSha(sha);
      const { opened } = await withCommits(repository, [sha], options);
      const { stdout } = await opened.git(['log', '--max-count=1', '--format=%B', sha, '--'], { ...options });
      return stdout.toString('utf8').trimEnd();
    },

    async createCommit(repository, wanted, options) {
      requireNewCommit(wanted);
      return createCommitIn(await use(repository, options), committer, wanted, options);
    },

    async listFiles(repository, sha, folder, options) {
      requireSha(sha);
      if (folder !== '') requirePath(folder);
      const { opened } = await withCommits(repository, [sha], options);
      return listFilesAt(opened.git, sha, folder, options);
    },

    async commitFiles(repository, wanted, options) {
      requireNewFiles(wanted);
      return createFilesIn(await use(repository, options), committer, wanted, scratch, options);
    },

    async openPullRequest(repository, wanted, options) {
      requireBranch(wanted.headBranch);
      requireBranch(wanted.baseBranch);
      requireSha(wanted.headSha);
      return pullRequests.open(await use(repository, options), wanted, options);
    },

    async findOpenPullRequests(repository, filter, options) {
      return pullRequests.findOpen(await fresh(repository, options), filter, options);
    },

    async readPullRequest(repository, number, options) {
      return pullRequests.read(await fresh(repository, options), requireNumber(number), options);
    },

    async updatePullRequest(repository, number, change, options) {
      return pullRequests.update(await use(repository, options), requireNumber(number), change, options);
    },

    async closePullRequest(repository, number, comment, options): Promise<PullRequest> {
      return pullRequests.close(await use(repository, options), requireNumber(number), comment, options);
    },

    async mergePullRequest(repository, number, merge, options) {
      requireSha(merge.expectedHeadSha);
      return pullRequests.merge(await use(repository, options), requireNumber(number), merge, options);
    },

    async putComment(repository, number, comment, options) {
      await discussion.putComment(await use(repository, options), requireNumber(number), comment, options);
    },

    async readComments(repository, number, options) {
      return discussion.readComments(await fresh(repository, options), requireNumber(number), options);
    },

    async changeLabels(repository, number, change, options) {
      await discussion.changeLabels(await use(repository, options), requireNumber(number), change, options);
    },
  };
}

/** Opens each repository once: a mirror has its own queue of fetches. */
function openRepositories(
  name: string,
  config: LocalConfig,
  tools: AdapterTools,
  prefixes: readonly RepositoryAddress[],
): (repository: Repository) => Promise<GitRepository> {
  const clones = join(tools.cacheDir, 'git');
  const folder = join(clones, newId());
  const git = createGit(name, config, tools, folder);
  const opened = new Map<string, Promise<GitRepository>>();
  let swept = false;

  async function openNew(url: string, address: RepositoryAddress): Promise<GitRepository> {
    if (address.protocol === 'file') return openHere(git, address.path);
    if (!swept) await removeAbandoned(clones, new Date());
    swept = true;
    return openMirror(git, url, join(folder, `${newId()}.git`));
  }

  return async (repository) => {
    const address = servedAddress(prefixes, repository);
    if (address === undefined) {
      throw new AdapterError('rejected', `${name} does not serve ${sayUrl(repository.url)}; add it to its urls`);
    }
    const known = opened.get(repository.url);
    if (known !== undefined) return known;
    const opening = openNew(repository.url, address);
    opened.set(repository.url, opening);
    opening.catch(() => opened.delete(repository.url));
    return opening;
  };
}

function createGit(name: string, config: LocalConfig, tools: AdapterTools, folder: string): GitCommand {
  const home = join(folder, 'home');
  if (config.credentials === undefined) return createGitCommand({ name, home });
  const { username, password } = config.credentials;
  const secret = tools.secret(password);
  const basic = Buffer.from(`${username}:${secret.reveal()}`).toString('base64');
  const settings = config.urls
    .filter((url) => /^https?:/.test(url))
    .map((url) => [`http.${url}.extraHeader`, `Authorization: Basic ${basic}`] as const);
  return createGitCommand({ name, home, settings, secrets: [secret, new Secret(basic)] });
}

function servedAddress(prefixes: readonly RepositoryAddress[], repository: Repository): RepositoryAddress | undefined {
  const address = parseRepositoryUrl(repository.url);
  if (address === undefined) return undefined;
  return prefixes.some((prefix) => liesBelow(address, prefix)) ? address : undefined;
}

function requireAddress(name: string, url: string): RepositoryAddress {
  const address = parseRepositoryUrl(url);
  if (address !== undefined) return address;
  throw new AdapterError(
    'rejected',
    `${name}: ${JSON.stringify(sayUrl(url))} is neither an absolute path nor a Git URL`,
  );
}

function requireNumber(number: number): number {
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new AdapterError('rejected', `${number} is not the number of a pull request`);
}
