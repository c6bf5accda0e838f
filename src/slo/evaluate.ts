import { aggregate } from './aggregate.ts';
import { holds, parseCriterion, targetOf } from './criteria.ts';
import type {
  CriteriaSet,
  EarlierEvaluation,
  Evaluation,
  IndicatorResult,
  IndicatorValue,
  Objective,
  Slo,
  Target,
} from './evaluation.ts';

export interface EvaluationInput {
  slo: Slo;
  values: readonly IndicatorValue[];
  /** Newest first; which of them count, and how many, follows from the SLO. */
  earlier: readonly EarlierEvaluation[];
}

/**
 * Judges indicator values by Keptn's arithmetic. An objective without a usable value fails, a key
 * objective that fails decides alone, and an SLO in which nothing can fail never passes.
 */
export function evaluate({ slo, values, earlier }: EvaluationInput): Evaluation {
  const compared = earlierThatCount(slo, earlier);
  const indicators = slo.objectives.map((objective) =>
    judgeObjective(objective, findValue(values, objective.sli), earlierValue(slo, objective.sli, compared)),
  );
  return {
    ...sumUp(slo, indicators),
    thresholds: { ...slo.totalScore },
    indicators,
    compared: compared.map((evaluation) => evaluation.id),
  };
}

/** From the judged objectives to the score and the verdict. */
export function sumUp(
  slo: Slo,
  indicators: readonly IndicatorResult[],
): Pick<Evaluation, 'result' | 'message' | 'score'> {
  const score = totalScore(slo, indicators);
  return { ...verdict(slo, indicators, score), score };
}

function earlierThatCount(slo: Slo, earlier: readonly EarlierEvaluation[]): EarlierEvaluation[] {
  const { include, count } = slo.comparison;
  const counts = (result: EarlierEvaluation['result']) =>
    include === 'all' || result === 'pass' || (include === 'pass_or_warn' && result === 'warning');
  return earlier.filter((evaluation) => counts(evaluation.result)).slice(0, count);
}

function earlierValue(slo: Slo, sli: string, compared: readonly EarlierEvaluation[]): number | undefined {
  const values = compared
    .map((evaluation) => evaluation.indicators.find((indicator) => indicator.sli === sli)?.value)
    .filter((value): value is number => value !== undefined && Number.isFinite(value));
  return aggregate(values, slo.comparison.aggregate);
}

type Found = { value: number } | { missing: string };

function findValue(values: readonly IndicatorValue[], sli: string): Found {
  const found = values.find((value) => value.metric === sli);
  if (found === undefined) return { missing: 'no value was read' };
  if (!found.ok) return { missing: found.message };
  return Number.isFinite(found.value) ? { value: found.value } : { missing: 'the value is not a number' };
}

function judgeObjective(objective: Objective, found: Found, earlier: number | undefined): IndicatorResult {
  const facts = {
    sli: objective.sli,
    displayName: objective.displayName ?? objective.sli,
    keySli: objective.keySli,
    weight: objective.weight,
    ...('value' in found ? { value: found.value } : { message: found.missing }),
    ...(earlier === undefined ? {} : { comparedValue: earlier }),
  };
  if (objective.pass.length === 0) {
    return { ...facts, status: 'info', score: 0, passTargets: [], warningTargets: unmet(objective.warning, earlier) };
  }
  if ('missing' in found) {
    const [passTargets, warningTargets] = [unmet(objective.pass, earlier), unmet(objective.warning, earlier)];
    return { ...facts, status: 'fail', score: 0, passTargets, warningTargets };
  }
  const pass = judgeSets(objective.pass, found.value, earlier);
  const warning = judgeSets(objective.warning, found.value, earlier);
  const status = pass.met ? 'pass' : warning.met ? 'warning' : 'fail';
  const share = { pass: 1, warning: 0.5, fail: 0 }[status];
  const score = share * objective.weight;
  return { ...facts, status, score, passTargets: pass.targets, warningTargets: warning.targets };
}

/** OR over the sets, AND within one; everything is judged, so that people see each criterion. */
export function judgeSets(
  sets: readonly CriteriaSet[],
  value: number,
  earlier: number | undefined,
): { met: boolean; targets: Target[] } {
  const judged = sets.map((set) => set.map((criteria) => judgeCriterion(criteria, value, earlier)));
  return {
    met: judged.some((targets) => targets.length > 0 && targets.every((target) => !target.violated)),
    targets: judged.flat(),
  };
}

