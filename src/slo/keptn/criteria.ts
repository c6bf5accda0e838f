import { aggregate } from '../aggregate.ts';
import { type Criterion, holds, parseCriterion, targetOf } from '../criteria.ts';
import type { Comparison, CriteriaSet } from '../evaluation.ts';
import type { KeptnTarget, KeptnValue } from './model.ts';
import { parseGoFloat } from './numbers.ts';

export type Criteria = { ok: true; criterion: Criterion } | { ok: false; error: string };

/** The grammar is the strict one; numbers are Go's, and the first characters decide which error it is. */
export function parseKeptnCriterion(text: string): Criteria {
  const parsed = parseCriterion(text, parseGoFloat);
  if (parsed.ok) return parsed;
  // Keptn's pattern takes "|" for an operator, so that it is the number that turns out to be wrong.
  const noOperator = parsed.mistake === 'operator' && !text.replaceAll(' ', '').startsWith('|');
  return { ok: false, error: noOperator ? 'invalid criteria string' : 'could not parse criteria target value' };
}

/** What earlier values come down to; nothing to compare with: 0, and relative criteria are met. */
export interface Earlier {
  value: number;
  skip: boolean;
}

/** Failed values do not count; an aggregate that Keptn does not know gives 0 and is compared with. */
export function aggregateEarlier(values: readonly KeptnValue[], by: Comparison['aggregate']): Earlier {
  const usable = values.filter(({ success }) => success).map(({ value }) => value);
  const value = aggregate(usable, by);
  return value === undefined ? { value: 0, skip: true } : { value, skip: false };
}

export type Judged<T> = ({ ok: true } & T) | { ok: false; error: string };

/** A comparison by an operator that may be none. */
export function compareKeptn(measured: number, operator: string, target: number): Judged<{ satisfied: boolean }> {
  if (!isOperator(operator)) return { ok: false, error: 'no operator set' };
  return { ok: true, satisfied: holds(measured, operator, target) };
}

function isOperator(text: string): text is Criterion['operator'] {
  return ['<', '<=', '=', '>=', '>'].includes(text);
}

/** One criterion against one value. `compared` is what the value is shown beside, also for a fixed threshold. */
export function judgeKeptnCriterion(
  measured: Pick<KeptnValue, 'value' | 'success'>,
  criteria: string,
  earlier: Earlier,
): Judged<{ satisfied: boolean; targetValue: number }> {
  if (!measured.success) return { ok: false, error: 'cannot evaluate invalid SLI result' };
  const parsed = parseKeptnCriterion(criteria);
  if (!parsed.ok) return parsed;
  const target = targetOf(parsed.criterion, earlier.skip ? undefined : earlier.value);
  if (target === undefined) return { ok: true, satisfied: true, targetValue: 0 };
  const compared = compareKeptn(measured.value, parsed.criterion.operator, target);
  return compared.ok ? { ...compared, targetValue: target } : compared;
}

/** All of a set must be met, and every one is reported; a set without criteria is met. */
export function judgeKeptnSet(
  measured: KeptnValue,
  set: CriteriaSet,
  earlier: Earlier,
): Judged<{ satisfied: boolean; targets: KeptnTarget[] }> {
  const targets: KeptnTarget[] = [];
  for (const criteria of set) {
    const judged = judgeKeptnCriterion(measured, criteria, earlier);
    if (!judged.ok) return judged;
    targets.push({ criteria, targetValue: judged.targetValue, violated: !judged.satisfied });
  }
  return { ok: true, satisfied: targets.every(({ violated }) => !violated), targets };
}

/** One set that is met is enough; all are judged, and the first error ends it. */
export function judgeKeptnSets(
  measured: KeptnValue,
  sets: readonly CriteriaSet[],
  earlier: Earlier,
): Judged<{ satisfied: boolean; targets: KeptnTarget[] }> {
  const targets: KeptnTarget[] = [];
  let satisfied = false;
  for (const set of sets) {
    const judged = judgeKeptnSet(measured, set, earlier);
    if (!judged.ok) return judged;
    satisfied ||= judged.satisfied;
    targets.push(...judged.targets);
  }
  return { ok: true, satisfied, targets };
}

/** Targets of an objective without a value: the bare aggregate for a relative one, invalid ones left out. */
export function emptyTargets(sets: readonly CriteriaSet[], earlier: Earlier): KeptnTarget[] {
  return sets.flat().flatMap((criteria) => {
    const parsed = parseKeptnCriterion(criteria);
    if (!parsed.ok) return [];
    return [
      { criteria, targetValue: parsed.criterion.relative ? earlier.value : parsed.criterion.value, violated: true },
    ];
  });
}
