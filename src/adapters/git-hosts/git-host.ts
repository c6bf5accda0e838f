import type { Guard } from '../../base/guard.ts';
import type { Secret } from '../../base/secret.ts';
import type { Finding } from '../../events/finding.ts';
import type { FileEdit, TreeFile } from '../../promotion/file-edit.ts';
import type { Comment, CommitStatus, HostUser, Permission, Review } from '../../promotion/people.ts';

/** A repository as applications and delivery.yaml name it: its clone URL. */
export interface Repository {
  url: string;
}

export interface CommitInfo {
  sha: string;
  /** First line of the message. */
  subject: string;
  author: string;
  /** The author's mail address as the commit has it: recognises them, and is shown to nobody. */
  email?: string;
  /** The author's account, where the host knows one. */
  by?: HostUser;
  /** ISO 8601. */
  date: string;
}

export interface Comparison {
  /** Commits that `head` has and `base` has not, newest first; cut at 250. */
  commits: CommitInfo[];
  totalCommits: number;
  /** Changed between the merge base and head; cut at 300. `patch`: hunks of the first few text files, where asked for. */
  files: { path: string; additions: number; deletions: number; patch?: string }[];
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

/** A commit with a few other files than the one that it follows. */
export interface NewFiles {
  /** Branch to create (or move) for it. */
  branch: string;
  /** Full SHA. */
  parent: string;
  edits: readonly FileEdit[];
  message: string;
  /** When it counts as made, ISO 8601: the same wish is the same commit, however often it is made. */
  at: string;
}

export type MergeMethod = 'merge' | 'squash' | 'rebase';

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
  /** Who opened it. */
  author?: HostUser;
  /** Its head branch is in another repository: never one of ours. */
  fork?: boolean;
  draft?: boolean;
  labels?: string[];
  /** Whether the host could merge it as far as Git goes; absent: not (yet) known. */
  mergeable?: boolean;
  /** Who is asked for a review and has not given one, as far as the host's answer names them; groups as policies name them. */
  asked?: { people: string[]; groups: string[] };
  /** Why the host's own rules do not let it be merged now, in its words; absent: they do, or it does not say. */
  blockedBy?: string;
}

/** What a host can do. An optional method of the port is there exactly when its capability says so. */
export interface GitHostCapabilities {
  /** Where approvals are given: on the host's own pull request page, or with us (local host). */
  reviews: 'host' | 'lynceus';
  /** `putComment`, `readComments`. */
  comments?: boolean;
  /** `changeLabels`. */
  labels?: boolean;
  /** `requestReviewers`. */
  reviewRequests?: boolean;
  /** `setStatus`. */
  statuses?: boolean;
  /** `mergeWhenReady`, `mergeNotYet`: auto-merge or a merge queue of the host. */
  mergeWhenReady?: boolean;
  /** `readReviews`, `permission`, `isMember`, `whoAmI`, `approvePullRequest`. */
  people?: boolean;
  /** `redeliver`. */
  redelivery?: boolean;
  /** What `mergePullRequest` understands; absent: only a merge commit. */
  mergeMethods?: readonly MergeMethod[];
  /** Characters that a description may have, where that is less than we write; the host cuts what is longer. */
  longestBody?: number;
}

export interface CallOptions {
  signal?: AbortSignal;
  /** Asked immediately before anything is changed; throws when we may no longer act. */
  guard?: Guard;
}

export interface CompareOptions extends CallOptions {
  /** With what changed in the files, as far as that takes no further request. */
  patches?: true;
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

  /** Gives back what it holds on this machine, such as clones; nothing is asked of it afterwards. */
  close?(): Promise<void>;

  /** Checks address and token without changing anything; a failure is a finding, not an error. */
  diagnose?(options?: CallOptions): Promise<Finding[]>;

  /** Whether this host serves the repository. */
  serves(repository: Repository): boolean;

