import type { JsonObject } from '../base/json.ts';
import { type BudgetObjective, sayMethod } from './budget-objective.ts';
import { isSliced, type Span } from './budget-queries.ts';
import { type BudgetReading, elapsedShare, type Measured, measuredOver } from './budget-readings.ts';
import { wilsonLowerBound } from './budget-wilson.ts';
import { bucketOf, burnRate, exhaustedInMs, remainingBudget } from './error-budget.ts';

export interface Burn {
  windowMs: number;
  rate: number;
  /** What the rate is at least, as few events as there were; the rate itself where they are not counted. */
  atLeast: number;
  events?: number;
}

/** Everything that is known of one objective's budget at a moment. */
export interface BudgetFigures {
  /** Its name; empty when it has none. */
  objective: string;
  method: string;
  target: number;
  windowMs: number;
  /** Of a calendar window, ISO 8601. */
  period?: { start: string; end: string };
  /** Over what has passed of the window; this and what follows from it is absent when it is not known. */
  errorRatio?: number;
  events?: number;
  remaining?: number;
  /** What may be left at best, as few events as there were. */
  remainingAtBest?: number;
  /** Shortest window first; only those that are known. */
  burns: Burn[];
  /** Why windows are not known. */
  missing: { windowMs: number; message: string }[];
  /** At the pace of the last hour (or the window next to it), in milliseconds. */
  exhaustedInMs?: number;
  weight?: number;
}

/** The pace for the time to exhaustion is that of the known window nearest to this. */
const PACE_MS = 3_600_000;

/**
 * The figures of one objective from what was read.
 *
 * @param confidence of the statements on few events, such as 0.95
 */
export function budgetFigures(
  objective: BudgetObjective,
  span: Span,
  burnWindows: readonly number[],
  readings: readonly BudgetReading[],
  confidence: number,
): BudgetFigures {
  const whole = measuredOver(objective, span.elapsedMs, readings);
  const share = elapsedShare(objective, span, whole, readings);
  const atLeast = (measured: Measured & { ok: true }) =>
    measured.events === undefined || isSliced(objective)
      ? measured.errorRatio
      : wilsonLowerBound(measured.errorRatio, measured.events, confidence);
  const burns: Burn[] = [];
  const missing: BudgetFigures['missing'] = [];
  if (!whole.ok) missing.push({ windowMs: span.windowMs, message: whole.missing });
  else if (!share.ok) missing.push({ windowMs: span.windowMs, message: share.missing });
  for (const windowMs of burnWindows) {
    const measured = measuredOver(objective, windowMs, readings);
    if (!measured.ok) missing.push({ windowMs, message: measured.missing });
    else
      burns.push({
        windowMs,
        rate: burnRate(objective.target, measured.errorRatio),
        atLeast: burnRate(objective.target, atLeast(measured)),
        ...(measured.events === undefined ? {} : { events: measured.events }),
      });
  }
  const known = whole.ok && share.ok;
  const remaining = known ? remainingBudget(objective.target, whole.errorRatio, share.share) : undefined;
  const exhausted = remaining === undefined ? undefined : exhaustedInMs(remaining, paceOf(burns) ?? 0, span.windowMs);
  return {
    objective: objective.name,
    method: sayMethod(objective),
    target: objective.target,
    windowMs: span.windowMs,
    ...(span.period === undefined ? {} : { period: span.period }),
    ...(whole.ok ? { errorRatio: whole.errorRatio } : {}),
    ...(whole.ok && whole.events !== undefined ? { events: whole.events } : {}),
    ...(remaining === undefined ? {} : { remaining }),
    ...(known ? { remainingAtBest: remainingBudget(objective.target, atLeast(whole), share.share) } : {}),
    burns,
    missing,
    ...(exhausted === undefined ? {} : { exhaustedInMs: exhausted }),
    ...(objective.weight === undefined ? {} : { weight: objective.weight }),
  };
}

/**
 * One budget out of several objectives: their shares left and their burn rates, weighted. What one of
 * them does not know, the whole does not know.
 */
export function compositeFigures(parts: readonly BudgetFigures[]): BudgetFigures {
  const [first] = parts;
  if (first === undefined) throw new RangeError('a composite objective has at least one part');
  const sum = parts.reduce((total, { weight = 1 }) => total + weight, 0);
  const mean = (of: (part: BudgetFigures) => number | undefined): number | undefined => {
    const values = parts.map(of);
    if (values.some((value) => value === undefined)) return undefined;
    return parts.reduce((total, { weight = 1 }, at) => total + (weight * (values[at] ?? 0)) / sum, 0);
  };
  const burnOf = (part: BudgetFigures, windowMs: number) => part.burns.find((burn) => burn.windowMs === windowMs);
  const burns = first.burns.flatMap(({ windowMs }) => {
    const rate = mean((part) => burnOf(part, windowMs)?.rate);
    const atLeast = mean((part) => burnOf(part, windowMs)?.atLeast);
    return rate === undefined || atLeast === undefined ? [] : [{ windowMs, rate, atLeast }];
  });
  const [remaining, atBest] = [mean((part) => part.remaining), mean((part) => part.remainingAtBest)];
  const exhausted = remaining === undefined ? undefined : exhaustedInMs(remaining, paceOf(burns) ?? 0, first.windowMs);
  return {
    objective: '',
    method: `composite of ${parts.length} objectives, ${[...new Set(parts.map(({ method }) => method))].join(' and ')}`,
    target: mean(({ target }) => target) ?? first.target,
    windowMs: first.windowMs,
    ...(first.period === undefined ? {} : { period: first.period }),
    ...(remaining === undefined ? {} : { remaining }),
    ...(atBest === undefined ? {} : { remainingAtBest: atBest }),
    burns,
    missing: parts.flatMap(({ missing }) => missing),
    ...(exhausted === undefined ? {} : { exhaustedInMs: exhausted }),
  };
}

/** As the evidence of a change carries them. */
export function figuresToJson(figures: BudgetFigures): JsonObject {
  const { burns, missing, remaining, objective, weight, ...rest } = figures;
  return {
    ...(objective === '' ? {} : { objective }),
    ...JSON.parse(JSON.stringify(rest)),
    errorRatio: rest.errorRatio ?? null,
    remaining: remaining ?? null,
    bucket: remaining === undefined ? null : bucketOf(remaining),
    burnRates: burns.map((burn) => ({ ...burn })),
    // Old errors leave a rolling window, so this is a warning of the earliest time, not a forecast.
    exhaustedInMs: rest.exhaustedInMs ?? null,
    missing: missing.map(({ message }) => message),
    ...(weight === undefined ? {} : { weight }),
  };
}

function paceOf(burns: readonly Burn[]): number | undefined {
  const distance = ({ windowMs }: Burn) => Math.abs(Math.log(windowMs / PACE_MS));
  return [...burns].sort((a, b) => distance(a) - distance(b))[0]?.rate;
}
