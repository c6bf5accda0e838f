import type { PullRequest } from '../adapters/git-hosts/git-host.ts';
import { clip } from '../base/clip.ts';
import type { JsonObject } from '../base/json.ts';
import { laterPromotion, numberOf, type PromotionOf } from '../engine/promotion-order.ts';
import { takenUpAt } from '../engine/promotion-retry.ts';
import { short } from '../engine/revisions.ts';
import type { PromotionScene } from './promotion-scene.ts';
import { BEGINNING, LOOK_BACK } from './promotion-turn.ts';
import { errored, fail, overtaken, pass, type TaskOutcome, waiting } from './task.ts';

/** A newer one that closes this is known by its number a moment later. */
const SOON_MS = 2_000;
/** Then somebody else closed it. */
const LONGEST_MS = 60_000;

export interface Rejection {
  by: string;
  reason: string;
}

/** What became of a pull request that is merged. */
export function merged({ target, head, memo }: PromotionScene, pullRequest: PullRequest): TaskOutcome {
  const { number, headSha, baseBranch, mergeSha = '' } = pullRequest;
  const data: JsonObject = { pullRequest: number, url: memo['url'] ?? '', to: target.to, mergeSha };
  if (headSha !== head) {
    return errored(`pull request ${number} was merged with ${short(headSha)}, which nobody evaluated`, data);
  }
  if (baseBranch !== target.branch) {
    return errored(`pull request ${number} was merged into ${clip(baseBranch)} instead of ${target.branch}`, {
      ...data,
      mergeSha: '',
    });
  }
  return pass(`promoted to ${target.to} by pull request ${number}${by(pullRequest)}`, data);
}

/**
 * What became of a pull request that is closed: rejected, replaced by a newer one, or closed by somebody, which can be
 * taken up again.
 *
 * @param newer the change whose pull request took its place, where one did
 */
export function closed(
  { input, target, memo }: PromotionScene,
  pullRequest: PullRequest,
  newer: PromotionOf | undefined,
  rejection?: Rejection,
): TaskOutcome {
  const { number } = pullRequest;
  const data: JsonObject = { pullRequest: number, url: memo['url'] ?? '', to: target.to };
  if (rejection) return fail(`rejected by ${rejection.by}: ${rejection.reason}`, data);
  // Who asks for changes in a review closes nothing.
  const begun = takenUpAt(input.task, memo);
  const earlier = input.task.decisions.find(
    ({ verdict, host, at }) => verdict === 'reject' && host === undefined && at > begun,
  );
  if (earlier) return fail(`rejected by ${earlier.actor}: ${earlier.reason}`, data);
  const since = String(memo['closedAt'] ?? input.now.toISOString());
  const isLate = input.now.getTime() - Date.parse(since) > LONGEST_MS;
  const replacedBy = newer && numberOf(newer.promotion);
  if (replacedBy !== undefined)
    return overtaken(`pull request ${number} made room for ${replacedBy}, a newer promotion`);
  if (!newer || isLate) return fail(`pull request ${number} was closed${by(pullRequest)}`, { ...data, closed: true });
  const sentence = `pull request ${number} was closed; a newer one may take its place`;
  return waiting({ kind: 'queue', sentence }, SOON_MS, { ...memo, closedAt: since });
}

/** Hosts do not say reliably who closed a pull request; our own history says whether we had a reason to. */
export async function replacedBy({ input, tools, step, target }: PromotionScene): Promise<PromotionOf | undefined> {
  if (step.order === 'queue') return undefined;
  const own = await tools.history.sequences(input.triggered.place, BEGINNING, LOOK_BACK);
  return laterPromotion(input.sequence, target.to, own);
}

function by({ endedBy }: PullRequest): string {
  return endedBy === undefined || endedBy === '' ? '' : ` by ${endedBy}`;
}
