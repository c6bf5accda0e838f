import type { GitHost, Repository } from '../adapters/git-hosts/git-host.ts';
import { AdapterError } from '../base/adapter-error.ts';
import type { Clock } from '../base/clock.ts';
import type { ClaimedJob, Document, NewJob, Store } from '../store/store.ts';
import type { Lease } from './lease.ts';
import type { Log } from './log.ts';
import { openPullRequests } from './pull-request-rows.ts';
import { indexed, repositoryKey } from './repository-key.ts';

export interface RedeliveryRoom {
  store: Store;
  clock: Clock;
  log: Log;
  gitHosts: readonly GitHost[];
}

/** What the last look at failed deliveries of a host found. */
export interface Redelivery {
  host: string;
  /** ISO 8601. */
  at: string;
  /** How many were asked for again. */
  again: number;
  /** Why it could not be looked: one sentence. */
  problem?: string;
}

const EVERY_MS = 10 * 60_000;
/** Of repositories with something open; each costs a call or two. */
const MAX_REPOSITORIES = 50;
const MAX_PULL_REQUESTS = 300;
/** A delivery that is under way at the moment of a look is looked at again by the next. */
const OVERLAP_MS = 60_000;
const FIRST_MS = 3_600_000;
/** GitHub forgets deliveries after three days. */
const LONGEST_MS = 3 * 86_400_000;
const KIND = 'git-redelivery';

/** Work that looks for webhooks that did not arrive, for hosts that do not send them again by themselves. */
export function redeliveryJobs(
  hosts: readonly GitHost[],
  hasWebhook: (host: GitHost) => boolean,
  delayMs: number,
): NewJob[] {
  const able = hosts.filter((host) => host.redeliver !== undefined && hasWebhook(host));
  return able.map(({ name }) => ({ queue: 'redeliver', key: name, payload: { host: name }, delayMs }));
}

/** What the last look at a host's failed deliveries found. */
export async function lastRedelivery(store: Store, host: string): Promise<Redelivery | undefined> {
  return (await store.document(KIND, host))?.data as Redelivery | undefined;
}

/**
 * Has those webhooks sent again that did not reach us (a restart, a full disk, a closed firewall), of the repositories
 * in which a pull request of ours is open. What arrives twice is one event.
 */
export async function redeliverMissed(room: RedeliveryRoom, job: ClaimedJob, lease: Lease): Promise<void> {
  const host = room.gitHosts.find(({ name }) => name === job.payload['host']);
  if (!host?.redeliver) return room.store.commit({ claim: job, settle: { kind: 'done' } }).then(() => undefined);
  const now = room.clock.now();
  const looked: Looked[] = [];
  for (const [key, repository] of await repositoriesOf(room.store, host)) {
    looked.push(await lookAt(room, host, { key, repository }, now, lease));
  }
  const again = looked.reduce((total, one) => total + one.again, 0);
  const problem = looked.find((one) => one.problem !== undefined)?.problem;
  const found: Redelivery = { host: host.name, at: now.toISOString(), again, ...(problem ? { problem } : {}) };
  if (again > 0) room.log.info({ host: host.name, again }, 'webhooks that did not arrive were asked for again');
  const documents = [row(host.name, now, { ...found }), ...looked.flatMap(({ document }) => document ?? [])];
  await room.store.commit({ documents, claim: job, settle: { kind: 'again', delayMs: EVERY_MS } });
}

interface Looked {
  again: number;
  /** Until when deliveries were looked at; none where that failed, so that the next look begins where this one did. */
  document?: Document;
  problem?: string;
}

async function lookAt(
  { store, log }: RedeliveryRoom,
  host: GitHost,
  { key, repository }: { key: string; repository: Repository },
  now: Date,
  lease: Lease,
): Promise<Looked> {
  const id = indexed(`${host.name}/${key}`);
  const before = (await store.document(KIND, id))?.sort ?? now.getTime() - FIRST_MS;
  const since = new Date(Math.max(before - OVERLAP_MS, now.getTime() - LONGEST_MS));
  try {
    const options = { signal: lease.signal, guard: lease.guard };
    const again = (await host.redeliver?.(repository, since, options)) ?? 0;
    return { again, document: row(id, now, { host: host.name }) };
  } catch (error) {
    if (!(error instanceof AdapterError) || error.reason === 'cancelled') throw error;
    log.info({ host: host.name, repository: key, reason: error.reason }, 'failed webhooks could not be looked at');
    return { again: 0, problem: error.message };
  }
}

async function repositoriesOf(store: Store, host: GitHost): Promise<Map<string, Repository>> {
  const found = new Map<string, Repository>();
  for (const { repository } of await openPullRequests(store, MAX_PULL_REQUESTS)) {
    const key = repositoryKey(repository);
    if (key !== undefined && host.serves({ url: repository }) && found.size < MAX_REPOSITORIES)
      found.set(key, { url: repository });
  }
  return found;
}

function row(id: string, now: Date, data: Document['data']): Document {
  return { kind: KIND, id, version: now.getTime(), sort: now.getTime(), data };
}
