import type { Comparison, CriteriaSet, Slo } from '../evaluation.ts';
import type { KeptnComparison, KeptnObjective, KeptnSlo } from './model.ts';
import { parseGoFloat } from './numbers.ts';
import { includeOf, previousResultsLimit } from './selection.ts';

/** What Keptn's slo.yaml asks for, in our words; its mistakes are kept to be reported where Keptn reports them. */
export function sloOfKeptn(file: KeptnSlo): Slo {
  return {
    compatibility: 'keptn',
    comparison: toComparison(file.comparison),
    objectives: file.objectives.map(toObjective),
    totalScore: toTotalScore(file.total_score),
    filter: { ...file.filter },
  };
}

function toComparison(comparison: KeptnComparison): Comparison {
  const { compare_with, number_of_comparison_results, include_result_with_score, aggregate_function } = comparison;
  return {
    count: previousResultsLimit(compare_with, number_of_comparison_results),
    include: includeOf(include_result_with_score),
    aggregate: isAggregate(aggregate_function) ? aggregate_function : 'zero',
  };
}

function isAggregate(name: string): name is 'avg' | 'p50' | 'p90' | 'p95' {
  return ['avg', 'p50', 'p90', 'p95'].includes(name);
}

function toObjective({ sli, displayName, pass, warning, weight, key_sli }: KeptnObjective): Slo['objectives'][number] {
  return {
    sli,
    ...(displayName === '' ? {} : { displayName }),
    pass: toSets(pass),
    warning: toSets(warning),
    weight,
    keySli: key_sli,
  };
}

function toSets(sets: KeptnObjective['pass']): CriteriaSet[] {
  return (sets ?? []).map(({ criteria }) => criteria);
}

function toTotalScore(score: KeptnSlo['total_score']): Slo['totalScore'] {
  if (score === null || score.pass === '') return mistaken('no target score defined');
  const pass = toPercent(score.pass);
  if (pass === undefined) return mistaken('could not parse pass target percentage');
  if (score.warning === '') return { pass };
  const warning = toPercent(score.warning);
  return warning === undefined ? mistaken('could not parse warning target percentage') : { pass, warning };
}

/** Never passes, whoever overlooks the mistake. */
function mistaken(mistake: string): Slo['totalScore'] {
  return { pass: 100, mistake };
}

/** Keptn takes `NaN` and `Inf` too, and nothing passes then; here that is the mistake that it is. */
function toPercent(text: string): number | undefined {
  const value = parseGoFloat(text.replace(/%$/, ''));
  return value !== undefined && Number.isFinite(value) ? value : undefined;
}
