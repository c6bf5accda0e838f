import type { BudgetObjective } from './budget-objective.ts';
import { THIRTY_DAYS_MS } from './error-budget.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A burn that lasts: it must be too fast over a long window and, to be still going on, over a short one. */
export interface BurnPair {
  factor: number;
  longMs: number;
  shortMs: number;
  /** What it means when it burns faster. */
  answer: 'deny' | 'needs-approval';
}

/** For 30 days, from the SRE workbook: 2 % of the budget in 1 h, 5 % in 6 h, 10 % in 1 d, 10 % in 3 d. */
const STANDARD: readonly BurnPair[] = [
  { factor: 14.4, longMs: HOUR, shortMs: 5 * MINUTE, answer: 'deny' },
  { factor: 6, longMs: 6 * HOUR, shortMs: 30 * MINUTE, answer: 'deny' },
  { factor: 3, longMs: DAY, shortMs: 2 * HOUR, answer: 'needs-approval' },
  { factor: 1, longMs: 3 * DAY, shortMs: 6 * HOUR, answer: 'needs-approval' },
];

/** Pyrra's own, for 28 days; it scales the windows to the length of the objective's, to full minutes. */
const PYRRA: readonly BurnPair[] = [
  { factor: 14, longMs: HOUR, shortMs: 5 * MINUTE, answer: 'deny' },
  { factor: 7, longMs: 6 * HOUR, shortMs: 30 * MINUTE, answer: 'deny' },
  { factor: 2, longMs: DAY, shortMs: 2 * HOUR, answer: 'needs-approval' },
  { factor: 1, longMs: 4 * DAY, shortMs: 6 * HOUR, answer: 'needs-approval' },
];

/**
 * The pairs that a budget is watched over. For another window than 30 days the shares of the budget
 * stay what they are: our windows (and Pyrra's) become longer or shorter, to full minutes; Sloth records
 * fixed windows, so there the factor changes (28 d: 13.44 over 1 h).
 */
export function burnPairs({ measure }: Pick<BudgetObjective, 'measure'>, windowMs: number): BurnPair[] {
  if (measure.kind === 'sloth') {
    return STANDARD.map((pair) => ({ ...pair, factor: round(pair.factor * (windowMs / THIRTY_DAYS_MS)) }));
  }
  const [pairs, ofMs] = measure.kind === 'pyrra' ? [PYRRA, 28 * DAY] : [STANDARD, THIRTY_DAYS_MS];
  const scaled = (ms: number) => Math.max(MINUTE, Math.round((ms * windowMs) / ofMs / MINUTE) * MINUTE);
  return pairs.map((pair) => ({ ...pair, longMs: scaled(pair.longMs), shortMs: scaled(pair.shortMs) }));
}

/** Every window of some pairs, each once, shortest first. */
export function windowsOf(pairs: readonly BurnPair[]): number[] {
  return [...new Set(pairs.flatMap(({ longMs, shortMs }) => [longMs, shortMs]))].sort((a, b) => a - b);
}

function round(value: number): number {
  return Number(value.toPrecision(12));
}
