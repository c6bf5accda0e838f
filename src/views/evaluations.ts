import type { Evaluation, IndicatorResult, Target } from '../slo/evaluation.ts';
import type { EvaluationView } from './evaluation-document.ts';

/** Where evaluations are compared with one another. */
export interface EvaluatedPlace {
  project: string;
  stage: string;
  service: string;
}

/** How one objective stood in one evaluation; `none`: it was not evaluated there. */
export type CellState = 'pass' | 'warning' | 'fail' | 'info' | 'none';

export interface HeatCell {
  state: CellState;
  value?: number;
  unit?: string;
  /** Criteria as they were written. */
  pass: string[];
  warning: string[];
  message?: string;
}

export interface HeatRow {
  /** Unique in a heat map, also where two objectives have one name. Fit for an anchor. */
  key: string;
  sli: string;
  name: string;
  keySli: boolean;
  weight: number;
  /** Whether the newest evaluation that could be judged has it. */
  current: boolean;
}

export interface HeatColumn {
  /** Of the evaluation; of several in one column, of the worst. */
  id: string;
  /** When it was finished, ISO 8601. */
  at: string;
  change?: string;
  version?: string;
  revision?: string;
  /** 0..100; absent: nothing was judged. */
  score?: number;
  result: 'pass' | 'warning' | 'fail' | 'errored';
  /** Ids of those it was compared with. */
  compared: string[];
  ignored?: boolean;
  /** More than one: how many evaluations this column stands for. */
  count: number;
}

/** Columnar, the oldest first: `cells` has a row per objective, and in it a cell per column. */
export interface HeatMap {
  slis: HeatRow[];
  columns: HeatColumn[];
  cells: HeatCell[][];
  /** How many evaluations the columns stand for. */
  evaluations: number;
}

/** More of them than this share columns. */
export const MAX_COLUMNS = 60;
/** Nobody is sent more than so many. */
export const MAX_BINS = 300;

const NOTHING: HeatCell = { state: 'none', pass: [], warning: [] };

/**
 * How the objectives of a place stood, evaluation after evaluation. Rows: what fails in the newest first, then key
 * objectives, then by name; what is not measured any more comes last.
 *
 * @param views the newest first; those under way are left out
 */
export function heatMap(views: readonly EvaluationView[], maxColumns: number = MAX_COLUMNS): HeatMap {
  const finished = views.filter(({ state }) => state === 'finished');
  const judged = [...finished].reverse().map(toJudged);
  const rows = rowsOf(judged);
  const bins = binned(judged, Math.min(Math.max(1, Math.trunc(maxColumns)), MAX_BINS));
  return {
    slis: rows,
    columns: bins.map(toColumn),
    cells: rows.map(({ key }) => bins.map((bin) => worstCell(bin, key))),
    evaluations: finished.length,
  };
}

interface Judged {
  view: EvaluationView;
  /** By key of the row. */
  cells: Map<string, IndicatorResult>;
}

function toJudged(view: EvaluationView): Judged {
  return { view, cells: keyed(indicatorsOf(view.evaluation)) };
}

/** Of an evaluation as it was stored; whatever an older version, or a mistake, left there. */
export function indicatorsOf(evaluation: Evaluation | undefined): IndicatorResult[] {
  const { indicators } = evaluation ?? {};
  return Array.isArray(indicators) ? indicators.filter((one) => typeof one?.sli === 'string') : [];
}

/** By keys that tell objectives of one name apart, by their order. */
export function keyed(indicators: readonly IndicatorResult[]): Map<string, IndicatorResult> {
  const keys = new Map<string, IndicatorResult>();
  for (const indicator of indicators) {
    const base = anchorOf(indicator.sli);
    let key = base;
    for (let nth = 2; keys.has(key); nth++) key = `${base}.${nth}`;
    keys.set(key, indicator);
  }
  return keys;
}

/** Letters, digits and `_-` as they are; the rest by its code, so that two names never share an anchor. */
function anchorOf(sli: string): string {
  return `sli-${sli.replace(/[^A-Za-z0-9_-]/gu, (character) => `:${character.codePointAt(0)?.toString(16) ?? ''}:`)}`;
}

function rowsOf(judged: readonly Judged[]): HeatRow[] {
  const newest = judged.findLast(({ cells }) => cells.size > 0);
  const found = new Map<string, IndicatorResult>();
  for (const { cells } of judged) for (const [key, indicator] of cells) found.set(key, indicator);
  const rows = [...found].map(([key, one]) => ({ row: toRow(key, one, newest), rank: rankOf(newest?.cells.get(key)) }));
  return rows.sort((a, b) => a.rank - b.rank || byKeyAndName(a.row, b.row)).map(({ row }) => row);
}

