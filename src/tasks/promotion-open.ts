import type { Comparison, PullRequest } from '../adapters/git-hosts/git-host.ts';
import { clip } from '../base/clip.ts';
import type { JsonObject } from '../base/json.ts';
import { inGit } from '../engine/in-git.ts';
import { short } from '../engine/revisions.ts';
import type { SequenceState } from '../engine/sequence.ts';
import { promotionBranches, refPart } from '../promotion/branches.ts';
import { planPromotion } from '../promotion/pull-request.ts';
import { judgeReviews } from './promotion-approval.ts';
import { lookForDrift } from './promotion-drift.ts';
import { promotionEvidence } from './promotion-evidence.ts';
import { promotionIdentity } from './promotion-identity.ts';
import { type Proposal, proposalOf } from './promotion-proposal.ts';
import type { PromotionScene } from './promotion-scene.ts';
import type { Turn } from './promotion-turn.ts';
import { fail, overtaken, type TaskOutcome, waiting } from './task.ts';

/** What is remembered only until there is a pull request, or one with another commit. */
const UNTIL_OPEN: ReadonlySet<string> = new Set(['ready', 'follows', 'conflict', 'takes']);
/** Names that a sentence has room for. */
const MAX_NAMED = 3;

/**
 * Opens the pull request of a promotion, or has the one that is open point at what it has to bring now. Older ones of the
 * same service to the same stage make room: they are closed with a word that leads on to this one.
 */
export async function openPromotion(scene: PromotionScene, turn: Turn): Promise<TaskOutcome> {
  const { input, target, host, repository, revision } = scene;
  const identity = promotionIdentity({ ...input.triggered, revision }, target.to);
  const branches = promotionBranches(identity);
  const proposal = await proposalOf(scene, identity, branches.headBranch, turn.own);
  if ('kind' in proposal) return withoutPullRequest(scene, proposal);
  const differing = await sayDiffering(scene, turn.together);
  if (differing !== undefined) return fail(differing);
  const drift = await lookForDrift(scene, turn.own);
  const evidence = await promotionEvidence(scene, identity, { ...proposal, drift });
  const { title, body } = planPromotion(evidence, undefined, host.capabilities.longestBody);
  const wanted = { headBranch: branches.headBranch, headSha: proposal.head, baseBranch: target.branch, title, body };
  const pullRequest = await input.effect('pull-request', () => host.openPullRequest(repository, wanted, input));
  const room = await makeRoom(scene, pullRequest, branches.headPrefix, turn.own);
  if (room) return room;
  const memo = {
    ...memoOf(scene, pullRequest, proposal),
    ...(drift === undefined ? {} : { drift: drift as unknown as JsonObject }),
  };
  const { sentence } = await judgeReviews({ ...scene, head: proposal.head, memo }, pullRequest);
  return waiting({ kind: 'review', sentence }, 0, memo);
}

/** Somebody else brought the same while it was open. */
async function withoutPullRequest(scene: PromotionScene, outcome: TaskOutcome): Promise<TaskOutcome> {
  const { input, host, repository, memo } = scene;
  const { pullRequest: number } = memo;
  if (typeof number === 'number' && outcome.kind === 'finished') {
    const comment = `Closed: ${outcome.message}.`;
    await input.effect('close', () => host.closePullRequest(repository, number, comment, input));
  }
  return outcome;
}

/** What the next look has to know; what others remember stays. */
function memoOf(scene: PromotionScene, { number, url }: PullRequest, { head, memo }: Proposal): JsonObject {
  const { input, tools, host, repository, revision } = scene;
  const before: JsonObject = Object.fromEntries(Object.entries(scene.memo).filter(([key]) => !UNTIL_OPEN.has(key)));
  const chosen =
    revision === inGit(input.triggered).revision ? {} : { hydrated: { repoUrl: repository.url, revision } };
  const pointsAt = head === revision ? {} : { head };
  const isRenewed = before['pullRequest'] === number && scene.head !== head;
  return {
    ...before,
    reviews: host.capabilities.reviews,
    hostKind: host.kind,
    pullRequest: number,
    url: url ?? tools.linkTo(input.triggered.context) ?? '',
    ...pointsAt,
    ...(isRenewed ? { renewedAt: input.now.toISOString() } : {}),
    ...chosen,
    ...memo,
  };
}

/** One open promotion per service and stage. A newer one that opened in the same moment stays. */
async function makeRoom(
  { input, tools, target, host, repository, revision, step }: PromotionScene,
  opened: PullRequest,
  headPrefix: string,
  own: readonly SequenceState[],
): Promise<TaskOutcome | undefined> {
  const found = await host.findOpenPullRequests(repository, { headPrefix, baseBranch: target.branch }, input);
  const others = found.filter(({ number }) => number !== opened.number);
  const newer = others.find(({ headBranch }) => isOfLater(input.sequence, headBranch, headPrefix, own));
  const close = (number: number, comment: string) =>
    input.effect('close', () => host.closePullRequest(repository, number, comment, input));
  if (newer && step.order !== 'queue') {
    await close(opened.number, `Superseded by ${reference(newer)}, which brings a newer change.`);
    return overtaken(`pull request ${newer.number} brings a newer change to ${target.to}`);
  }
  const by = reference(opened, tools.linkTo(input.triggered.context));
  for (const old of others.filter((other) => other !== newer)) {
    await close(old.number, `Superseded by ${by}: ${short(revision)} was verified after this one and takes its place.`);
  }
  return undefined;
}

function isOfLater(
  { triggered }: SequenceState,
  headBranch: string,
  headPrefix: string,
  own: readonly SequenceState[],
): boolean {
  const later = own.filter((other) => (other.triggered?.at ?? '') > (triggered?.at ?? ''));
  const begins = later.map((other) => `${headPrefix}${refPart((other.triggered?.context ?? '').slice(0, 8))}-`);
  return begins.some((begin) => headBranch.startsWith(begin));
}

function reference({ number, url }: PullRequest, page?: string): string {
  const at = url ?? page;
  return `pull request ${number}${at === undefined ? '' : ` (${at})`}`;
}

/**
 * Stages that verify one change each have a merge commit of their own. The files must be the same: else what the one
 * verified would go on without what the other one did.
 */
async function sayDiffering(scene: PromotionScene, together: readonly SequenceState[]): Promise<string | undefined> {
  const { input, step, host, repository, revision, target } = scene;
  if (step.changes !== undefined || scene.memo['hydrated'] !== undefined) return undefined;
  for (const { triggered } of together) {
    if (!triggered) continue;
    const other = inGit(triggered).revision;
    if (other === revision) continue;
    const [there, here] = [
      await host.compare(repository, revision, other, input),
      await host.compare(repository, other, revision, input),
    ];
    if (there.totalFiles + here.totalFiles === 0) continue;
    const { stage } = input.triggered.place;
    return clip(
      `${triggered.place.stage} and ${stage} verified different files: ${sayFiles([there, here])}; not promoted to ${target.to}`,
      300,
    );
  }
  return undefined;
}

function sayFiles(found: readonly Comparison[]): string {
  const paths = [...new Set(found.flatMap(({ files }) => files.map(({ path }) => path)))];
  const named = paths.slice(0, MAX_NAMED).join(', ');
  return paths.length > MAX_NAMED ? `${named} and ${paths.length - MAX_NAMED} more` : named;
}
