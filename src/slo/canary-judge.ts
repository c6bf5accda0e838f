import { type Comparison, compareGroups, reaches } from './canary-comparison.ts';
import {
  type CanaryScore,
  type ClassifiedMetric,
  type GroupScore,
  type MetricClassification,
  type ScoreThresholds,
  scoreCanary,
} from './canary-score.ts';
import { type EffectSizeMeasure, meanRatio, type Summary, summarise, withoutOutliers } from './canary-statistics.ts';

/** One metric of both groups, as Kayenta sends it to a remote judge. NaN counts as no value. */
export interface MetricSetPair {
  name: string;
  id: string;
  tags: Record<string, string>;
  values: { control: readonly number[]; experiment: readonly number[] };
}

/** `analysisConfigurations.canary` of a metric, with Kayenta's defaults filled in. */
export interface CanaryMetricConfig {
  name: string;
  groups: string[];
  direction: 'increase' | 'decrease' | 'either';
  nanStrategy: 'remove' | 'replace';
  /** Interquartile ranges; undefined keeps every value. */
  outlierFactor: number | undefined;
  critical: boolean;
  mustHaveData: boolean;
  muted: boolean;
  effectSize: {
    measure: EffectSizeMeasure;
    allowedIncrease: number;
    allowedDecrease: number;
    criticalIncrease: number;
    criticalDecrease: number;
  };
}

export interface CanaryConfig {
  metrics: CanaryMetricConfig[];
  /** Percent. */
  groupWeights: Record<string, number>;
}

export interface CanaryMetricResult extends ClassifiedMetric {
  name: string;
  id: string;
  tags: Record<string, string>;
  groups: string[];
  experimentMetadata: { stats: Summary };
  controlMetadata: { stats: Summary };
  /** Mean of the experiment over that of the control; the text `NaN` where there is none, as Jackson writes it. */
  resultMetadata: { ratio: number | 'NaN' };
}

/** What Kayenta expects of a judge. */
export interface CanaryJudgeResult {
  judgeName: string;
  results: CanaryMetricResult[];
  groupScores: GroupScore[];
  score: CanaryScore;
}

const JUDGE_NAME = 'Lynceus';
const CONFIDENCE = 0.98;
const TOLERANCE = 0.25;

/**
 * Judges a canary as Kayenta's NetflixACAJudge does, figure for figure, except that two constant groups are compared
 * exactly instead of with noise added, and infinite values fail. Undefined for a metric without configuration.
 */
export function judgeCanary(
  pairs: readonly MetricSetPair[],
  config: CanaryConfig,
  thresholds: ScoreThresholds,
): CanaryJudgeResult | undefined {
  const results: CanaryMetricResult[] = [];
  for (const pair of pairs) {
    const metric = config.metrics.find(({ name }) => name === pair.name);
    if (metric === undefined) return undefined;
    results.push(judgeMetric(pair, metric));
  }
  return { judgeName: JUDGE_NAME, results, ...scoreCanary(results, config.groupWeights, thresholds) };
}

function judgeMetric({ name, id, tags, values }: MetricSetPair, metric: CanaryMetricConfig): CanaryMetricResult {
  const control = prepare(values.control, metric);
  const experiment = prepare(values.experiment, metric);
  return {
    name,
    id,
    tags,
    groups: metric.groups,
    muted: metric.muted,
    experimentMetadata: { stats: summarise(experiment) },
    controlMetadata: { stats: summarise(control) },
    ...classify(control, experiment, metric),
  };
}

function prepare(values: readonly number[], { nanStrategy, outlierFactor }: CanaryMetricConfig): number[] {
  const numbers =
    nanStrategy === 'remove'
      ? values.filter((value) => !Number.isNaN(value))
      : values.map((value) => (Number.isNaN(value) ? 0 : value));
  return outlierFactor === undefined ? numbers : withoutOutliers(numbers, outlierFactor);
}

type Classified = Pick<CanaryMetricResult, 'classification' | 'classificationReason' | 'critical' | 'resultMetadata'>;

function classify(control: readonly number[], experiment: readonly number[], metric: CanaryMetricConfig): Classified {
  if (control.length === 0 || experiment.length === 0) return withoutData(metric);
  if (sameValues(control, experiment)) {
    return classified('Pass', 'The Canary and Baseline data are identical', false, 1);
  }
  const { direction, effectSize } = metric;
  const comparison = [...control, ...experiment].every(Number.isFinite)
    ? compareGroups(
        control,
        experiment,
        {
          failOn: direction,
          confidence: CONFIDENCE,
          tolerance: TOLERANCE,
          effectSizeMeasure: effectSize.measure,
          allowedIncrease: effectSize.allowedIncrease,
          allowedDecrease: effectSize.allowedDecrease,
        },
        { asKayenta: true },
      )
    : undefined;
  // Kayenta's score overlooks an error; ours is a failure of the metric.
  if (comparison === undefined) {
    return classified('NodataFailMetric', `The values of ${metric.name} cannot be compared`, metric.critical, 1);
  }
  return conclude(comparison, metric, meanRatio(control, experiment, true));
}

function conclude(
  { classification, effectSize }: Comparison,
  { name, critical, effectSize: limits }: CanaryMetricConfig,
  ratio: number | undefined,
): Classified {
  if (classification === 'Pass') return classified('Pass', undefined, false, ratio);
  const limit = classification === 'High' ? limits.criticalIncrease : limits.criticalDecrease;
  const decides = critical && reaches(classification, effectSize, limit);
  const reason = decides
    ? `The metric ${name} was classified as ${classification} (Critical)`
    : `${name} was classified as ${classification}`;
  return classified(classification, reason, decides, ratio);
}

/** Where missing values are to count as zero, no values at all are no failures at all. */
function withoutData({ name, nanStrategy, critical, mustHaveData }: CanaryMetricConfig): Classified {
  if (nanStrategy === 'replace') return classified('Pass', undefined, false, 1);
  const classification = mustHaveData && !critical ? 'NodataFailMetric' : 'Nodata';
  return classified(classification, `Missing data for ${name}`, critical, 1);
}

function classified(
  classification: MetricClassification,
  classificationReason: string | undefined,
  critical: boolean,
  ratio: number | undefined,
): Classified {
  return {
    classification,
    ...(classificationReason === undefined ? {} : { classificationReason }),
    critical,
    resultMetadata: { ratio: ratio ?? 'NaN' },
  };
}

function sameValues(control: readonly number[], experiment: readonly number[]): boolean {
  if (control.length !== experiment.length) return false;
  const [one, other] = [control.toSorted((a, b) => a - b), experiment.toSorted((a, b) => a - b)];
  return one.every((value, at) => value === other[at]);
}
