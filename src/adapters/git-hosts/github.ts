import Type, { type Static } from 'typebox';
import { AdapterError } from '../../base/adapter-error.ts';
import { isJsonObject } from '../../base/json.ts';
import { type AdapterTools, defineAdapter, SecretRef } from '../adapter-kind.ts';
import { onlyAdapterErrors } from './api-limits.ts';
import type { CallOptions, Comparison, GitHost, Repository } from './git-host.ts';
import { decodeText, MAX_COMMITS, MAX_FILES, requireFileSize } from './git-reading.ts';
import { type Coordinates, createGitHubApi, type GitHubApi, shaOf } from './github-api.ts';
import { createCommitAt } from './github-commits.ts';
import { diagnoseGitHub } from './github-diagnosis.ts';
import { createGitHubPullRequests } from './github-pull-requests.ts';
import { isRefName, requireBranch, requireNewCommit, requirePath, requireSha } from './names.ts';
import { parseRepositoryUrl, sayUrl, withoutGit } from './repository-url.ts';

const schema = Type.Object(
  {
    url: Type.Optional(
      Type.String({
        pattern: '^https?://[^/?#@]+/?$',
        description: 'default https://github.com; your own server for GitHub Enterprise',
      }),
    ),
    token: SecretRef,
    writeIntervalMs: Type.Optional(
      Type.Integer({ minimum: 0, description: 'pause between changes; default 1000, as GitHub asks' }),
    ),
  },
  { additionalProperties: false },
);

/** github.com and GitHub Enterprise, through their REST API. */
export const github = defineAdapter<GitHost, typeof schema>({ kind: 'github', schema, create: createGitHub });

function createGitHub(name: string, config: Static<typeof schema>, tools: AdapterTools): GitHost {
  const site = new URL(config.url ?? 'https://github.com');
  const api = createGitHubApi({
    name,
    baseUrl: apiUrlOf(site),
    token: tools.secret(config.token),
    addresses: tools.addresses,
    writeIntervalMs: config.writeIntervalMs ?? 1_000,
  });
  const sound = <T>(work: () => Promise<T>): Promise<T> => onlyAdapterErrors(name, work);
  const at = (repository: Repository): Coordinates => requireCoordinates(name, site, repository);
  const reading = createReading(api);
  const pullRequests = createGitHubPullRequests(api, reading.contains);

  return {
    kind: 'github',
    name,
    capabilities: { reviews: 'host' },
    serves: (repository) => coordinatesOf(site, repository) !== undefined,
    diagnose: (options = {}) => diagnoseGitHub(api, options, new Date()),

    resolve: (repository, revision, options) => sound(() => reading.resolve(at(repository), revision, options)),
    readFile: (repository, sha, path, options) => sound(() => reading.readFile(at(repository), sha, path, options)),
    compare: (repository, base, head, options) => sound(() => reading.compare(at(repository), base, head, options)),
    contains: (repository, descendant, ancestor, options) =>
      sound(() => reading.contains(at(repository), descendant, ancestor, options)),
    commitMessage: (repository, sha, options) => sound(() => reading.commitMessage(at(repository), sha, options)),

    createCommit: (repository, wanted, options) =>
      sound(async () => {
        requireNewCommit(wanted);
        const coordinates = at(repository);
        const sha = await createCommitAt(api, coordinates, wanted, options);
        await pullRequests.pointHeadAt(coordinates, wanted.branch, sha, options);
        return sha;
      }),
    openPullRequest: (repository, wanted, options) =>
      sound(() => {
        requireBranch(wanted.headBranch);
        requireBranch(wanted.baseBranch);
        requireSha(wanted.headSha);
        return pullRequests.open(at(repository), wanted, options);
      }),
    findOpenPullRequests: (repository, filter, options) =>
      sound(() => pullRequests.findOpen(at(repository), filter, options)),
    readPullRequest: (repository, number, options) => sound(() => pullRequests.read(at(repository), number, options)),
    updatePullRequest: (repository, number, change, options) =>
      sound(() => pullRequests.update(at(repository), number, change, options)),
    closePullRequest: (repository, number, comment, options) =>
      sound(() => pullRequests.close(at(repository), number, comment, options)),
    mergePullRequest: (repository, number, merge, options) =>
      sound(() => {
        requireSha(merge.expectedHeadSha);
        return pullRequests.merge(at(repository), number, merge, options);
      }),
  };
}

