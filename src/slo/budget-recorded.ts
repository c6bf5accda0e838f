import type { BudgetObjective } from './budget-objective.ts';
import { type BudgetQuery, matchersOf, namesFor, variablesOf } from './budget-queries.ts';
import type { BudgetReading } from './budget-readings.ts';

/** An objective whose figures somebody else's recording rules keep. */
export type Recorded = Extract<BudgetObjective['measure'], { kind: 'sloth' | 'pyrra' }>;

const DAY_MS = 86_400_000;

interface Facts {
  objective: string;
  window: string;
  /** Length of the unit in which the window is written. */
  unitMs: number;
  /** Share of the budget left, or of good events. */
  level: string;
}

/**
 * What the rules say of the objective itself, besides burn rates. Sloth: its generated names are fixed.
 * Pyrra: these are its generic rules, which have to be turned on (`--generic-rules`).
 */
const FACTS: Readonly<Record<Recorded['kind'], Facts>> = {
  sloth: {
    objective: 'slo:objective:ratio',
    window: 'slo:time_period:days',
    unitMs: DAY_MS,
    level: 'slo:period_error_budget_remaining:ratio',
  },
  pyrra: { objective: 'pyrra_objective', window: 'pyrra_window', unitMs: 1000, level: 'pyrra_availability' },
};

/** What must be asked before anything else of a recorded objective is known. */
export function factQueries(recorded: Recorded, now: Date): BudgetQuery[] {
  const { objective, window, level } = FACTS[recorded.kind];
  const selector = recorded.kind === 'sloth' ? 'sloth_id="$SLOTH_ID"' : matchersOf(recorded.labels);
  const variables: Record<string, string> =
    recorded.kind === 'sloth' ? { SLOTH_ID: recorded.id } : variablesOf(recorded.labels);
  const moment = now.toISOString();
  return [objective, window, level].map((metric) => ({
    name: metric,
    query: `${metric}{${selector}}`,
    variables,
    start: moment,
    end: moment,
    promql: true as const,
  }));
}

export type RecordedObjective =
  | {
      ok: true;
      objective: BudgetObjective /** The error ratio over the whole window, as the rules mean it. */;
      whole: BudgetReading;
    }
  | { ok: false; missing: string };

/** The objective that the rules describe, from the answers to `factQueries`. */
export function recordedObjective(recorded: Recorded, readings: readonly BudgetReading[]): RecordedObjective {
  const facts = FACTS[recorded.kind];
  const [target, window, level] = [facts.objective, facts.window, facts.level].map((metric) =>
    readings.find(({ name }) => name === metric),
  );
  for (const reading of [target, window, level]) {
    if (reading === undefined) return { ok: false, missing: 'the recording rules were not read' };
    if (!reading.ok) return { ok: false, missing: `${reading.name}: ${reading.message}` };
  }
  if (!target?.ok || !window?.ok || !level?.ok) return { ok: false, missing: 'the recording rules were not read' };
  if (!(target.value > 0 && target.value < 1))
    return { ok: false, missing: `${target.name}: ${target.value} is no target` };
  if (!(window.value > 0)) return { ok: false, missing: `${window.name}: ${window.value} is no length of time` };
  const windowMs = window.value * facts.unitMs;
  const objective: BudgetObjective = {
    name: '',
    target: target.value,
    window: { kind: 'rolling', ms: windowMs },
    method: recorded.kind === 'sloth' ? 'ratio-timeslices' : 'occurrences',
    measure: recorded,
  };
  // Both say what is left; turned back into the error ratio it can be judged like any other.
  const errorRatio = recorded.kind === 'sloth' ? (1 - level.value) * (1 - target.value) : 1 - level.value;
  return {
    ok: true,
    objective,
    whole: { name: namesFor(objective, windowMs).ratio, ok: true, value: Number(errorRatio.toPrecision(12)) },
  };
}

/** What rules there are for objectives at all, for people who look for them. */
export const RULE_COUNTS: Readonly<Record<Recorded['kind'], string>> = {
  sloth: 'count(slo:objective:ratio)',
  pyrra: 'count(pyrra_objective)',
};
