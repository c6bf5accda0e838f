import type { GitHost, Repository } from '../adapters/git-hosts/git-host.ts';
import { finishedTask } from '../engine/sequence.ts';
import type { SequenceTriggered } from '../events/types.ts';
import type { Revert } from '../promotion/revert.ts';
import type { Evaluation } from '../slo/evaluation.ts';
import type { TaskInput, TaskTools } from './task.ts';

/** One look at one rollback by pull request, with everything that it is about. */
export interface RevertScene {
  input: TaskInput;
  tools: TaskTools;
  good: SequenceTriggered;
  host: GitHost;
  repository: Repository;
  /** The commits in Git that failed and that were good. */
  bad: string;
  back: string;
}

/** Where the revert goes. */
export function branchOf({ input }: RevertScene): string {
  return String(input.task.memo['branch'] ?? '');
}

/** What the texts of the pull request and its merge are about. */
export function revertIdentity(scene: RevertScene): Omit<Revert, 'commits' | 'totalCommits'> {
  const { input, tools, bad, back } = scene;
  const { place, context, sequence } = input.triggered;
  const failed = input.sequence.tasks.findLast(({ name, result }) => name !== 'rollback' && result === 'fail');
  const evaluation = finishedTask(input.sequence, 'evaluation')?.data['evaluation'] as unknown as
    | Evaluation
    | undefined;
  const link = tools.linkTo(context);
  const { asked } = input.triggered;
  return {
    ...place,
    context,
    sequence,
    failed: bad,
    good: back,
    ...(asked
      ? { why: `asked for by ${asked.actor}: ${asked.reason}`, asked: true }
      : { why: `${failed?.name ?? 'a check'}: ${failed?.message ?? 'it failed'}` }),
    branch: branchOf(scene),
    ...(evaluation === undefined ? {} : { evaluation }),
    ...(link === undefined ? {} : { link }),
  };
}
