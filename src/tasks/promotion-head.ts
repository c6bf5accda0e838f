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
 * What the pull request of a promotion points at: the verified commit. After a revert in the next stage, and where the
 * verified files are to win over what collides with them, it is a commit with exactly the files of the verified one that
 * follows both: so Git takes the verified files for the newer word.
 */
export async function promotedHead(
  input: TaskInput,
  host: GitHost,
  repository: Repository,
  wish: { revision: string; headBranch: string; revert: string | undefined; taken?: string | undefined },
): Promise<string> {
  const { revision, headBranch, revert, taken } = wish;
  const over: string[] = [];
  for (const commit of [revert, taken]) {
    if (commit !== undefined && !(await host.contains(repository, revision, commit, input))) over.push(commit);
  }
  if (over.length === 0) return revision;
  const message = `Bring ${revision}\n\nIt has its files, whatever ${sayOver(revert, taken)}.\n`;
  const wanted = {
    branch: headBranch,
    parents: [revision, ...over],
    treeOf: revision,
    message,
    at: input.task.triggeredAt,
  };
  return input.effect('head-commit', () => host.createCommit(repository, wanted, input));
}

function sayOver(revert: string | undefined, taken: string | undefined): string {
  return taken === undefined ? `${revert} took back` : `${taken} has`;
}
