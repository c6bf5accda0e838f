import { sayUnreadable } from './finished.ts';
import type { KeptnEvaluation, KeptnEventData, KeptnFinished } from './model.ts';
import type { SloLookup } from './slo-lookup.ts';
import { evaluationWindow } from './window.ts';

/** `data` of evaluation.triggered. */
export interface KeptnTriggered extends KeptnEventData {
  evaluation?: { start?: string; end?: string; timeframe?: string };
  test?: { start?: string; end?: string };
  deployment?: { deploymentNames?: string[] };
}

export interface KeptnGetSliTriggered extends KeptnEventData {
  deployment?: string;
  'get-sli': {
    sliProvider: string;
    start: string;
    end: string;
    indicators: string[];
    customFilters: { key: string; value: string }[];
  };
}

export type SentEvent =
  | { type: 'sh.keptn.event.evaluation.started'; data: KeptnEventData }
  | { type: 'sh.keptn.event.evaluation.finished'; data: KeptnFinished }
  | { type: 'sh.keptn.event.get-sli.triggered'; data: KeptnGetSliTriggered };

/** The SLI provider by name of its configuration: one per project, and one for all others. */
export type SliProviders = ReadonlyMap<string, string>;

/** Where Keptn writes down which provider a project uses; without a project, the one for all. */
export function sliProviderConfig({ type, project }: { type: string; project?: string }): {
  name: string;
  data: { 'sli-provider': string };
} {
  return { name: configName(project), data: { 'sli-provider': type } };
}

/** What lighthouse sends when an evaluation is asked for. Without any provider it ends there, as a pass. */
export function beginEvaluation(
  data: KeptnTriggered,
  lookup: SloLookup,
  providers: SliProviders,
  nowMs: number,
): SentEvent[] {
  const { project, stage, service, labels } = data;
  const place: KeptnEventData = { project, stage, service, ...(labels === undefined ? {} : { labels }) };
  const end = (
    verdict: Partial<KeptnEventData>,
    details: Partial<KeptnEvaluation> & { result: string },
  ): SentEvent[] => [
    started(place),
    {
      type: 'sh.keptn.event.evaluation.finished',
      data: {
        ...place,
        ...verdict,
        evaluation: { timeStart: '', timeEnd: '', score: 0, sloFileContent: '', indicatorResults: null, ...details },
      },
    },
  ];
  const { start, end: until, timeframe } = data.evaluation ?? {};
  const asked = { start, end: until, timeframe, testStart: data.test?.start, testEnd: data.test?.end };
  const window = evaluationWindow(withoutUndefined(asked), nowMs);
  if (!window.ok) return end({ status: 'errored', result: 'fail', message: window.error }, { result: 'fail' });
  const times = { timeStart: window.start, timeEnd: window.end };
  const error = lookupError(lookup, place);
  if (error !== undefined) {
    const message = `error retrieving SLO file: ${error}`;
    return end({ status: 'errored', result: 'fail', message }, { ...times, result: 'fail' });
  }
  const provider = providers.get(configName(project)) ?? providers.get(configName(undefined));
  if (provider === undefined) {
    const message = `no evaluation performed by lighthouse because no SLI-provider configured for project ${project}`;
    return end({ status: 'succeeded', result: 'pass', message }, { ...times, result: 'pass' });
  }
  return [started(place), getSli(data, place, lookup, provider, window)];
}

function started(place: KeptnEventData): SentEvent {
  return { type: 'sh.keptn.event.evaluation.started', data: { ...place, status: 'succeeded' } };
}

function getSli(
  { deployment }: KeptnTriggered,
  place: KeptnEventData,
  lookup: SloLookup,
  sliProvider: string,
  { start, end }: { start: string; end: string },
): SentEvent {
  const slo = lookup.kind === 'file' ? lookup.slo : undefined;
  const [name] = deployment?.deploymentNames ?? [];
  return {
    type: 'sh.keptn.event.get-sli.triggered',
    data: {
      ...place,
      ...(name === undefined ? {} : { deployment: name }),
      'get-sli': {
        sliProvider,
        start,
        end,
        indicators: (slo?.objectives ?? []).map(({ sli }) => sli),
        customFilters: Object.entries(slo?.filter ?? {}).map(([key, value]) => ({ key, value })),
      },
    },
  };
}

function lookupError(lookup: SloLookup, place: KeptnEventData): string | undefined {
  switch (lookup.kind) {
    case 'none':
      return undefined;
    case 'missing':
      return `${lookup.what} ${place[lookup.what]} not found`;
    case 'error':
      return lookup.message;
    case 'file':
      return lookup.slo === undefined ? sayUnreadable(place) : undefined;
  }
}

function configName(project: string | undefined): string {
  return project === undefined ? 'lighthouse-config' : `lighthouse-config-${project}`;
}

function withoutUndefined<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as never;
}
