import { aggregate } from './aggregate.ts';
import { type ControlVerdict, judgeControl } from './canary.ts';
import { judgeSets, unmet } from './evaluate-criteria.ts';
import { sumUp } from './evaluate-verdict.ts';
import type {
  EarlierEvaluation,
  Evaluation,
  IndicatorFacts,
  IndicatorResult,
  IndicatorValue,
  Objective,
  Slo,
} from './evaluation.ts';
import { evaluateAsKeptn } from './keptn/evaluation.ts';

export interface EvaluationInput {
  slo: Slo;
  values: readonly IndicatorValue[];
  /** Newest first; which of them count, and how many, follows from the SLO. */
  earlier: readonly EarlierEvaluation[];
}

/**
 * Judges indicator values by Keptn's arithmetic. An objective without a usable value fails, a key
 * objective that fails decides alone, and an SLO in which nothing can fail never passes; with
 * `compatibility: keptn` all of it is as Keptn's lighthouse did it.
 */
export function evaluate({ slo, values, earlier }: EvaluationInput): Evaluation {
  if (slo.compatibility === 'keptn') return evaluateAsKeptn(slo, values, earlier);
  const compared = earlierThatCount(slo, earlier);
  const before = earlierValues(slo, compared);
  const found = new Map<string, IndicatorValue>();
  for (const value of values) if (!found.has(value.metric)) found.set(value.metric, value);
  const indicators = slo.objectives.map((objective) =>
    judgeObjective(objective, usable(found.get(objective.sli)), before.get(objective.sli)),
  );
  const { pass, warning } = slo.totalScore;
  return {
    ...sumUp(slo, indicators),
    thresholds: { pass, ...(warning === undefined ? {} : { warning }) },
    indicators,
    compared: compared.map((evaluation) => evaluation.id),
  };
}

function earlierThatCount(slo: Slo, earlier: readonly EarlierEvaluation[]): EarlierEvaluation[] {
  const { include, count } = slo.comparison;
  const counts = (result: EarlierEvaluation['result']) =>
    include === 'all' || result === 'pass' || (include === 'pass_or_warn' && result === 'warning');
  return earlier.filter((evaluation) => counts(evaluation.result)).slice(0, Math.max(0, count));
}

/** What earlier values come down to, by SLI; of several results on one SLI the first counts. */
function earlierValues(slo: Slo, compared: readonly EarlierEvaluation[]): Map<string, number> {
  const values = new Map<string, number[]>();
  for (const { indicators } of compared) {
    const seen = new Set<string>();
    for (const { sli, value } of indicators) {
      if (seen.has(sli)) continue;
      seen.add(sli);
      if (value === undefined || !Number.isFinite(value)) continue;
      const known = values.get(sli);
      if (known) known.push(value);
      else values.set(sli, [value]);
    }
  }
  const one = new Map<string, number>();
  for (const [sli, all] of values) one.set(sli, aggregate(all, slo.comparison.aggregate) ?? Number.NaN);
  return one;
}

type Found = ({ value: number } & IndicatorFacts) | { missing: string };

function usable(found: IndicatorValue | undefined): Found {
  if (found === undefined) return { missing: 'no value was read' };
  if (!found.ok) return { missing: found.message };
  const { metric: _, ok: __, ...facts } = found;
  return Number.isFinite(facts.value) ? facts : { missing: 'the value is not a number' };
}

function judgeObjective(objective: Objective, found: Found, earlier: number | undefined): IndicatorResult {
  const facts = { ...described(objective), ...measured(found, earlier) };
  if (objective.pass.length === 0 && objective.control === undefined) {
    return { ...facts, status: 'info', score: 0, passTargets: [], warningTargets: unmet(objective.warning, earlier) };
  }
  const control = objective.control && controlOf(objective.control, found);
  if (control?.classification === 'Nodata') {
    if (objective.control?.onNoData !== 'ignore' || objective.pass.length === 0)
      return withoutGroups(objective, facts, control, earlier);
    // Only the comparison is left out: what the value itself must meet does not need a control.
    const alone = judgeObjective(withoutControl(objective), found, earlier);
    return { message: `not compared with a control: ${control.reason}`, ...alone };
  }
  if ('missing' in found) return { ...facts, status: 'fail', score: 0, ...unmetTargets(objective, earlier) };
  const pass = judgeSets(objective.pass, found.value, earlier);
  const warning = judgeSets(objective.warning, found.value, earlier);
  const met = pass.met || objective.pass.length === 0;
  const compares = control === undefined || control.classification === 'Pass';
  const status = !compares ? 'fail' : met ? 'pass' : warning.met ? 'warning' : 'fail';
  const share = { pass: 1, warning: 0.5, fail: 0 }[status];
  return {
    ...facts,
    status,
    score: share * objective.weight,
    passTargets: pass.targets,
    warningTargets: warning.targets,
    ...(control === undefined ? {} : { control }),
  };
}

function withoutControl({ control: _, ...objective }: Objective): Objective {
  return objective;
}

function described({ sli, displayName, keySli, weight }: Objective) {
  return { sli, displayName: displayName ?? sli, keySli, weight };
}

function measured(found: Found, earlier: number | undefined): Partial<IndicatorResult> {
  const compared = earlier === undefined ? {} : { comparedValue: earlier };
  if ('missing' in found) return { message: found.missing, ...compared };
  const { groups: _, ...facts } = found;
  if (earlier === undefined) return facts;
  const change = facts.value - earlier;
  const worse = facts.better && { regression: facts.better === 'lower' ? change > 0 : change < 0 };
  return { ...facts, ...compared, change, ...worse };
}

function controlOf(criteria: NonNullable<Objective['control']>, found: Found): ControlVerdict {
  if ('missing' in found) return { classification: 'Nodata', critical: criteria.critical, reason: found.missing };
  const { control = [], experiment = [] } = found.groups ?? {};
  return judgeControl(control, experiment, criteria);
}

/** Never a pass: it fails, or is left out of the score where the file says so. */
function withoutGroups(
  objective: Objective,
  facts: ReturnType<typeof described> & Partial<IndicatorResult>,
  control: ControlVerdict,
  earlier: number | undefined,
): IndicatorResult {
  const leftOut = objective.control?.onNoData === 'ignore';
  return {
    ...facts,
    message: leftOut ? `left out of the score: ${control.reason}` : control.reason,
    status: leftOut ? 'info' : 'fail',
    score: 0,
    ...unmetTargets(objective, earlier),
    control,
  };
}

function unmetTargets({ pass, warning }: Objective, earlier: number | undefined) {
  return { passTargets: unmet(pass, earlier), warningTargets: unmet(warning, earlier) };
}
