import { AdapterError } from '../base/adapter-error.ts';
import { parseSlo } from '../definitions/slo-yaml.ts';
import { evaluate } from '../slo/evaluate.ts';
import type { IndicatorValue, Objective, Slo } from '../slo/evaluation.ts';
import type { Indicator } from '../slo/indicator.ts';
import { collectIndicators } from '../tasks/evaluation-collect.ts';
import { type Terminal, UsageError } from './command.ts';
import { accepted, readIndicators, readLabels, readStrictJson, readText, refuseEmpty } from './evaluate-input.ts';
import type { EvaluateOptions } from './evaluate-options.ts';
import { lastPeriod, type Period, periodOf } from './evaluate-period.ts';
import type { EvaluationReport } from './evaluate-report.ts';
import { figureIn, type NamedReport, readReports, reportSource } from './evaluate-reports.ts';
import { type FindSource, metricsSources } from './evaluate-sources.ts';
import { toEarlier, toIndicatorValues } from './evaluate-values.ts';

/** For queries, when nobody says a period: as long as a service takes for one. */
const DEFAULT_PERIOD_MS = 5 * 60_000;
const PLACE = ['project', 'stage', 'service'] as const;

/** Judges strictly: what is missing is never a pass. @throws {UsageError} */
export async function evaluateStrictly(
  terminal: Terminal,
  options: EvaluateOptions,
  nowMs: number,
): Promise<EvaluationReport> {
  const { slo: file, values: valuesFile, previous } = options;
  if (file === undefined) throw new UsageError('--slo: name the file with the objectives');
  const slo = accepted(parseSlo(readText(terminal, file), file));
  const indicators = readIndicators(terminal, options.sli);
  const labels = readLabels(options.label);
  const { project, stage, service } = options;
  const named = Object.entries(labels).map(([key, value]) => [`label ${key}`, value]);
  refuseEmpty({ project, stage, service, ...Object.fromEntries(named) });
  const reports = readReports(terminal, options.report);
  const asked = periodOf(options, nowMs);
  const values =
    valuesFile === undefined ? [] : toIndicatorValues(readStrictJson(terminal, valuesFile), valuesFile, indicators);
  const given = [...values, ...valuesOf(reports, slo, values, indicators)];
  const open = openObjectives(slo, given, indicators);
  const queries = options.url !== undefined || options.config !== undefined || reports.length > 0;
  if (!queries && valuesFile === undefined) {
    throw new UsageError('say where the numbers come from: --values, --report, or --sli with --url or --config');
  }
  const period = asked ?? (queries ? lastPeriod(nowMs, DEFAULT_PERIOD_MS) : undefined);
  const read =
    queries && period && open.length > 0
      ? await collect(
          terminal,
          options,
          { ...slo, objectives: open },
          indicators,
          labels,
          period,
          sourcesOf(terminal, options, reports),
        )
      : [];
  const earlier = previous === undefined ? [] : toEarlier(readStrictJson(terminal, previous), previous);
  const place = Object.fromEntries(PLACE.flatMap((key) => (options[key] === undefined ? [] : [[key, options[key]]])));
  return {
    ...place,
    ...(options.label.length === 0 ? {} : { labels }),
    ...(period === undefined ? {} : { period }),
    ...evaluate({ slo, values: [...given, ...read], earlier }),
  };
}

/** What the file of values says counts more, and so does a query. */
function valuesOf(
  reports: readonly NamedReport[],
  { objectives }: Slo,
  given: readonly IndicatorValue[],
  indicators: Readonly<Record<string, Indicator>>,
): IndicatorValue[] {
  const known = new Set([...given.map(({ metric }) => metric), ...Object.keys(indicators)]);
  return [...new Set(objectives.map(({ sli }) => sli))].flatMap((metric): IndicatorValue[] => {
    const value = known.has(metric) ? undefined : figureIn(reports, metric);
    return value === undefined ? [] : [{ metric, ok: true, value }];
  });
}

function sourcesOf(terminal: Terminal, options: EvaluateOptions, reports: readonly NamedReport[]): FindSource {
  const ownSources = reports.map(reportSource);
  const find = metricsSources(terminal, options);
  return (name) => ownSources.find((one) => one.name === name) ?? find(name);
}

/** Objectives whose numbers must still be asked for. What is only pushed is in the file, or is missing. */
function openObjectives(
  { objectives }: Slo,
  given: readonly IndicatorValue[],
  indicators: Readonly<Record<string, Indicator>>,
): Objective[] {
  const known = new Set(given.map(({ metric }) => metric));
  const open = objectives.filter(({ sli }) => !known.has(sli) && Object.hasOwn(indicators, sli));
  const compares = open.find(({ control, sli }) => control !== undefined && indicators[sli]?.sources.length !== 0);
  if (compares) {
    throw new UsageError(
      `"${compares.sli}" is compared with a control group: give both in --values as {"experiment": [...], "control": [...]}`,
    );
  }
  return open;
}

function collect(
  terminal: Terminal,
  options: EvaluateOptions,
  slo: Slo,
  sli: Record<string, Indicator>,
  labels: Record<string, string>,
  period: Period,
  find: FindSource,
): Promise<IndicatorValue[]> {
  refuseMissingNames(slo, sli, options);
  const { project = '', stage = '', service = '', provider } = options;
  return collectIndicators(
    {
      definitions: { slo, sli },
      place: { project, stage, service },
      context: '',
      period,
      ...(provider === undefined || options.url !== undefined ? {} : { provider }),
      figures: new Map(),
      labels,
      signal: terminal.stop,
    },
    { metricsSource: find },
  ).catch((error: unknown) => {
    // A source that cannot be asked is an answer by now: what is left is one that nobody gave.
    throw error instanceof AdapterError ? new UsageError(`${error.message}: --url, --config or --report`) : error;
  });
}

/** An empty name in a query would match what has no such label at all, and could pass. */
function refuseMissingNames(slo: Slo, sli: Record<string, Indicator>, options: EvaluateOptions): void {
  for (const { sli: name } of slo.objectives) {
    const { sources = [], minimumSamples } = sli[name] ?? {};
    const queries = [...sources, ...(minimumSamples ? [minimumSamples] : [])].map(({ query }) => query);
    for (const key of PLACE) {
      const placeholder = new RegExp(`\\$${key.toUpperCase()}(?![A-Za-z0-9_])`);
      const filled = Object.hasOwn(slo.filter, key.toUpperCase());
      if (options[key] !== undefined || filled || !queries.some((query) => placeholder.test(query))) continue;
      throw new UsageError(`the query of "${name}" needs $${key.toUpperCase()}: give --${key}`);
    }
  }
}
