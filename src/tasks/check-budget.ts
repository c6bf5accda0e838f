import type { ErrorBudgetPolicy } from '../definitions/delivery-budget.ts';
import type { CheckAnswer } from '../engine/check.ts';
import type { SequenceState } from '../engine/sequence.ts';
import { deploymentOf, judgeDeployments } from '../risk/deployments.ts';
import { exempt } from '../slo/budget-exemption.ts';
import { checkErrorBudget } from '../slo/budget-policy.ts';
import { type ExpectedCost, expectedCost } from '../slo/error-budget.ts';
import { type AskBudget, askOf } from './budget-source.ts';
import { burnedBy } from './burned-budget.ts';
import { queryVariables } from './evaluation-question.ts';
import { findExemption } from './find-exemption.ts';
import { readBudgets } from './read-budgets.ts';
import type { TaskInput, TaskTools } from './task.ts';

/** How far back deployments tell what the next one may cost. */
const PAST_MS = 90 * 86_400_000;

/** Reads what the budget is computed from and lets the pure core judge it; an exempt change is let through. */
export async function checkBudget(input: TaskInput, tools: TaskTools, policy: ErrorBudgetPolicy): Promise<CheckAnswer> {
  const past = await tools.history.sequences(input.triggered.place, new Date(input.now.getTime() - PAST_MS));
  const own = past.filter((other) => other.triggered?.sequence !== input.triggered.sequence);
  const answer = await judgeBudget(policy, askFor(input, tools, policy), input.now, costOf(own));
  const exemption =
    answer.answer === 'deny' || answer.answer === 'unknown' ? await findExemption(input, tools, policy) : undefined;
  return exemption === undefined ? answer : exempt(answer, exemption);
}

/** Reads and judges the budgets of a policy, whoever asks. */
export async function judgeBudget(
  policy: ErrorBudgetPolicy,
  ask: AskBudget,
  now: Date,
  cost?: ExpectedCost,
): Promise<CheckAnswer> {
  const { budgets, notes } = await readBudgets(policy, ask, now);
  return checkErrorBudget({ policy, budgets, notes, now, ...(cost === undefined ? {} : { cost }) });
}

export function askFor(input: TaskInput, tools: TaskTools, { provider }: ErrorBudgetPolicy): AskBudget {
  return askOf({
    metricsSource: (name) => tools.metricsSource(name),
    variables: (period) => queryVariables({ ...input.triggered, period }, undefined),
    signal: input.signal,
    ...(provider === undefined ? {} : { provider }),
  });
}

/** Nothing is expected of a service that was never deployed here. */
function costOf(past: readonly SequenceState[]): ExpectedCost | undefined {
  const deployments = judgeDeployments(past.map(deploymentOf).filter((one) => one !== undefined));
  if (deployments.length === 0) return undefined;
  const failed = new Set(deployments.filter((one) => one.failed).map(({ sequence }) => sequence));
  const burns = past.flatMap((state) => (failed.has(state.triggered?.sequence ?? '') ? (burnedBy(state) ?? []) : []));
  return expectedCost({ deployments: deployments.length, failures: failed.size, burns });
}
