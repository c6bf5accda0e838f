import type { GitHost } from '../adapters/git-hosts/git-host.ts';
import { isJsonObject, type JsonObject } from '../base/json.ts';
import { inGit } from '../engine/in-git.ts';
import { promotionsOf } from '../engine/promotion.ts';
import type { SequenceState, TaskState } from '../engine/sequence.ts';
import type { SequenceTriggered } from '../events/types.ts';
import type { Document, Store } from '../store/store.ts';
import { indexed, repositoryKey } from './repository-key.ts';

/** A pull request of ours, and the task that follows it. */
export interface OurPullRequest {
  /** URL, as the application or delivery.yaml names it. */
  repository: string;
  number: number;
  /** Where it leads. */
  branch: string;
  sequence: string;
  task: string;
}

const KIND = 'pull-request';
const OPEN = 'open';
/** Of one thing that a webhook told: a branch into which more pull requests lead has other problems. */
const MAX_FOUND = 200;

/**
 * Rows by which what a webhook tells of is found without looking through all sequences: for each pull request one by
 * its number, one by the branch it leads to, one by the commit at its head. `context` is what is looked for.
 */
export function pullRequestRows(state: SequenceState, version: number): Document[] {
  const { triggered } = state;
  if (!triggered) return [];
  return [...promotionsIn(state), ...rollbacksIn(state)].flatMap(({ name, task, over, pullRequest, head }) => {
    const key = repositoryKey(pullRequest.repository);
    if (key === undefined) return [];
    const found: [string, string][] = [
      ['number', byNumber(key, pullRequest.number)],
      ['branch', byBranch(key, pullRequest.branch)],
      ['head', byCommit(key, head)],
    ];
    return found.map(([by, context]) => ({
      kind: KIND,
      id: `${task.id}/${name}/${by}`,
      version,
      ...triggered.place,
      context,
      status: over || task.finishedAt !== undefined || state.phase === 'finished' ? 'over' : OPEN,
      sort: Date.parse(task.triggeredAt),
      data: { ...pullRequest },
    }));
  });
}

/** Open pull requests of ours that a Git host told of, by any of these. */
export async function findPullRequests(
  store: Store,
  host: GitHost,
  contexts: readonly string[],
): Promise<OurPullRequest[]> {
  if (contexts.length === 0) return [];
  const rows = await store.documents({ kind: KIND, context: contexts, status: [OPEN], limit: MAX_FOUND });
  return rows.map(toPullRequest).filter(({ repository }) => host.serves({ url: repository }));
}

/** All that are open, those opened last first, with the moment at which their task began; at most `limit`. */
export async function openPullRequests(store: Store, limit: number): Promise<(OurPullRequest & { since: number })[]> {
  const rows = await store.documents({ kind: KIND, status: [OPEN], limit: Math.min(limit * 3, 1000) });
  const numbered = rows.filter(({ id }) => id.endsWith('/number'));
  return numbered.map((row) => ({ ...toPullRequest(row), since: row.sort })).slice(0, limit);
}

export function byNumber(key: string, number: number): string {
  return indexed(`${key}#${number}`);
}

export function byBranch(key: string, branch: string): string {
  return indexed(`${key}@${branch}`);
}

export function byCommit(key: string, sha: string): string {
  return indexed(`${key}:${sha}`);
}

function toPullRequest({ data }: Document): OurPullRequest {
  return data as unknown as OurPullRequest;
}

interface Found {
  /** Tells those of one task apart. */
  name: string;
  task: TaskState;
  pullRequest: OurPullRequest & JsonObject;
  head: string;
  /** Nothing that happens to it is of interest any more, though its task goes on. */
  over: boolean;
}

function promotionsIn(state: SequenceState): Found[] {
  return promotionsOf(state).flatMap(({ task, target, memo, outcome }) => {
    const found = foundIn(state.triggered, task, memo, target.branch);
    return found ? [{ ...found, name: target.to, over: outcome !== undefined }] : [];
  });
}

function rollbacksIn(state: SequenceState): Found[] {
  return state.tasks
    .filter(({ name }) => name === 'rollback')
    .flatMap((task) => {
      const found = foundIn(state.triggered, task, task.memo, String(task.memo['branch'] ?? ''));
      return found ? [{ ...found, name: 'revert', over: task.memo['mergeSha'] !== undefined }] : [];
    });
}

function foundIn(
  triggered: SequenceTriggered | undefined,
  task: TaskState,
  memo: JsonObject,
  branch: string,
): Pick<Found, 'task' | 'pullRequest' | 'head'> | undefined {
  const number = memo['pullRequest'];
  if (!triggered || typeof number !== 'number') return undefined;
  const { hydrated } = memo;
  const dry = inGit(triggered);
  const chosen = isJsonObject(hydrated) ? hydrated : { repoUrl: dry.repository.url, revision: dry.revision };
  const repository = String(memo['repository'] ?? chosen['repoUrl']);
  const head = String(memo['head'] ?? chosen['revision']);
  return { task, head, pullRequest: { repository, number, branch, sequence: triggered.sequence, task: task.id } };
}
