import { isJsonObject, type Json, type JsonObject } from '../../base/json.ts';
import type { Place } from '../../events/application.ts';

/** A Kubernetes label value that can stand in a URL and a branch name. */
const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;
const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;
/** A message longer than this helps nobody. */
const MAX_MESSAGE = 2_000;
/** A copy of the whole object, values included. */
const COPIES: ReadonlySet<string> = new Set(['kubectl.kubernetes.io/last-applied-configuration']);

/** The parts of any Kubernetes object; each may be missing. */
export function partsOf(object: JsonObject) {
  const metadata = objectAt(object['metadata']);
  return { metadata, spec: objectAt(object['spec']), status: objectAt(object['status']) };
}

export function annotationsOf(object: JsonObject): Record<string, string> {
  return stringsAt(partsOf(object).metadata['annotations']);
}

export function labelsOf(object: JsonObject): Record<string, string> {
  return stringsAt(partsOf(object).metadata['labels']);
}

export function nameOf(object: JsonObject): { namespace: string; name: string } {
  const { metadata } = partsOf(object);
  return { namespace: textAt(metadata['namespace']) ?? '', name: textAt(metadata['name']) ?? '' };
}

export interface Condition {
  status: 'True' | 'False' | 'Unknown';
  reason: string;
  message: string;
  /** When the status changed last. */
  since?: string;
}

/** A condition, unless it is missing or is about an older generation of the object. */
export function conditionOf(object: JsonObject, type: string): Condition | undefined {
  const { metadata, status } = partsOf(object);
  const found = objectsAt(status['conditions']).find((one) => one['type'] === type);
  if (!found) return undefined;
  const observed = found['observedGeneration'];
  if (observed !== undefined && observed !== metadata['generation']) return undefined;
  const value = found['status'];
  return {
    status: value === 'True' || value === 'False' ? value : 'Unknown',
    reason: textAt(found['reason']) ?? '',
    message: messageAt(found['message']),
    ...optional('since', timeAt(found['lastTransitionTime'])),
  };
}

/** Whether the object was reconciled to its end as its spec is now; a controller that fails does not say so. */
export function isObserved(object: JsonObject): boolean {
  const { metadata, status } = partsOf(object);
  return typeof metadata['generation'] === 'number' && status['observedGeneration'] === metadata['generation'];
}

/** Whether the controller has looked at the object as its spec is now, with whatever outcome. */
export function isSeen(object: JsonObject): boolean {
  const { metadata, status } = partsOf(object);
  const ready = objectsAt(status['conditions']).find((one) => one['type'] === 'Ready');
  return isObserved(object) || (ready !== undefined && ready['observedGeneration'] === metadata['generation']);
}

/** Where the labels say that a change is headed. */
export function placeOf(object: JsonObject, prefix: string): Place | undefined {
  const labels = labelsOf(object);
  const [project = '', stage = '', service = ''] = ['project', 'stage', 'service'].map(
    (part) => labels[`${prefix}/${part}`],
  );
  return [project, stage, service].every((name) => NAME.test(name)) ? { project, stage, service } : undefined;
}

/** Only http(s) without credentials: `javascript:` links and passwords in annotations stay out. */
export function webUrl(value: string | undefined): string | undefined {
  if (value === undefined || !URL.canParse(value)) return undefined;
  const url = new URL(value);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return undefined;
  return url.username === '' && url.password === '' ? value : undefined;
}

export function objectAt(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}

export function objectsAt(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

/** A text with something in it: Go writes what is unset as an empty string. */
export function textAt(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function messageAt(value: unknown): string {
  return (textAt(value) ?? '').slice(0, MAX_MESSAGE);
}

export function timeAt(value: unknown): string | undefined {
  return typeof value === 'string' && TIMESTAMP.test(value) ? value : undefined;
}

export function stringsAt(value: unknown): Record<string, string> {
  return Object.fromEntries(
    Object.entries(objectAt(value)).filter(
      // `__proto__` as a key would change the object that it is copied into.
      (pair): pair is [string, string] =>
        typeof pair[1] === 'string' && pair[0] !== '' && pair[0] !== '__proto__' && !COPIES.has(pair[0]),
    ),
  );
}

export function optional<K extends string, V>(key: K, value: V | undefined): { [key in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [key in K]?: V });
}