/** Relative to nothing earlier is met: a first evaluation cannot be worse than the one before. */
export function judgeCriterion(criteria: string, value: number, earlier: number | undefined): Target {
  const parsed = parseCriterion(criteria);
  // Files with such a criterion are refused when they are read; here it must still never pass.
  if (!parsed.ok) return { criteria, targetValue: 0, violated: true };
  const target = targetOf(parsed.criterion, earlier);
  if (target === undefined) return { criteria, targetValue: 0, violated: false };
  const held = Number.isFinite(target) && holds(value, parsed.criterion.operator, target);
  return { criteria, targetValue: target, violated: !held };
}

/** Targets of an objective that has no value: a relative one shows what it would be compared with. */
function unmet(sets: readonly CriteriaSet[], earlier: number | undefined): Target[] {
  return sets.flat().map((criteria) => {
    const parsed = parseCriterion(criteria);
    const targetValue = parsed.ok && !parsed.criterion.relative ? parsed.criterion.value : (earlier ?? 0);
    return { criteria, targetValue, violated: true };
  });
}

/** 100 * reached / possible, where only objectives with pass criteria count. Nothing possible: 0. */
function totalScore(slo: Slo, indicators: readonly IndicatorResult[]): number {
  let possible = 0;
  for (const objective of slo.objectives) possible += objective.pass.length > 0 ? objective.weight : 0;
  let reached = 0;
  for (const indicator of indicators) reached += indicator.score;
  return possible > 0 ? 100 * (reached / possible) : 0;
}

function verdict(
  slo: Slo,
  indicators: readonly IndicatorResult[],
  score: number,
): Pick<Evaluation, 'result' | 'message'> {
  if (!slo.objectives.some((objective) => objective.pass.length > 0)) {
    return { result: 'fail', message: 'Nothing was judged: no objective has pass criteria.' };
  }
  const failedKeys = indicators.filter((indicator) => indicator.keySli && indicator.status === 'fail');
  if (failedKeys.length > 0) return { result: 'fail', message: sayFailedKeys(failedKeys) };
  const { pass, warning } = slo.totalScore;
  const reached = `The score of ${round(score)}`;
  if (score >= pass) return { result: 'pass', message: `${reached} reaches the ${round(pass)} that pass.` };
  const below = `${reached} is below the ${round(pass)} that pass`;
  const why = sayUnmet(indicators);
  if (warning === undefined) return { result: 'fail', message: `${below}${why}.` };
  return score >= warning
    ? { result: 'warning', message: `${below}, but reaches the ${round(warning)} for a warning${why}.` }
    : { result: 'fail', message: `${below} and the ${round(warning)} for a warning${why}.` };
}

/** People mend the worst first; the table has them all. */
const NAMED = 3;

function sayUnmet(indicators: readonly IndicatorResult[]): string {
  const unmet = indicators
    .filter(({ status }) => status === 'fail' || status === 'warning')
    .sort((a, b) => a.score - a.weight - (b.score - b.weight));
  if (unmet.length === 0) return '';
  const more = unmet.length > NAMED ? ` and ${unmet.length - NAMED} more` : '';
  return `: ${unmet.slice(0, NAMED).map(sayIndicator).join(', ')}${more}`;
}

function sayIndicator({ displayName, value, message, passTargets }: IndicatorResult): string {
  if (value === undefined) return `${displayName} has no value (${message ?? 'unknown why'})`;
  const criteria = passTargets.filter(({ violated }) => violated).map((target) => target.criteria);
  return `${displayName} is ${Number(value.toPrecision(4))}, must be ${criteria.join(' and ')}`;
}

function sayFailedKeys(failed: readonly IndicatorResult[]): string {
  const each = failed.map((key) => `"${key.displayName}" (${key.message ?? `value ${key.value}`})`);
  return `A key objective failed, which decides alone: ${each.join(', ')}.`;
}

/** For people only: the verdict compares the exact numbers. Rounded down, so 89.999 never reads as 90. */
function round(score: number): number {
  return Math.floor(score * 100) / 100;
}
