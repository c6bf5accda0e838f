import type { PullRequest } from '../adapters/git-hosts/git-host.ts';
import type { JsonObject } from '../base/json.ts';
import {
  CONFLICT_MARKER,
  type Collision,
  conflictComment,
  conflictIn,
  conflictSolved,
  sayCollision,
} from '../promotion/conflict.ts';
import type { PromotionScene } from './promotion-scene.ts';

/** What became of a collision; `memo` is the whole one of the target from now on. */
export type Settled =
  | { kind: 'none' | 'explained'; memo: JsonObject }
  /** Policy lets the verified files win over this commit of the branch. */
  | { kind: 'take'; base: string };

/**
 * Looks whether an open promotion collides with its branch: by what the host says, or because a merge was refused. It is
 * explained once, in a comment, until one of the two sides moves.
 *
 * @param refused the host has just refused to merge it
 */
export async function settleConflict(
  scene: PromotionScene,
  { number, headSha, mergeable }: PullRequest,
  refused = false,
): Promise<Settled> {
  const { input, host, repository, target, memo, step } = scene;
  const known = conflictIn(memo);
  const suspected = refused || mergeable === false;
  if (!suspected && (!known || mergeable === true)) return solved(scene, number);
  const base = await host.resolve(repository, target.branch, input);
  if (base === undefined) return { kind: 'none', memo };
  if (known?.head === headSha && known.base === base) return { kind: 'explained', memo };
  if (!suspected) return solved(scene, number);
  const collision = await lookForCollision(scene, headSha);
  // Refused for a reason that passes: somebody else merged in the same moment.
  if (collision.totalFiles === 0 && mergeable !== false) return { kind: 'none', memo };
  if (step.conflicts === 'takeVerified' && step.changes === undefined) return { kind: 'take', base };
  await comment(scene, number, conflictComment(collision));
  return { kind: 'explained', memo: { ...memo, conflict: { head: headSha, base, sentence: sayCollision(collision) } } };
}

async function solved(scene: PromotionScene, number: number): Promise<Settled> {
  const { conflict, ...memo } = scene.memo;
  if (conflict !== undefined) await comment(scene, number, conflictSolved(scene.target.branch));
  return { kind: 'none', memo };
}

async function comment({ input, host, repository }: PromotionScene, number: number, body: string): Promise<void> {
  const { putComment } = host;
  if (putComment === undefined) return;
  const text = { marker: CONFLICT_MARKER, body };
  await input.effect('comment', () => putComment.call(host, repository, number, text, input));
}

/** What both sides have changed since their histories parted. */
async function lookForCollision(scene: PromotionScene, head: string): Promise<Collision> {
  const { input, host, repository, target } = scene;
  const there = await host.compare(repository, head, target.branch, input);
  const here = await host.compare(repository, target.branch, head, input);
  const ours = new Set(here.files.map(({ path }) => path));
  const files = there.files.map(({ path }) => path).filter((path) => ours.has(path));
  const { commits, totalCommits } = there;
  return { branch: target.branch, stage: target.to, files, totalFiles: files.length, commits, totalCommits };
}
