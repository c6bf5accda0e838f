export type MetricClassification = 'Pass' | 'High' | 'Low' | 'Nodata' | 'NodataFailMetric' | 'Error';

export interface ClassifiedMetric {
  classification: MetricClassification;
  classificationReason?: string | undefined;
  groups: readonly string[];
  critical: boolean;
  muted: boolean;
}

export interface GroupScore {
  name: string;
  /** 0..100 */
  score: number;
  classification: '';
  classificationReason: '';
}

export interface CanaryScore {
  /** 0..100, two decimals. */
  score: number;
  classification: 'Pass' | 'Marginal' | 'Fail';
  classificationReason: string;
}

export interface ScoreThresholds {
  pass: number;
  marginal: number;
}

/** From this share of metrics without data on, in percent, nothing is judged: the score is 0. */
const NODATA_LIMIT = 50;

/**
 * Scores classified metrics as Kayenta's NetflixACAJudge: per group the share that passed, the groups weighted in
 * percent, groups without a weight sharing what is left. A critical failure, or half of the metrics without data, is 0.
 */
export function scoreCanary(
  metrics: readonly ClassifiedMetric[],
  weights: Readonly<Record<string, number>>,
  thresholds: ScoreThresholds,
): { groupScores: GroupScore[]; score: CanaryScore } {
  const counted = metrics.filter(({ muted }) => !muted);
  const groups = groupsOf(counted);
  const failure = decisiveFailure(counted);
  const score = failure === undefined ? weigh(groups, weights) : 0;
  return {
    groupScores: groups.map(({ name, score: of }) => ({
      name,
      score: of ?? 0,
      classification: '',
      classificationReason: '',
    })),
    score: { score, classification: classify(score, thresholds), classificationReason: failure ?? '' },
  };
}

interface Group {
  name: string;
  /** Undefined: none of its metrics had data. */
  score: number | undefined;
}

function groupsOf(metrics: readonly ClassifiedMetric[]): Group[] {
  const names = new Set(metrics.flatMap(({ groups }) => groups));
  return [...names].map((name) => {
    const judged = metrics.filter(({ groups, classification }) => groups.includes(name) && hasScore(classification));
    const passed = judged.filter(({ classification }) => classification === 'Pass');
    return { name, score: judged.length === 0 ? undefined : (passed.length / judged.length) * 100 };
  });
}

function hasScore(classification: MetricClassification): boolean {
  return classification !== 'Nodata' && classification !== 'Error';
}

function decisiveFailure(metrics: readonly ClassifiedMetric[]): string | undefined {
  const critical = metrics.find((metric) => metric.critical && metric.classification !== 'Pass');
  if (critical !== undefined) return `Canary Failed: ${critical.classificationReason}`;
  const missing = metrics.filter(({ classification }) => classification === 'Nodata').length;
  return metrics.length > 0 && (missing / metrics.length) * 100 >= NODATA_LIMIT
    ? `Canary Failed: ${NODATA_LIMIT}% or more metrics returned NODATA`
    : undefined;
}

function weigh(groups: readonly Group[], weights: Readonly<Record<string, number>>): number {
  const given = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
  const without = groups.filter(({ name }) => !Object.hasOwn(weights, name)).length;
  let sum = 0;
  for (const { name, score } of groups) {
    const weight = (Object.hasOwn(weights, name) ? weights[name] : undefined) ?? (100 - given) / without;
    sum += (score ?? 100) * (weight / 100);
  }
  return twoDecimals(Math.min(100, Math.max(0, sum)));
}

/** Half up by the decimal digits, as Kayenta rounds; `1.005` is not what it looks like in binary. */
function twoDecimals(value: number): number {
  return value < 1e-3 ? 0 : Math.round(Number(`${value}e2`)) / 100;
}

function classify(score: number, { pass, marginal }: ScoreThresholds): CanaryScore['classification'] {
  if (score >= pass) return 'Pass';
  return score >= marginal ? 'Marginal' : 'Fail';
}
