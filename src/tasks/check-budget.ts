import type { MetricQuery, MetricsSource } from '../adapters/metrics/metrics-source.ts';
import { AdapterError } from '../base/adapter-error.ts';
import type { ErrorBudgetPolicy } from '../definitions/delivery.ts';
import type { CheckAnswer } from '../engine/check.ts';
import { budgetQueries, inlineTarget } from '../slo/budget-queries.ts';
import { type BudgetReading, checkErrorBudget } from '../slo/error-budget.ts';
import { variablesOf } from './evaluation.ts';
import type { TaskInput, TaskTools } from './task.ts';

/** Reads what the budget is computed from and lets the pure core judge it. */
export async function checkBudget(input: TaskInput, tools: TaskTools, policy: ErrorBudgetPolicy): Promise<CheckAnswer> {
  const target = inlineTarget(policy);
  if (!target)
    throw new AdapterError(
      'rejected',
      'the error budget has neither an OpenSLO file nor errorRatio, target and window',
    );
  const source = tools.metricsSource(policy.provider);
  const end = input.now.toISOString();
  const readings: BudgetReading[] = [];
  for (const { name, query, windowMs, window } of budgetQueries(policy, target)) {
    const start = new Date(input.now.getTime() - windowMs).toISOString();
    const variables = { ...variablesOf(input, undefined, { start, end }), WINDOW: window };
    readings.push(await readOrExplain(name, source, { query, variables, start, end }, input));
  }
  return checkErrorBudget({ policy, target, readings, now: input.now });
}

/** An outage is an answer too: the check could not be judged, and the others may still say something. */
async function readOrExplain(
  name: string,
  source: MetricsSource | undefined,
  query: MetricQuery,
  { signal }: TaskInput,
): Promise<BudgetReading> {
  if (!source) return { name, ok: false, message: 'no metrics source is configured' };
  try {
    const reading = await source.read(query, { signal });
    return reading.ok ? { name, ok: true, value: reading.value } : { name, ok: false, message: reading.message };
  } catch (error) {
    if (error instanceof AdapterError && error.reason !== 'cancelled')
      return { name, ok: false, message: error.message };
    throw error;
  }
}
