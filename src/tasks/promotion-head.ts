import type { GitHost, Repository } from '../adapters/git-hosts/git-host.ts';
import type { SequenceState } from '../engine/sequence.ts';
import type { Place } from '../events/application.ts';
import type { History, TaskInput } from './task.ts';

/** How many sequences of the next stage are looked through for the last promotion. */
const LOOK_BACK = 20;

/**
 * The revert commit that a stage's branch has had since the last promotion there; `undefined`: none. To Git such a
 * commit is newer than what it took back, so a change that was built on the failed one would arrive without its parts,
 * or not at all.
 */
export async function revertIn(history: History, place: Place): Promise<string | undefined> {
  const newestFirst = await history.sequences(place, new Date(0), LOOK_BACK);
  for (const state of newestFirst) {
    const merged = mergedRevert(state);
    if (merged !== undefined) return merged;
    if (state.triggered?.promotedBy) return undefined;
  }
  return undefined;
}

function mergedRevert({ tasks }: SequenceState): string | undefined {
  const task = tasks.findLast(({ name }) => name === 'rollback');
  const mergeSha = task?.data['mergeSha'] ?? task?.memo['mergeSha'];
  return typeof mergeSha === 'string' ? mergeSha : undefined;
}

/**
 * What the pull request of a promotion points at: the verified commit. After a revert in the next stage it is a commit
 * with exactly the files of the verified one, that follows the verified one and the revert: so Git takes the verified
 * files for the newer word.
 */
export async function promotedHead(
  input: TaskInput,
  host: GitHost,
  repository: Repository,
  { revision, headBranch, revert }: { revision: string; headBranch: string; revert: string | undefined },
): Promise<string> {
  if (revert === undefined || (await host.contains(repository, revision, revert, input))) return revision;
  const message = `Bring ${revision}\n\nIt has its files, whatever ${revert} took back.\n`;
  const wanted = {
    branch: headBranch,
    parents: [revision, revert],
    treeOf: revision,
    message,
    at: input.task.triggeredAt,
  };
  return input.effect('head-commit', () => host.createCommit(repository, wanted, input));
}
