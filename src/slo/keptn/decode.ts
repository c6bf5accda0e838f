import { isJsonObject } from '../../base/json.ts';
import type { KeptnEarlier, KeptnEventData, KeptnGetSliFinished, KeptnValue } from './model.ts';

/** Something from outside that is not of the shape that Keptn sends; `path` says where. */
export type Decoded<T> = { ok: true; value: T } | { ok: false; path: string; message: string };

/** Values as a list: `{metric, value, success, message}`; what is left out is what Go takes for nothing. */
export function decodeValues(raw: unknown, path: string): Decoded<KeptnValue[]> {
  if (raw === undefined || raw === null) return { ok: true, value: [] };
  if (!Array.isArray(raw)) return { ok: false, path, message: 'must be a list of {metric, value, success, message}' };
  const values: KeptnValue[] = [];
  for (const [at, each] of raw.entries()) {
    if (each === null) continue;
    const decoded = decodeValue(each, `${path}[${at}]`);
    if (!decoded.ok) return decoded;
    values.push(decoded.value);
  }
  return { ok: true, value: values };
}

function decodeValue(raw: unknown, path: string): Decoded<KeptnValue> {
  if (!isJsonObject(raw)) return { ok: false, path, message: 'must be {metric, value, success, message}' };
  const { metric = '', value, comparedValue, success = false, message = '' } = raw;
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
  const values = decodeValues(sli['indicatorValues'], 'get-sli.indicatorValues');
  if (!values.ok) return values;
  const data = { ...eventData(raw), 'get-sli': { ...times(sli), indicatorValues: values.value } };
  return { ok: true, value: data };
}

/** Earlier evaluations, newest first: `{id, data}` with the data of evaluation.finished. */
export function decodeEarlier(raw: unknown): Decoded<KeptnEarlier[]> {
  if (!Array.isArray(raw)) return { ok: false, path: '', message: 'must be a list of {id, data}, newest first' };
  const earlier: KeptnEarlier[] = [];
  for (const [at, each] of raw.entries()) {
    const data = isJsonObject(each) ? each['data'] : undefined;
    if (!isJsonObject(each) || !isJsonObject(data))
      return { ok: false, path: `[${at}]`, message: 'must be {id, data}' };
    const results = isJsonObject(data['evaluation']) ? data['evaluation']['indicatorResults'] : undefined;
    if (results !== undefined && results !== null && !Array.isArray(results)) {
      return { ok: false, path: `[${at}].data.evaluation.indicatorResults`, message: 'must be a list' };
    }
    const raws = (results ?? []).map((result) => (isJsonObject(result) ? (result['value'] ?? null) : null));
    const values = decodeValues(raws, `[${at}].data.evaluation.indicatorResults`);
    if (!values.ok) return values;
    earlier.push({ id: text(each['id']), result: text(data['result']), values: values.value });
  }
  return { ok: true, value: earlier };
}

function eventData(raw: Record<string, unknown>): KeptnEventData {
  const labels = isJsonObject(raw['labels'])
    ? Object.entries(raw['labels']).map(([key, value]): [string, string] => [key, text(value)])
    : [];
  const optional = (['status', 'result', 'message'] as const).filter((key) => typeof raw[key] === 'string');
  return {
    project: text(raw['project']),
    stage: text(raw['stage']),
    service: text(raw['service']),
    ...(labels.length === 0 ? {} : { labels: Object.fromEntries(labels) }),
    ...Object.fromEntries(optional.map((key) => [key, text(raw[key])])),
  };
}

function times(raw: Record<string, unknown>): { start: string; end: string } {
  return { start: text(raw['start']), end: text(raw['end']) };
}

function text(raw: unknown): string {
  return typeof raw === 'string' || typeof raw === 'number' || typeof raw === 'boolean' ? String(raw) : '';
}