function toRow(key: string, one: IndicatorResult, newest: Judged | undefined): HeatRow {
  const { sli, displayName, keySli, weight } = newest?.cells.get(key) ?? one;
  return {
    key,
    sli,
    name: displayName || sli || 'without a name',
    keySli: keySli === true,
    weight: isNumber(weight) ? weight : 0,
    current: newest?.cells.has(key) ?? false,
  };
}

const RANKS: Readonly<Record<CellState, number>> = { fail: 0, warning: 1, pass: 2, info: 3, none: 4 };

/** What needs somebody comes first; what is gone comes last. */
export function rankOf(indicator: IndicatorResult | undefined): number {
  return indicator === undefined ? RANKS.none : RANKS[stateOf(indicator)];
}

export function byKeyAndName(a: { keySli: boolean; name: string }, b: { keySli: boolean; name: string }): number {
  if (a.keySli !== b.keySli) return a.keySli ? -1 : 1;
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

/** Equally many in each but the oldest, which has the rest: the newest stay where they are as more come. */
function binned(judged: readonly Judged[], most: number): Judged[][] {
  const size = Math.max(1, Math.ceil(judged.length / most));
  const bins: Judged[][] = [];
  for (let end = judged.length; end > 0; end -= size) bins.unshift(judged.slice(Math.max(0, end - size), end));
  return bins;
}

function toColumn(bin: readonly Judged[]): HeatColumn {
  const { view } = bin.reduce((worst, one) => (severityOf(one.view) >= severityOf(worst.view) ? one : worst));
  const { id, context, revision, evaluation, invalidated } = view;
  const scores = bin.map((one) => scoreOf(one.view)).filter(isNumber);
  const version = view.version;
  return {
    id,
    at: finishedAt(view),
    ...(context === '' || context === id ? {} : { change: context }),
    ...(version === undefined ? {} : { version }),
    ...(revision === undefined ? {} : { revision }),
    ...(scores.length === 0 ? {} : { score: Math.min(...scores) }),
    result: resultOf(view),
    compared: Array.isArray(evaluation?.compared) ? evaluation.compared : [],
    ...(invalidated === undefined ? {} : { ignored: true }),
    count: bin.length,
  };
}

const SEVERITY = ['pass', 'warning', 'errored', 'fail'];

function severityOf(view: EvaluationView): number {
  return SEVERITY.indexOf(resultOf(view));
}

/** Nothing was judged: that is neither good nor bad. */
export function resultOf({ status, evaluation, result }: EvaluationView): HeatColumn['result'] {
  if (status === 'errored' || status === 'aborted' || evaluation === undefined) return 'errored';
  return result === 'pass' || result === 'warning' ? result : 'fail';
}

export function scoreOf({ evaluation, status }: EvaluationView): number | undefined {
  return status === 'succeeded' && isNumber(evaluation?.score) ? evaluation.score : undefined;
}

export function finishedAt({ finishedAt: at, requestedAt, period }: EvaluationView): string {
  return at ?? requestedAt ?? period?.end ?? new Date(0).toISOString();
}

function worstCell(bin: readonly Judged[], key: string): HeatCell {
  const all = bin.flatMap(({ cells }) => {
    const found = cells.get(key);
    return found === undefined ? [] : [found];
  });
  const [first, ...others] = all;
  if (first === undefined) return NOTHING;
  return toCell(others.reduce((worst, one) => (rankOf(one) <= rankOf(worst) ? one : worst), first));
}

function toCell(indicator: IndicatorResult): HeatCell {
  const { value, unit, message, passTargets, warningTargets } = indicator;
  return {
    state: stateOf(indicator),
    ...(isNumber(value) ? { value } : {}),
    ...(unit === undefined ? {} : { unit }),
    pass: targetsOf(passTargets).map(({ criteria }) => criteria),
    warning: targetsOf(warningTargets).map(({ criteria }) => criteria),
    ...(message === undefined ? {} : { message }),
  };
}

export function stateOf({ status }: IndicatorResult): CellState {
  return status === 'pass' || status === 'warning' || status === 'info' ? status : 'fail';
}

export function targetsOf(targets: Target[] | undefined): Target[] {
  return Array.isArray(targets) ? targets : [];
}

/** JSON has no NaN: what was one is null by the time that it is read. */
export function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
