import type { Objective, Slo } from '../evaluation.ts';
import { aggregateEarlier, type Earlier, emptyTargets, judgeKeptnSets } from './criteria.ts';
import type { KeptnIndicatorResult, KeptnKeySli, KeptnValue } from './model.ts';

export interface JudgedObjectives {
  results: KeptnIndicatorResult[];
  /** Sum of the weights that can be reached. */
  maximum: number;
  keySli: KeptnKeySli;
  /** Names of values that no objective asked for. */
  leftover: string[];
}

/** Invalid pass criteria end the evaluation there and then; `keySli` is what was known by then. */
export type Objectives =
  | ({ ok: true } & JudgedObjectives)
  | { ok: false; error: string; maximum: number; keySli: KeptnKeySli };

/** What Keptn takes for the maximum where it has judged nothing. */
const UNKNOWN_MAXIMUM = 100;
const NO_KEY: KeptnKeySli = { failed: false, name: '', message: '' };

/**
 * Judges the objectives one after another. Each uses up the value that it takes, so a second objective
 * on the same SLI finds none. `earlier` holds the values of the evaluations that are compared with.
 */
export function judgeObjectives(
  slo: Slo,
  delivered: readonly KeptnValue[],
  earlier: readonly KeptnValue[],
): Objectives {
  let keySli = NO_KEY;
  if (slo.objectives.length === 0) return { ok: true, results: [], maximum: UNKNOWN_MAXIMUM, keySli, leftover: [] };
  const left = [...delivered];
  const before = Map.groupBy(earlier, ({ metric }) => metric);
  const results: KeptnIndicatorResult[] = [];
  let maximum = 0;
  for (const objective of slo.objectives) {
    if (objective.pass.length > 0) maximum += objective.weight;
    const judged = judgeObjective(
      objective,
      takeValue(left, objective.sli),
      aggregateEarlier(before.get(objective.sli) ?? [], slo.comparison.aggregate),
    );
    if (!judged.ok) {
      const error = `error with ${objective.displayName || objective.sli}: ${judged.error}`;
      return { ok: false, error, maximum: UNKNOWN_MAXIMUM, keySli };
    }
    results.push(judged.result);
    keySli = judged.keySli ?? keySli;
  }
  return { ok: true, results, maximum, keySli, leftover: left.map(({ metric }) => metric) };
}

/** Takes a value out of the list; the last one moves into its place, as Keptn's messages show. */
export function takeValue(values: KeptnValue[], sli: string): KeptnValue | undefined {
  const at = values.findIndex(({ metric }) => metric === sli);
  if (at < 0) return undefined;
  const found = values[at];
  const last = values.pop();
  if (last !== undefined && at < values.length) values[at] = last;
  return found;
}

type JudgedObjective = { ok: true; result: KeptnIndicatorResult; keySli?: KeptnKeySli } | { ok: false; error: string };

function judgeObjective(objective: Objective, value: KeptnValue | undefined, earlier: Earlier): JudgedObjective {
  const facts = { score: 0, displayName: objective.displayName ?? '', keySli: false };
  const unmet = () => ({
    passTargets: emptyTargets(objective.pass, earlier),
    warningTargets: emptyTargets(objective.warning, earlier),
  });
  if (objective.pass.length === 0) {
    return { ok: true, result: { ...facts, ...unmet(), value: value ?? null, status: 'info' } };
  }
  if (value === undefined || !value.success) {
    const failed = value ?? noValue(objective.sli);
    const result: KeptnIndicatorResult = { ...facts, ...unmet(), value: failed, status: 'fail' };
    return { ok: true, result, ...keyFailure(objective, failed.message ?? '') };
  }
  return judgeValue(objective, value, earlier);
}

function judgeValue(objective: Objective, value: KeptnValue, earlier: Earlier): JudgedObjective {
  const pass = judgeKeptnSets(value, objective.pass, earlier);
  if (!pass.ok) return pass;
  const judged = judgeKeptnSets(value, objective.warning, earlier);
  const warning = judged.ok ? judged : { satisfied: false, targets: [] };
  const status = pass.satisfied ? 'pass' : warning.satisfied ? 'warning' : 'fail';
  // Every criterion that is judged notes down what it saw; without any the value stays as it was delivered.
  const seen = pass.targets.length > 0 || firstIsValid(objective.warning);
  const result: KeptnIndicatorResult = {
    score: { pass: 1, warning: 0.5, fail: 0 }[status] * objective.weight,
    value: seen ? { ...value, comparedValue: earlier.value } : value,
    displayName: objective.displayName ?? '',
    passTargets: pass.targets.length === 0 ? null : pass.targets,
    // Invalid ones are an empty list.
    warningTargets: judged.ok && warning.targets.length === 0 ? null : warning.targets,
    keySli: objective.keySli,
    status,
  };
  if (status !== 'fail') return { ok: true, result };
  return {
    ok: true,
    result: { ...result, score: 0 },
    ...keyFailure(objective, 'failed evaluation with score 0.000000'),
  };
}

function firstIsValid(sets: Objective['warning']): boolean {
  const [first] = sets.flat();
  return first !== undefined && emptyTargets([[first]], { value: 0, skip: true }).length > 0;
}

function keyFailure({ keySli, displayName = '' }: Objective, message: string): { keySli?: KeptnKeySli } {
  return keySli ? { keySli: { failed: true, name: displayName, message } } : {};
}

function noValue(metric: string): KeptnValue {
  return { metric, value: 0, comparedValue: 0, success: false, message: 'no value received from SLI provider' };
}
