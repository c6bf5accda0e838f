import { describe, expect, it } from 'vitest';
import {
  type CanaryConfig,
  type CanaryMetricConfig,
  judgeCanary,
  type MetricSetPair,
} from '../../src/slo/canary-judge.ts';
import { type ClassifiedMetric, type MetricClassification, scoreCanary } from '../../src/slo/canary-score.ts';

const THRESHOLDS = { pass: 90, marginal: 75 };

const classified = (
  classification: MetricClassification,
  group: string,
  changes: Partial<ClassifiedMetric> = {},
): ClassifiedMetric => ({ classification, groups: [group], critical: false, muted: false, ...changes });

// The figures are those that Kayenta's ScorerSuite expects of the same classifications.
describe('the score of a canary', () => {
  it.each<[string, ClassifiedMetric[], Record<string, number>, number]>([
    ['one metric that passed', [classified('Pass', 'a')], {}, 100],
    ['one that failed', [classified('High', 'a')], {}, 0],
    ['half of a group', [classified('Pass', 'a'), classified('High', 'a')], {}, 50],
    ['a third of a group', [classified('Pass', 'a'), classified('High', 'a'), classified('Low', 'a')], {}, 33.33],
    [
      'groups by weight',
      [classified('Pass', 'a'), classified('Pass', 'a'), classified('High', 'b')],
      { a: 75, b: 25 },
      75,
    ],
    ['equal groups', [classified('Pass', 'a'), classified('High', 'a'), classified('High', 'b')], { a: 50, b: 50 }, 25],
    [
      'a third of 15 percent',
      [classified('High', 'a'), classified('Low', 'a'), classified('Pass', 'a'), classified('High', 'b')],
      { a: 15, b: 85 },
      5,
    ],
    [
      'missing data left out',
      [classified('Pass', 'a'), classified('Nodata', 'a'), classified('High', 'b')],
      { a: 50, b: 50 },
      50,
    ],
    ['a group without data', [classified('Pass', 'a'), classified('Pass', 'a'), classified('Nodata', 'b')], {}, 100],
    ['nothing but missing data', [classified('Nodata', 'a')], {}, 0],
    ['a critical failure', [classified('Pass', 'a'), classified('High', 'a', { critical: true })], {}, 0],
    ['critical data that is missing', [classified('Pass', 'a'), classified('Nodata', 'a', { critical: true })], {}, 0],
    ['a critical metric that passed', [classified('Low', 'a'), classified('Pass', 'a', { critical: true })], {}, 50],
    ['required data that is missing', [classified('Pass', 'a'), classified('NodataFailMetric', 'a')], {}, 50],
    ['a muted failure', [classified('Pass', 'a'), classified('High', 'a', { muted: true })], {}, 100],
    [
      'groups that share the rest',
      [classified('Pass', 'a'), classified('High', 'b'), classified('Pass', 'c')],
      { a: 60 },
      80,
    ],
    ['no metric at all', [], {}, 0],
  ])('counts %s', (_name, metrics, weights, score) => {
    expect(scoreCanary(metrics, weights, THRESHOLDS).score.score).toBe(score);
  });

  it.each([
    [{ a: 90, b: 10 }, 'Pass'],
    [{ a: 75, b: 25 }, 'Marginal'],
    [{ a: 74, b: 26 }, 'Fail'],
  ] as const)('of weights %o is a %s', (weights, classification) => {
    const metrics = [classified('Pass', 'a'), classified('High', 'b')];
    expect(scoreCanary(metrics, weights, THRESHOLDS).score.classification).toBe(classification);
  });

  it('says why it is zero', () => {
    const half = [classified('Pass', 'a'), classified('Nodata', 'a')];
    expect(scoreCanary(half, {}, THRESHOLDS).score).toEqual({
      score: 0,
      classification: 'Fail',
      classificationReason: 'Canary Failed: 50% or more metrics returned NODATA',
    });
  });
});

