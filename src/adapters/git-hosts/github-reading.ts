import { AdapterError } from '../../base/adapter-error.ts';
import { isJsonObject } from '../../base/json.ts';
import type { HostUser } from '../../promotion/people.ts';
import type { CallOptions, CompareOptions, Comparison } from './git-host.ts';
import { decodeText, MAX_COMMITS, MAX_FILES, MAX_PATCHES, requireFileSize } from './git-reading.ts';
import { type Coordinates, type GitHubApi, shaOf } from './github-api.ts';
import { requireRepository } from './github-people.ts';
import { type GitHubUser, toHostUser } from './github-pull.ts';
import { isRefName, requirePath, requireSha } from './names.ts';

/** What GitHub tells of commits and files. */
export function createGitHubReading(api: GitHubApi) {
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

  async function compare(at: Coordinates, base: string, head: string, options?: CompareOptions): Promise<Comparison> {
    requireRevisions(base, head);
    const { data } = await api(options, (octokit, bound) =>
      // Without pages GitHub answers the newest 250 commits, oldest first.
      octokit.rest.repos.compareCommitsWithBasehead({ ...at, basehead: `${base}...${head}`, ...bound }),
    );
    if (!Number.isInteger(data.total_commits)) throw new AdapterError('bad-response', 'GitHub counted no commits');
    const commits = data.commits.map(({ sha, commit, author }) => ({
      sha: shaOf(sha),
      subject: commit.message.split('\n')[0] ?? '',
      author: commit.author?.name ?? '',
      ...(commit.author?.email ? { email: commit.author.email } : {}),
      ...accountOf(author),
      date: commit.author?.date ?? '',
    }));
    const files = (data.files ?? []).map(({ filename, additions, deletions, patch }, at) => ({
      path: filename,
      additions,
      deletions,
      ...(options?.patches && at < MAX_PATCHES && typeof patch === 'string' ? { patch } : {}),
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

/** Absent where GitHub knows no account by the author's mail address: it then answers nothing, or an empty object. */
function accountOf(author: unknown): { by?: HostUser } {
  const by = isJsonObject(author) && 'id' in author ? toHostUser(author as unknown as GitHubUser) : undefined;
  return by === undefined ? {} : { by };
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
