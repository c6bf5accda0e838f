import type { Comparison } from '../adapters/git-hosts/git-host.ts';
import { isJsonObject } from '../base/json.ts';
import { DEFAULT_REVIEWS } from '../definitions/delivery-promotion-approval.ts';
import type { CheckAnswer } from '../engine/check.ts';
import { promotionPolicy } from '../engine/decide.ts';
import type { Drift } from '../engine/promotion-drift.ts';
import { finishedTask, type SequenceState, worstResult } from '../engine/sequence.ts';
import type { PromotionEvidence, Reviewers, StageOfStory } from '../promotion/promotion.ts';
import type { PromotionIdentity } from '../promotion/trailers.ts';
import { sensitiveKinds } from '../risk/signals.ts';
import type { Evaluation } from '../slo/evaluation.ts';
import { contentIn } from './promotion-proposal.ts';
import type { PromotionScene } from './promotion-scene.ts';

/**
 * Everything that a reviewer is told when the pull request is opened.
 *
 * @param memo of the target, as the proposal leaves it
 */
export async function promotionEvidence(
  scene: PromotionScene,
  identity: PromotionIdentity,
  { brings, memo, drift }: { brings: Comparison; memo: PromotionScene['memo']; drift: Drift | undefined },
): Promise<PromotionEvidence> {
  const { input, tools, step, host } = scene;
  const edits = contentIn(memo)?.edits;
  const link = tools.linkTo(identity.context);
  const story = (await tools.history.journey?.(identity.context)) ?? [];
  return {
    ...identity,
    ...verdictOf(input.sequence),
    commits: brings.commits,
    totalCommits: brings.totalCommits,
    files: brings.files,
    totalFiles: brings.totalFiles,
    sensitive: brings.files.map(({ path }) => path).filter((path) => sensitiveKinds([path]).length > 0),
    ...(edits === undefined ? {} : { edits }),
    ...(drift === undefined ? {} : { drift }),
    story: story.flatMap(stageOfStory),
    review: reviewersOf(scene),
    merge: step.merge ?? 'lynceus',
    commands: host.capabilities.comments === true && host.capabilities.people === true,
    ...(link === undefined ? {} : { link }),
  };
}

/** What the sequence has found. */
function verdictOf(sequence: SequenceState) {
  const evaluation = finishedTask(sequence, 'evaluation')?.data['evaluation'] as unknown as Evaluation | undefined;
  const answers = finishedTask(sequence, 'checks')?.data['answers'] ?? [];
  const reports = finishedTask(sequence, 'test')?.data['reports'] ?? [];
  return {
    verdict: worstResult(sequence) === 'warning' ? ('warning' as const) : ('pass' as const),
    ...(sequence.override ? { override: sequence.override } : {}),
    ...(evaluation === undefined ? {} : { evaluation }),
    checks: answers as unknown as CheckAnswer[],
    tests: reports as unknown as PromotionEvidence['tests'],
  };
}

function stageOfStory(state: SequenceState): StageOfStory[] {
  const { triggered, finished } = state;
  if (!triggered) return [];
  const evaluation = finishedTask(state, 'evaluation')?.data['evaluation'];
  const score = isJsonObject(evaluation) ? evaluation['score'] : undefined;
  // It ends for its stage when it is verified; waiting for the next one's review is not its time.
  const ended = state.tasks.find(({ name }) => name === 'promotion')?.triggeredAt ?? finished?.at;
  const approvedBy = state.tasks
    .filter(({ name }) => name === 'approval')
    .flatMap(({ decisions }) => decisions.filter(({ verdict }) => verdict === 'approve').map(({ actor }) => actor));
  return [
    {
      stage: triggered.place.stage,
      result: finished?.reason === 'superseded' ? 'superseded' : worstResult(state),
      ...(typeof score === 'number' ? { score } : {}),
      startedAt: triggered.at,
      ...(ended === undefined ? {} : { endedAt: ended }),
      approvedBy: [...new Set(approvedBy)],
    },
  ];
}

/** As `judgeReviews` will have it. */
function reviewersOf({ input, step, host }: PromotionScene): Reviewers {
  const { approval } = step;
  if (approval === undefined && promotionPolicy(input.sequence, step) === 'automatic') return { kind: 'policy' };
  const { quorum, groups, people, authors, expiresAfterMs } = approval ?? DEFAULT_REVIEWS;
  if (host.capabilities.reviews === 'lynceus') return { kind: 'here', quorum };
  return { kind: 'host', quorum, groups, people: people.length, authors, expiresAfterMs };
}