const metric = (name: string, changes: Partial<CanaryMetricConfig> = {}): CanaryMetricConfig => ({
  name,
  groups: ['all'],
  direction: 'either',
  nanStrategy: 'remove',
  outlierFactor: undefined,
  critical: false,
  mustHaveData: false,
  muted: false,
  effectSize: {
    measure: 'meanRatio',
    allowedIncrease: 1,
    allowedDecrease: 1,
    criticalIncrease: 1,
    criticalDecrease: 1,
  },
  ...changes,
});
const config = (...metrics: CanaryMetricConfig[]): CanaryConfig => ({ metrics, groupWeights: {} });
const pair = (name: string, control: number[], experiment: number[]): MetricSetPair => ({
  name,
  id: `id-of-${name}`,
  tags: { zone: 'eu' },
  values: { control, experiment },
});
const LOW = [1, 2.2, 1.1, 2.5, 3];
const HIGH = [20, 22, 21, 25, 30];

describe('a canary judged for Kayenta', () => {
  it('answers per metric, per group and as a whole', () => {
    const judged = judgeCanary(
      [pair('latency', LOW, HIGH), pair('errors', LOW, LOW)],
      config(metric('latency'), metric('errors')),
      THRESHOLDS,
    );
    expect(judged).toMatchObject({
      results: [
        {
          name: 'latency',
          id: 'id-of-latency',
          tags: { zone: 'eu' },
          groups: ['all'],
          classification: 'High',
          classificationReason: 'latency was classified as High',
          critical: false,
          experimentMetadata: { stats: { min: 20, max: 30, count: 5, mean: 23.6 } },
        },
        { name: 'errors', classification: 'Pass', resultMetadata: { ratio: 1 } },
      ],
      groupScores: [{ name: 'all', score: 50 }],
      score: { score: 50, classification: 'Fail' },
    });
    // By hand: 118 / 5 over 9.8 / 5.
    expect(judged?.results[0]?.resultMetadata.ratio).toBeCloseTo(12.0408163, 6);
  });

  it('lets a critical metric decide alone', () => {
    const judged = judgeCanary(
      [pair('latency', LOW, HIGH), pair('errors', LOW, LOW), pair('load', LOW, LOW)],
      config(metric('latency', { critical: true }), metric('errors'), metric('load')),
      THRESHOLDS,
    );
    expect(judged?.score).toEqual({
      score: 0,
      classification: 'Fail',
      classificationReason: 'Canary Failed: The metric latency was classified as High (Critical)',
    });
  });

  it.each([
    ['is missing', {}, 'Nodata'],
    ['is missing and required', { mustHaveData: true }, 'NodataFailMetric'],
    ['is missing and stands for zero', { nanStrategy: 'replace' }, 'Pass'],
  ] as const)('says when data %s', (_name, changes, classification) => {
    const judged = judgeCanary([pair('a', LOW, [])], config(metric('a', changes)), THRESHOLDS);
    expect(judged?.results[0]?.classification).toBe(classification);
  });

  it('fails a metric that it cannot compare', () => {
    const judged = judgeCanary([pair('a', LOW, [Number.POSITIVE_INFINITY])], config(metric('a')), THRESHOLDS);
    expect(judged).toMatchObject({ results: [{ classification: 'NodataFailMetric' }], score: { score: 0 } });
  });

  it('says that a control of zeros has no ratio', () => {
    const judged = judgeCanary([pair('a', [0, 0, 0, 0, 0], HIGH)], config(metric('a')), THRESHOLDS);
    expect(judged?.results[0]).toMatchObject({ classification: 'High', resultMetadata: { ratio: 'NaN' } });
  });

  it('does not judge a metric that the configuration does not know', () => {
    expect(judgeCanary([pair('unknown', LOW, HIGH)], config(metric('a')), THRESHOLDS)).toBeUndefined();
  });
});
