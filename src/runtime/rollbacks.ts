import type { GitHost, Repository } from '../adapters/git-hosts/git-host.ts';
import { AdapterError } from '../base/adapter-error.ts';
import { inGit } from '../engine/in-git.ts';
import type { SequenceState, TaskState } from '../engine/sequence.ts';
import type { Place } from '../events/application.ts';
import type { RollsBack } from '../events/types.ts';
import type { Store } from '../store/store.ts';
import { sequenceFromRow } from '../views/sequence-document.ts';

export interface FoundRollback {
  rollsBack: RollsBack;
  /** The task that waits for it. */
  task: string;
}

/** The rollback whose revert a commit is, if it is one and nothing else. */
export type FindRollback = (
  place: Place,
  commit: { repoUrl: string; revision: string },
  signal: AbortSignal,
) => Promise<FoundRollback | undefined>;

/** How many of the newest sequences of the stage are looked through. */
const LOOK_BACK = 50;

/**
 * Tells the merge of a revert of ours from a new change, by our own log and the pull request: a revert is delivered
 * without checks, and trailers of commit messages anybody can write. It must have exactly the files of the good commit;
 * one that was merged on top of newer commits is a change like any other.
 */
export function createRollbackFinder(
  store: Store,
  gitHost: (repository: Repository) => GitHost | undefined,
): FindRollback {
  return async (place, { repoUrl, revision }, signal) => {
    const rows = await store.documents({ kind: 'sequence', ...place, limit: LOOK_BACK });
    const states = rows.map((row) => sequenceFromRow(row.data));
    const open = states.filter((state) => proposed(state) !== undefined);
    if (open.length === 0) return undefined;
    const repository = { url: repoUrl };
    const host = gitHost(repository);
    if (!host) return undefined;
    for (const state of open) {
      const task = proposed(state);
      if (!task || (await mergeOf(host, repository, task, signal)) !== revision) continue;
      const good = states.find(({ triggered }) => triggered?.sequence === task.memo['goodSequence'])?.triggered;
      const back = good ? inGit(good).revision : String(task.memo['good'] ?? '');
      const { totalFiles } = await host.compare(repository, back, revision, { signal });
      return totalFiles === 0 ? found(state, task) : undefined;
    }
    return undefined;
  };
}

/** The rollback of a sequence, once it has a pull request. */
function proposed({ tasks }: SequenceState): TaskState | undefined {
  return tasks.findLast(({ name, memo }) => name === 'rollback' && typeof memo['pullRequest'] === 'number');
}

/** What we know already, else what the host says: the merge may be noticed here first. */
async function mergeOf(
  host: GitHost,
  repository: Repository,
  { memo, data, finishedAt }: TaskState,
  signal: AbortSignal,
): Promise<unknown> {
  const known = data['mergeSha'] ?? memo['mergeSha'];
  if (known !== undefined || finishedAt !== undefined) return known;
  try {
    return (await host.readPullRequest(repository, Number(memo['pullRequest']), { signal })).mergeSha;
  } catch (error) {
    if (error instanceof AdapterError && error.reason === 'not-found') return undefined;
    throw error;
  }
}

function found({ triggered }: SequenceState, { id, memo }: TaskState): FoundRollback | undefined {
  if (!triggered) return undefined;
  const { sequence, revision } = triggered;
  const rollsBack = { sequence, revision, to: String(memo['good']), pullRequest: Number(memo['pullRequest']) };
  return { rollsBack, task: id };
}
