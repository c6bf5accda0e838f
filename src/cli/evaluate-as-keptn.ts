import { parseSlo } from '../definitions/slo-yaml.ts';
import type { Slo } from '../slo/evaluation.ts';
import { decodeEarlier, decodeGetSliFinished } from '../slo/keptn/decode.ts';
import { finishEvaluation } from '../slo/keptn/finished.ts';
import type { KeptnEventData, KeptnFinished, KeptnGetSliFinished, KeptnValue } from '../slo/keptn/model.ts';
import { type KeptnQueryInput, keptnPrometheusQuery, keptnSliResult } from '../slo/keptn/prometheus.ts';
import { fileFound, type SloLookup } from '../slo/keptn/slo-lookup.ts';
import { beginEvaluation, type KeptnGetSliTriggered, sliProviderConfig } from '../slo/keptn/triggered.ts';
import { type Terminal, UsageError } from './command.ts';
import { mistake, readIndicators, readJson, readLabels, readText } from './evaluate-input.ts';
import type { EvaluateOptions } from './evaluate-options.ts';
import { type FindSource, metricsSources } from './evaluate-sources.ts';
import { isGetSliFinished, toKeptnValues } from './evaluate-values.ts';

export interface KeptnOutcome {
  data: KeptnFinished;
  slo: Slo | undefined;
}

const MINUTES_5 = '5m';

/**
 * Judges as Keptn's lighthouse did, from evaluation.triggered on, or from get-sli.finished where the
 * values are given.
 *
 * @throws {UsageError}
 */
export async function judgeAsKeptn(terminal: Terminal, options: EvaluateOptions, nowMs: number): Promise<KeptnOutcome> {
  const lookup = lookUp(terminal, options.slo);
  const slo = lookup.kind === 'file' ? lookup.slo : undefined;
  const previous = options.previous === undefined ? [] : readJson(terminal, options.previous);
  const earlier = decodeEarlier(previous);
  if (!earlier.ok) throw mistake(options.previous ?? '', earlier.path, earlier.message);
  const labels = readLabels(options.label);
  const place: KeptnEventData = {
    project: options.project ?? '',
    stage: options.stage ?? '',
    service: options.service ?? '',
    ...(options.label.length === 0 ? {} : { labels }),
  };
  if (options.values !== undefined) {
    const event = givenValues(readJson(terminal, options.values), options.values, options, place, lookup, nowMs);
    return { data: 'evaluation' in event ? event : finishEvaluation(event, lookup, earlier.value).data, slo };
  }
  const begun = begin(place, lookup, options, nowMs);
  if ('evaluation' in begun) return { data: begun, slo };
  const event = await getSli(terminal, options, begun);
  return { data: finishEvaluation(event, lookup, earlier.value).data, slo };
}

/** As Keptn writes it: what is empty of the place and the message is left out. */
export function asSent(data: KeptnFinished): object {
  return Object.fromEntries(Object.entries(data).filter(([, value]) => value !== ''));
}

/** No file named is no SLO file, as in Keptn; one that is named must be there. */
function lookUp(terminal: Terminal, file: string | undefined): SloLookup {
  if (file === undefined) return { kind: 'none' };
  const content = readText(terminal, file);
  const parsed = parseSlo(content, file, 'keptn');
  if (!parsed.ok)
    for (const { line, column, message } of parsed.problems) terminal.err(`${file}:${line}:${column} ${message}`);
  return fileFound(content, parsed.ok ? parsed.value : undefined);
}

/** The whole data of get-sli.finished, or the values alone with the times of the command line. */
function givenValues(
  raw: unknown,
  file: string,
  options: EvaluateOptions,
  place: KeptnEventData,
  lookup: SloLookup,
  nowMs: number,
): KeptnGetSliFinished | KeptnFinished {
  if (isGetSliFinished(raw)) {
    const event = decodeGetSliFinished(raw);
    if (!event.ok) throw mistake(file, event.path, event.message);
    const named = Object.fromEntries(Object.entries(place).filter(([, value]) => value !== ''));
    return { ...event.value, ...named };
  }
  const indicatorValues = toKeptnValues(raw, file);
  const { start, end, timeframe } = options;
  if (start === undefined && end === undefined && timeframe === undefined) {
    return { ...place, 'get-sli': { start: '', end: '', indicatorValues } };
  }
  const begun = begin(place, lookup, { ...options, provider: 'values' }, nowMs);
  return 'evaluation' in begun ? begun : { ...place, 'get-sli': { ...timesOf(begun), indicatorValues } };
}

function begin(
  place: KeptnEventData,
  lookup: SloLookup,
  { start, end, timeframe, provider, url, config }: EvaluateOptions,
  nowMs: number,
): KeptnFinished | KeptnGetSliTriggered {
  // Asked for by the API, Keptn takes the last five minutes.
  const asked =
    start === undefined && end === undefined ? { timeframe: timeframe ?? MINUTES_5 } : { start, end, timeframe };
  const evaluation = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined));
  const type = provider ?? (url === undefined && config === undefined ? undefined : 'prometheus');
  const { name, data } = sliProviderConfig({ type: type ?? '' });
  const providers = new Map(type === undefined ? [] : [[name, data['sli-provider']]]);
  const last = beginEvaluation({ ...place, evaluation }, lookup, providers, nowMs).at(-1);
  if (last === undefined || last.type === 'sh.keptn.event.evaluation.started') throw new Error('nothing was begun');
  return last.data;
}

/** Asks for every indicator as Keptn's provider does, and says how that went. */
async function getSli(
  terminal: Terminal,
  options: EvaluateOptions,
  { 'get-sli': asked, ...place }: KeptnGetSliTriggered,
): Promise<KeptnGetSliFinished> {
  if (options.url === undefined && options.config === undefined) {
    throw new UsageError('--provider: say where it answers, with --url or --config');
  }
  const find = metricsSources(terminal, options);
  const indicators = readIndicators(terminal, options.sli);
  const queries = Object.fromEntries(
    Object.entries(indicators).flatMap(
      ([
        name,
        {
          sources: [source],
        },
      ]) => (source ? [[name, source.query]] : []),
    ),
  );
  const indicatorValues = await Promise.all(
    asked.indicators.map((metric) => {
      const input = {
        ...place,
        ...timesOf({ 'get-sli': asked }),
        labels: place.labels ?? {},
        customFilters: asked.customFilters,
        indicators: queries,
        metric,
      };
      return readOne(find, input, indicators[metric]?.sources[0]?.provider, terminal.stop);
    }),
  );
  const read = keptnSliResult(indicatorValues.map(({ success }) => success));
  return { ...place, ...read, 'get-sli': { ...timesOf({ 'get-sli': asked }), indicatorValues } };
}

async function readOne(
  find: FindSource,
  input: KeptnQueryInput,
  provider: string | undefined,
  signal: AbortSignal,
): Promise<KeptnValue> {
  const facts = { metric: input.metric, comparedValue: 0 };
  const failed = (message: string): KeptnValue => ({ ...facts, value: 0, success: false, message });
  const asked = keptnPrometheusQuery(input);
  if (!asked.ok) return failed(asked.error);
  const source = find(provider);
  if (source === undefined) throw new UsageError(`there is no metrics source ${provider ?? ''}`.trim());
  const { start, end } = input;
  const reading = await source.read({ query: asked.query, variables: {}, start, end }, { signal });
  return reading.ok ? { ...facts, value: reading.value, success: true } : failed(reading.message);
}

function timesOf({ 'get-sli': { start, end } }: Pick<KeptnGetSliTriggered, 'get-sli'>): { start: string; end: string } {
  return { start, end };
}
