import { isJsonObject } from '../../base/json.ts';
import type { KeptnEarlier, KeptnEventData, KeptnGetSliFinished, KeptnValue } from './model.ts';

/** Something from outside that is not of the shape that Keptn sends; `path` says where. */
export type Decoded<T> = { ok: true; value: T } | Mistaken;

interface Mistaken {
  ok: false;
  path: string;
  message: string;
}

/** Values as a list: `{metric, value, success, message}`; what is left out is what Go takes for nothing. */
export function decodeValues(raw: unknown, path: string): Decoded<KeptnValue[]> {
  if (raw === undefined || raw === null) return { ok: true, value: [] };
  if (!Array.isArray(raw)) return { ok: false, path, message: 'must be a list of {metric, value, success, message}' };
  const values: KeptnValue[] = [];
  for (const [at, each] of raw.entries()) {
    const decoded = decodeValue(each, `${path}[${at}]`);
    if (!decoded.ok) return decoded;
    values.push(decoded.value);
  }
  return { ok: true, value: values };
}

function decodeValue(raw: unknown, path: string): Decoded<KeptnValue> {
  if (!isJsonObject(raw)) return { ok: false, path, message: 'must be {metric, value, success, message}' };
  const { value, comparedValue } = raw;
  // Go takes null for what is not there.
  const [metric, success, message] = [raw['metric'] ?? '', raw['success'] ?? false, raw['message'] ?? ''];
  if (typeof metric !== 'string') return { ok: false, path: `${path}.metric`, message: 'must be text' };
  if (typeof success !== 'boolean') return { ok: false, path: `${path}.success`, message: 'must be true or false' };
  if (typeof message !== 'string') return { ok: false, path: `${path}.message`, message: 'must be text' };
  for (const [name, number] of Object.entries({ value, comparedValue })) {
    if (number === undefined || number === null || typeof number === 'number') continue;
    return { ok: false, path: `${path}.${name}`, message: 'must be a number' };
  }
  const [own, compared] = [value ?? 0, comparedValue ?? 0] as [number, number];
  return {
    ok: true,
    value: { metric, value: own, comparedValue: compared, success, ...(message === '' ? {} : { message }) },
  };
}

/** `data` of get-sli.finished. */
export function decodeGetSliFinished(raw: unknown): Decoded<KeptnGetSliFinished> {
  const sli = isJsonObject(raw) ? raw['get-sli'] : undefined;
  if (!isJsonObject(raw) || !isJsonObject(sli)) {
    return { ok: false, path: 'get-sli', message: 'must be the data of get-sli.finished' };
  }
  const wrong = notText(raw, EVENT_TEXTS, '') ?? notText(sli, ['start', 'end'], 'get-sli.') ?? notLabels(raw['labels']);
  if (wrong !== undefined) return wrong;
  const values = decodeValues(sli['indicatorValues'], 'get-sli.indicatorValues');
  if (!values.ok) return values;
  const times = { start: text(sli['start']), end: text(sli['end']) };
  return { ok: true, value: { ...eventData(raw), 'get-sli': { ...times, indicatorValues: values.value } } };
}

/** Earlier evaluations, newest first: `{id, data}` with the data of evaluation.finished. */
export function decodeEarlier(raw: unknown): Decoded<KeptnEarlier[]> {
  if (!Array.isArray(raw)) return { ok: false, path: '', message: 'must be a list of {id, data}, newest first' };
  const earlier: KeptnEarlier[] = [];
  for (const [at, each] of raw.entries()) {
    const decoded = decodeEvent(each, `[${at}]`);
    if (!decoded.ok) return decoded;
    earlier.push(decoded.value);
  }
  return { ok: true, value: earlier };
}

/** An event whose data or evaluation is null tells nothing; it counts all the same. */
function decodeEvent(raw: unknown, path: string): Decoded<KeptnEarlier> {
  const data = isJsonObject(raw) && 'data' in raw ? (raw['data'] ?? {}) : undefined;
  const evaluation = isJsonObject(data) ? (data['evaluation'] ?? {}) : undefined;
  if (!isJsonObject(raw) || !isJsonObject(data)) return { ok: false, path, message: 'must be {id, data}' };
  if (!isJsonObject(evaluation)) return { ok: false, path: `${path}.data.evaluation`, message: 'must be an object' };
  const wrong = notText(raw, ['id'], `${path}.`) ?? notText(data, ['result'], `${path}.data.`);
  if (wrong !== undefined) return wrong;
  const [results, here] = [evaluation['indicatorResults'] ?? [], `${path}.data.evaluation.indicatorResults`];
  if (!Array.isArray(results)) return { ok: false, path: here, message: 'must be a list' };
  const values: KeptnValue[] = [];
  for (const [at, result] of results.entries()) {
    if (!isJsonObject(result)) return { ok: false, path: `${here}[${at}]`, message: 'must be {value, status}' };
    if (result['value'] === undefined || result['value'] === null) continue;
    const decoded = decodeValue(result['value'], `${here}[${at}].value`);
    if (!decoded.ok) return decoded;
    values.push(decoded.value);
  }
  return { ok: true, value: { id: text(raw['id']), result: text(data['result']), values } };
}

const EVENT_TEXTS = ['project', 'stage', 'service', 'status', 'result', 'message'] as const;

function notText(raw: Record<string, unknown>, keys: readonly string[], path: string): Mistaken | undefined {
  const key = keys.find((each) => typeof (raw[each] ?? '') !== 'string');
  return key === undefined ? undefined : { ok: false, path: `${path}${key}`, message: 'must be text' };
}

function notLabels(raw: unknown): Mistaken | undefined {
  if (raw === undefined || raw === null) return undefined;
  if (!isJsonObject(raw)) return { ok: false, path: 'labels', message: 'must be an object of text' };
  return notText(raw, Object.keys(raw), 'labels.');
}

function eventData(raw: Record<string, unknown>): KeptnEventData {
  const labels = isJsonObject(raw['labels']) ? Object.entries(raw['labels']) : [];
  const optional = (['status', 'result', 'message'] as const).filter((key) => typeof raw[key] === 'string');
  return {
    project: text(raw['project']),
    stage: text(raw['stage']),
    service: text(raw['service']),
    ...(labels.length === 0 ? {} : { labels: Object.fromEntries(labels.map(([key, value]) => [key, text(value)])) }),
    ...Object.fromEntries(optional.map((key) => [key, text(raw[key])])),
  };
}

function text(raw: unknown): string {
  return typeof raw === 'string' ? raw : '';
}
