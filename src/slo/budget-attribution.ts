import { type BudgetObjective, sayMethod } from './budget-objective.ts';
import {
  type BudgetQuery,
  matchersOf,
  namesFor,
  ratioQueries,
  sayRange,
  totalQueries,
  variablesOf,
} from './budget-queries.ts';
import { type BudgetReading, type Measured, measuredOver } from './budget-readings.ts';
import { attributedBurn } from './error-budget.ts';

/** A deployment that was watched from when it was synced until now. */
export interface Watched {
  startMs: number;
  endMs: number;
}

/** What a deployment burned of one budget, as the data of a finished task carries it. */
export interface AttributedBurn {
  objective: string;
  method: string;
  /** Share of the whole budget; negative when it was better than what ran before. */
  burned: number;
  errorRatio: number;
  errorRatioBefore: number;
  watchedMs: number;
}

const BEFORE = 'before: ';

/** What must be asked: the errors while it was watched, those of as long before it, and the weight of that time. */
export function attributionQueries(objective: BudgetObjective, watched: Watched, windowMs: number): BudgetQuery[] {
  const [lengthMs, end] = [watched.endMs - watched.startMs, new Date(watched.endMs)];
  const over = (at: Date) => recordedQueries(objective, lengthMs, at) ?? ratioQueries(objective, lengthMs, at);
  return [
    ...over(end),
    ...over(new Date(watched.startMs)).map((query) => ({ ...query, name: BEFORE + query.name })),
    ...totalQueries(objective, windowMs, end),
  ];
}

/**
 * (bad(d) - e_before * total(d)) / ((1 - T) * total(W)) for the time d in which it was watched. Where
 * events are not counted, the time itself is the weight: d / W. `undefined` when something is missing.
 */
export function attribution(
  objective: BudgetObjective,
  watched: Watched,
  windowMs: number,
  readings: readonly BudgetReading[],
): AttributedBurn | undefined {
  const lengthMs = watched.endMs - watched.startMs;
  const during = measuredOver(objective, lengthMs, readings);
  const before = measuredOver(
    objective,
    lengthMs,
    readings.flatMap((each) =>
      each.name.startsWith(BEFORE) ? [{ ...each, name: each.name.slice(BEFORE.length) }] : [],
    ),
  );
  if (!during.ok || !before.ok) return undefined;
  const share = shareOf(objective, during, lengthMs, windowMs, readings);
  if (share === undefined) return undefined;
  const errors = { errorRatio: during.errorRatio, errorRatioBefore: before.errorRatio };
  const burned = attributedBurn({ target: objective.target, ...errors, share });
  return { objective: objective.name, method: sayMethod(objective), burned, ...errors, watchedMs: lengthMs };
}

function shareOf(
  objective: BudgetObjective,
  during: Measured & { ok: true },
  lengthMs: number,
  windowMs: number,
  readings: readonly BudgetReading[],
): number | undefined {
  if (during.events === undefined) return Math.min(1, lengthMs / windowMs);
  const whole = readings.find(({ name }) => name === namesFor(objective, windowMs).total);
  if (!whole?.ok || !(whole.value > 0)) return undefined;
  return Math.min(1, during.events / whole.value);
}

/** Rules record a few windows only; the mean of their shortest one covers any other. */
function recordedQueries(objective: BudgetObjective, lengthMs: number, end: Date): BudgetQuery[] | undefined {
  const { measure } = objective;
  if (measure.kind !== 'sloth' && measure.kind !== 'pyrra') return undefined;
  const [series, variables] =
    measure.kind === 'sloth'
      ? ['slo:sli_error:ratio_rate5m{sloth_id="$SLOTH_ID"}', { SLOTH_ID: measure.id }]
      : [`{__name__=~".+:burnrate5m",${matchersOf(measure.labels)}}`, variablesOf(measure.labels)];
  return [
    {
      name: namesFor(objective, lengthMs).ratio,
      query: `avg_over_time(${series}[$WINDOW])`,
      variables: { ...variables, WINDOW: sayRange(lengthMs) },
      start: new Date(end.getTime() - lengthMs).toISOString(),
      end: end.toISOString(),
      promql: true,
    },
  ];
}
