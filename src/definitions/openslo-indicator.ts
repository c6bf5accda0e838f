import { isJsonObject } from '../base/json.ts';
import type { BudgetObjective, Comparator, Measure } from '../slo/budget-objective.ts';
import { at, type FindObject, type Report, type Spot, textAt } from './openslo-spot.ts';
import { quote } from './validate.ts';

const MAX_QUERY = 10_000;
/** `http_requests_total{code=~"5.."}`: a plain selector, to which a range can be put. */
const SELECTOR = /^[A-Za-z_:][A-Za-z0-9_:]*\s*(?:\{[^{}]*\})?$/;
/** Written by Sloth and its users for the range of a query. */
const SLOTH_WINDOW = /\{\{\s*\.window\s*\}\}/g;
const OPERATORS: readonly string[] = ['lt', 'lte', 'gt', 'gte'];

export interface Indicator {
  measure: Measure;
  source?: NonNullable<BudgetObjective['source']>;
}

/** How an indicator is used: by which objective, and whether in time slices. */
export interface Use {
  objective: Spot;
  sliced: boolean;
}

/** The SLI that `indicator` holds or `indicatorRef` names; `undefined` when there is neither. */
export function findIndicator(owner: Spot, find: FindObject, report: Report): Spot | undefined {
  const [inline, ref] = [at(owner, 'indicator'), at(owner, 'indicatorRef')];
  if (inline.value !== undefined && ref.value !== undefined) {
    report(owner, 'has "indicator" and "indicatorRef": keep one of the two', 'indicatorRef');
    return undefined;
  }
  if (inline.value !== undefined) return at(inline, 'spec');
  if (ref.value === undefined) return undefined;
  const sli = find('SLI', ref.value);
  if (sli === undefined) report(ref, `there is no SLI ${quote(ref.value)} in this file: add it after a "---"`);
  return sli === undefined ? undefined : at(sli, 'spec');
}

/** What an SLI measures. Queries contain `$WINDOW` where the range goes, because a budget is asked for several. */
export function readIndicator(sli: Spot, use: Use, find: FindObject, report: Report): Indicator | undefined {
  const [ratio, threshold] = [at(sli, 'ratioMetric'), at(sli, 'thresholdMetric')];
  if ((ratio.value === undefined) === (threshold.value === undefined)) {
    report(sli, 'needs exactly one of "ratioMetric" and "thresholdMetric"');
    return undefined;
  }
  if (threshold.value !== undefined) return readThreshold(threshold, use, find, report);
  if (isJsonObject(ratio.value)) return readRatio(ratio, use, find, report);
  report(ratio, 'must be a mapping with good (or bad) and total, or raw');
  return undefined;
}

function readThreshold(threshold: Spot, { objective }: Use, find: FindObject, report: Report): Indicator | undefined {
  const [op, value] = [at(objective, 'op'), at(objective, 'value')];
  const compares = typeof op.value === 'string' && OPERATORS.includes(op.value);
  if (!compares) report(op, `a thresholdMetric needs "op": lt, lte, gt or gte, got ${quote(op.value)}`);
  if (typeof value.value !== 'number') report(value, `a thresholdMetric needs a "value", got ${quote(value.value)}`);
  const metric = readMetric(threshold, find, report);
  if (metric === undefined || !compares || typeof value.value !== 'number') return undefined;
  if (!isPromql(metric)) {
    report(threshold, `samples are counted in PromQL, which metrics of type ${quote(metric.type)} do not speak`);
    return undefined;
  }
  return {
    measure: { kind: 'samples', query: metric.query, op: op.value as Comparator, value: value.value },
    ...sourceOf(metric),
  };
}

