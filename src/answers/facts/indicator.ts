import { isJsonObject } from '../../base/json.ts';
import type { TaskState } from '../../engine/sequence.ts';
import type { IndicatorResult, Target } from '../../slo/evaluation.ts';
import type { Indicator } from '../spot.ts';
import { oneLine } from '../words.ts';

/** A violated criterion says what would have been right. */
const VIOLATED: Readonly<Record<string, string>> = { '<=': '>', '<': '≥', '>=': '<', '>': '≤', '=': '≠' };

/** The indicator that decided a failed evaluation: a key one first, then the one that cost most. */
export function failingIndicator(task: TaskState | undefined): Indicator | undefined {
  const all = evaluationIn(task)?.['indicators'];
  if (!Array.isArray(all)) return undefined;
  const failed = all
    .filter((one): one is (typeof all)[number] & object => isJsonObject(one) && one['status'] !== 'pass')
    .map((one) => one as unknown as IndicatorResult)
    .filter(({ status, value }) => status !== 'info' && typeof value === 'number')
    .toSorted((a, b) => rank(b) - rank(a));
  for (const indicator of failed) {
    const target = violatedIn(indicator);
    if (target) return asIndicator(indicator, target);
  }
  return undefined;
}

function rank({ keySli, status, weight }: IndicatorResult): number {
  return (keySli ? 1e6 : 0) + (status === 'fail' ? 1e3 : 0) + (Number.isFinite(weight) ? weight : 0);
}

/** What would have been a warning is the last limit that was passed over; else the one of a pass. */
function violatedIn({ passTargets, warningTargets, status }: IndicatorResult): Target | undefined {
  const lists = status === 'fail' ? [warningTargets, passTargets] : [passTargets];
  return lists
    .flatMap((targets) => (Array.isArray(targets) ? targets : []))
    .find(({ violated, targetValue }) => violated === true && typeof targetValue === 'number');
}

function asIndicator({ sli, displayName, value = 0, unit }: IndicatorResult, target: Target): Indicator {
  const operator = /^\s*(<=|>=|<|>|=)/.exec(String(target.criteria))?.[1] ?? '<=';
  const name = oneLine(displayName || sli || 'an indicator');
  return {
    name,
    value,
    ...(typeof unit === 'string' ? { unit } : {}),
    operator: VIOLATED[operator] ?? '>',
    limit: target.targetValue,
  };
}

/** Of an evaluation: what it reached, and what it needs to pass. */
export function scoreOf(task: TaskState | undefined): { value: number; pass: number } | undefined {
  const evaluation = evaluationIn(task);
  const thresholds = evaluation?.['thresholds'];
  const pass = isJsonObject(thresholds) ? thresholds['pass'] : undefined;
  const value = evaluation?.['score'];
  return typeof value === 'number' && typeof pass === 'number' ? { value, pass } : undefined;
}

export function evaluationIn(task: TaskState | undefined) {
  const evaluation = task?.name === 'evaluation' ? task.data?.['evaluation'] : undefined;
  return isJsonObject(evaluation) ? evaluation : undefined;
}
