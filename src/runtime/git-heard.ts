import type { GitHost } from '../adapters/git-hosts/git-host.ts';
import type { Clock } from '../base/clock.ts';
import type { ApplicationRef } from '../events/application.ts';
import type { ClaimedJob, Document, NewJob, Store } from '../store/store.ts';
import { findFollowers } from './followers.ts';
import { heardRows } from './git-webhooks.ts';
import { byBranch, byCommit, byNumber, findPullRequests } from './pull-request-rows.ts';
import { refreshJobOf } from './refresh-applications.ts';
import { repositoryKey } from './repository-key.ts';
import { taskJob } from './sequences.ts';

export interface GitRoom {
  store: Store;
  clock: Clock;
  gitHosts: readonly GitHost[];
}

/** What a webhook said has moved (http/senders/git-hint.ts). */
interface GitHeard {
  host: string;
  heardAt: string;
  /** Absent: nothing but that somebody set up a webhook. */
  repository?: string;
  number?: number;
  branch?: string;
  isDefault?: boolean;
  sha?: string;
}

/** Rows that say when a task was or will be looked at because of a webhook. */
const LOOKED = 'git-look';
/**
 * One task does not look more often because of webhooks: who writes comments by the hundred must not use up the calls
 * that the host allows us, and what we do ourselves is told to us too.
 */
const PAUSE_MS = 10_000;

/**
 * A Git host told of something. What is concerned looks for itself: tasks that follow a pull request, and applications
 * that deploy from a branch. The webhook is not believed, and no list is gone through: rows lead from what was told.
 */
export async function workOnGitWebhook(room: GitRoom, job: ClaimedJob): Promise<void> {
  const heard = job.payload as unknown as GitHeard;
  const host = room.gitHosts.find(({ name }) => name === heard.host);
  const { documents, jobs } = host ? await looksAfter(room, host, heard) : { documents: [], jobs: [] };
  await room.store.commit({ documents, jobs, claim: job, settle: { kind: 'done' } });
}

interface Looks {
  documents: Document[];
  jobs: NewJob[];
}

async function looksAfter(room: GitRoom, host: GitHost, heard: GitHeard): Promise<Looks> {
  const { repository, heardAt } = heard;
  const documents = heardRows(host.name, repository, heardAt);
  const key = repository === undefined ? undefined : repositoryKey(repository);
  // The configuration may be another one than when it was taken.
  if (repository === undefined || key === undefined || !host.serves({ url: repository }))
    return { documents, jobs: [] };
  const tasks = await taskLooks(room, host, contextsOf(key, heard));
  const applications = heard.branch === undefined ? [] : await followersOf(room.store, host, key, heard);
  return { documents: [...documents, ...tasks.documents], jobs: [...tasks.jobs, ...applications.map(refreshJobOf)] };
}

function contextsOf(key: string, { number, branch, sha }: GitHeard): string[] {
  return [
    ...(number === undefined ? [] : [byNumber(key, number)]),
    ...(branch === undefined ? [] : [byBranch(key, branch)]),
    ...(sha === undefined ? [] : [byCommit(key, sha)]),
  ];
}

async function taskLooks({ store, clock }: GitRoom, host: GitHost, contexts: readonly string[]): Promise<Looks> {
  const now = clock.now().getTime();
  const looks: Looks = { documents: [], jobs: [] };
  const concerned = new Map((await findPullRequests(store, host, contexts)).map((one) => [one.task, one]));
  for (const { sequence, task } of concerned.values()) {
    const before = (await store.document(LOOKED, task))?.sort ?? 0;
    const isComing = before > now;
    // No wrong clock puts it off for longer than the pause.
    const waitMs = Math.min(PAUSE_MS, Math.max(0, isComing ? before - now : before + PAUSE_MS - now));
    looks.jobs.push(taskJob(sequence, task, waitMs));
    const sort = now + waitMs;
    if (!isComing) looks.documents.push({ kind: LOOKED, id: task, version: sort, sort, data: {} });
  }
  return looks;
}

/** A default branch is also followed as `HEAD`. */
function followersOf(store: Store, host: GitHost, key: string, heard: GitHeard): Promise<ApplicationRef[]> {
  const names = [heard.branch ?? '', ...(heard.isDefault ? ['HEAD'] : [])];
  return findFollowers(
    store,
    host,
    names.map((name) => byBranch(key, name)),
  );
}
