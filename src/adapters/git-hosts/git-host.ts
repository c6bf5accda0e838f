import type { Guard } from '../../base/guard.ts';
import type { Finding } from '../../events/finding.ts';

/** A repository as applications and delivery.yaml name it: its clone URL. */
export interface Repository {
  url: string;
}

export interface CommitInfo {
  sha: string;
  /** First line of the message. */
  subject: string;
  author: string;
  /** ISO 8601. */
  date: string;
}

export interface Comparison {
  /** Commits that `head` has and `base` has not, newest first; cut at 250. */
  commits: CommitInfo[];
  totalCommits: number;
  /** Changed between the merge base and head; cut at 300. */
  files: { path: string; additions: number; deletions: number }[];
  totalFiles: number;
}

export interface NewPullRequest {
  /** Branch to create (or move) for it; unique per promotion. */
  headBranch: string;
  /** The commit that was verified, and nothing else, is what the head branch points at. */
  headSha: string;
  baseBranch: string;
  title: string;
  body: string;
}

/** A commit that has the files of another one; nothing is merged and nothing is checked out. */
export interface NewCommit {
  /** Branch to create (or move) for it. */
  branch: string;
  /** The commits that it follows, full SHAs; the first is the line that it continues. */
  parents: string[];
  /** The commit whose files it has, all of them. */
  treeOf: string;
  message: string;
  /** When it counts as made, ISO 8601: the same wish is the same commit, however often it is made. */
  at: string;
}

export interface PullRequest {
  number: number;
  /** Where a person reviews it; for the local host a page of ours, filled in by the caller. */
  url?: string;
  state: 'open' | 'merged' | 'closed';
  headBranch: string;
  headSha: string;
  baseBranch: string;
  title: string;
  body: string;
  /** The commit on the base branch that carries the change, once merged. */
  mergeSha?: string;
  /** Who merged or closed it, as the host names them. */
  endedBy?: string;
  createdAt: string;
}

export interface GitHostCapabilities {
  /** Where approvals are given: on the host's own pull request page, or with us (local host). */
  reviews: 'host' | 'lynceus';
}

export interface CallOptions {
  signal?: AbortSignal;
  /** Asked immediately before anything is changed; throws when we may no longer act. */
  guard?: Guard;
}

/**
 * A place where Git repositories live and pull requests are reviewed. Every method throws only
 * AdapterError. Contract: test/contracts/git-host.ts.
 */
export interface GitHost {
  readonly kind: string;
  /** The configured name. */
  readonly name: string;
  readonly capabilities: GitHostCapabilities;

  /** Checks address and token without changing anything; a failure is a finding, not an error. */
  diagnose?(options?: CallOptions): Promise<Finding[]>;

  /** Whether this host serves the repository. */
  serves(repository: Repository): boolean;

  /** Commit that a branch, tag or SHA names; `undefined` when there is no such thing. */
  resolve(repository: Repository, revision: string, options?: CallOptions): Promise<string | undefined>;

  /** Text of a file at a commit (at most 256 KiB, else `rejected`); `undefined` when it is not there. */
  readFile(repository: Repository, sha: string, path: string, options?: CallOptions): Promise<string | undefined>;

  /** What `head` brings that `base` has not. */
  compare(repository: Repository, base: string, head: string, options?: CallOptions): Promise<Comparison>;

  /** Whether `ancestor` is contained in `descendant` (equal counts). */
  contains(repository: Repository, descendant: string, ancestor: string, options?: CallOptions): Promise<boolean>;

  /** The message of a commit, for its trailers. */
  commitMessage(repository: Repository, sha: string, options?: CallOptions): Promise<string>;

  /** Makes a commit, points a branch at it and answers its SHA. `not-found`: one of the commits is not there. */
  createCommit(repository: Repository, wanted: NewCommit, options?: CallOptions): Promise<string>;

  /**
   * Opens the pull request, or answers the one that is already open for this head branch. Creates the
   * head branch at exactly `headSha`; an existing head branch is moved there.
   */
  openPullRequest(repository: Repository, wanted: NewPullRequest, options?: CallOptions): Promise<PullRequest>;

  /** Open pull requests whose head branch starts with a prefix, into a base branch. */
  findOpenPullRequests(
    repository: Repository,
    filter: { headPrefix: string; baseBranch: string },
    options?: CallOptions,
  ): Promise<PullRequest[]>;

  readPullRequest(repository: Repository, number: number, options?: CallOptions): Promise<PullRequest>;

  /** Changes title and body; unchanged text makes no call. */
  updatePullRequest(
    repository: Repository,
    number: number,
    change: { title: string; body: string },
    options?: CallOptions,
  ): Promise<PullRequest>;

  /** Says why, then closes it and deletes its head branch. Closing a closed one changes nothing. */
  closePullRequest(
    repository: Repository,
    number: number,
    comment: string,
    options?: CallOptions,
  ): Promise<PullRequest>;

  /**
   * Merges by a merge commit (message: title and trailers given), only while its head still is
   * `expectedHeadSha`: `conflict` when it moved or cannot be merged. Merging what is merged already
   * answers it as it is.
   */
  mergePullRequest(
    repository: Repository,
    number: number,
    merge: { expectedHeadSha: string; message: string; by: string },
    options?: CallOptions,
  ): Promise<PullRequest>;
}
