/** A person, or a program, as a Git host knows it. */
export interface HostUser {
  /** The host's own id, which stays when somebody is renamed; never a name. */
  id: string;
  /** What people call it; for reading only. */
  login: string;
  /** A program: an app, a bot, a service account, as far as the host says. */
  bot: boolean;
}

/** What somebody may do in a repository, weakest first. */
export type Permission = 'none' | 'read' | 'write' | 'admin';

/** One review of a pull request, as the host has it now. */
export interface Review {
  by: HostUser;
  verdict: 'approve' | 'reject' | 'comment' | 'dismissed';
  /** The commit that was looked at; absent: the host does not say, and the review counts for no commit. */
  headSha?: string;
  /** ISO 8601. */
  at: string;
  text?: string;
}

/** One comment on a pull request, as the host has it now. */
export interface Comment {
  id: string;
  by: HostUser;
  body: string;
  /** ISO 8601. */
  at: string;
  /** Somebody changed it after it was written; or the host cannot tell. */
  edited: boolean;
}

/** What a commit is marked with on the host. */
export interface CommitStatus {
  /** `lynceus/evaluation`; unique per commit. */
  name: string;
  state: 'pending' | 'success' | 'failure';
  /** At most 140 characters. */
  description: string;
  url?: string;
}
