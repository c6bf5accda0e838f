import { isJsonObject, type JsonObject } from '../../../base/json.ts';
import { badReport, figuresOf, numberAt, objectAt, type Report } from './report.ts';

const TREND = /^(?:avg|min|med|max|p\(.+\))$/;
/** k6's names for what every load test has; times are in milliseconds. */
const RESPONSE_TIMES: Record<string, string> = {
  response_time_avg: 'avg',
  response_time_min: 'min',
  response_time_max: 'max',
  response_time_p50: 'med',
  response_time_p90: 'p(90)',
  response_time_p95: 'p(95)',
  response_time_p99: 'p(99)',
};

type Metrics = ReadonlyMap<string, JsonObject>;

/**
 * A summary of k6: what `handleSummary` is given, the flat file of `--summary-export`, or either with
 * `--new-machine-readable-summary` (https://grafana.com/docs/k6/latest/results-output/end-of-test/custom-summary/).
 * Figures are `http_req_duration.p(95)`, ..., and the names that every load test has.
 *
 * @throws {AdapterError} `bad-response`
 */
export function parseK6(document: JsonObject): Report {
  const metrics = metricsOf(document);
  if (metrics.size === 0) throw badReport('k6', 'has no metrics: nothing was measured');
  const requests = numberAt(valuesOf(metrics.get('http_reqs') ?? {}), 'count') ?? 0;
  const figures: Record<string, number> = {};
  for (const [name, metric] of metrics) {
    const measured = requests > 0 && /^http_req_\w+$/.test(name);
    Object.assign(figures, figuresOfMetric(name, valuesOf(metric), measured));
  }
  const duration = numberAt(objectAt(document, 'config'), 'duration') ?? 0;
  const throughput = figures['http_reqs.rate'] ?? (duration > 0 && requests > 0 ? requests / duration : undefined);
  return {
    figures: { ...figures, ...common(figures, throughput), ...failedThresholds(document, metrics) },
    artifacts: [],
  };
}

/** By name in one member, or in the lists of the newer schema. */
function metricsOf(document: JsonObject): Metrics {
  const results = objectAt(document, 'results');
  const lists = [results['metrics'], objectAt(results, 'checks')['metrics']];
  const listed = lists.flatMap((list) => (Array.isArray(list) ? list : []));
  const named = isJsonObject(document['metrics'])
    ? Object.entries(document['metrics'])
    : listed.map((metric) => [isJsonObject(metric) ? String(metric['name']) : '', metric] as const);
  return new Map(
    named.map(([name, metric]) => {
      if (isJsonObject(metric)) return [name, metric];
      throw badReport('k6', `has a metric ${JSON.stringify(name.slice(0, 60))} without values`);
    }),
  );
}

function valuesOf(metric: JsonObject): JsonObject {
  return isJsonObject(metric['values']) ? metric['values'] : metric;
}

/** The newer schema does not have them. The flat file says `true` of one that was crossed, the other `ok: false`. */
function failedThresholds(document: JsonObject, metrics: Metrics): Record<string, number> {
  if (!isJsonObject(document['metrics'])) return {};
  const thresholds = [...metrics.values()].flatMap((metric) => Object.values(objectAt(metric, 'thresholds')));
  const failed = thresholds.filter((one) => one === true || (isJsonObject(one) && one['ok'] !== true));
  return { thresholds_failed: failed.length };
}

/**
 * A metric that only a threshold names has zeros for a value: k6 does not say that nothing was
 * measured, so such zeros are left out.
 */
function figuresOfMetric(name: string, values: JsonObject, measured: boolean): Record<string, number> {
  const stats = Object.entries(values).filter((entry): entry is [string, number] => Number.isFinite(entry[1]));
  const passes = numberAt(values, 'passes') ?? numberAt(values, 'matches');
  const fails = numberAt(values, 'fails') ?? (numberAt(values, 'total') ?? Number.NaN) - (passes ?? 0);
  if (passes !== undefined && fails >= 0) return rateOf(name, passes, fails);
  const isTrend = stats.some(([stat]) => TREND.test(stat)) && values['value'] === undefined;
  if (isTrend && !measured && stats.every(([, value]) => value === 0)) return {};
  const figures = Object.fromEntries(stats.map(([stat, value]) => [`${name}.${stat}`, value]));
  const alone = isTrend ? undefined : (numberAt(values, 'value') ?? numberAt(values, 'count'));
  return alone === undefined ? figures : { ...figures, [name]: alone };
}

function rateOf(name: string, passes: number, fails: number): Record<string, number> {
  if (passes + fails === 0) return {};
  const rate = passes / (passes + fails);
  return { [name]: rate, [`${name}.rate`]: rate, [`${name}.passes`]: passes, [`${name}.fails`]: fails };
}

function common(figures: Record<string, number>, throughput: number | undefined): Record<string, number> {
  const times = Object.entries(RESPONSE_TIMES).map(([name, stat]) => [name, figures[`http_req_duration.${stat}`]]);
  return figuresOf({
    ...(Object.fromEntries(times) as Record<string, number | undefined>),
    requests: figures['http_reqs.count'],
    throughput,
    // Of `http_req_failed` those "pass" that failed.
    failures: figures['http_req_failed.passes'],
    error_rate: figures['http_req_failed.rate'],
  });
}
