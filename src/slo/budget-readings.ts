import type { BudgetObjective } from './budget-objective.ts';
import { isSliced, namesFor, type Span } from './budget-queries.ts';

/** Extrapolated rates put good above total by a hair; further outside of 0..1 it is no ratio. */
const RATIO_TOLERANCE = 0.01;

/** The answer to one of the queries, by its name. */
export type BudgetReading = { name: string; ok: true; value: number } | { name: string; ok: false; message: string };

/** The error ratio over one window, or why there is none. */
export type Measured =
  | { ok: true; errorRatio: number /** Only where they can be known. */; events?: number }
  | { ok: false; missing: string };

/** What the answers to `ratioQueries` say together. */
export function measuredOver(
  objective: BudgetObjective,
  windowMs: number,
  readings: readonly BudgetReading[],
): Measured {
  const names = namesFor(objective, windowMs);
  if (objective.measure.kind === 'counts' && !isSliced(objective)) return fromCounts(objective, names, readings);
  const [ratio, total] = [find(names.ratio, readings), find(names.total, readings)];
  if (!ratio.ok) {
    // 0/0 has no value, and with no events nothing went wrong.
    if (total.ok && total.value === 0) return { ok: true, errorRatio: 0, events: 0 };
    return { ok: false, missing: `${names.ratio}: ${ratio.message}` };
  }
  const successes = objective.measure.kind === 'ratio' && objective.measure.of === 'successes' && !isSliced(objective);
  const measured = toRatio(names.ratio, successes ? 1 - ratio.value : ratio.value);
  if (!measured.ok || objective.total === undefined) return measured;
  // Without the number of events the ratio still stands; it is only never softened.
  return total.ok && total.value >= 0 ? { ...measured, events: total.value } : measured;
}

/** Of all events expected in the window, the share that the elapsed part has seen: 1 for a rolling window. */
export function elapsedShare(
  objective: BudgetObjective,
  span: Span,
  whole: Measured,
  readings: readonly BudgetReading[],
): { ok: true; share: number; by: 'rolling' | 'time' | 'events' } | { ok: false; missing: string } {
  if (span.period === undefined) return { ok: true, share: 1, by: 'rolling' };
  const byTime = { ok: true, share: Math.min(1, span.elapsedMs / span.windowMs), by: 'time' } as const;
  if (isSliced(objective) || (objective.measure.kind !== 'counts' && objective.total === undefined)) return byTime;
  const { total: name } = namesFor(objective, span.windowMs);
  const expected = find(name, readings);
  if (!expected.ok) return { ok: false, missing: `${name}: ${expected.message}` };
  if (!whole.ok || whole.events === undefined) return byTime;
  // Without any event nothing can have been spent, whatever the share.
  return { ok: true, share: expected.value > 0 ? Math.min(1, whole.events / expected.value) : 1, by: 'events' };
}

function fromCounts(
  { measure }: BudgetObjective,
  names: ReturnType<typeof namesFor>,
  readings: readonly BudgetReading[],
): Measured {
  const ofGood = measure.kind === 'counts' && measure.bad === undefined;
  const name = ofGood ? names.good : names.bad;
  const [part, total] = [find(name, readings), find(names.total, readings)];
  if (!total.ok) return { ok: false, missing: `${names.total}: ${total.message}` };
  if (total.value < 0) return { ok: false, missing: `${names.total}: ${total.value} is not a number of events` };
  // Nobody asked for anything, so nothing went wrong; how few there were is judged elsewhere.
  if (total.value === 0) return { ok: true, errorRatio: 0, events: 0 };
  if (!part.ok) return { ok: false, missing: `${name}: ${part.message}${hint(ofGood)}` };
  const share = part.value / total.value;
  const ratio = toRatio(`${name} of all`, ofGood ? 1 - share : share);
  return ratio.ok ? { ...ratio, events: total.value } : ratio;
}

function hint(ofGood: boolean): string {
  return ofGood ? '' : ' (where a series only appears with the first error, add "or vector(0)")';
}

function toRatio(name: string, value: number): Measured {
  // Written so that NaN is refused too.
  if (!(value >= -RATIO_TOLERANCE && value <= 1 + RATIO_TOLERANCE)) {
    return { ok: false, missing: `${name}: ${value} is not an error ratio from 0 to 1` };
  }
  return { ok: true, errorRatio: Math.min(1, Math.max(0, value)) };
}

function find(
  name: string,
  readings: readonly BudgetReading[],
): { ok: true; value: number } | { ok: false; message: string } {
  return readings.find((each) => each.name === name) ?? { ok: false, message: 'it was not read' };
}
