import { describe, expect, it } from 'vitest';
import { aggregateSources } from '../../src/slo/aggregate.ts';
import type { ControlCriteria } from '../../src/slo/canary.ts';
import { evaluate } from '../../src/slo/evaluate.ts';
import type { IndicatorValue, Objective, Slo } from '../../src/slo/evaluation.ts';

const objective = (sli: string, changes: Partial<Objective> = {}): Objective => ({
  sli,
  pass: [['<100']],
  warning: [],
  weight: 1,
  keySli: false,
  ...changes,
});
const slo = (...objectives: Objective[]): Slo => ({
  comparison: { count: 1, include: 'all', aggregate: 'avg' },
  objectives,
  totalScore: { pass: 90, warning: 50 },
  filter: {},
});
const value = (metric: string, number: number, more: object = {}): IndicatorValue => ({
  metric,
  ok: true,
  value: number,
  ...more,
});
const judge = (asked: Slo, ...values: IndicatorValue[]) => evaluate({ slo: asked, values, earlier: [] });

describe('an evaluation that lacks data', () => {
  it.each([
    [
      'a key value is missing, and nothing else fails',
      slo(objective('a', { keySli: true }), objective('b')),
      [value('b', 1)],
      false,
    ],
    [
      'a key value is missing, and another measured key fails',
      slo(objective('a', { keySli: true }), objective('b', { keySli: true })),
      [value('b', 999)],
      true,
    ],
    [
      'what is missing could have lifted the score',
      slo(objective('a'), objective('b', { weight: 3 })),
      [value('a', 1)],
      false,
    ],
    [
      'what is missing could not have lifted the score',
      slo(objective('a'), objective('b', { weight: 3 })),
      [value('b', 999)],
      true,
    ],
    ['everything is missing', slo(objective('a'), objective('b')), [], false],
    ['nothing is missing', slo(objective('a')), [value('a', 999)], true],
  ])('fails; when %s', (_when, asked, values, judged) => {
    expect(judge(asked, ...values)).toMatchObject({ result: 'fail', judged });
  });

  it('names what is missing and why', () => {
    const gone: IndicatorValue = { metric: 'a', ok: false, message: 'the query gives no data' };
    expect(judge(slo(objective('a', { displayName: 'Errors' })), gone).message).toBe(
      'Could not be judged, for want of data: "Errors" (the query gives no data).',
    );
  });

  it('may still be a warning: that is a verdict', () => {
    expect(judge(slo(objective('a'), objective('b')), value('a', 1))).toMatchObject({
      result: 'warning',
      judged: true,
    });
  });
});

describe('what is known of a value', () => {
  it('is kept with the result, but not the points of its groups', () => {
    const facts = { unit: 'ms', better: 'lower', samples: 40, sources: [{ provider: 'x', value: 7 }] };
    const judged = judge(slo(objective('a')), value('a', 7, { ...facts, groups: { experiment: [7], control: [7] } }));
    expect(judged.indicators[0]).toMatchObject(facts);
    expect(judged.indicators[0]).not.toHaveProperty('groups');
  });

  it.each([
    ['lower', 60, 10, true],
    ['lower', 40, -10, false],
    ['higher', 60, 10, false],
    ['higher', 40, -10, true],
    ['lower', 50, 0, false],
    [undefined, 60, 10, undefined],
  ])('with %s better, %i after 50 is a change of %i; worse: %s', (better, now, change, regression) => {
    const { indicators } = evaluate({
      slo: slo(objective('a')),
      values: [value('a', now, better === undefined ? {} : { better })],
      earlier: [{ id: 'e', result: 'pass', indicators: [{ sli: 'a', value: 50 }] }],
    });
    expect(indicators[0]).toMatchObject({ comparedValue: 50, change });
    expect(indicators[0]?.regression).toBe(regression);
  });
});

describe('an indicator of several sources', () => {
  it.each([
    ['sum', undefined, 12],
    ['avg', undefined, 4],
    ['max', undefined, 7],
    ['min', undefined, 2],
    ['worst', 'lower', 7],
    ['worst', 'higher', 2],
  ] as const)('by %s (%s is better) is %i of 2, 3 and 7', (aggregation, better, expected) => {
    expect(aggregateSources({ aggregation, ...(better ? { better } : {}) }, [2, 3, 7])).toBe(expected);
  });

  it('is no number when one of them is none, or there is none', () => {
    for (const aggregation of ['sum', 'avg', 'max', 'min', 'worst'] as const) {
      expect(aggregateSources({ aggregation, better: 'lower' }, [2, Number.NaN, 7])).toBeNaN();
      expect(aggregateSources({ aggregation, better: 'lower' }, [])).toBeNaN();
    }
  });
});

