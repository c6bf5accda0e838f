import { AdapterError } from '../base/adapter-error.ts';
import type { JsonObject } from '../base/json.ts';
import { plannedStep } from '../engine/decide.ts';
import { finishedTask } from '../engine/sequence.ts';
import { attribution, attributionQueries } from '../slo/budget-attribution.ts';
import { spanOf } from '../slo/budget-queries.ts';
import { BURNED } from './burned-budget.ts';
import { askFor } from './check-budget.ts';
import { findObjectives, readAll } from './read-budgets.ts';
import type { TaskInput, TaskOutcome, TaskTools } from './task.ts';

/** Over less than this, rates are noise. */
const LEAST_MS = 60_000;

/**
 * Adds to a finished task what the deployment burned of the error budget since it was synced. It is
 * evidence for later changes and never changes the verdict: what cannot be read is left out.
 */
export async function withBurnedBudget(input: TaskInput, tools: TaskTools, outcome: TaskOutcome): Promise<TaskOutcome> {
  if (outcome.kind !== 'finished' || outcome.status !== 'succeeded') return outcome;
  const burned = await burnedBudget(input, tools).catch((error: unknown) => {
    if (error instanceof AdapterError && error.reason !== 'cancelled') return undefined;
    throw error;
  });
  return burned === undefined ? outcome : { ...outcome, data: { ...outcome.data, [BURNED]: burned } };
}

async function burnedBudget(input: TaskInput, tools: TaskTools): Promise<JsonObject | undefined> {
  const policy = plannedStep(input.sequence, 'checks')?.errorBudget;
  const syncedAt = finishedTask(input.sequence, 'sync')?.finishedAt;
  if (policy === undefined || syncedAt === undefined) return undefined;
  // Whole seconds: a range in PromQL is no place for fractions.
  const lengthMs = Math.floor((input.now.getTime() - Date.parse(syncedAt)) / 1000) * 1000;
  if (lengthMs < LEAST_MS) return undefined;
  const watched = { startMs: input.now.getTime() - lengthMs, endMs: input.now.getTime() };
  const ask = askFor(input, tools, policy);
  const { objectives } = await findObjectives(policy, ask, input.now);
  const burns = await Promise.all(
    objectives.map(async (objective) => {
      const { windowMs } = spanOf(objective.window, input.now);
      const readings = await readAll(attributionQueries(objective, watched, windowMs), ask, objective.source);
      return attribution(objective, watched, windowMs, readings);
    }),
  );
  const known = burns.filter((burn) => burn !== undefined);
  const worst = known.toSorted((a, b) => b.burned - a.burned)[0];
  if (worst === undefined) return undefined;
  return JSON.parse(JSON.stringify({ ...worst, ...(known.length > 1 ? { objectives: known } : {}) })) as JsonObject;
}
