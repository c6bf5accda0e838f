import type { SequenceTriggered } from '../events/types.ts';
import { promotionTo } from './promotion-order.ts';
import type { SequenceState } from './sequence.ts';

/** How far the stages are that all have to verify a change before it goes on. */
export type Upstream =
  /** All of them have; this one opens the pull request. */
  | { kind: 'lead'; others: SequenceState[] }
  /** All of them have; another one opens it. */
  | { kind: 'follow'; leader: SequenceState }
  | { kind: 'wait'; sentence: string }
  /** It will never go on. */
  | { kind: 'stopped'; why: 'failed' | 'superseded'; sentence: string };

/**
 * Judges a change at a stage that several stages promote to. They verify the same change, known by its context, each in
 * its own time; whichever comes last opens the one pull request, and the others follow it.
 *
 * @param own the sequence that asks
 * @param later sequences of its own place that were triggered after it
 * @param others of the other stages all that is known, newest first
 */
export function judgeUpstream(
  own: SequenceState,
  to: string,
  later: readonly SequenceState[],
  others: ReadonlyMap<string, readonly SequenceState[]>,
): Upstream {
  const context = own.triggered?.context;
  const verified: SequenceState[] = [];
  const missing: string[] = [];
  for (const [stage, sequences] of others) {
    const same = sequences.find(({ triggered }) => triggered?.context === context && isDelivery(triggered ?? {}));
    if (same && promotionTo(same, to)) verified.push(same);
    else if (same?.finished) return stoppedIn(stage, same);
    else if (!same && isPassedBy(sequences, later)) return passedBy(stage);
    else missing.push(stage);
  }
  if (missing.length > 0) {
    const count = `${verified.length + 1} of ${others.size + 1}`;
    return { kind: 'wait', sentence: `waits for ${missing.join(', ')} to verify it (${count})` };
  }
  const leader = [own, ...verified].reduce((last, one) => (reached(one, to) > reached(last, to) ? one : last));
  return leader === own ? { kind: 'lead', others: verified } : { kind: 'follow', leader };
}

/** What was asked for afterwards and what takes back is no delivery of the change. */
function isDelivery({ rollsBack, asked }: Partial<SequenceTriggered>): boolean {
  return rollsBack === undefined && asked?.what !== 'rollback';
}

function stoppedIn(stage: string, { finished }: SequenceState): Upstream {
  if (finished?.reason === 'superseded') return passedBy(stage);
  const why = finished?.result === 'fail' ? 'it failed there' : 'it was not promoted from there';
  return { kind: 'stopped', why: 'failed', sentence: `${stage} does not let it go on: ${why}` };
}

function passedBy(stage: string): Upstream {
  return { kind: 'stopped', why: 'superseded', sentence: `${stage} went on to a newer change` };
}

/** A newer change of ours has arrived there, and this one never will. */
function isPassedBy(sequences: readonly SequenceState[], later: readonly SequenceState[]): boolean {
  const newer = new Set(later.map(({ triggered }) => triggered?.context));
  return sequences.some(({ triggered }) => newer.has(triggered?.context));
}

/** When it came so far, with the stage where two did in the same moment: all of them have to choose the same. */
function reached(state: SequenceState, to: string): string {
  return `${promotionTo(state, to)?.promotion.task.triggeredAt ?? ''} ${state.triggered?.place.stage ?? ''}`;
}
