import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evaluate } from '../../src/slo/evaluate.ts';
import type { EarlierEvaluation, IndicatorValue, Objective, Slo } from '../../src/slo/evaluation.ts';

const NAMES = ['a', 'b', 'c', 'd'];
const RUNS = { numRuns: 2_000 };

const number = fc.double({ min: -1e6, max: 1e6, noNaN: true });
const limit = fc.double({ min: 0, max: 1e6, noNaN: true });
const criteria = (operators: readonly string[]) =>
  fc
    .tuple(fc.constantFrom(...operators), fc.constantFrom('', '+', '-'), limit, fc.constantFrom('', '%'))
    .map(([operator, sign, value, percent]) => `${operator}${sign}${value}${percent}`);
const sets = (operators: readonly string[], least: number) =>
  fc.array(fc.array(criteria(operators), { minLength: 1, maxLength: 3 }), { minLength: least, maxLength: 3 });
const objective = (operators: readonly string[]): fc.Arbitrary<Objective> =>
  fc.record({
    sli: fc.constantFrom(...NAMES),
    pass: sets(operators, 0),
    warning: sets(operators, 0),
    weight: fc.integer({ min: 1, max: 1_000 }),
    keySli: fc.boolean(),
  });
const slo = (operators: readonly string[] = ['<', '<=', '=', '>=', '>']): fc.Arbitrary<Slo> =>
  fc.record({
    comparison: fc.record({
      count: fc.integer({ min: 1, max: 4 }),
      include: fc.constantFrom('all', 'pass', 'pass_or_warn'),
      aggregate: fc.constantFrom('avg', 'p50', 'p90', 'p95'),
    }),
    objectives: fc.array(objective(operators), { minLength: 1, maxLength: 6 }),
    totalScore: fc.record(
      { pass: fc.integer({ min: 1, max: 100 }), warning: fc.integer({ min: 1, max: 100 }) },
      { requiredKeys: ['pass'] },
    ),
    filter: fc.constant({}),
  });
const value = (of: fc.Arbitrary<number>): fc.Arbitrary<IndicatorValue> =>
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ metric: fc.constantFrom(...NAMES), ok: fc.constant(true as const), value: of }),
    },
    fc.record({ metric: fc.constantFrom(...NAMES), ok: fc.constant(false as const), message: fc.constant('gone') }),
  );
const anyNumber = fc.oneof(number, fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY));
const values = fc.uniqueArray(value(anyNumber), { selector: ({ metric }) => metric, maxLength: 4 });
const history: fc.Arbitrary<EarlierEvaluation[]> = fc.array(
  fc.record({
    id: fc.string(),
    result: fc.constantFrom('pass', 'warning', 'fail'),
    indicators: fc.array(fc.record({ sli: fc.constantFrom(...NAMES), value: anyNumber }, { requiredKeys: ['sli'] }), {
      maxLength: 4,
    }),
  }),
  { maxLength: 5 },
);
const ORDER = { fail: 0, warning: 1, pass: 2 } as const;

describe('any evaluation', () => {
  it('has a score from 0 to 100', () => {
    fc.assert(
      fc.property(slo(), values, history, (asked, given, earlier) => {
        const { score } = evaluate({ slo: asked, values: given, earlier });
        expect(score).toBeGreaterThanOrEqual(0);
        expect(score).toBeLessThanOrEqual(100);
      }),
      RUNS,
    );
  });

  it.each([
    ['lower', ['<', '<='], -1],
    ['higher', ['>', '>='], 1],
  ] as const)('is never worse for a value that is better (%s)', (_better, operators, direction) => {
    const step = fc.double({ min: 0, max: 1e6, noNaN: true });
    const measured = fc.tuple(...NAMES.map(() => number));
    fc.assert(
      fc.property(slo(operators), measured, fc.nat({ max: 3 }), step, history, (asked, numbers, at, by, earlier) => {
        const judge = (each: readonly number[]) =>
          evaluate({ slo: asked, earlier, values: NAMES.map((metric, i) => ({ metric, ok: true, value: each[i]! })) });
        const before = judge(numbers);
        const after = judge(numbers.map((each, i) => (i === at ? each + direction * by : each)));
        expect(after.score).toBeGreaterThanOrEqual(before.score);
        expect(ORDER[after.result]).toBeGreaterThanOrEqual(ORDER[before.result]);
      }),
      RUNS,
    );
  });

  it('does not depend on the order of objectives and values', () => {
    const shuffled = slo().chain((asked) =>
      fc
        .shuffledSubarray(asked.objectives, { minLength: asked.objectives.length })
        .map((objectives) => [asked, { ...asked, objectives }] as const),
    );
    fc.assert(
      fc.property(shuffled, values, history, ([asked, other], given, earlier) => {
        const one = evaluate({ slo: asked, values: given, earlier });
        const two = evaluate({ slo: other, values: given.toReversed(), earlier });
        expect([two.result, two.score, two.judged]).toEqual([one.result, one.score, one.judged]);
      }),
      RUNS,
    );
  });

  it('never passes, nor warns, with a key value that is missing or no number', () => {
    fc.assert(
      fc.property(slo(), values, history, (asked, given, earlier) => {
        const usable = new Set(given.flatMap((one) => (one.ok && Number.isFinite(one.value) ? [one.metric] : [])));
        fc.pre(asked.objectives.some(({ keySli, pass, sli }) => keySli && pass.length > 0 && !usable.has(sli)));
        expect(evaluate({ slo: asked, values: given, earlier }).result).toBe('fail');
      }),
      RUNS,
    );
  });

  it('gives no points, and meets no criterion, by a value that is no number', () => {
    const broken = fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY);
    fc.assert(
      fc.property(slo(), broken, history, (asked, each, earlier) => {
        const given = NAMES.map((metric): IndicatorValue => ({ metric, ok: true, value: each }));
        const judged = evaluate({ slo: asked, values: given, earlier });
        expect(judged).toMatchObject({ result: 'fail', judged: false, score: 0 });
        expect(judged.indicators.every(({ status }) => status === 'fail' || status === 'info')).toBe(true);
      }),
      RUNS,
    );
  });

  it('says that it was not judged only when the missing values could still have saved it', () => {
    fc.assert(
      fc.property(slo(), values, history, (asked, given, earlier) => {
        const { result, judged, indicators } = evaluate({ slo: asked, values: given, earlier });
        if (judged) return;
        expect(result).toBe('fail');
        const measuredKey = indicators.some((one) => one.keySli && one.status === 'fail' && one.value !== undefined);
        expect(measuredKey).toBe(false);
      }),
      RUNS,
    );
  });

  it('is the same again for the same question, and changes nothing in it', () => {
    fc.assert(
      fc.property(slo(), values, history, (asked, given, earlier) => {
        const question = structuredClone({ slo: asked, values: given, earlier });
        const first = evaluate(question);
        expect(evaluate(question)).toEqual(first);
        expect(question).toEqual({ slo: asked, values: given, earlier });
      }),
      { numRuns: 500 },
    );
  });
});
