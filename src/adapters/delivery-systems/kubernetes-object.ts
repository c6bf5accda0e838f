import type { JsonObject } from '../../base/json.ts';
import type { Place } from '../../events/application.ts';
import { placeFrom } from '../../events/written.ts';
import {
  object as objectAt,
  objects as objectsAt,
  optional,
  strings,
  text as textAt,
  time as timeAt,
} from './go-json.ts';

export { objectAt, objectsAt, optional, textAt, timeAt };

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
  const [project, stage, service] = ['project', 'stage', 'service'].map((part) => labels[`${prefix}/${part}`]);
  return placeFrom(project, stage, service);
}

export function messageAt(value: unknown): string {
  return (textAt(value) ?? '').slice(0, MAX_MESSAGE);
}

export function stringsAt(value: unknown): Record<string, string> {
  return strings(value, COPIES);
}
