import { mapBounded } from '../base/pool.ts';
import type { ErrorBudgetPolicy } from '../definitions/delivery-budget.ts';
import { type BudgetObjective, sayMethod } from '../slo/budget-objective.ts';
import { budgetQueries, judgedBudget, objectivesOf, recordedOf } from '../slo/budget-plan.ts';
import type { JudgedBudget } from '../slo/budget-policy.ts';
import type { BudgetQuery } from '../slo/budget-queries.ts';
import type { BudgetReading } from '../slo/budget-readings.ts';
import { factQueries, type Recorded, recordedObjective } from '../slo/budget-recorded.ts';
import type { AskBudget } from './budget-source.ts';

/** Queries under way at once: a metrics source is shared by everybody. */
const CONCURRENT_QUERIES = 8;

export interface ReadBudgets {
  budgets: JudgedBudget[];
  /** What else people should know, such as rules that were looked for and not found. */
  notes: string[];
}

/** The objectives that a policy is about, once recording rules were asked for theirs. */
export interface FoundObjectives {
  objectives: BudgetObjective[];
  /** What the rules know already. */
  known: BudgetReading[];
  notes: string[];
  /** Why there are none. */
  missing?: string;
}

/** Reads the figures of every error budget that a policy is about. Recording rules are preferred to raw metrics. */
export async function readBudgets(policy: ErrorBudgetPolicy, ask: AskBudget, now: Date): Promise<ReadBudgets> {
  const { objectives, known, notes, missing } = await findObjectives(policy, ask, now);
  if (missing !== undefined) return { budgets: [unknownBudget(policy, missing)], notes };
  const questions = objectives.flatMap((objective) =>
    budgetQueries(policy, objective, now)
      .filter(({ name }) => !known.some((reading) => reading.name === name))
      .map((query) => ({ query, source: objective.source })),
  );
  const readings = await mapBounded(questions, CONCURRENT_QUERIES, ({ query, source }) => ask(query, source));
  const all = [...known, ...readings];
  return { budgets: objectives.map((objective) => judgedBudget(policy, objective, all, now)), notes };
}

/** Asks recording rules for their objective, or takes those that the policy states. */
export async function findObjectives(policy: ErrorBudgetPolicy, ask: AskBudget, now: Date): Promise<FoundObjectives> {
  const recorded = recordedOf(policy);
  const raw = objectivesOf(policy);
  if (recorded === undefined) {
    const missing = 'the error budget names no OpenSLO file, no recording rules and no error ratio';
    return { objectives: raw, known: [], notes: [], ...(raw.length === 0 ? { missing } : {}) };
  }
  const found = recordedObjective(recorded, await readAll(factQueries(recorded, now), ask));
  if (found.ok) return { objectives: [found.objective], known: [found.whole], notes: [] };
  if (raw.length === 0) return { objectives: [], known: [], notes: [], missing: found.missing };
  const note = `${nameOf(recorded)}: ${found.missing}; computed from raw metrics instead`;
  return { objectives: raw, known: [], notes: [note] };
}

export function readAll(
  queries: readonly BudgetQuery[],
  ask: AskBudget,
  source?: BudgetObjective['source'],
): Promise<BudgetReading[]> {
  return mapBounded(queries, CONCURRENT_QUERIES, (query) => ask(query, source));
}

function nameOf(recorded: Recorded): string {
  return recorded.kind === 'sloth' ? `no rules of Sloth for ${recorded.id}` : 'no rules of Pyrra';
}

/** It stands in for an objective of which not even the target is known. */
function unknownBudget(policy: ErrorBudgetPolicy, message: string): JudgedBudget {
  const measure = recordedOf(policy);
  const method = measure
    ? sayMethod({ name: '', target: Number.NaN, window: { kind: 'rolling', ms: 0 }, method: 'occurrences', measure })
    : 'occurrences';
  const figures = {
    objective: '',
    method,
    target: Number.NaN,
    windowMs: 0,
    burns: [],
    missing: [{ windowMs: 0, message }],
  };
  return { figures, pairs: [] };
}
