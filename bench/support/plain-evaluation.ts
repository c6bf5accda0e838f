import { percentile } from '../../src/slo/aggregate.ts';
import type { EarlierEvaluation, IndicatorValue, Slo } from '../../src/slo/evaluation.ts';

/** As one writes it down from the description: every criterion parsed, and every value looked for, each time. */
export function plainEvaluation(
  slo: Slo,
  values: readonly IndicatorValue[],
  earlier: readonly EarlierEvaluation[],
): { result: string; score: number } {
  const compared = earlier.slice(0, slo.comparison.count);
  let [reached, possible, keyFailed] = [0, 0, false];
  for (const objective of slo.objectives) {
    possible += objective.weight;
    const found = values.find(({ metric }) => metric === objective.sli);
    if (!found?.ok) throw new Error(`there is no value of ${objective.sli}`);
    const before = compared.flatMap(({ indicators }) =>
      indicators.filter(({ sli }) => sli === objective.sli).map(({ value }) => value ?? Number.NaN),
    );
    const met = (sets: readonly string[][]) =>
      sets.map((set) => set.map((text) => holds(text, found.value, before)).every(Boolean)).some(Boolean);
    if (met(objective.pass)) reached += objective.weight;
    else if (met(objective.warning)) reached += objective.weight / 2;
    else if (objective.keySli) keyFailed = true;
  }
  const score = 100 * (reached / possible);
  const { pass, warning = 101 } = slo.totalScore;
  const result = keyFailed ? 'fail' : score >= pass ? 'pass' : score >= warning ? 'warning' : 'fail';
  return { result, score };
}

function holds(text: string, value: number, before: readonly number[]): boolean {
  const [, operator, sign, digits, percent] =
    /^(<=|<|=|>=|>)([+-]?)(\d+\.?\d*)(%?)$/.exec(text.replaceAll(' ', '')) ?? [];
  let target = Number(digits);
  if (sign !== '' || percent !== '') {
    const middle = percentile(before, 0.5);
    const by = sign === '-' ? -target : target;
    target = percent === '' ? middle + by : (middle * (100 + by)) / 100;
  }
  if (operator === '<') return value < target;
  if (operator === '<=') return value <= target;
  if (operator === '>') return value > target;
  if (operator === '>=') return value >= target;
  return value === target;
}
