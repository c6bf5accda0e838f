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
  const { score, indicatorResults, comparedEvents: compared = [] } = data.evaluation;
  return {
    result: data.result === 'pass' || data.result === 'warning' ? data.result : 'fail',
    judged: data.status !== 'errored',
    score,
    thresholds: { pass, ...(warning === undefined ? {} : { warning }) },
    indicators: (indicatorResults ?? []).map((result, at) =>
      toIndicator(result, slo?.objectives[at], compared.length > 0),
    ),
    message: data.message ?? `The score of ${score} reaches the ${pass} that pass.`,
    compared,
  };
}

/** A value that is not there was asked for without success; Keptn's events cannot carry NaN or infinity. */
export function toKeptnValue(value: IndicatorValue): KeptnValue {
  const facts = { metric: value.metric, comparedValue: 0 };
  const failed = (message: string): KeptnValue => ({ ...facts, value: 0, success: false, message });
  if (!value.ok) return failed(value.message);
  return Number.isFinite(value.value)
    ? { ...facts, value: value.value, success: true }
    : failed('the value is not a number');
}

function toKeptnEarlier({ id, result, indicators }: EarlierEvaluation): KeptnEarlier {
  const values = indicators.flatMap(({ sli, value }): KeptnValue[] =>
    value === undefined ? [] : [{ metric: sli, value, comparedValue: 0, success: true }],
  );
  return { id, result, values };
}

function toIndicator(
  result: KeptnIndicatorResult,
  objective: Slo['objectives'][number] | undefined,
  hasEarlier: boolean,
): IndicatorResult {
  const { value } = result;
  const sli = objective?.sli ?? value?.metric ?? '';
  const measured = value?.success
    ? // Keptn writes 0 where there was nothing to compare with.
      { value: value.value, ...(hasEarlier ? { comparedValue: value.comparedValue } : {}) }
    : { message: value?.message ?? 'no value received from SLI provider' };
  return {
    sli,
    displayName: result.displayName || sli,
    keySli: objective?.keySli ?? result.keySli,
    weight: objective?.weight ?? 1,
    ...measured,
    status: result.status,
    score: result.score,
    passTargets: result.passTargets ?? [],
    warningTargets: result.warningTargets ?? [],
  };
}
