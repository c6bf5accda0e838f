import { isJsonObject } from '../base/json.ts';
import type { EarlierEvaluation, IndicatorValue } from '../slo/evaluation.ts';
import type { Indicator } from '../slo/indicator.ts';
import { decodeEarlier, decodeGetSliFinished, decodeValues } from '../slo/keptn/decode.ts';
import { toKeptnValue } from '../slo/keptn/evaluation.ts';
import type { KeptnValue } from '../slo/keptn/model.ts';
import { isKeptnEvent, mistake } from './evaluate-input.ts';

type Indicators = Readonly<Record<string, Indicator>>;

/**
 * Values of a file: `{name: number}`, where a number may be `{value, samples}` or, for a control group,
 * `{experiment: [...], control: [...]}`; or Keptn's indicatorValues, alone or in get-sli.finished.
 *
 * @throws {UsageError}
 */
export function toIndicatorValues(raw: unknown, file: string, indicators: Indicators): IndicatorValue[] {
  const keptn = keptnValues(raw, file);
  const twice = keptn?.find(({ metric }, at) => keptn.findIndex((other) => other.metric === metric) !== at);
  if (twice) throw mistake(file, twice.metric, 'stands there twice: which of both counts?');
  if (keptn !== undefined) return keptn.map((value) => described(fromKeptn(value), indicators));
  return Object.entries(raw as Record<string, unknown>).map(([metric, each]) =>
    described(toValue(metric, each, file), indicators),
  );
}

/** Values in Keptn's form; a plain object counts as successful readings. @throws {UsageError} */
export function toKeptnValues(raw: unknown, file: string): KeptnValue[] {
  const keptn = keptnValues(raw, file);
  if (keptn !== undefined) return keptn;
  return Object.entries(raw as Record<string, unknown>).map(([metric, each]) =>
    toKeptnValue(toValue(metric, each, file)),
  );
}

/** Whether the file holds the data of get-sli.finished. */
export function isGetSliFinished(raw: unknown): boolean {
  return isJsonObject(raw) && isJsonObject(raw['get-sli']);
}

function keptnValues(raw: unknown, file: string): KeptnValue[] | undefined {
  if (!isJsonObject(raw) && !Array.isArray(raw)) {
    throw mistake(file, '', 'must be {name: number}, or a list of {metric, value, success, message}');
  }
  if (isGetSliFinished(raw)) {
    const event = decodeGetSliFinished(raw);
    if (!event.ok) throw mistake(file, event.path, event.message);
    return event.value['get-sli'].indicatorValues;
  }
  if (!Array.isArray(raw)) return undefined;
  const values = decodeValues(raw, '');
  if (!values.ok) throw mistake(file, values.path, values.message);
  return values.value;
}

function fromKeptn({ metric, value, success, message }: KeptnValue): IndicatorValue {
  if (success) return { metric, ok: true, value };
  return { metric, ok: false, message: message ?? 'it was read without success' };
}

function toValue(metric: string, raw: unknown, file: string): IndicatorValue {
  if (typeof raw === 'number') return { metric, ok: true, value: raw };
  if (raw === null) return { metric, ok: false, message: 'the file says that it has none' };
  if (!isJsonObject(raw)) throw mistake(file, metric, 'must be a number, null, {value}, or {experiment, control}');
  const { value, samples, experiment, control } = raw;
  if (samples !== undefined && typeof samples !== 'number')
    throw mistake(file, `${metric}.samples`, 'must be a number');
  const counted = samples === undefined ? {} : { samples };
  if (experiment !== undefined || control !== undefined) {
    const groups = {
      experiment: numbers(experiment, `${metric}.experiment`, file),
      control: numbers(control, `${metric}.control`, file),
    };
    if (groups.experiment.length === 0) return { metric, ok: false, message: 'the experiment has no values' };
    return { metric, ok: true, value: median(groups.experiment), groups, ...counted };
  }
  if (typeof value !== 'number') throw mistake(file, `${metric}.value`, 'must be a number');
  return { metric, ok: true, value, ...counted };
}

function numbers(raw: unknown, path: string, file: string): number[] {
  if (Array.isArray(raw) && raw.every((each) => typeof each === 'number')) return raw;
  throw mistake(file, path, 'must be a list of numbers');
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const [low, high] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[Math.floor(sorted.length / 2)]];
  return ((low ?? Number.NaN) + (high ?? Number.NaN)) / 2;
}

/** With what sli.yaml says of the indicator; a value of too few samples is none. */
function described(value: IndicatorValue, indicators: Indicators): IndicatorValue {
  const indicator = Object.hasOwn(indicators, value.metric) ? indicators[value.metric] : undefined;
  if (!value.ok || indicator === undefined) return value;
  const { unit, better, minimumSamples } = indicator;
  if (minimumSamples !== undefined && value.samples !== undefined && value.samples < minimumSamples.count) {
    const message = `it has ${value.samples} samples, and needs ${minimumSamples.count}`;
    return { metric: value.metric, ok: false, message };
  }
  return { ...value, ...(unit === undefined ? {} : { unit }), ...(better === undefined ? {} : { better }) };
}

/**
 * Earlier evaluations, newest first: events of Keptn, or what `--output json` printed.
 *
 * @throws {UsageError}
 */
export function toEarlier(raw: unknown, file: string): EarlierEvaluation[] {
  const all = Array.isArray(raw) ? raw : [raw];
  return all.map((each, at) => (isKeptnEvent(each) ? ofKeptn(each, at, file) : ofOurs(each, at, file)));
}

function ofKeptn(event: unknown, at: number, file: string): EarlierEvaluation {
  const decoded = decodeEarlier([event]);
  if (!decoded.ok) throw mistake(file, decoded.path.replace('[0]', `[${at}]`), decoded.message);
  const [{ id, result, values } = { id: '', result: '', values: [] }] = decoded.value;
  const indicators = values.map(({ metric, value, success }) => ({ sli: metric, ...(success ? { value } : {}) }));
  return { id: id === '' ? nameless(at) : id, result: verdictOf(result), indicators };
}

function ofOurs(raw: unknown, at: number, file: string): EarlierEvaluation {
  const indicators = isJsonObject(raw) ? raw['indicators'] : undefined;
  if (!isJsonObject(raw) || !Array.isArray(indicators)) {
    throw mistake(file, `[${at}]`, 'must be {id, data} of evaluation.finished, or what --output json printed');
  }
  return {
    id: typeof raw['id'] === 'string' ? raw['id'] : nameless(at),
    result: verdictOf(raw['result']),
    indicators: indicators.filter(isJsonObject).map(({ sli, value }) => ({
      sli: String(sli),
      ...(typeof value === 'number' ? { value } : {}),
    })),
  };
}

function nameless(at: number): string {
  return `earlier ${at + 1}`;
}

/** What is no verdict was none that passed. */
function verdictOf(raw: unknown): EarlierEvaluation['result'] {
  return raw === 'pass' || raw === 'warning' ? raw : 'fail';
}