  /** Commit that a branch, tag or SHA names; `undefined` when there is no such thing. */
  resolve(repository: Repository, revision: string, options?: CallOptions): Promise<string | undefined>;

  /** Text of a file at a commit (at most 256 KiB, else `rejected`); `undefined` when it is not there. */
  readFile(repository: Repository, sha: string, path: string, options?: CallOptions): Promise<string | undefined>;

  /** What `head` brings that `base` has not. */
  compare(repository: Repository, base: string, head: string, options?: CompareOptions): Promise<Comparison>;

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
    merge: { expectedHeadSha: string; message: string; by: string; method?: MergeMethod },
    options?: CallOptions,
  ): Promise<PullRequest>;

  /** Files of a commit in a folder and below it (`''`: all). `rejected` when there are more than 20,000. */
  listFiles?(repository: Repository, sha: string, folder: string, options?: CallOptions): Promise<TreeFile[]>;

  /**
   * Makes a commit with these edits on top of `parent`, points the branch at it and answers its SHA. `conflict`: the
   * edits do not fit (a file to copy or delete is not there). Edits that change nothing answer `parent`.
   */
  commitFiles?(repository: Repository, wanted: NewFiles, options?: CallOptions): Promise<string>;

  /**
   * Writes the one comment of ours that begins with `marker` (an HTML comment), or changes it. The same text makes no
   * change. Only a comment of our own account is ever taken for it.
   */
  putComment?(
    repository: Repository,
    number: number,
    comment: { marker: string; body: string },
    options?: CallOptions,
  ): Promise<void>;

  /** Oldest first, at most the newest 500; of everybody. */
  readComments?(repository: Repository, number: number, options?: CallOptions): Promise<Comment[]>;

  /** Labels that are missing are made. */
  changeLabels?(
    repository: Repository,
    number: number,
    change: { add: readonly string[]; remove: readonly string[] },
    options?: CallOptions,
  ): Promise<void>;

  /** Asks people and groups for a review; who cannot be asked is left out and answered. */
  requestReviewers?(
    repository: Repository,
    number: number,
    wanted: { users: readonly string[]; groups: readonly string[] },
    options?: CallOptions,
  ): Promise<{ notAsked: string[] }>;

  /** Marks a commit; the same mark makes no change where that can be known. */
  setStatus?(repository: Repository, sha: string, status: CommitStatus, options?: CallOptions): Promise<void>;

  /** Has the host merge it as soon as its own rules allow, only while its head is `expectedHeadSha`. */
  mergeWhenReady?(
    repository: Repository,
    number: number,
    merge: { expectedHeadSha: string; message: string; method?: MergeMethod },
    options?: CallOptions,
  ): Promise<PullRequest>;

  /** Takes back what `mergeWhenReady` asked for, where it is not too late; where nothing was, it does nothing. */
  mergeNotYet?(repository: Repository, number: number, options?: CallOptions): Promise<void>;

  /** All reviews, oldest first, as the host has them now. */
  readReviews?(repository: Repository, number: number, options?: CallOptions): Promise<Review[]>;

  /** What a person may do in the repository now. */
  permission?(repository: Repository, user: HostUser, options?: CallOptions): Promise<Permission>;

  /** Whether a person is in a group, named as the host names it (GitHub: `organisation/team`). */
  isMember?(repository: Repository, group: string, user: HostUser, options?: CallOptions): Promise<boolean>;

  /** The account that we act as. */
  whoAmI?(options?: CallOptions): Promise<HostUser>;

  /** Approves as the person whose own token this is, never with ours. Only while the head is `headSha`. */
  approvePullRequest?(
    repository: Repository,
    number: number,
    approval: { headSha: string; text: string; token: Secret },
    options?: CallOptions,
  ): Promise<HostUser>;

  /** Has webhook deliveries to us that failed since then sent again; answers how many. */
  redeliver?(repository: Repository, since: Date, options?: CallOptions): Promise<number>;
}
