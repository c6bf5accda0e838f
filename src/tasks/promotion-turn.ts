import type { JsonObject } from '../base/json.ts';
import type { PromotionTarget } from '../engine/plan.ts';
import type { PromotionStep } from '../engine/promotion.ts';
import {
  laterPromotion,
  mergeOf,
  numberOf,
  type PromotionOf,
  promotionTo,
  waitsBehind,
} from '../engine/promotion-order.ts';
import { judgeUpstream } from '../engine/promotion-upstream.ts';
import type { SequenceState } from '../engine/sequence.ts';
import { fail, overtaken, type TaskInput, type TaskOutcome, type TaskTools, waiting } from './task.ts';

/** How many sequences of a stage are looked through for others on the same way. */
export const LOOK_BACK = 50;
export const BEGINNING: Date = new Date(0);
/** Whoever it waits for has it look when something became of that. */
const TURN_MS = 60_000;

export interface Way {
  step: PromotionStep;
  target: PromotionTarget;
  memo: JsonObject;
}

/** What is known of a change's neighbours once it may have its pull request. */
export interface Turn {
  kind: 'turn';
  /** Sequences of its own stage, newest first. */
  own: readonly SequenceState[];
  /** Of the other stages that had to verify the same change. */
  together: readonly SequenceState[];
}

/**
 * Whether a change may have its pull request now: no newer one has, every stage that must verify it has, and where
 * promotions go one after the other, it is its turn. Asks nobody outside.
 */
export async function itsTurn(input: TaskInput, tools: TaskTools, way: Way): Promise<Turn | TaskOutcome> {
  const { step, target } = way;
  const { place } = input.triggered;
  const { to } = target;
  const own = await tools.history.sequences(place, BEGINNING, LOOK_BACK);
  const later = laterPromotion(input.sequence, to, own);
  if (later && isAhead(later)) {
    const number = numberOf(later.promotion);
    if (step.order !== 'queue') return overtaken(`pull request ${number} brings a newer change to ${to}`);
    // Taken up again, it waits for what came in between.
    if (later.promotion.outcome === undefined) return ready(way, `pull request ${number} to ${to} comes first`);
  }
  const together = await verifiedTogether(input, tools, way, own);
  if ('kind' in together) return together;
  if (step.order === 'queue') {
    const there = { ...place, stage: to };
    const deploys = (await tools.history.applications(there)).length > 0;
    const arrived = deploys ? await tools.history.sequences(there, BEGINNING, LOOK_BACK) : undefined;
    // Behind a long queue, those before this one are none of the newest.
    const before = await tools.history.sequences(place, BEGINNING, LOOK_BACK, input.sequence.triggered?.at);
    const behind = waitsBehind(input.sequence, to, before, arrived);
    if (behind !== undefined) return ready(way, behind);
  }
  return { kind: 'turn', own, together };
}

/** It is open, or merged: one that somebody closed is in nobody's way. */
function isAhead({ promotion }: PromotionOf): boolean {
  return numberOf(promotion) !== undefined && (promotion.outcome === undefined || mergeOf(promotion) !== undefined);
}

async function verifiedTogether(
  { sequence, triggered }: TaskInput,
  tools: TaskTools,
  way: Way,
  own: readonly SequenceState[],
): Promise<readonly SequenceState[] | TaskOutcome> {
  const { to, from = [] } = way.target;
  const stages = from.filter((stage) => stage !== triggered.place.stage);
  if (stages.length === 0) return [];
  const others = new Map<string, SequenceState[]>();
  for (const stage of stages) {
    others.set(stage, await tools.history.sequences({ ...triggered.place, stage }, BEGINNING, LOOK_BACK));
  }
  const since = sequence.triggered?.at ?? '';
  const later = own.filter((other) => (other.triggered?.at ?? '') > since);
  const upstream = judgeUpstream(sequence, to, later, others);
  switch (upstream.kind) {
    case 'lead':
      return upstream.others;
    case 'follow':
      return followLeader(upstream.leader, way);
    case 'wait':
      return ready(way, upstream.sentence);
    case 'stopped':
      return upstream.why === 'superseded' ? overtaken(upstream.sentence) : fail(upstream.sentence);
  }
}

/** It ends as the one pull request ends, whoever opened it. */
function followLeader(leader: SequenceState, way: Way): TaskOutcome {
  const stage = leader.triggered?.place.stage ?? 'another stage';
  const promotion = promotionTo(leader, way.target.to)?.promotion;
  if (promotion?.outcome) {
    const { status, result, message, data } = promotion.outcome;
    return { kind: 'finished', status, result, message: `${message} (by way of ${stage})`, data };
  }
  const number = promotion && numberOf(promotion);
  const url = promotion?.memo['url'];
  const follows = { ...(number === undefined ? {} : { follows: number }), ...(url === undefined ? {} : { url }) };
  const what = number === undefined ? 'the pull request' : `pull request ${number}`;
  const memo = { ...way.memo, ...follows };
  return ready({ ...way, memo }, `${what} to ${way.target.to} is followed in ${stage}`);
}

/** What was verified stays so while it waits for others, whatever is deployed meanwhile. */
function ready({ memo }: Way, sentence: string): TaskOutcome {
  return waiting({ kind: 'queue', sentence }, TURN_MS, { ...memo, ready: true });
}
