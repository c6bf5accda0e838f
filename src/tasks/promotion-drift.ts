import type { CommitInfo } from '../adapters/git-hosts/git-host.ts';
import { type Drift, driftOf, type OurMerge } from '../engine/promotion-drift.ts';
import { lastMerged, mergeOf } from '../engine/promotion-order.ts';
import type { SequenceState } from '../engine/sequence.ts';
import type { PromotionScene } from './promotion-scene.ts';

/** Merges of other services since the last one, whose commits are looked up; where there are more, nothing is said. */
const MAX_OTHERS = 5;

/**
 * What reached a stage's branch since the last promotion of this service, and that neither a promotion nor a rollback of
 * ours brought. Before the first promotion nothing is known. Where changes are written as edits, the branch is also the
 * one that people write to, and nothing is said either.
 *
 * @param own sequences of the stage that promotes, newest first
 */
export async function lookForDrift(scene: PromotionScene, own: readonly SequenceState[]): Promise<Drift | undefined> {
  const { input, tools, step, target, host, repository, revision } = scene;
  const before = lastMerged(target.to, own);
  const since = before && mergeOf(before.promotion);
  if (since === undefined || step.changes !== undefined || scene.memo['hydrated'] !== undefined) return undefined;
  const arrived = await host.compare(repository, since, target.branch, input);
  if (arrived.totalCommits === 0) return undefined;
  const merges = (await tools.history.merges?.(input.triggered.place.project)) ?? [];
  const foreign = notOurs(arrived.commits, merges);
  if (foreign.length === 0) return undefined;
  const others = merges.filter(
    ({ mergeSha }) => mergeSha !== since && arrived.commits.some(({ sha }) => sha === mergeSha),
  );
  if (others.length > MAX_OTHERS) return undefined;
  const brought = new Set<string>();
  for (const head of [revision, ...others.map((other) => other.head)]) {
    const { commits } = await host.compare(repository, since, head, input);
    for (const { sha } of commits) brought.add(sha);
  }
  return driftOf(foreign.filter(({ sha }) => !brought.has(sha)));
}

function notOurs(commits: readonly CommitInfo[], merges: readonly OurMerge[]): CommitInfo[] {
  const ours = new Set(merges.flatMap(({ mergeSha, head }) => [mergeSha, head]));
  return commits.filter(({ sha }) => !ours.has(sha));
}
