import type { Slo } from '../evaluation.ts';
import type {
  KeptnEarlier,
  KeptnEventData,
  KeptnFinished,
  KeptnGetSliFinished,
  KeptnIndicatorResult,
  KeptnKeySli,
} from './model.ts';
import { judgeObjectives } from './objectives.ts';
import { calculateScore } from './score.ts';
import { selectEarlier } from './selection.ts';
import { type SloLookup, sayLookup } from './slo-lookup.ts';

export interface FinishedEvaluation {
  data: KeptnFinished;
  /** What the SLO made of the values; absent where they were not judged. */
  judged?: { limit: number; maximum?: number; keySli?: KeptnKeySli };
}

/**
 * What Keptn's lighthouse answers to get-sli.finished: `data` of evaluation.finished. `earlier` is
 * newest first, before any selection. Without an SLO file it is a pass, as it was there.
 */
export function finishEvaluation(
  event: KeptnGetSliFinished,
  lookup: SloLookup,
  earlier: readonly KeptnEarlier[],
): FinishedEvaluation {
  const done = (change: Partial<KeptnEventData>) => ({
    data: finished(event, { status: 'succeeded', ...change }, { result: 'pass' }),
  });
  if (event.status === 'aborted') {
    return done({ status: 'errored', result: 'fail', message: 'evaluation performed by lighthouse was aborted' });
  }
  if (event.status === 'errored') {
    const message = `evaluation performed by lighthouse received an unexpected error: ${event.message ?? ''}`;
    return done({ status: 'errored', result: 'fail', message });
  }
  if (lookup.kind === 'none') {
    const message = `no evaluation performed by lighthouse because no SLO file configured for project ${event.project}`;
    return done({ result: 'pass', message });
  }
  if (lookup.kind !== 'file') return { data: erroredFinished(event, sayLookup(lookup), '') };
  if (lookup.slo === undefined) return { data: erroredFinished(event, sayUnreadable(event), '') };
  return judge(event, lookup.slo, lookup.content, earlier);
}

function judge(
  event: KeptnGetSliFinished,
  slo: Slo,
  content: string,
  earlier: readonly KeptnEarlier[],
): FinishedEvaluation {
  const compared = selectEarlier(earlier, slo.comparison);
  const facts = {
    sloFileContent: base64(content),
    ...(compared.length === 0 ? {} : { comparedEvents: compared.map(({ id }) => id) }),
  };
  const limit = slo.comparison.count;
  const values = compared.flatMap((one) => one.values);
  const judged = judgeObjectives(slo, event['get-sli'].indicatorValues, values);
  const { maximum, keySli } = judged;
  if (!judged.ok) {
    const verdict = { status: 'succeeded', result: 'fail', message: judged.error };
    return { data: finished(event, verdict, { ...facts, result: 'fail' }), judged: { limit, maximum, keySli } };
  }
  const score = calculateScore(maximum, judged.results, slo.totalScore, keySli);
  if (!score.ok) return { data: erroredFinished(event, score.error, content), judged: { limit } };
  // Keptn has no answer either: JSON cannot hold such a number.
  if (!judged.results.every(isFiniteResult))
    return { data: erroredFinished(event, 'a number of the evaluation is too large', content), judged: { limit } };
  const details = { ...facts, result: score.result, score: score.score, indicatorResults: judged.results };
  const message = messageOf(event, slo, score.message ?? sayLeftover(judged.leftover));
  const result = slo.objectives.length === 0 || event.result === 'fail' ? 'fail' : score.result;
  const verdict = { status: 'succeeded', result, ...(message === '' ? {} : { message }) };
  // Without objectives there are no results either, not even an empty list of them.
  const shown = slo.objectives.length === 0 ? { ...details, indicatorResults: null } : details;
  return { data: finished(event, verdict, shown), judged: { limit, maximum, keySli } };
}

function messageOf(event: KeptnGetSliFinished, slo: Slo, message: string): string {
  if (slo.objectives.length === 0) return 'lighthouse failed because no SLO objective was provided';
  return event.result === 'fail' ? `lighthouse failed because SLI failed with message ${event.message ?? ''}` : message;
}

function sayLeftover(names: readonly string[]): string {
  // Keptn writes a comma only where something is before it.
  const said = names.reduce((before, name) => (before === '' ? name : `${before}, ${name}`), '');
  if (said === '') return '';
  return `Lighthouse received additional SLIs, which are not specified as SLO: ${said} . Please consider using them as an SLO.`;
}

function isFiniteResult({ value, passTargets, warningTargets }: KeptnIndicatorResult): boolean {
  const targets = [...(passTargets ?? []), ...(warningTargets ?? [])].map(({ targetValue }) => targetValue);
  return [value?.value ?? 0, value?.comparedValue ?? 0, ...targets].every(Number.isFinite);
}

/** `data` of an evaluation that could not be done. */
export function erroredFinished(event: KeptnGetSliFinished, message: string, sloFileContent: string): KeptnFinished {
  const details = { result: 'fail', sloFileContent: base64(sloFileContent) };
  return finished(event, { status: 'errored', result: 'fail', message }, details);
}

/** How Keptn says that an slo.yaml cannot be read. */
export function sayUnreadable({ project, stage, service }: KeptnEventData): string {
  return `Could not parse SLO file for service ${service} in stage ${stage} in project ${project}`;
}

function finished(
  event: KeptnGetSliFinished,
  verdict: Partial<KeptnEventData>,
  details: Partial<KeptnFinished['evaluation']> & { result: string },
): KeptnFinished {
  const { project, stage, service, labels } = event;
  const { start, end } = event['get-sli'];
  return {
    project,
    stage,
    service,
    ...(labels === undefined ? {} : { labels }),
    ...verdict,
    evaluation: { timeStart: start, timeEnd: end, score: 0, sloFileContent: '', indicatorResults: null, ...details },
  };
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
