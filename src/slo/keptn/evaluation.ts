import type { EarlierEvaluation, Evaluation, IndicatorResult, IndicatorValue, Slo } from '../evaluation.ts';
import { finishEvaluation } from './finished.ts';
import type { KeptnEarlier, KeptnFinished, KeptnIndicatorResult, KeptnValue } from './model.ts';
import { keptnSliResult } from './prometheus.ts';

/** Judges values as Keptn's lighthouse does; the outcome in our words, the message in Keptn's. */
export function evaluateAsKeptn(
  slo: Slo,
  values: readonly IndicatorValue[],
  earlier: readonly EarlierEvaluation[],
): Evaluation {
  const place = { project: '', stage: '', service: '' };
  const indicatorValues = values.map(toKeptnValue);
  const read = keptnSliResult(indicatorValues.map(({ success }) => success));
  const { data } = finishEvaluation(
    { ...place, ...read, 'get-sli': { start: '', end: '', indicatorValues } },
    { kind: 'file', content: '', slo },
    earlier.map(toKeptnEarlier),
  );
  return toEvaluation(data, slo);
}

/** `data` of evaluation.finished in our words. An errored evaluation could not be judged. */
export function toEvaluation(data: KeptnFinished, slo: Slo | undefined): Evaluation {
  const { pass = 0, warning } = slo?.totalScore ?? {};
  return {
    result: data.result === 'pass' || data.result === 'warning' ? data.result : 'fail',
    judged: data.status !== 'errored',
    score: data.evaluation.score,
    thresholds: { pass, ...(warning === undefined ? {} : { warning }) },
    indicators: (data.evaluation.indicatorResults ?? []).map((result, at) => toIndicator(result, slo?.objectives[at])),
    message: data.message ?? `The score of ${data.evaluation.score} reaches the ${pass} that pass.`,
    compared: data.evaluation.comparedEvents ?? [],
  };
}

/** A value that is not there was asked for without success. */
export function toKeptnValue(value: IndicatorValue): KeptnValue {
  const facts = { metric: value.metric, comparedValue: 0 };
  return value.ok
    ? { ...facts, value: value.value, success: true }
    : { ...facts, value: 0, success: false, message: value.message };
}

function toKeptnEarlier({ id, result, indicators }: EarlierEvaluation): KeptnEarlier {
  const values = indicators.flatMap(({ sli, value }): KeptnValue[] =>
    value === undefined ? [] : [{ metric: sli, value, comparedValue: 0, success: true }],
  );
  return { id, result, values };
}

function toIndicator(result: KeptnIndicatorResult, objective: Slo['objectives'][number] | undefined): IndicatorResult {
  const { value } = result;
  const sli = objective?.sli ?? value?.metric ?? '';
  const measured = value?.success
    ? { value: value.value, comparedValue: value.comparedValue }
    : { message: value?.message ?? 'no value received from SLI provider' };
  return {
    sli,
    displayName: result.displayName || sli,
    keySli: objective?.keySli ?? result.keySli,
    weight: objective?.weight ?? 1,
    ...measured,
    status: result.status,
    score: result.score,
    passTargets: result.passTargets,
    warningTargets: result.warningTargets,
  };
}