function createReading(api: GitHubApi) {
  async function resolve(at: Coordinates, revision: string, options?: CallOptions): Promise<string | undefined> {
    if (!isRefName(revision)) return undefined;
    try {
      const { data } = await api(options, (octokit, bound) =>
        // One file per page: the answer carries patches otherwise.
        octokit.rest.repos.getCommit({ ...at, ref: revision, per_page: 1, ...bound }),
      );
      return shaOf(data.sha);
    } catch (error) {
      if (await isMissing(error, () => requireRepository(api, at, options))) return undefined;
      throw error;
    }
  }

  async function readFile(at: Coordinates, sha: string, path: string, options?: CallOptions) {
    requireSha(sha);
    requirePath(path);
    try {
      const { data } = await api(options, (octokit, bound) =>
        octokit.rest.repos.getContent({ ...at, path, ref: sha, ...bound }),
      );
      return textOf(path, data);
    } catch (error) {
      if (await isMissing(error, () => commitMessage(at, sha, options))) return undefined;
      throw error;
    }
  }

  async function compare(at: Coordinates, base: string, head: string, options?: CallOptions): Promise<Comparison> {
    requireRevisions(base, head);
    const { data } = await api(options, (octokit, bound) =>
      // Without pages GitHub answers the newest 250 commits, oldest first.
      octokit.rest.repos.compareCommitsWithBasehead({ ...at, basehead: `${base}...${head}`, ...bound }),
    );
    if (!Number.isInteger(data.total_commits)) throw new AdapterError('bad-response', 'GitHub counted no commits');
    const commits = data.commits.map(({ sha, commit }) => ({
      sha: shaOf(sha),
      subject: commit.message.split('\n')[0] ?? '',
      author: commit.author?.name ?? '',
      date: commit.author?.date ?? '',
    }));
    const files = (data.files ?? []).map(({ filename, additions, deletions }) => ({
      path: filename,
      additions,
      deletions,
    }));
    return {
      commits: commits.reverse().slice(0, MAX_COMMITS),
      totalCommits: data.total_commits,
      files: files.slice(0, MAX_FILES),
      // GitHub lists 300 files and does not say how many there are beyond.
      totalFiles: files.length,
    };
  }

  async function contains(at: Coordinates, descendant: string, ancestor: string, options?: CallOptions) {
    requireRevisions(descendant, ancestor);
    try {
      const { data } = await api(options, (octokit, bound) =>
        octokit.rest.repos.compareCommitsWithBasehead({
          ...at,
          basehead: `${ancestor}...${descendant}`,
          per_page: 1,
          ...bound,
        }),
      );
      return containsBase(data.status);
    } catch (error) {
      // Two commits that both exist and share nothing: the answer is known.
      if (error instanceof AdapterError && /no common ancestor/i.test(error.message)) return false;
      throw error;
    }
  }

  async function commitMessage(at: Coordinates, sha: string, options?: CallOptions): Promise<string> {
    requireSha(sha);
    const { data } = await api(options, (octokit, bound) =>
      octokit.rest.git.getCommit({ ...at, commit_sha: sha, ...bound }),
    );
    return data.message.trimEnd();
  }

  return { resolve, readFile, compare, contains, commitMessage };
}

function containsBase(status: unknown): boolean {
  if (status === 'ahead' || status === 'identical') return true;
  if (status === 'behind' || status === 'diverged') return false;
  throw new AdapterError('bad-response', 'GitHub compared two commits and did not say how they relate');
}

/**
 * Whether an answer of 404 (422 for a SHA) means that the thing asked for is missing. GitHub says the
 * same of a repository that is hidden from us, and that must not pass for "no such file".
 */
async function isMissing(error: unknown, requireParent: () => Promise<unknown>): Promise<boolean> {
  if (!(error instanceof AdapterError)) return false;
  const unknownSha = error.reason === 'rejected' && /no commit found/i.test(error.message);
  if (error.reason !== 'not-found' && !unknownSha) return false;
  if (!unknownSha) await requireParent();
  return true;
}

async function requireRepository(api: GitHubApi, at: Coordinates, options?: CallOptions): Promise<void> {
  await api(options, (octokit, bound) => octokit.rest.repos.get({ ...at, ...bound }));
}

function textOf(path: string, data: unknown): string | undefined {
  // A folder is a list; a submodule or a link that leads out has no text.
  if (!isJsonObject(data) || data['type'] !== 'file') return undefined;
  requireFileSize(path, Number(data['size']));
  if (data['encoding'] !== 'base64' || typeof data['content'] !== 'string') {
    throw new AdapterError('bad-response', `GitHub answered ${path} without its content`);
  }
  const bytes = Buffer.from(data['content'], 'base64');
  requireFileSize(path, bytes.length);
  return decodeText(path, bytes);
}

function requireRevisions(...revisions: readonly string[]): void {
  for (const revision of revisions) {
    if (isRefName(revision)) continue;
    throw new AdapterError('rejected', `${JSON.stringify(revision.slice(0, 80))} is not a branch, tag or commit`);
  }
}

function apiUrlOf(site: URL): string {
  if (site.host === 'github.com') return 'https://api.github.com';
  // GitHub Enterprise Cloud with data residency.
  if (site.host.endsWith('.ghe.com')) return `https://api.${site.host}`;
  return `${site.origin}/api/v3`;
}

function coordinatesOf(site: URL, repository: Repository): Coordinates | undefined {
  const address = parseRepositoryUrl(repository.url);
  if (address === undefined || !isOn(site, address.protocol, address.host)) return undefined;
  const [, owner = '', repo = '', ...more] = withoutGit(address.path).split('/');
  const named = [owner, repo].every((part) => /^[\w.-]+$/.test(part));
  return named && more.length === 0 ? { owner, repo } : undefined;
}

/** SSH and HTTPS have different ports; GitHub also answers SSH on ssh.github.com:443. */
function isOn(site: URL, protocol: string, host: string): boolean {
  if (protocol === 'http' || protocol === 'https') return host === site.host;
  const name = host.replace(/:\d+$/, '');
  return protocol === 'ssh' && (name === site.hostname || name === `ssh.${site.hostname}`);
}

function requireCoordinates(name: string, site: URL, repository: Repository): Coordinates {
  const coordinates = coordinatesOf(site, repository);
  if (coordinates !== undefined) return coordinates;
  throw new AdapterError('rejected', `${name} does not serve ${sayUrl(repository.url)}`);
}
