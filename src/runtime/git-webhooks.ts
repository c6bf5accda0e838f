import type { GitHost, Repository } from '../adapters/git-hosts/git-host.ts';
import type { Clock } from '../base/clock.ts';
import type { Document, Store } from '../store/store.ts';
import { indexed, repositoryKey } from './repository-key.ts';

/** What was last heard of a Git host, or of one of its repositories. */
export interface HeardGitHost {
  host: string;
  /** ISO 8601. */
  heardAt: string;
}

const KIND = 'git-heard';
/** The way from the host to us is known to be open for so long. */
const ALIVE_MS = 3_600_000;
/** A repository whose webhook is set up is known for so long; in a week something happens in most. */
const SET_UP_MS = 7 * 86_400_000;

/** Rows that say when a Git host, and a repository of it, was last heard of. */
export function heardRows(host: string, repository: string | undefined, heardAt: string): Document[] {
  const key = repository === undefined ? undefined : repositoryKey(repository);
  const time = Date.parse(heardAt);
  const ids = [host, ...(key === undefined ? [] : [`${host}/${key}`])];
  const data = { host, heardAt };
  return ids.map((id) => ({ kind: KIND, id: indexed(id), version: time, sort: time, data }));
}

/** When a Git host was last heard of. */
export async function lastHeard(store: Store, host: string): Promise<HeardGitHost | undefined> {
  return (await store.document(KIND, host))?.data as HeardGitHost | undefined;
}

/**
 * Whether a repository's webhooks reach us as far as one can tell: its host was heard of within the hour, and the
 * repository itself within the week. Then it need not be asked as often; it is still asked.
 */
export function createWebhookEar(store: Store, clock: Clock) {
  return async (host: GitHost, repository: Repository): Promise<boolean> => {
    const key = repositoryKey(repository.url);
    if (key === undefined) return false;
    const [ofHost, ofRepository] = await Promise.all([
      store.document(KIND, host.name),
      store.document(KIND, indexed(`${host.name}/${key}`)),
    ]);
    const now = clock.now().getTime();
    const within = (row: Document | undefined, ms: number) => row !== undefined && now - row.sort < ms;
    return within(ofHost, ALIVE_MS) && within(ofRepository, SET_UP_MS);
  };
}
