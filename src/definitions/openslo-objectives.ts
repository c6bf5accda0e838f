import type { BudgetMethod, BudgetObjective, BudgetWindow } from '../slo/budget-objective.ts';
import { findIndicator, readIndicator } from './openslo-indicator.ts';
import { at, entries, type FindObject, type Report, type Spot, textAt } from './openslo-spot.ts';
import { durationMs } from './quantities.ts';
import { quote } from './validate.ts';

const METHODS: Readonly<Record<string, BudgetMethod>> = {
  Occurrences: 'occurrences',
  Timeslices: 'timeslices',
  RatioTimeslices: 'ratio-timeslices',
};
const MAX_OBJECTIVES = 20;

export function readMethod(method: Spot, report: Report): BudgetMethod | undefined {
  const known = Object.hasOwn(METHODS, String(method.value)) ? METHODS[String(method.value)] : undefined;
  if (known === undefined)
    report(method, `budgetingMethod must be Occurrences, Timeslices or RatioTimeslices, got ${quote(method.value)}`);
  return known;
}

/**
 * The objectives of an SLO. They share its indicator, each with a target of its own; or, in a composite
 * SLO, each has an indicator and a weight.
 */
export function readObjectives(
  spec: Spot,
  { method, window }: { method: BudgetMethod; window: BudgetWindow },
  find: FindObject,
  report: Report,
): { objectives: BudgetObjective[]; composite: boolean } | undefined {
  const spots = entries(at(spec, 'objectives'));
  if (spots.length === 0 || spots.length > MAX_OBJECTIVES) {
    report(at(spec, 'objectives'), `objectives must be a list of 1 to ${MAX_OBJECTIVES} objectives`);
    return undefined;
  }
  const shared = findIndicator(spec, find, report);
  const own = spots.filter(hasIndicator);
  const composite = own.length > 0;
  if (composite && (own.length < spots.length || shared !== undefined)) {
    report(spec, 'a composite SLO has an indicator in every objective, and none of its own', 'objectives');
    return undefined;
  }
  for (const spot of composite ? [] : spots) {
    if (at(spot, 'compositeWeight').value !== undefined)
      report(spot, '"compositeWeight" is for a composite SLO: give every objective an indicator', 'compositeWeight');
  }
  if (!composite && shared === undefined && !hasIndicator(spec)) report(spec, 'needs an "indicator"');
  const objectives = spots.flatMap((spot) => {
    const sli = composite ? findIndicator(spot, find, report) : shared;
    const objective = readObjective(spot, sli, { method, window }, find, report);
    return objective === undefined ? [] : [objective];
  });
  return { objectives, composite };
}

function hasIndicator(owner: Spot): boolean {
  return at(owner, 'indicator').value !== undefined || at(owner, 'indicatorRef').value !== undefined;
}

function readObjective(
  spot: Spot,
  sli: Spot | undefined,
  { method, window }: { method: BudgetMethod; window: BudgetWindow },
  find: FindObject,
  report: Report,
): BudgetObjective | undefined {
  const target = readTarget(spot, report);
  const slices = method === 'occurrences' ? undefined : readSlices(spot, method, report);
  const weight = readWeight(at(spot, 'compositeWeight'), report);
  const use = { objective: spot, sliced: method !== 'occurrences' };
  const indicator = sli === undefined ? undefined : readIndicator(sli, use, find, report);
  if (target === undefined || indicator === undefined) return undefined;
  return {
    name: textAt(at(spot, 'displayName')) ?? `${Number((target * 100).toPrecision(12))} %`,
    target,
    window,
    method,
    ...indicator,
    ...(slices === undefined ? {} : { slices }),
    ...(weight === undefined ? {} : { weight }),
  };
}

function readTarget(objective: Spot, report: Report): number | undefined {
  const [target, percent] = [at(objective, 'target'), at(objective, 'targetPercent')];
  if ((target.value === undefined) === (percent.value === undefined)) {
    report(objective, 'needs one of "target" (such as 0.999) and "targetPercent" (such as 99.9)');
    return undefined;
  }
  const written = target.value === undefined ? percent : target;
  const scale = target.value === undefined ? 100 : 1;
  const value = typeof written.value === 'number' ? Number((written.value / scale).toPrecision(15)) : Number.NaN;
  if (value > 0 && value < 1) return value;
  report(written, `must be above 0 and below ${scale}, got ${quote(written.value)}`);
  return undefined;
}

function readSlices(objective: Spot, method: BudgetMethod, report: Report): BudgetObjective['slices'] {
  const [width, target] = [at(objective, 'timeSliceWindow'), at(objective, 'timeSliceTarget')];
  const widthMs = typeof width.value === 'string' ? durationMs(width.value) : undefined;
  if (widthMs === undefined || widthMs % 1000 !== 0)
    report(width, `time slices need a "timeSliceWindow" such as 1m, got ${quote(width.value)}`);
  const share = target.value;
  const isShare = typeof share === 'number' && share > 0 && share <= 1;
  if (method === 'timeslices' && !isShare)
    report(target, `Timeslices need a "timeSliceTarget" above 0 and at most 1, got ${quote(share)}`);
  if (widthMs === undefined) return undefined;
  return { widthMs, ...(method === 'timeslices' && isShare ? { target: share } : {}) };
}

function readWeight(weight: Spot, report: Report): number | undefined {
  if (weight.value === undefined) return undefined;
  if (typeof weight.value === 'number' && weight.value > 0 && Number.isFinite(weight.value)) return weight.value;
  report(weight, `must be a number above 0, got ${quote(weight.value)}`);
  return undefined;
}
