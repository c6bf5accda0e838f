import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evaluate } from '../../src/slo/evaluate.ts';
import type { EarlierEvaluation, IndicatorValue, Objective, Slo } from '../../src/slo/evaluation.ts';

const objective = (sli: string, changes: Partial<Objective> = {}): Objective => ({
  sli,
  pass: [['<100']],
  warning: [],
  weight: 1,
  keySli: false,
  ...changes,
});

const slo = (objectives: Objective[], changes: Partial<Slo> = {}): Slo => ({
  comparison: { count: 1, include: 'all', aggregate: 'avg' },
  objectives,
  totalScore: { pass: 90, warning: 75 },
  filter: {},
  ...changes,
});

const value = (metric: string, number: number): IndicatorValue => ({ metric, ok: true, value: number });
const earlier = (id: string, result: EarlierEvaluation['result'], a: number): EarlierEvaluation => ({
  id,
  result,
  indicators: [{ sli: 'a', value: a }],
});

describe('an evaluation', () => {
  it('lets one value serve every objective on it', () => {
    const judged = evaluate({
      slo: slo([objective('a'), objective('a', { pass: [['<10']] })]),
      values: [value('a', 50)],
      earlier: [],
    });
    expect(judged.indicators.map(({ status }) => status)).toEqual(['pass', 'fail']);
    expect(judged).toMatchObject({ result: 'fail', score: 50 });
  });

  it.each([
    ['was not read', []],
    ['could not be read', [{ metric: 'a', ok: false, message: 'the query gives no data' } as const]],
    ['is not a number', [value('a', Number.NaN)]],
    ['is infinite', [value('a', Number.NEGATIVE_INFINITY)]],
  ])('fails an objective whose value %s', (_why, values) => {
    const judged = evaluate({ slo: slo([objective('a')]), values, earlier: [] });
    expect(judged).toMatchObject({
      result: 'fail',
      score: 0,
      indicators: [{ status: 'fail', passTargets: [{ violated: true }] }],
    });
    expect(judged.indicators[0]?.message).toBeTruthy();
    expect(judged.indicators[0]).not.toHaveProperty('value');
  });

  it('tolerates a missing value that is only informational', () => {
    const judged = evaluate({
      slo: slo([objective('a'), objective('b', { pass: [] })]),
      values: [value('a', 1)],
      earlier: [],
    });
    expect(judged).toMatchObject({ result: 'pass', score: 100, indicators: [{}, { status: 'info', score: 0 }] });
  });

  it('never passes when nothing was judged', () => {
    const judged = evaluate({ slo: slo([objective('a', { pass: [] })]), values: [value('a', 1)], earlier: [] });
    expect(judged).toMatchObject({ result: 'fail', score: 0, message: expect.stringContaining('Nothing was judged') });
    expect(evaluate({ slo: slo([]), values: [], earlier: [] }).result).toBe('fail');
  });

  it('names each key objective that failed, with why', () => {
    const key = objective('a', { keySli: true, displayName: 'Latency' });
    const judged = evaluate({
      slo: slo([key, objective('k', { keySli: true }), objective('b', { weight: 99 })]),
      values: [value('a', 100), value('b', 1)],
      earlier: [],
    });
    expect(judged.message).toBe(
      'A key objective failed, which decides alone: "Latency" (value 100), "k" (no value was read).',
    );
    expect(judged.result).toBe('fail');
  });

  it.each([
    ['pass', 2, ['e3', 'e4'], 35],
    ['pass_or_warn', 2, ['e2', 'e3'], 25],
    ['all', 3, ['e1', 'e2', 'e3'], 20],
    ['all', 9, ['e1', 'e2', 'e3', 'e4'], 25],
  ] as const)('that includes %s compares with the last %i of them', (include, count, compared, average) => {
    const history = [
      earlier('e1', 'fail', 10),
      earlier('e2', 'warning', 20),
      earlier('e3', 'pass', 30),
      earlier('e4', 'pass', 40),
    ];
    const judged = evaluate({
      slo: slo([objective('a', { pass: [['<=+10%']] })], { comparison: { count, include, aggregate: 'avg' } }),
      values: [value('a', 1)],
      earlier: history,
    });
    expect(judged.compared).toEqual(compared);
    expect(judged.indicators[0]).toMatchObject({ comparedValue: average });
  });

  it('does not pass a criterion whose target is beyond all numbers', () => {
    const judged = evaluate({
      slo: slo([objective('a', { pass: [['<=+1e300%']] })]),
      values: [value('a', 1)],
      earlier: [earlier('e1', 'pass', 1e300)],
    });
    expect(judged.result).toBe('fail');
  });

  it('judges on the exact score and says a rounded one that does not flatter', () => {
    const nearly = slo([objective('a', { weight: 89_999 }), objective('b', { weight: 10_001 })]);
    const judged = evaluate({ slo: nearly, values: [value('a', 1), value('b', 100)], earlier: [] });
    expect(judged).toMatchObject({
      result: 'warning',
      message: expect.stringContaining('The score of 89.99 is below the 90'),
    });
  });

  it('does not pass what it cannot understand', () => {
    const judged = evaluate({
      slo: slo([objective('a', { pass: [['soon'], []] })]),
      values: [value('a', 1)],
      earlier: [],
    });
    expect(judged.result).toBe('fail');
  });
});

