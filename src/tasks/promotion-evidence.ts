import type { CommitInfo } from '../adapters/git-hosts/git-host.ts';
import type { CheckAnswer } from '../engine/check.ts';
import { finishedTask, type SequenceState, worstResult } from '../engine/sequence.ts';
import type { SequenceTriggered } from '../events/types.ts';
import type { PromotionEvidence } from '../promotion/promotion.ts';
import type { Evaluation } from '../slo/evaluation.ts';

/** Which change goes from where to where: what a promotion's texts and trailers name. */
export function promotionIdentity({ place, context, revision }: SequenceTriggered, toStage: string) {
  return { project: place.project, service: place.service, fromStage: place.stage, toStage, context, revision };
}

/** What a reviewer is told, out of what the sequence has found. */
export function promotionEvidence(
  sequence: SequenceState,
  identity: ReturnType<typeof promotionIdentity>,
  brings: { commits: CommitInfo[]; totalCommits: number },
  link: string | undefined,
): PromotionEvidence {
  const evaluation = finishedTask(sequence, 'evaluation')?.data['evaluation'] as unknown as Evaluation | undefined;
  const answers = finishedTask(sequence, 'checks')?.data['answers'] ?? [];
  const reports = finishedTask(sequence, 'test')?.data['reports'] ?? [];
  return {
    ...identity,
    verdict: worstResult(sequence) === 'warning' ? 'warning' : 'pass',
    ...(sequence.override ? { override: sequence.override } : {}),
    ...(evaluation === undefined ? {} : { evaluation }),
    checks: answers as unknown as CheckAnswer[],
    tests: reports as unknown as PromotionEvidence['tests'],
    commits: brings.commits,
    totalCommits: brings.totalCommits,
    ...(link === undefined ? {} : { link }),
  };
}
