import { changeRow } from '../answers/answer.ts';
import { answersText, wayText } from '../answers/answers-text.ts';
import { changeFacts } from '../answers/change-facts.ts';
import { evolve } from '../engine/sequence.ts';
import type { Blocker } from '../events/types.ts';
import type { ApprovalJudgement } from '../promotion/approval.ts';
import { waitsFor } from '../promotion/comment.ts';
import { firstClosed, type PromotionGate } from '../promotion/gate.ts';
import { rememberApproval } from './promotion-approval.ts';
import type { PromotionScene } from './promotion-scene.ts';

export interface PromotionAnswers {
  /** In one line, for a commit's status. */
  text: string;
  /** Who has to do what; empty: nobody. */
  who: string;
}

/**
 * What an open promotion waits for and who can unblock it, in the words of every page and list, for people at the Git
 * host. Nothing in it changes with time alone. `undefined`: it waits for nothing.
 */
export function promotionAnswers(
  scene: PromotionScene,
  gates: readonly PromotionGate[],
  approval: ApprovalJudgement,
): PromotionAnswers | undefined {
  const waiting = waitsFor(gates, approval);
  if (!waiting) return undefined;
  const { input, target } = scene;
  const now = input.now.toISOString();
  const kind = firstClosed(gates)?.blocker ?? 'review';
  const { sentence, until } = waiting;
  const blocker: Blocker = { kind, sentence, ...(until === undefined ? {} : { until }) };
  const others = input.task.memo['targets'];
  const memo = { targets: { ...(others as object), [target.to]: { ...scene.memo, ...rememberApproval(approval) } } };
  // As it will be once this look is over.
  const sequence = evolve(input.sequence, {
    name: 'task.waiting',
    at: now,
    data: { task: input.task.id, blocker, memo },
  });
  const facts = changeFacts({ id: input.triggered.context, rev: 0, sequences: [sequence] });
  const isMeant = ({ approval: asked, review }: (typeof facts.spots)[number]) =>
    (asked?.to ?? review?.to ?? target.to) === target.to;
  const row = changeRow({ ...facts, spots: facts.spots.filter(isMeant) }, { now });
  const who = row.unblock.map(wayText).filter((way) => way !== '');
  return { text: answersText(row), who: who.join('; ') };
}
