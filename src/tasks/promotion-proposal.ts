import type { Comparison } from '../adapters/git-hosts/git-host.ts';
import { isJsonObject, type JsonObject } from '../base/json.ts';
import { inGit } from '../engine/in-git.ts';
import { lastMerged } from '../engine/promotion-order.ts';
import { short } from '../engine/revisions.ts';
import type { SequenceState } from '../engine/sequence.ts';
import { promotionBranches } from '../promotion/branches.ts';
import { shownDiff } from '../promotion/shown-diff.ts';
import type { PromotionIdentity } from '../promotion/trailers.ts';
import { contentOf, type PromotionContent } from './promotion-content.ts';
import { promotedHead, revertIn } from './promotion-head.ts';
import { promotionIdentity } from './promotion-identity.ts';
import type { PromotionScene } from './promotion-scene.ts';
import { pass, type TaskOutcome } from './task.ts';

/** What a pull request is to point at, and what it brings. */
export interface Proposal {
  head: string;
  /** For the memo of the target. */
  memo: JsonObject;
  /** The commits between what the stage has and what it gets. */
  brings: Comparison;
}

/**
 * What a promotion brings to its stage: the verified commit, or where delivery.yaml says so, edits of files. What is
 * there already needs no pull request.
 */
export function proposalOf(
  scene: PromotionScene,
  identity: PromotionIdentity,
  headBranch: string,
  own: readonly SequenceState[],
): Promise<Proposal | TaskOutcome> {
  const { changes } = scene.step;
  return changes === undefined ? theCommit(scene, headBranch) : theEdits(scene, { changes, identity, headBranch }, own);
}

async function theCommit(scene: PromotionScene, headBranch: string): Promise<Proposal | TaskOutcome> {
  const { input, tools, target, host, repository, revision } = scene;
  const { to, branch } = target;
  if (await host.contains(repository, branch, revision, input)) return pass(`${to} has ${short(revision)} already`);
  const brings = await host.compare(repository, branch, revision, { ...input, patches: true });
  const diff = shownDiff(brings) as unknown as JsonObject;
  const revert = await revertIn(tools.history, { ...input.triggered.place, stage: to });
  const taken = typeof scene.memo['taken'] === 'string' ? scene.memo['taken'] : undefined;
  const head = await promotedHead(input, host, repository, { revision, headBranch, revert, taken });
  return { head, brings, memo: revert === undefined ? { diff } : { diff, revert, head } };
}

type Edits = Pick<Parameters<typeof contentOf>[2], 'changes' | 'identity' | 'headBranch'>;

async function theEdits(
  scene: PromotionScene,
  edits: Edits,
  own: readonly SequenceState[],
): Promise<Proposal | TaskOutcome> {
  const { input, tools, target, host, repository, revision } = scene;
  const { to, branch } = target;
  const before = contentIn(scene.memo);
  const content = await contentOf(input, tools, { host, repository, ...edits, branch, before });
  if (content === 'nothing') return pass(`${to} has what ${short(revision)} brings already`);
  const earlier = lastMerged(to, own)?.state.triggered;
  const brings = await host.compare(repository, earlier ? inGit(earlier).revision : revision, revision, input);
  if (content === 'same') return { head: String(scene.memo['head']), brings, memo: {} };
  return { head: content.headSha, brings, memo: { head: content.headSha, content: content as unknown as JsonObject } };
}

/**
 * Whether the edits of an open promotion still are what has to be done, now that its branch may have moved. Only a head
 * that was not seen yet is looked at.
 */
export async function lookAtBase(scene: PromotionScene): Promise<{ isOutdated: boolean; memo: JsonObject }> {
  const { input, tools, step, target, host, repository, revision, memo } = scene;
  const { changes } = step;
  if (changes === undefined) return { isOutdated: false, memo };
  const base = await host.resolve(repository, target.branch, input);
  if (base === undefined || base === memo['seenBase']) return { isOutdated: false, memo };
  const identity = promotionIdentity({ ...input.triggered, revision }, target.to);
  const { headBranch } = promotionBranches(identity);
  const wish = { host, repository, changes, identity, branch: target.branch, headBranch, before: contentIn(memo) };
  const isOutdated = (await contentOf(input, tools, wish)) !== 'same';
  return { isOutdated, memo: isOutdated ? memo : { ...memo, seenBase: base } };
}

/** What edits a promotion was opened with. */
export function contentIn({ content }: JsonObject): PromotionContent | undefined {
  return isJsonObject(content) ? (content as unknown as PromotionContent) : undefined;
}
