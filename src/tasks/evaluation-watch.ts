import type { WatchPolicy } from '../definitions/delivery.ts';
import type { Evaluation } from '../slo/evaluation.ts';
import type { Period } from './evaluation-question.ts';

/** One step that was judged. */
export interface WatchedStep extends Period {
  result: Evaluation['result'];
  score: number;
  message: string;
}

/** What is to be done next while a change is watched. */
export type WatchMove =
  /** The metrics of a step are there at this moment, in milliseconds since 1970. */
  | { kind: 'wait'; untilMs: number; sentence: string }
  | { kind: 'step'; period: Period }
  /** So many failing steps in a row: nothing more is waited for. */
  | { kind: 'failed'; step: WatchedStep; sentence: string }
  /** All steps are behind us: the verdict covers the whole period. */
  | { kind: 'whole'; period: Period };

/** How many steps a period is watched in; the last one may be shorter. */
export function stepCount({ forMs, everyMs }: WatchPolicy): number {
  return Math.max(1, Math.ceil(forMs / everyMs));
}

/**
 * The next move, from what was judged so far: after a restart or an outage the steps that were missed are
 * judged one after the other, each over its own period.
 */
export function nextMove(
  policy: WatchPolicy,
  startMs: number,
  done: readonly WatchedStep[],
  nowMs: number,
  delayMs: number,
): WatchMove {
  const total = stepCount(policy);
  const last = done.at(-1);
  const failing = done.length - 1 - done.findLastIndex(({ result }) => result !== 'fail');
  if (last && failing >= policy.failures) {
    const row = policy.failures > 1 ? ` and the ${policy.failures - 1} before it` : '';
    return { kind: 'failed', step: last, sentence: `step ${done.length} of ${total}${row} failed: ${last.message}` };
  }
  if (done.length >= total) return { kind: 'whole', period: periodOf(startMs, startMs + policy.forMs) };
  const from = startMs + done.length * policy.everyMs;
  const to = Math.min(from + policy.everyMs, startMs + policy.forMs);
  if (nowMs >= to + delayMs) return { kind: 'step', period: periodOf(from, to) };
  const soFar = last === undefined ? '' : `, so far ${worst(done)}`;
  return { kind: 'wait', untilMs: to + delayMs, sentence: `watching, step ${done.length + 1} of ${total}${soFar}` };
}

function worst(done: readonly WatchedStep[]): Evaluation['result'] {
  const results = done.map(({ result }) => result);
  return (['fail', 'warning'] as const).find((result) => results.includes(result)) ?? 'pass';
}

function periodOf(startMs: number, endMs: number): Period {
  return { start: new Date(startMs).toISOString(), end: new Date(endMs).toISOString() };
}
