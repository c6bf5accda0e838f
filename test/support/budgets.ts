import type { ErrorBudgetPolicy } from '../../src/definitions/delivery-budget.ts';
import type { BudgetObjective } from '../../src/slo/budget-objective.ts';
import { budgetQueries, judgedBudget } from '../../src/slo/budget-plan.ts';
import { checkErrorBudget } from '../../src/slo/budget-policy.ts';
import { namesFor } from '../../src/slo/budget-queries.ts';
import type { BudgetReading } from '../../src/slo/budget-readings.ts';
import type { ExpectedCost } from '../../src/slo/error-budget.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
export const NOW = new Date('2026-03-01T12:00:00Z');

/** 99.9 % of 30 days, as a query of the error ratio. */
export function objective(changes: Partial<BudgetObjective> = {}): BudgetObjective {
  return {
    name: '',
    target: 0.999,
    window: { kind: 'rolling', ms: 30 * DAY },
    method: 'occurrences',
    measure: { kind: 'ratio', query: 'q[$WINDOW]', of: 'errors' },
    ...changes,
  };
}

/** The same as counts of events, so that few of them are known to be few. */
export function counted(changes: Partial<BudgetObjective> = {}): BudgetObjective {
  return objective({ measure: { kind: 'counts', bad: 'bad[$WINDOW]', total: 'all[$WINDOW]' }, ...changes });
}

export function policy(changes: Partial<ErrorBudgetPolicy> = {}): ErrorBudgetPolicy {
  return { minimumRemaining: 0, maximumBurnRate: [], onMissingData: 'wait', ...changes };
}

/** What a source says of an error ratio over a window. */
export function ratio(windowMs: number, value: number, of = objective()): BudgetReading {
  return { name: namesFor(of, windowMs).ratio, ok: true, value };
}

/** What a source says of the events in a window. */
export function counts(windowMs: number, bad: number, total: number, of = counted()): BudgetReading[] {
  const names = namesFor(of, windowMs);
  return [
    { name: names.bad, ok: true, value: bad },
    { name: names.total, ok: true, value: total },
  ];
}

/** The answer of a policy on one objective, from what a source says. */
export function check(
  changes: Partial<ErrorBudgetPolicy>,
  readings: readonly BudgetReading[],
  of: BudgetObjective = objective(),
  cost?: ExpectedCost,
) {
  const asked = policy(changes);
  const budgets = [judgedBudget(asked, of, readings, NOW)];
  return checkErrorBudget({ policy: asked, budgets, now: NOW, ...(cost === undefined ? {} : { cost }) });
}

/** What is asked of a source, by name. */
export function questions(changes: Partial<ErrorBudgetPolicy>, of: BudgetObjective, now = NOW): string[] {
  return budgetQueries(policy(changes), of, now).map(({ name }) => name);
}
