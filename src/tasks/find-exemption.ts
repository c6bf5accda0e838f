import { AdapterError } from '../base/adapter-error.ts';
import type { ErrorBudgetPolicy } from '../definitions/delivery-budget.ts';
import { inGit } from '../engine/in-git.ts';
import { claimedExemption, type Exemption } from '../slo/budget-exemption.ts';
import type { TaskInput, TaskTools } from './task.ts';

/**
 * Whether a change is exempt from the error budget, and who says so. A rollback is seen by ourselves:
 * the commit is contained in what runs already. Everything else is what its commits say. A Git host
 * that cannot be asked exempts nothing.
 */
export async function findExemption(
  { triggered, signal }: TaskInput,
  tools: TaskTools,
  { exempt: allowed = [] }: ErrorBudgetPolicy,
): Promise<Exemption | undefined> {
  const { repository, previousRevision, revision } = inGit(triggered);
  if (allowed.length === 0 || previousRevision === undefined || previousRevision === revision) return undefined;
  try {
    const host = tools.gitHost(repository);
    if (!host) return undefined;
    if (allowed.includes('rollback') && (await host.contains(repository, previousRevision, revision, { signal })))
      return { kind: 'rollback', by: `${revision.slice(0, 8)} is part of what runs already`, seen: true };
    const { commits, totalCommits } = await host.compare(repository, previousRevision, revision, { signal });
    const head = commits.find(({ sha }) => sha === revision);
    return claimedExemption(
      {
        subjects: commits.map(({ subject }) => subject),
        complete: commits.length === totalCommits,
        message: await host.commitMessage(repository, revision, { signal }),
        author: head?.author ?? 'somebody',
      },
      allowed,
    );
  } catch (error) {
    if (error instanceof AdapterError && error.reason !== 'cancelled') return undefined;
    throw error;
  }
}
