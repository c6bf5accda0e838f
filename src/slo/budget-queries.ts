import type { ErrorBudgetPolicy } from '../definitions/delivery.ts';

/** What an error budget is computed from. */
export interface ErrorBudgetTarget {
  /** Query of bad / total; `$WINDOW` stands for the range. */
  errorRatio: string;
  /** e.g. 0.999 */
  target: number;
  windowMs: number;
  /** How errors are counted: every event once. Others give other numbers for the same service. */
  method: 'occurrences';
}

export interface BudgetQuery {
  name: string;
  query: string;
  windowMs: number;
  /** Value for the placeholder `$WINDOW`, e.g. `30d`. */
  window: string;
}

/** Name of the reading over the whole window of the target. */
export const BUDGET = 'error ratio over the budget window';

/** Name of the reading over a burn window. */
export function burnName(windowMs: number): string {
  return `error ratio over ${sayWindow(windowMs)}`;
}

/** The target that a policy states itself; `undefined` while it stands in an OpenSLO file that was not read. */
export function inlineTarget({ errorRatio, target, windowMs }: ErrorBudgetPolicy): ErrorBudgetTarget | undefined {
  if (errorRatio === undefined || target === undefined || windowMs === undefined) return undefined;
  return { errorRatio, target, windowMs, method: 'occurrences' };
}

/** What must be asked before `checkErrorBudget` can judge: the whole window, then each burn window. */
export function budgetQueries(policy: ErrorBudgetPolicy, target: ErrorBudgetTarget): BudgetQuery[] {
  const ask = (name: string, windowMs: number): BudgetQuery => ({
    name,
    query: target.errorRatio,
    windowMs,
    window: sayWindow(windowMs),
  });
  return [
    ask(BUDGET, target.windowMs),
    ...policy.maximumBurnRate.map(({ windowMs }) => ask(burnName(windowMs), windowMs)),
  ];
}

/** A duration as PromQL writes ranges: one number with the largest unit that divides it. */
function sayWindow(windowMs: number): string {
  const units = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1000],
  ] as const;
  const [unit, ms] = units.find(([, each]) => windowMs % each === 0) ?? ['ms', 1];
  return `${Math.round(windowMs / ms)}${unit}`;
}
