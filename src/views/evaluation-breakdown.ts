import type { Evaluation, IndicatorResult, Target } from '../slo/evaluation.ts';
import type { EvaluationView } from './evaluation-document.ts';
import {
  byKeyAndName,
  type CellState,
  finishedAt,
  type HeatColumn,
  indicatorsOf,
  isNumber,
  keyed,
  rankOf,
  resultOf,
  scoreOf,
  stateOf,
  targetsOf,
} from './evaluations.ts';

/** One objective with everything that decided about it. */
export interface BreakdownRow {
  key: string;
  name: string;
  sli: string;
  keySli: boolean;
  state: CellState;
  value?: number;
  unit?: string;
  comparedValue?: number;
  /** `value` less what it was compared with. */
  change?: number;
  /** The same as a share of what it was compared with. */
  relative?: number;
  regression?: boolean;
  /** Those that were missed first. */
  pass: Target[];
  warning: Target[];
  weight: number;
  /** Of the 100 that all objectives make together; absent: it is not counted. */
  points?: { reached: number; possible: number };
  message?: string;
  control?: string;
  samples?: number;
  sources: { provider?: string; value: number }[];
}

export interface Breakdown {
  view: EvaluationView;
  result: HeatColumn['result'];
  /** 0..100 */
  score?: number;
  thresholds?: Evaluation['thresholds'];
  /** What decided, in one sentence. */
  sentence: string;
  at: string;
  compared: string[];
  /** Of all objectives that count. */
  weight: number;
  /** Failing first, then key objectives, then by name. */
  rows: BreakdownRow[];
}

/** One evaluation, objective by objective. */
export function breakdown(view: EvaluationView): Breakdown {
  const { evaluation, message } = view;
  const indicators = [...keyed(indicatorsOf(evaluation))];
  const weight = indicators.reduce((sum, [, one]) => sum + (one.status === 'info' ? 0 : numberOr0(one.weight)), 0);
  const score = scoreOf(view);
  const rows = indicators.map(([key, one]) => ({ rank: rankOf(one), row: toRow(key, one, weight) }));
  return {
    view,
    result: resultOf(view),
    ...(score === undefined ? {} : { score }),
    ...(isNumber(evaluation?.thresholds?.pass) ? { thresholds: evaluation.thresholds } : {}),
    sentence: evaluation?.message ?? message ?? 'Nothing is known of why.',
    at: finishedAt(view),
    compared: Array.isArray(evaluation?.compared) ? evaluation.compared : [],
    weight,
    rows: rows.sort((a, b) => a.rank - b.rank || byKeyAndName(a.row, b.row)).map(({ row }) => row),
  };
}

function toRow(key: string, one: IndicatorResult, total: number): BreakdownRow {
  const { sli, displayName, keySli, value, unit, comparedValue, change, regression, message, control, samples } = one;
  const weight = numberOr0(one.weight);
  const relative = relativeOf(change, comparedValue);
  return {
    key,
    sli,
    name: displayName || sli || 'without a name',
    keySli: keySli === true,
    state: stateOf(one),
    ...(isNumber(value) ? { value } : {}),
    ...(unit === undefined ? {} : { unit }),
    ...(isNumber(comparedValue) ? { comparedValue } : {}),
    ...(isNumber(change) ? { change } : {}),
    ...(relative === undefined ? {} : { relative }),
    ...(regression === undefined ? {} : { regression }),
    pass: missedFirst(one.passTargets),
    warning: missedFirst(one.warningTargets),
    weight,
    ...(one.status === 'info' || total <= 0
      ? {}
      : { points: { reached: (100 * numberOr0(one.score)) / total, possible: (100 * weight) / total } }),
    ...(message === undefined ? {} : { message }),
    ...(control === undefined ? {} : { control: `${control.classification}: ${control.reason}` }),
    ...(isNumber(samples) ? { samples } : {}),
    sources: Array.isArray(one.sources) ? one.sources.filter((source) => isNumber(source?.value)) : [],
  };
}

/** Of nothing there is no share. */
function relativeOf(change: number | undefined, before: number | undefined): number | undefined {
  if (!isNumber(change) || !isNumber(before) || before === 0) return undefined;
  return change / Math.abs(before);
}

function missedFirst(targets: Target[] | undefined): Target[] {
  return [...targetsOf(targets)].sort((a, b) => Number(b.violated === true) - Number(a.violated === true));
}

function numberOr0(value: unknown): number {
  return isNumber(value) ? value : 0;
}
