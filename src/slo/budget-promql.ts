import type { BudgetObjective, Comparator, Measure } from './budget-objective.ts';

const OPERATORS: Readonly<Record<Comparator, string>> = { lt: '<', lte: '<=', gt: '>', gte: '>=' };
/** Samples of a gauge are taken this far apart, unless slices are asked for. */
export const SAMPLE_STEP_MS = 60_000;
/** Inside of a slice samples are taken this many times. */
const SAMPLES_IN_SLICE = 4;

/**
 * One PromQL query for the error ratio over `$RANGE`, where it needs PromQL's subqueries: samples of a
 * gauge, and time slices. `$WINDOW` inside is the width of a slice, `$STEP` the distance of samples.
 *
 * A slice without events (0/0) is good as a time slice, and is left out of a mean of ratios. A slice
 * without data is left out of both.
 */
export function slicedQuery({ measure, method, slices }: BudgetObjective): string {
  if (slices === undefined) return samplesQuery(measure, '$RANGE:$STEP');
  const inSlice = measure.kind === 'samples' ? samplesQuery(measure, '$WINDOW:$STEP') : errorRatioQuery(measure);
  if (method === 'ratio-timeslices') return `avg_over_time(((${inSlice}) >= 0)[$RANGE:$WINDOW])`;
  // Rounded, because 1 - 0.95 is a hair more than 0.05, and a slice on the line is a good one.
  const allowed = Number((1 - (slices.target ?? 1)).toPrecision(12));
  return `avg_over_time(((${inSlice}) > bool ${allowed})[$RANGE:$WINDOW])`;
}

/** Distance of the samples in milliseconds, at least a second. */
export function sampleStepMs({ slices }: BudgetObjective): number {
  return slices === undefined
    ? SAMPLE_STEP_MS
    : Math.max(1000, Math.floor(slices.widthMs / SAMPLES_IN_SLICE / 1000) * 1000);
}

function samplesQuery(measure: Measure, range: string): string {
  if (measure.kind !== 'samples') throw new RangeError('only a gauge has samples');
  return `1 - avg_over_time(((${measure.query}) ${OPERATORS[measure.op]} bool ${measure.value})[${range}])`;
}

function errorRatioQuery(measure: Measure): string {
  if (measure.kind === 'ratio') return measure.of === 'errors' ? measure.query : `1 - (${measure.query})`;
  if (measure.kind !== 'counts') throw new RangeError('recorded objectives have no slices of their own');
  return measure.bad === undefined
    ? `1 - (${measure.good}) / (${measure.total})`
    : `(${measure.bad}) / (${measure.total})`;
}
