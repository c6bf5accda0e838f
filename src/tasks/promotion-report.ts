import type { PullRequest } from '../adapters/git-hosts/git-host.ts';
import { AdapterError } from '../base/adapter-error.ts';
import { sha256 } from '../base/ids.ts';
import { isJsonObject, type JsonObject } from '../base/json.ts';
import { numberOf } from '../engine/promotion-order.ts';
import { worstResult } from '../engine/sequence.ts';
import type { ApprovalJudgement } from '../promotion/approval.ts';
import { type PromotionStanding, STATE_MARKER, stateComment } from '../promotion/comment.ts';
import type { PromotionGate } from '../promotion/gate.ts';
import { labelsOf, statusesOf } from '../promotion/statuses.ts';
import { promotionAnswers } from './promotion-answers.ts';
import type { PromotionScene } from './promotion-scene.ts';

/** What was written last, by its hash: the same is not written again. */
interface Reported {
  comment?: string;
  labels?: string;
  asked?: boolean;
  /** The commit that is marked, and its marks by name. */
  head?: string;
  marks?: Record<string, string>;
}

/**
 * Brings what people see of a pull request at its host up to date: one comment, a mark per gate on its head, its labels,
 * and once the groups that are asked for a review. Answers what is to be remembered of it, so that nothing is written
 * twice. A host that takes none of it now gets it at the next look: a promotion never waits for its report.
 */
export async function reportPromotion(
  scene: PromotionScene,
  pullRequest: PullRequest,
  gates: readonly PromotionGate[],
  approval: ApprovalJudgement,
): Promise<JsonObject> {
  const standing = standingOf(scene, gates, approval);
  const before = reportedIn(scene.memo);
  const report: Reported = {
    ...(await comment(scene, pullRequest, standing, before)),
    ...(await labels(scene, pullRequest, standing, before)),
    ...(await askForReviews(scene, pullRequest, standing, before)),
    ...(await marks(scene, pullRequest, standing, before)),
  };
  return { report: report as JsonObject };
}

function reportedIn({ report }: JsonObject): Reported {
  return isJsonObject(report) ? (report as Reported) : {};
}

function standingOf(
  scene: PromotionScene,
  gates: readonly PromotionGate[],
  approval: ApprovalJudgement,
): PromotionStanding {
  const { outcome, replacedBy, step } = scene;
  if (outcome?.kind !== 'finished') {
    const answers = promotionAnswers(scene, gates, approval);
    const open = { kind: 'open', gates, approval, merge: step.merge ?? 'lynceus' } as const;
    return answers === undefined ? open : { ...open, answers };
  }
  if (outcome.result === 'pass') return { kind: 'merged', message: outcome.message };
  if (outcome.status !== 'aborted' && !replacedBy) return { kind: 'closed', message: outcome.message };
  const number = replacedBy && numberOf(replacedBy);
  const url = replacedBy?.memo['url'];
  const by = { ...(number === undefined ? {} : { number }), ...(typeof url === 'string' ? { url } : {}) };
  return { kind: 'superseded', by };
}

async function comment(
  scene: PromotionScene,
  { number }: PullRequest,
  standing: PromotionStanding,
  before: Reported,
): Promise<Pick<Reported, 'comment'>> {
  const { input, host, repository } = scene;
  const { putComment } = host;
  if (!putComment) return {};
  const body = stateComment(standing, pageOf(scene));
  return written(scene, 'comment', sha256(body), before.comment, () =>
    putComment.call(host, repository, number, { marker: STATE_MARKER, body }, input),
  );
}

async function labels(
  scene: PromotionScene,
  { number }: PullRequest,
  standing: PromotionStanding,
  before: Reported,
): Promise<Pick<Reported, 'labels'>> {
  const { input, host, repository, target } = scene;
  const { changeLabels } = host;
  if (!changeLabels) return {};
  const verdict = worstResult(input.sequence) === 'warning' ? 'warning' : 'pass';
  const change = labelsOf(standing, { toStage: target.to, verdict });
  return written(scene, 'labels', sha256(change.add.join('\n')), before.labels, () =>
    changeLabels.call(host, repository, number, change, input),
  );
}

/** Groups only: people are known by their ids, which no host can be asked by. */
async function askForReviews(
  scene: PromotionScene,
  { number }: PullRequest,
  standing: PromotionStanding,
  before: Reported,
): Promise<Pick<Reported, 'asked'>> {
  const { input, host, repository, step } = scene;
  const { requestReviewers } = host;
  const groups = step.approval?.groups ?? [];
  if (before.asked) return { asked: true };
  if (!requestReviewers || groups.length === 0 || standing.kind !== 'open') return {};
  const done = await tried(scene, () => requestReviewers.call(host, repository, number, { users: [], groups }, input));
  return done ? { asked: true } : {};
}

async function marks(
  scene: PromotionScene,
  { headSha }: PullRequest,
  standing: PromotionStanding,
  before: Reported,
): Promise<Pick<Reported, 'head' | 'marks'>> {
  const { input, host, repository, target } = scene;
  const { setStatus } = host;
  if (!setStatus) return {};
  const known = before.head === headSha ? (before.marks ?? {}) : {};
  const now: Record<string, string> = { ...known };
  const shown = { toStage: target.to, url: pageOf(scene), marked: new Set(Object.keys(known)) };
  for (const status of statusesOf(standing, shown)) {
    const hash = sha256(`${status.state}\n${status.description}`).slice(0, 16);
    if (known[status.name] === hash) continue;
    if (await tried(scene, () => setStatus.call(host, repository, headSha, status, input))) now[status.name] = hash;
  }
  return { head: headSha, marks: now };
}

async function written<Key extends 'comment' | 'labels'>(
  scene: PromotionScene,
  key: Key,
  hash: string,
  before: string | undefined,
  write: () => Promise<unknown>,
): Promise<Partial<Record<Key, string>>> {
  const done = hash === before || (await tried(scene, write));
  const known = done ? hash : before;
  return known === undefined ? {} : ({ [key]: known } as Partial<Record<Key, string>>);
}

/** Whether it was written. What people see must not keep back what it is about. */
async function tried({ input }: PromotionScene, write: () => Promise<unknown>): Promise<boolean> {
  try {
    await input.effect('report', write);
    return true;
  } catch (error) {
    if (error instanceof AdapterError && error.reason !== 'cancelled') return false;
    throw error;
  }
}

function pageOf({ input, tools }: PromotionScene): string | undefined {
  return tools.linkTo(input.triggered.context);
}
