import type { ErrorBudgetPolicy } from '../definitions/delivery-budget.ts';
import { budgetFigures } from './budget-figures.ts';
import type { BudgetDocument, BudgetObjective } from './budget-objective.ts';
import { type BurnPair, burnPairs, windowsOf } from './budget-pairs.ts';
import type { JudgedBudget } from './budget-policy.ts';
import { type BudgetQuery, isSliced, ratioQueries, spanOf, totalQueries } from './budget-queries.ts';
import type { BudgetReading } from './budget-readings.ts';
import type { Recorded } from './budget-recorded.ts';

/** How sure a denial on few events must be. */
export const DEFAULT_CONFIDENCE = 0.95;

/** Recording rules that the policy prefers, if it names some. */
export function recordedOf({ sloth, pyrra }: ErrorBudgetPolicy): Recorded | undefined {
  if (sloth !== undefined) return { kind: 'sloth', id: sloth };
  return pyrra === undefined ? undefined : { kind: 'pyrra', labels: pyrra };
}

/** The objectives that the policy states itself, or that its OpenSLO file holds; none with recorded ones alone. */
export function objectivesOf(policy: ErrorBudgetPolicy): BudgetObjective[] {
  const { objectives, errorRatio, target, windowMs, total } = policy;
  if (objectives !== undefined) return objectives;
  if (errorRatio === undefined || target === undefined || windowMs === undefined) return [];
  return [
    {
      name: '',
      target,
      window: { kind: 'rolling', ms: windowMs },
      method: 'occurrences',
      measure: { kind: 'ratio', query: errorRatio, of: 'errors' },
      ...(total === undefined ? {} : { total }),
    },
  ];
}

/** Everything that has to be read for one objective, each question once. */
export function budgetQueries(policy: ErrorBudgetPolicy, objective: BudgetObjective, now: Date): BudgetQuery[] {
  const span = spanOf(objective.window, now);
  const queries = [
    ...ratioQueries(objective, span.elapsedMs, now),
    ...(span.period === undefined ? [] : totalQueries(objective, span.windowMs, now)),
    ...burnWindowsOf(policy, objective, span.windowMs).flatMap((windowMs) => ratioQueries(objective, windowMs, now)),
  ];
  return queries.filter(({ name }, at) => queries.findIndex((other) => other.name === name) === at);
}

/** The figures of one objective from the answers, with the pairs that they are judged by. */
export function judgedBudget(
  policy: ErrorBudgetPolicy,
  objective: BudgetObjective,
  readings: readonly BudgetReading[],
  now: Date,
): JudgedBudget {
  const span = spanOf(objective.window, now);
  const windows = burnWindowsOf(policy, objective, span.windowMs);
  const figures = budgetFigures(objective, span, windows, readings, policy.confidence ?? DEFAULT_CONFIDENCE);
  return { figures, pairs: pairsOf(policy, objective, span.windowMs) };
}

function pairsOf(policy: ErrorBudgetPolicy, objective: BudgetObjective, windowMs: number): BurnPair[] {
  return policy.standardBurnRates === true && hasRange(objective) ? burnPairs(objective, windowMs) : [];
}

function burnWindowsOf(policy: ErrorBudgetPolicy, objective: BudgetObjective, windowMs: number): number[] {
  const own = policy.maximumBurnRate.map((limit) => limit.windowMs);
  const windows = new Set([...own, ...windowsOf(pairsOf(policy, objective, windowMs))]);
  return [...windows].sort((a, b) => a - b);
}

/** A query that always looks back as far cannot be asked for other windows. */
function hasRange(objective: BudgetObjective): boolean {
  return objective.measure.kind !== 'ratio' || isSliced(objective) || objective.measure.query.includes('$WINDOW');
}

/**
 * A policy with what its OpenSLO file says: the objectives (or the one that it chooses), and the burn
 * rates of its alerts, where the policy has none of its own.
 */
export function withDocument(
  policy: ErrorBudgetPolicy,
  { objectives, composite, burnLimits }: BudgetDocument,
): { ok: true; policy: ErrorBudgetPolicy } | { ok: false; message: string } {
  const wanted = policy.objective;
  const chosen = wanted === undefined ? objectives : objectives.filter(({ name }) => name === wanted);
  if (chosen.length === 0) {
    const known = objectives.map(({ name }) => `"${name}"`).join(', ');
    return { ok: false, message: `has no objective "${wanted}" (known: ${known})` };
  }
  const alerts = policy.standardBurnRates === true && burnLimits.length > 0;
  return {
    ok: true,
    policy: {
      ...policy,
      objectives: chosen,
      composite: composite && chosen.length > 1,
      ...(alerts ? { maximumBurnRate: burnLimits, standardBurnRates: false } : {}),
    },
  };
}