describe('an objective with a control group', () => {
  const CONTROL = [10, 11, 12, 13, 14, 15, 16, 17, 18, 19];
  const shifted = (by: number) => CONTROL.map((each) => each + by);
  const criteria = (changes: Partial<ControlCriteria> = {}): ControlCriteria => ({
    failOn: 'increase',
    confidence: 0.98,
    effectSizeMeasure: 'meanRatio',
    critical: false,
    onNoData: 'fail',
    ...changes,
  });
  const groups = (experiment: number[], control = CONTROL) => value('a', 14.5, { groups: { experiment, control } });
  const compared = (changes: Partial<ControlCriteria>, more: Partial<Objective> = {}) =>
    objective('a', { pass: [], control: criteria(changes), ...more });

  it('passes when the groups do not differ, with the whole weight', () => {
    const judged = judge(slo(compared({}, { weight: 3 }), objective('b')), groups(CONTROL), value('b', 999));
    expect(judged).toMatchObject({
      score: 75,
      indicators: [{ status: 'pass', control: { classification: 'Pass' } }, {}],
    });
  });

  it('fails when the experiment is worse, and says so', () => {
    const judged = judge(slo(compared({})), groups(shifted(50)));
    expect(judged).toMatchObject({
      result: 'fail',
      judged: true,
      indicators: [{ status: 'fail', control: { classification: 'High' } }],
    });
    expect(judged.message).toContain('The experiment lies above the control');
  });

  it('decides alone when it is critical', () => {
    const heavy = objective('b', { weight: 1_000 });
    const measure = (critical: boolean) =>
      judge(slo(compared({ critical }), heavy), groups(shifted(50)), value('b', 1));
    expect(measure(false).result).toBe('pass');
    expect(measure(true)).toMatchObject({ result: 'fail', message: expect.stringContaining('decides alone') });
  });

  it.each([
    ['the control is empty', groups(CONTROL, [])],
    ['the experiment is empty', groups([])],
    ['no groups were measured', value('a', 14.5)],
    ['there is no value at all', { metric: 'a', ok: false, message: 'timeout' } as const],
  ])('never passes when %s', (_what, given) => {
    const judged = judge(slo(compared({})), given);
    expect(judged).toMatchObject({ result: 'fail', judged: false, indicators: [{ status: 'fail', score: 0 }] });
  });

  it('is left out of the score where no data is to be ignored, and says so', () => {
    const judged = judge(slo(compared({ onNoData: 'ignore' }), objective('b')), groups([]), value('b', 1));
    expect(judged).toMatchObject({ result: 'pass', score: 100, indicators: [{ status: 'info', score: 0 }, {}] });
    expect(judged.indicators[0]?.message).toBe('left out of the score: The experiment has no values.');
  });

  it('must still meet its criteria where only the comparison is to be ignored', () => {
    const both = compared({ onNoData: 'ignore' }, { pass: [['<14']] });
    const of = (given: IndicatorValue) => judge(slo(both, objective('b')), given, value('b', 1));
    const measured = (median: number) => value('a', median, { groups: { experiment: [median], control: [] } });
    const [bad, good] = [of(measured(99)), of(measured(9))];
    expect(bad).toMatchObject({ score: 50, judged: true, indicators: [{ status: 'fail' }, {}] });
    expect(good).toMatchObject({ result: 'pass', score: 100, indicators: [{ status: 'pass', score: 1 }, {}] });
    expect(good.indicators[0]?.message).toBe('not compared with a control: The control has no values.');
    const silent = of({ metric: 'a', ok: false, message: 'timeout' });
    expect(silent).toMatchObject({ score: 50, indicators: [{ status: 'fail', message: 'timeout' }, {}] });
  });

  it('is no pass when all that is left was ignored', () => {
    const judged = judge(slo(compared({ onNoData: 'ignore' })), groups([]));
    expect(judged).toMatchObject({
      result: 'fail',
      judged: false,
      message: expect.stringContaining('Nothing was judged: "a"'),
    });
  });

  it('must meet its criteria too', () => {
    const both = { pass: [['<14']], warning: [['<20']] };
    expect(judge(slo(compared({}, both)), groups(CONTROL)).indicators[0]?.status).toBe('warning');
    expect(judge(slo(compared({}, { pass: [['<20']] })), groups(shifted(50))).indicators[0]?.status).toBe('fail');
  });
});