function readRatio(ratio: Spot, use: Use, find: FindObject, report: Report): Indicator | undefined {
  const kinds = (['good', 'bad', 'raw'] as const).filter((kind) => at(ratio, kind).value !== undefined);
  const [kind] = kinds;
  if (kinds.length !== 1 || kind === undefined) {
    report(ratio, 'needs exactly one of "good", "bad" and "raw"');
    return undefined;
  }
  const counter = at(ratio, 'counter').value === true;
  const part = readRanged(at(ratio, kind), counter, use, find, report);
  if (kind === 'raw') return readRaw(ratio, part, report);
  const total = readRanged(at(ratio, 'total'), counter, use, find, report);
  if (part === undefined || total === undefined) return undefined;
  if (part.wrapped !== total.wrapped) {
    // An increase divided by a rate is off by the seconds of the range.
    report(ratio, `"${kind}" and "total" must both be plain selectors, or both contain $WINDOW`);
    return undefined;
  }
  if (part.type !== total.type || part.name !== total.name) {
    report(ratio, `"${kind}" and "total" must come from the same metrics source`);
    return undefined;
  }
  return { measure: { kind: 'counts', [kind]: part.query, total: total.query }, ...sourceOf(part) };
}

function readRaw(ratio: Spot, metric: Metric | undefined, report: Report): Indicator | undefined {
  const type = at(ratio, 'rawType').value;
  if (type !== 'success' && type !== 'failure') {
    report(ratio, `"rawType" must be success or failure, got ${quote(type)}`, 'rawType');
    return undefined;
  }
  if (metric === undefined) return undefined;
  const of = type === 'success' ? 'successes' : 'errors';
  return { measure: { kind: 'ratio', query: metric.query, of }, ...sourceOf(metric) };
}

interface Metric {
  query: string;
  type?: string;
  /** Of the data source. */
  name?: string;
  /** It was a plain selector, and the range is ours. */
  wrapped?: boolean;
}

function readRanged(spot: Spot, counter: boolean, use: Use, find: FindObject, report: Report): Metric | undefined {
  const metric = readMetric(spot, find, report);
  if (metric === undefined) return undefined;
  if (!isPromql(metric)) {
    if (!use.sliced) return metric;
    report(spot, `time slices are counted in PromQL, which metrics of type ${quote(metric.type)} do not speak`);
    return undefined;
  }
  if (metric.query.includes('$WINDOW')) return { ...metric, wrapped: false };
  if (counter && SELECTOR.test(metric.query))
    return { ...metric, query: `sum(increase(${metric.query}[$WINDOW]))`, wrapped: true };
  report(querySpot(spot), 'must contain $WINDOW where the range goes, as in sum(rate(requests_total[$WINDOW]))');
  return undefined;
}

function readMetric(spot: Spot, find: FindObject, report: Report): Metric | undefined {
  if (!isJsonObject(at(spot, 'metricSource').value)) {
    report(spot, 'needs a "metricSource" with a query under spec.query');
    return undefined;
  }
  const written = querySpot(spot);
  const query = textAt(written);
  if (query === undefined || query.length > MAX_QUERY) {
    report(written, 'needs a query (PromQL, unless its type says otherwise) under metricSource.spec.query');
    return undefined;
  }
  const name = textAt(at(spot, 'metricSource', 'metricSourceRef'));
  const dataSource = name === undefined ? undefined : find('DataSource', name);
  const type = textAt(at(spot, 'metricSource', 'type')) ?? (dataSource && textAt(at(dataSource, 'spec', 'type')));
  return {
    query: query.replace(SLOTH_WINDOW, () => '$WINDOW'),
    ...(type === undefined ? {} : { type }),
    ...(name === undefined ? {} : { name }),
  };
}

/** OpenSLO leaves it open where in the free-form spec a query stands; these two are what people write. */
function querySpot(spot: Spot): Spot {
  const spec = at(spot, 'metricSource', 'spec');
  return at(spec, at(spec, 'query').value === undefined && at(spec, 'promql').value !== undefined ? 'promql' : 'query');
}

function isPromql({ type }: Metric): boolean {
  return type === undefined || /^(?:prometheus|promql|thanos|mimir|cortex|victoria-?metrics)$/i.test(type);
}

function sourceOf(metric: Metric): Pick<Indicator, 'source'> {
  const { name } = metric;
  const type = isPromql(metric) ? undefined : metric.type;
  if (name === undefined && type === undefined) return {};
  return { source: { ...(name === undefined ? {} : { name }), ...(type === undefined ? {} : { type }) } };
}
