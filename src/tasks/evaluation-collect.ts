import type {
  MetricQuery,
  MetricsSource,
  Missing,
  Reading,
  SeriesReading,
} from '../adapters/metrics/metrics-source.ts';
import { AdapterError } from '../base/adapter-error.ts';
import { mapBounded } from '../base/pool.ts';
import { aggregateSources } from '../slo/aggregate.ts';
import type { IndicatorValue } from '../slo/evaluation.ts';
import type { Indicator } from '../slo/indicator.ts';
import { controlReads, valueOfGroups } from './evaluation-control.ts';
import { indicatorOf } from './evaluation-definitions.ts';
import { type EvaluationQuestion, type EvaluationTools, queryVariables } from './evaluation-question.ts';
import type { Read, ReadAnswer } from './evaluation-read.ts';

/** Queries of one evaluation that are under way at once: a metrics source is shared by everybody. */
const CONCURRENT_QUERIES = 8;

/** Of the tools only the sources are asked; those without a history have enough. */
export type CollectTools = Pick<EvaluationTools, 'metricsSource'> & Partial<EvaluationTools>;

/** How one indicator gets its number. */
type Route =
  | { metric: string; value: IndicatorValue }
  | { metric: string; indicator: Indicator; reads: Read[]; control: boolean };

/**
 * The value of every indicator that the objectives name, each once. A source that has no number leaves
 * the indicator without a value; one that cannot be asked is no answer at all.
 *
 * @throws {AdapterError} a source could not be asked, or is not configured
 */
export async function collectIndicators(question: EvaluationQuestion, tools: CollectTools): Promise<IndicatorValue[]> {
  const wanted = [...new Set(question.definitions.slo.objectives.map(({ sli }) => sli))];
  const routes = wanted.map((metric) => routeOf(question, metric));
  const reads = routes.flatMap((route) => ('reads' in route ? route.reads : []));
  const answers = await mapBounded(reads, CONCURRENT_QUERIES, (read) => ask(question, tools, read));
  let at = 0;
  return routes.map((route) => {
    if ('value' in route) return route.value;
    const own = answers.slice(at, at + route.reads.length);
    at += own.length;
    return toValue(route.metric, route.indicator, own, route.control);
  });
}

/** Indicators whose number must be pushed, and was not. */
export function missingPushes(question: EvaluationQuestion): string[] {
  const { objectives } = question.definitions.slo;
  return [...new Set(objectives.map(({ sli }) => sli))].filter(
    (metric) =>
      indicatorOf(question.definitions, metric)?.sources.length === 0 &&
      !question.given?.has(metric) &&
      !question.figures.has(metric),
  );
}

function routeOf(question: EvaluationQuestion, metric: string): Route {
  const { definitions, figures, given } = question;
  const indicator = indicatorOf(definitions, metric);
  const given_ = given?.get(metric);
  const known = given_ ?? (indicator === undefined || indicator.sources.length === 0 ? figures.get(metric) : undefined);
  if (known !== undefined) return { metric, value: { metric, ok: true, value: known, ...described(indicator) } };
  if (indicator === undefined) return { metric, value: none(metric, 'neither sli.yaml nor a test provides it') };
  if (indicator.sources.length === 0)
    return { metric, value: none(metric, 'its number was not pushed for this change or period') };
  const objective = definitions.slo.objectives.find(({ sli, control }) => sli === metric && control !== undefined);
  const reads = objective ? controlReads(question, indicator) : sourceReads(question, indicator);
  if (typeof reads === 'string') return { metric, value: none(metric, reads) };
  return {
    metric,
    indicator,
    reads: [...reads, ...samplesRead(question, indicator)],
    control: objective !== undefined,
  };
}

function sourceReads(question: EvaluationQuestion, { sources }: Indicator): Read[] {
  const variables = variablesFor(question);
  return sources.map(({ provider, query }) => ({
    part: 'source',
    query,
    variables,
    ...(provider === undefined ? {} : { provider }),
  }));
}

