import { holds, readCriterion, targetOf } from './criteria.ts';
import type { CriteriaSet, Target } from './evaluation.ts';

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
  const parsed = readCriterion(criteria);
  // Files with such a criterion are refused when they are read; here it must still never pass.
  if (!parsed.ok) return { criteria, targetValue: 0, violated: true };
  const target = targetOf(parsed.criterion, earlier);
  if (target === undefined) return { criteria, targetValue: 0, violated: false };
  const held = Number.isFinite(target) && holds(value, parsed.criterion.operator, target);
  return { criteria, targetValue: target, violated: !held };
}

/** Targets of an objective that has no value: a relative one shows what it would be compared with. */
export function unmet(sets: readonly CriteriaSet[], earlier: number | undefined): Target[] {
  return sets.flat().map((criteria) => {
    const parsed = readCriterion(criteria);
    const targetValue = parsed.ok && !parsed.criterion.relative ? parsed.criterion.value : (earlier ?? 0);
    return { criteria, targetValue, violated: true };
  });
}
