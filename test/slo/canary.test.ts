import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ControlCriteria, judgeControl } from '../../src/slo/canary.ts';
import { expand, halves } from './mann-whitney-samples.ts';

const criteria = (changes: Partial<ControlCriteria> = {}): ControlCriteria => ({
  failOn: 'either',
  confidence: 0.95,
  effectSizeMeasure: 'meanRatio',
  critical: false,
  onNoData: 'fail',
  tolerance: 0.1,
  ...changes,
});

const TEN = [9.1, 10.4, 9.8, 10.1, 10.9, 9.5, 10.2, 9.9, 10.6, 9.7];
const twice = TEN.map((value) => 2 * value);
const slightly = TEN.map((value) => value + 0.05);

describe('an experiment beside its control', () => {
  it.each([
    ['lies higher', TEN, twice, 'High'],
    ['lies lower', twice, TEN, 'Low'],
    ['differs by chance', TEN, slightly, 'Pass'],
    ['has the same values in another order', TEN, TEN.toReversed(), 'Pass'],
  ] as const)('%s', (_name, control, experiment, classification) => {
    expect(judgeControl(control, experiment, criteria())).toMatchObject({ classification, critical: false });
  });

  it.each([
    ['increase', twice, TEN],
    ['decrease', TEN, twice],
  ] as const)('may move away from %s', (failOn, control, experiment) => {
    expect(judgeControl(control, experiment, criteria({ failOn })).classification).toBe('Pass');
  });

  it('says how far it lies away, how sure that is, and how large the effect', () => {
    const verdict = judgeControl(TEN, twice, criteria());
    expect(verdict.reason).toBe(
      "The experiment lies above the control by 10 (9.2 to 10.9 at 95 % confidence, 2 times the control's mean; 10 values against 10).",
    );
    expect(verdict.effectSize).toBeCloseTo(2, 12);
    expect(verdict.pValue).toBeLessThan(0.001);
  });

  // Kayenta's ClassifierSuite expects the same of these groups.
  const [few, many] = [
    [1, 2.2, 1.1, 2.5, 3],
    [20, 22, 21, 25, 30],
  ] as const;
  it.each([
    ['reaches the allowed effect', { allowedIncrease: 1.2 }, 'High', false],
    ['stays below the allowed effect', { allowedIncrease: 13 }, 'Pass', false],
    ['reaches the critical effect', { critical: true, criticalIncrease: 1.2 }, 'High', true],
    ['stays below the critical effect', { critical: true, allowedIncrease: 5, criticalIncrease: 13 }, 'High', false],
    ['is critical without a limit', { critical: true }, 'High', true],
    ['is above in all pairs', { effectSizeMeasure: 'cles', allowedIncrease: 1 }, 'High', false],
  ] as const)('%s', (_name, changes, classification, critical) => {
    expect(judgeControl(few, many, criteria(changes))).toMatchObject({ classification, critical });
  });

  it('is judged in a unit of millionths as in any other', () => {
    const micro = (values: readonly number[]) => values.map((value) => value * 1e-6);
    expect(judgeControl(micro(TEN), micro(twice), criteria()).classification).toBe('High');
    expect(judgeControl(micro(TEN), micro(slightly), criteria()).classification).toBe('Pass');
  });

  it('loses outliers only when asked to', () => {
    const spiked = [...TEN, ...TEN, 5_000];
    expect(judgeControl(TEN, spiked, criteria()).effectSize).toBeGreaterThan(20);
    expect(judgeControl(TEN, spiked, criteria({ outlierFactor: 3 })).effectSize).toBeCloseTo(1, 12);
  });
});

describe('what must not pass unseen', () => {
  it.each([
    ['an experiment without values', TEN, [], 'The experiment has no values.'],
    ['a control without values', [], TEN, 'The control has no values.'],
    ['an experiment of nothing but NaN', TEN, [Number.NaN], 'The experiment has no values.'],
    [
      'infinite values',
      TEN,
      [...TEN, Number.POSITIVE_INFINITY],
      'The experiment has infinite values, which cannot be compared.',
    ],
    ['values that cannot be subtracted', [-1.7e308], [1.7e308], 'The values lie too far apart to be compared.'],
  ])('%s', (_name, control, experiment, reason) => {
    const verdict = judgeControl(control, experiment, criteria({ critical: true }));
    expect(verdict).toEqual({ classification: 'Nodata', critical: true, reason });
  });

  it('errors in a sixth of the experiment where the control has none at all', () => {
    const control = Array.from({ length: 60 }, () => 0);
    const experiment = Array.from({ length: 60 }, (_, at) => (at % 6 === 0 ? 3 : 0));
    const verdict = judgeControl(control, experiment, criteria({ failOn: 'increase', confidence: 0.98 }));
    expect(verdict.classification).toBe('High');
    expect(verdict.reason).toMatch(/^The control never moves, and the experiment is higher too often for chance/);
    expect(judgeControl(experiment, control, criteria({ failOn: 'increase' })).classification).toBe('Pass');
  });

  it('a rise of values below zero, whose ratio looks like a fall', () => {
    const [control, experiment] = [TEN.map((value) => -value), TEN.map((value) => -value / 2)];
    const verdict = judgeControl(control, experiment, criteria({ allowedIncrease: 1.1 }));
    expect(verdict.classification).toBe('High');
    expect(verdict).not.toHaveProperty('effectSize');
  });

  it('the same two constants, or two different ones', () => {
    expect(judgeControl([0, 0, 0], [0, 0, 0, 0], criteria()).classification).toBe('Pass');
    expect(judgeControl([0, 0, 0], [10, 10, 10, 10], criteria({ allowedIncrease: 1.2 })).classification).toBe('High');
    expect(judgeControl([10, 10, 10], [1, 1, 1], criteria()).classification).toBe('Low');
  });

  it('how little a handful of values proves', () => {
    expect(judgeControl([1, 3], [2, 4], criteria({ confidence: 0.98 })).reason).toMatch(
      /So few values prove nothing at 98 % confidence\.$/,
    );
  });
});

describe('any verdict', () => {
  const group = fc.array(fc.oneof(fc.double(), fc.integer({ min: 0, max: 2 })), { maxLength: 30 });

  it('has finite figures only, and judges two groups with data', () => {
    fc.assert(
      fc.property(group, group, (control, experiment) => {
        const { classification, critical, reason, ...figures } = judgeControl(control, experiment, criteria());
        for (const figure of Object.values(figures)) expect(Number.isFinite(figure)).toBe(true);
        expect(reason).not.toMatch(/NaN|undefined/);
        if (classification === 'Nodata') expect(figures).toEqual({});
      }),
    );
  });

  it('turns from high to low when the groups change sides', () => {
    const [control, experiment] = [expand(halves.first), expand(halves.second)];
    expect(judgeControl(control, experiment, criteria()).classification).toBe('Pass');
    fc.assert(
      fc.property(fc.double({ min: 1, max: 1e3, noNaN: true }), (shift) => {
        const shifted = control.map((value) => value + shift);
        expect(judgeControl(control, shifted, criteria()).classification).toBe('High');
        expect(judgeControl(shifted, control, criteria()).classification).toBe('Low');
      }),
    );
  });
});
