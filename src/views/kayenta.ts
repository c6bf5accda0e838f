import { isJsonObject, type Json, type JsonObject } from '../base/json.ts';
import {
  type CanaryConfig,
  type CanaryJudgeResult,
  type CanaryMetricConfig,
  judgeCanary,
  type MetricSetPair,
} from '../slo/canary-judge.ts';

export type Judged = { ok: true; result: CanaryJudgeResult } | { ok: false; mistake: string };

const MOST_METRICS = 1000;

class Mistake extends Error {}

/** Kayenta's request to a remote judge, judged; or what is wrong with it, naming the field. */
export function judgeForKayenta(body: Json): Judged {
  try {
    const { canaryConfig, scoreThresholds, metricSetPairList } = object(body, 'the body');
    const { pass, marginal } = object(scoreThresholds, 'scoreThresholds');
    const thresholds = {
      pass: number(pass, 'scoreThresholds.pass'),
      marginal: number(marginal, 'scoreThresholds.marginal'),
    };
    if (!(thresholds.marginal > 0 && thresholds.marginal <= thresholds.pass && thresholds.pass <= 100))
      return { ok: false, mistake: 'scoreThresholds: must be 0 < marginal <= pass <= 100, or a failure would pass' };
    const pairs = list(metricSetPairList, 'metricSetPairList').map(readPair);
    const config = readConfig(object(canaryConfig, 'canaryConfig'));
    const unknown = pairs.find((pair) => !config.metrics.some(({ name }) => name === pair.name));
    if (unknown) return { ok: false, mistake: `canaryConfig.metrics: there is none called ${unknown.name}` };
    const result = judgeCanary(pairs, config, thresholds);
    return result ? { ok: true, result } : { ok: false, mistake: 'a metric has no configuration' };
  } catch (error) {
    if (error instanceof Mistake) return { ok: false, mistake: error.message };
    throw error;
  }
}

function readPair(value: Json, at: number): MetricSetPair {
  const where = `metricSetPairList[${at}]`;
  const { name, id, tags, values } = object(value, where);
  const groups = object(values, `${where}.values`);
  return {
    name: text(name, `${where}.name`),
    id: text(id ?? '', `${where}.id`),
    tags: (isJsonObject(tags) ? tags : {}) as Record<string, string>,
    values: {
      control: numbers(groups['control'], `${where}.values.control`),
      experiment: numbers(groups['experiment'], `${where}.values.experiment`),
    },
  };
}

function readConfig({ metrics, classifier }: JsonObject): CanaryConfig {
  const weights = isJsonObject(classifier) ? classifier['groupWeights'] : undefined;
  const groupWeights = Object.fromEntries(
    Object.entries(isJsonObject(weights) ? weights : {}).map(([name, weight]) => [
      name,
      number(weight, `canaryConfig.classifier.groupWeights.${name}`),
    ]),
  );
  return { metrics: list(metrics, 'canaryConfig.metrics').map(readMetric), groupWeights };
}

/** `analysisConfigurations.canary` with Kayenta's defaults. A value it does not know is a mistake, not a default. */
function readMetric(value: Json, at: number): CanaryMetricConfig {
  const where = `canaryConfig.metrics[${at}]`;
  const { name, groups, analysisConfigurations } = object(value, where);
  const analysis = isJsonObject(analysisConfigurations) ? analysisConfigurations['canary'] : undefined;
  const canary = isJsonObject(analysis) ? analysis : {};
  const effect = isJsonObject(canary['effectSize']) ? canary['effectSize'] : {};
  const outliers = isJsonObject(canary['outliers']) ? canary['outliers'] : {};
  const inCanary = `${where}.analysisConfigurations.canary`;
  const measure = oneOf(effect['measure'] ?? 'meanRatio', ['meanRatio', 'cles'], `${inCanary}.effectSize.measure`);
  const none = measure === 'cles' ? 0.5 : 1;
  const limit = (key: string) => number(effect[key] ?? none, `${inCanary}.effectSize.${key}`);
  const strategy = oneOf(outliers['strategy'] ?? 'keep', ['keep', 'remove', 'none'], `${inCanary}.outliers.strategy`);
  const nan = oneOf(canary['nanStrategy'] ?? 'remove', ['remove', 'replace', 'none'], `${inCanary}.nanStrategy`);
  const flag = (key: string) => boolean(canary[key] ?? false, `${inCanary}.${key}`);
  return {
    name: text(name, `${where}.name`),
    groups: list(groups ?? [], `${where}.groups`).map((group) => text(group, `${where}.groups`)),
    direction: oneOf(canary['direction'] ?? 'either', ['increase', 'decrease', 'either'], `${inCanary}.direction`),
    nanStrategy: nan === 'replace' ? 'replace' : 'remove',
    outlierFactor:
      strategy === 'remove' ? number(outliers['outlierFactor'] ?? 3, `${inCanary}.outliers.outlierFactor`) : undefined,
    critical: flag('critical'),
    mustHaveData: flag('mustHaveData'),
    muted: flag('muted'),
    effectSize: {
      measure,
      allowedIncrease: limit('allowedIncrease'),
      allowedDecrease: limit('allowedDecrease'),
      criticalIncrease: limit('criticalIncrease'),
      criticalDecrease: limit('criticalDecrease'),
    },
  };
}

function object(value: Json | undefined, where: string): JsonObject {
  if (isJsonObject(value)) return value;
  throw new Mistake(`${where}: must be an object`);
}

function list(value: Json | undefined, where: string): Json[] {
  if (!Array.isArray(value)) throw new Mistake(`${where}: must be a list`);
  if (value.length > MOST_METRICS) throw new Mistake(`${where}: at most ${MOST_METRICS}`);
  return value;
}

function text(value: Json | undefined, where: string): string {
  if (typeof value === 'string') return value;
  throw new Mistake(`${where}: must be a text`);
}

function boolean(value: Json, where: string): boolean {
  if (typeof value === 'boolean') return value;
  throw new Mistake(`${where}: must be true or false`);
}

function number(value: Json | undefined, where: string): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new Mistake(`${where}: must be a number`);
}

function oneOf<Word extends string>(value: Json, words: readonly Word[], where: string): Word {
  const found = words.find((word) => word === value);
  if (found !== undefined) return found;
  throw new Mistake(`${where}: must be one of ${words.join(', ')}`);
}

const WORDS: Record<string, number> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
};

/** Kayenta writes what JSON has no number for as words. */
function numbers(value: Json | undefined, where: string): number[] {
  if (!Array.isArray(value)) throw new Mistake(`${where}: must be a list of numbers`);
  return value.map((one) => {
    const found = typeof one === 'string' ? WORDS[one] : one === null ? Number.NaN : one;
    if (typeof found === 'number') return found;
    throw new Mistake(`${where}: must be a list of numbers; what is none is "NaN"`);
  });
}