describe('whatever the values', () => {
  const criteria = fc.constantFrom('<100', '>=5', '<=+10%', '>-5', '=0', '<=0');
  const sets = fc.array(fc.array(criteria, { minLength: 1, maxLength: 3 }), { maxLength: 3 });
  const objectives = fc.array(
    fc.record({
      sli: fc.constantFrom('a', 'b', 'c'),
      pass: sets,
      warning: sets,
      weight: fc.integer({ min: 1, max: 1000 }),
      keySli: fc.boolean(),
    }),
    { minLength: 1, maxLength: 6 },
  );
  const values = fc.array(
    fc.record({
      metric: fc.constantFrom('a', 'b', 'c'),
      ok: fc.constant(true as const),
      value: fc.oneof(fc.double(), fc.integer({ min: -10, max: 200 })),
    }),
    { maxLength: 3 },
  );
  const history = fc.array(
    fc.record({
      id: fc.uuid(),
      result: fc.constantFrom('pass' as const, 'warning' as const, 'fail' as const),
      indicators: fc.array(fc.record({ sli: fc.constantFrom('a', 'b', 'c'), value: fc.double() }), { maxLength: 3 }),
    }),
    { maxLength: 4 },
  );

  it('the score stays within 0 and 100, and the verdict follows from it and the keys', () => {
    fc.assert(
      fc.property(objectives, values, history, (all, read, past) => {
        const judged = evaluate({ slo: slo(all), values: read, earlier: past });
        expect(judged.score).toBeGreaterThanOrEqual(0);
        expect(judged.score).toBeLessThanOrEqual(100);
        const keyFailed = judged.indicators.some(({ keySli, status }) => keySli && status === 'fail');
        const expected = keyFailed ? 'fail' : judged.score >= 90 ? 'pass' : judged.score >= 75 ? 'warning' : 'fail';
        expect(judged.result).toBe(expected);
      }),
    );
  });

  it('the order of objectives changes nothing', () => {
    fc.assert(
      fc.property(objectives, values, history, (all, read, past) => {
        const [forth, back] = [all, all.toReversed()].map((each) =>
          evaluate({ slo: slo(each), values: read, earlier: past }),
        );
        expect([back?.score, back?.result]).toEqual([forth?.score, forth?.result]);
      }),
    );
  });

  it('a missing key indicator never passes', () => {
    fc.assert(
      fc.property(objectives, values, history, (all, read, past) => {
        const withKey = [...all, objective('key', { keySli: true })];
        expect(evaluate({ slo: slo(withKey), values: read, earlier: past }).result).toBe('fail');
      }),
    );
  });
});
