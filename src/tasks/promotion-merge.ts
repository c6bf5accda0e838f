import type { PullRequest } from '../adapters/git-hosts/git-host.ts';
import { AdapterError } from '../base/adapter-error.ts';
import { clip } from '../base/clip.ts';
import type { JsonObject } from '../base/json.ts';
import type { Blocker } from '../events/types.ts';
import type { ApprovalJudgement } from '../promotion/approval.ts';
import { firstClosed } from '../promotion/gate.ts';
import { mergeMessage } from '../promotion/pull-request.ts';
import { judgeReviews } from './promotion-approval.ts';
import { handing, isHanding } from './promotion-handed-over.ts';
import { promotionIdentity } from './promotion-identity.ts';
import { gatesNow } from './promotion-override.ts';
import { remembered } from './promotion-people.ts';
import type { PromotionScene } from './promotion-scene.ts';

/** What the host refused is tried again after so long, also where nothing seems to have changed. */
const TRY_AGAIN_MS = 10 * 60_000;

export type Merging =
  /** Merged, or ended by somebody else meanwhile. */
  | { kind: 'ended'; pullRequest: PullRequest }
  | { kind: 'waits'; blocker: Blocker; memo: JsonObject }
  /** The host merges it when its own rules allow; not begun: it is asked at the next look, at once. */
  | { kind: 'withHost'; isBegun: boolean; blocker: Blocker; memo: JsonObject };

/**
 * Brings an approved promotion to its end, in the way that its policy names. Right before, everything is read and judged
 * again: whatever was pushed, held, withdrawn or closed meanwhile keeps it from being merged, and the host merges nothing
 * but the commit that was evaluated.
 */
export async function mergeApproved(scene: PromotionScene, number: number): Promise<Merging> {
  const { input, host, repository, target, step } = scene;
  const now = await host.readPullRequest(repository, number, input);
  if (now.state !== 'open') return { kind: 'ended', pullRequest: now };
  const moved = whyMoved(scene, now);
  if (moved !== undefined) return waits('conflict', moved);
  const sequence = (await scene.tools.history.sequence(input.triggered.sequence)) ?? input.sequence;
  if (sequence.abort || sequence.phase === 'finished') return waits('review', 'the change was ended meanwhile');
  const task = sequence.tasks.find(({ id }) => id === input.task.id) ?? input.task;
  const fresh = { ...scene, input: { ...input, sequence, task } };
  const gate = firstClosed(await gatesNow(fresh, now));
  if (gate) {
    const { blocker: kind, sentence, until } = gate;
    return { kind: 'waits', blocker: { kind, sentence, ...(until === undefined ? {} : { until }) }, memo: {} };
  }
  const approval = await judgeReviews(fresh, now, { fresh: true });
  if (approval.verdict !== 'approved') return waits('review', approval.sentence);
  const cannot = whyNotByUs(fresh, now, approval);
  if (cannot !== undefined) return waits('review', cannot);
  const refused = refusedBefore(scene, now);
  if (refused !== undefined) return waits('review', refused);
  const message = mergeMessage(promotionIdentity({ ...input.triggered, revision: scene.revision }, target.to), number);
  const how = { expectedHeadSha: scene.head, message, ...(step.method === undefined ? {} : { method: step.method }) };
  try {
    return step.merge === 'host'
      ? await handOver(scene, now, how)
      : await mergeHere(scene, number, { ...how, by: approval.approvers.join(', ') });
  } catch (error) {
    if (!(error instanceof AdapterError) || error.reason !== 'conflict') throw error;
    const { blockedBy = '' } = now;
    const sentence = blockedBy === '' ? error.message : `pull request ${number} is blocked: ${blockedBy}`;
    const memo = { refused: { blockedBy, at: input.now.toISOString() } };
    return waits(blockedBy === '' ? 'conflict' : 'review', sentence, memo);
  }
}

/** It is not what was evaluated, or does not go where it should. */
function whyMoved({ head, target }: PromotionScene, { number, headSha, baseBranch, fork, draft }: PullRequest) {
  if (headSha !== head) return `pull request ${number} no longer points at the evaluated commit`;
  if (baseBranch !== target.branch) return `pull request ${number} leads to ${baseBranch} instead of ${target.branch}`;
  if (fork) return `pull request ${number} comes from a fork, which is none of ours`;
  return draft ? `pull request ${number} was made a draft` : undefined;
}

function whyNotByUs(
  { step, host, input, target }: PromotionScene,
  { number }: PullRequest,
  approval: ApprovalJudgement,
) {
  const { mergeMethods = ['merge'], mergeWhenReady = false } = host.capabilities;
  const { merge = 'lynceus', method = 'merge' } = step;
  if (merge === 'host' && !mergeWhenReady) return `${host.name} merges nothing by itself: say "merge: lynceus"`;
  if (!mergeMethods.includes(method)) return `${host.name} has no "method: ${method}": ${mergeMethods.join(', ')}`;
  if (merge !== 'person') return undefined;
  // With us an approval is the wish to merge; at a host it is said in a comment.
  const wished = input.task.decisions.some(({ verdict, host: there }) =>
    there === undefined ? verdict === 'approve' : verdict === 'promote' && there.to === target.to,
  );
  return wished ? undefined : `${approval.sentence}: a person merges pull request ${number}`;
}

/** As long as the host says the same it would refuse the same. */
function refusedBefore(scene: PromotionScene, { number, blockedBy = '' }: PullRequest): string | undefined {
  const refused = remembered(scene, 'refused');
  const age = scene.input.now.getTime() - Date.parse(String(refused['at']));
  if (blockedBy === '' || refused['blockedBy'] !== blockedBy || !(age >= 0 && age < TRY_AGAIN_MS)) return undefined;
  return `pull request ${number} is blocked: ${blockedBy}`;
}

type How = Parameters<PromotionScene['host']['mergePullRequest']>[2];

async function mergeHere({ input, host, repository }: PromotionScene, number: number, how: How): Promise<Merging> {
  const pullRequest = await input.effect('merge', () => host.mergePullRequest(repository, number, how, input));
  return { kind: 'ended', pullRequest };
}

/** Once: from then on the host decides when. That we ask is remembered first, so that it can be taken back. */
async function handOver(
  scene: PromotionScene,
  { number, blockedBy }: PullRequest,
  how: Omit<How, 'by'>,
): Promise<Merging> {
  const { input, host, repository, memo, head } = scene;
  const waiting = `handed to ${host.name}, which merges pull request ${number} when its rules allow`;
  const sentence = blockedBy === undefined ? waiting : `${waiting}: ${blockedBy}`;
  const blocker = { kind: 'review' as const, sentence: clip(sentence) };
  if (memo['handedOver'] === head) return { kind: 'withHost', isBegun: true, blocker, memo: {} };
  if (!isHanding(scene)) return { kind: 'withHost', isBegun: false, blocker, memo: handing(head) };
  const handed = await input.effect('merge', async () => host.mergeWhenReady?.(repository, number, how, input));
  if (handed !== undefined && handed.state !== 'open') return { kind: 'ended', pullRequest: handed };
  return { kind: 'withHost', isBegun: true, blocker, memo: { handedOver: head } };
}

function waits(kind: Blocker['kind'], sentence: string, memo: JsonObject = {}): Merging {
  return { kind: 'waits', blocker: { kind, sentence: clip(sentence) }, memo };
}
