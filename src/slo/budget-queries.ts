import { calendarPeriod } from './budget-calendar.ts';
import type { BudgetObjective, BudgetWindow } from './budget-objective.ts';
import { sampleStepMs, slicedQuery } from './budget-promql.ts';

/** One question to a metrics source; its answer is found again by the name. */
export interface BudgetQuery {
  name: string;
  query: string;
  /** Besides those of the service: `WINDOW`, `RANGE`, `STEP`, and labels of recorded objectives. */
  variables: Record<string, string>;
  /** The period, ISO 8601; sources without ranges in their language go by it. */
  start: string;
  end: string;
  /** Only PromQL can say it. */
  promql?: true;
}

/** The budget's own window at a moment. */
export interface Span {
  /** Length of the window: of the whole period, where it is one of a calendar. */
  windowMs: number;
  /** How much of it lies in the past: all of a rolling one. */
  elapsedMs: number;
  /** Of a calendar window, ISO 8601. */
  period?: { start: string; end: string };
}

/** A range of nothing cannot be asked for; a calendar period has one in its first minute. */
const LEAST_RANGE_MS = 60_000;

export function spanOf(window: BudgetWindow, now: Date): Span {
  if (window.kind === 'rolling') return { windowMs: window.ms, elapsedMs: window.ms };
  const { startMs, endMs } = calendarPeriod(window, now);
  return {
    windowMs: endMs - startMs,
    elapsedMs: Math.max(LEAST_RANGE_MS, Math.floor((now.getTime() - startMs) / 1000) * 1000),
    period: { start: new Date(startMs).toISOString(), end: new Date(endMs).toISOString() },
  };
}

/** Names under which the answers for one window are found again. */
export function namesFor(objective: Pick<BudgetObjective, 'name'>, windowMs: number): Record<BudgetPart, string> {
  const about = objective.name === '' ? '' : `${objective.name}: `;
  const over = `over ${sayRange(windowMs)}`;
  return {
    ratio: `${about}error ratio ${over}`,
    good: `${about}good events ${over}`,
    bad: `${about}bad events ${over}`,
    total: `${about}events ${over}`,
  };
}

export type BudgetPart = 'ratio' | 'good' | 'bad' | 'total';

/** What must be asked to know the error ratio (and, where it can be known, the events) over one window. */
export function ratioQueries(objective: BudgetObjective, windowMs: number, end: Date): BudgetQuery[] {
  const { measure } = objective;
  const names = namesFor(objective, windowMs);
  const ask = (part: BudgetPart, query: string) => toQuery(names[part], query, windowMs, end);
  const total = objective.total === undefined ? [] : [ask('total', objective.total)];
  if (isSliced(objective)) return [sliced(objective, names.ratio, windowMs, end), ...total];
  switch (measure.kind) {
    case 'ratio':
      return [ask('ratio', measure.query), ...total];
    case 'counts':
      return [
        measure.bad === undefined ? ask('good', measure.good ?? '') : ask('bad', measure.bad),
        ask('total', measure.total),
      ];
    case 'sloth':
      return [slothRatio(measure.id, names.ratio, windowMs, end), ...total];
    default:
      return [pyrraRatio(measure.kind === 'pyrra' ? measure.labels : {}, names.ratio, windowMs, end), ...total];
  }
}

/** The number of events alone, for the weight of a calendar period. */
export function totalQueries(objective: BudgetObjective, windowMs: number, end: Date): BudgetQuery[] {
  const query = objective.measure.kind === 'counts' ? objective.measure.total : objective.total;
  if (query === undefined || isSliced(objective)) return [];
  return [toQuery(namesFor(objective, windowMs).total, query, windowMs, end)];
}

/** Whether the error ratio is a share of time, computed by a subquery. */
export function isSliced({ method, measure }: BudgetObjective): boolean {
  return measure.kind === 'samples' || (method !== 'occurrences' && measure.kind !== 'sloth');
}

function sliced(objective: BudgetObjective, name: string, windowMs: number, end: Date): BudgetQuery {
  const widthMs = objective.slices?.widthMs ?? sampleStepMs(objective);
  const variables = {
    WINDOW: sayRange(widthMs),
    // A window shorter than a slice sees the last slice.
    RANGE: sayRange(Math.max(windowMs, widthMs)),
    STEP: sayRange(sampleStepMs(objective)),
  };
  return { ...toQuery(name, slicedQuery(objective), windowMs, end), variables, promql: true };
}

function slothRatio(id: string, name: string, windowMs: number, end: Date): BudgetQuery {
  const query = `slo:sli_error:ratio_rate${sayPromDuration(windowMs)}{sloth_id="$SLOTH_ID"}`;
  return { ...toQuery(name, query, windowMs, end), variables: { SLOTH_ID: id }, promql: true };
}

function pyrraRatio(labels: Readonly<Record<string, string>>, name: string, windowMs: number, end: Date): BudgetQuery {
  const query = `{__name__=~".+:burnrate${sayPromDuration(windowMs)}",${matchersOf(labels)}}`;
  return { ...toQuery(name, query, windowMs, end), variables: variablesOf(labels), promql: true };
}

/** `slo="$PYRRA_slo"`: values go in as variables, so that they cannot change the query. */
export function matchersOf(labels: Readonly<Record<string, string>>): string {
  return Object.keys(labels)
    .map((label) => `${label}="$PYRRA_${label}"`)
    .join(',');
}

export function variablesOf(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).map(([label, value]) => [`PYRRA_${label}`, value]));
}

function toQuery(name: string, query: string, windowMs: number, end: Date): BudgetQuery {
  return {
    name,
    query,
    variables: { WINDOW: sayRange(windowMs) },
    start: new Date(end.getTime() - windowMs).toISOString(),
    end: end.toISOString(),
  };
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
] as const;

/** A duration as PromQL takes ranges: one number with the largest unit that divides it. */
export function sayRange(windowMs: number): string {
  const [unit, ms] = UNITS.find(([, each]) => windowMs % each === 0) ?? ['ms', 1];
  return `${Math.round(windowMs / ms)}${unit}`;
}

/** A duration as Prometheus itself writes it, and so the names of recording rules: `1h4m`, `4w`, `30d`. */
export function sayPromDuration(windowMs: number): string {
  const week = 7 * 86_400_000;
  // Weeks only where nothing is left over: 28 d is `4w`, 30 d stays `30d`.
  if (windowMs % week === 0) return `${windowMs / week}w`;
  let rest = windowMs;
  let said = '';
  for (const [unit, ms] of UNITS) {
    const count = Math.floor(rest / ms);
    if (count > 0) said += `${count}${unit}`;
    rest -= count * ms;
  }
  return said;
}