function samplesRead(question: EvaluationQuestion, { minimumSamples }: Indicator): Read[] {
  if (!minimumSamples) return [];
  const { query, provider } = minimumSamples;
  return [
    { part: 'samples', query, variables: variablesFor(question), ...(provider === undefined ? {} : { provider }) },
  ];
}

/** Of two groups, a query that is not compared looks at the experiment. */
export function variablesFor(question: EvaluationQuestion): Record<string, string> {
  const { compareWith, definitions } = question;
  const group = compareWith && 'control' in compareWith ? compareWith.control.variables.experiment : {};
  return { ...group, ...queryVariables(question, definitions.slo) };
}

async function ask(question: EvaluationQuestion, tools: CollectTools, read: Read): Promise<ReadAnswer> {
  const source = sourceFor(tools, read.provider ?? question.provider);
  const query: MetricQuery = { query: read.query, variables: read.variables, ...question.period };
  const options = { signal: question.signal };
  if (read.stepMs === undefined) return { read, reading: await source.read(query, options) };
  if (!source.series) return { read, reading: noSeries(source) };
  return { read, reading: await source.series({ ...query, stepMs: read.stepMs }, options) };
}

function noSeries({ name }: MetricsSource): { ok: false; missing: Missing; message: string } {
  return {
    ok: false,
    missing: 'no-data',
    message: `the metrics source ${name} gives no series, which a control group needs`,
  };
}

function sourceFor(tools: CollectTools, name: string | undefined): MetricsSource {
  const source = tools.metricsSource(name);
  if (source) return source;
  const said = name === undefined ? 'no metrics source is configured' : `the metrics source ${name} is not configured`;
  throw new AdapterError('not-found', said);
}

function toValue(
  metric: string,
  indicator: Indicator,
  answers: readonly ReadAnswer[],
  control: boolean,
): IndicatorValue {
  const samples = answers.find(({ read }) => read.part === 'samples')?.reading;
  const tooFew = samples && sayTooFew(samples, indicator.minimumSamples?.count ?? 0);
  if (tooFew !== undefined) return none(metric, tooFew);
  const counted = samples?.ok && 'value' in samples ? { samples: samples.value } : {};
  const rest = { ...described(indicator), ...counted };
  const own = answers.filter(({ read }) => read.part !== 'samples');
  if (control) {
    const groups = valueOfGroups(own);
    return groups.ok ? { metric, ...groups, ...rest } : none(metric, groups.message);
  }
  const values: { provider?: string; value: number }[] = [];
  for (const { read, reading } of own) {
    if (!reading.ok || !('value' in reading)) return none(metric, sayMissing(read, reading, own.length));
    values.push({ ...(read.provider === undefined ? {} : { provider: read.provider }), value: reading.value });
  }
  const value = aggregateSources(
    indicator,
    values.map((one) => one.value),
  );
  return { metric, ok: true, value, ...rest, ...(values.length > 1 ? { sources: values } : {}) };
}

/** Three scanners of which one is silent say nothing: their sum would be too low. */
function sayMissing(read: Read, reading: Reading | SeriesReading, sources: number): string {
  const message = reading.ok ? 'it gave a series instead of a number' : reading.message;
  return sources === 1 ? message : `${read.provider ?? 'one of its sources'}: ${message}`;
}

function sayTooFew(samples: Reading | SeriesReading, least: number): string | undefined {
  if (!samples.ok) return `how many samples it has is not known: ${samples.message}`;
  const count = 'value' in samples ? samples.value : Number.NaN;
  return count >= least ? undefined : `it has ${Number(count.toPrecision(6))} samples, and needs ${least}`;
}

function described(indicator: Indicator | undefined): Pick<Indicator, 'unit' | 'better'> {
  const { unit, better } = indicator ?? {};
  return { ...(unit === undefined ? {} : { unit }), ...(better === undefined ? {} : { better }) };
}

function none(metric: string, message: string): IndicatorValue {
  return { metric, ok: false, message };
}
