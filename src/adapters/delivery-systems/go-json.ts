import { isJsonObject, type Json, type JsonObject } from '../../base/json.ts';

const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;

/** The object, or one without anything in it: every part of what Argo CD and Kubernetes answer may be missing. */
export function object(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}

export function array(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : [];
}

export function objects(value: Json | undefined): JsonObject[] {
  return array(value).filter(isJsonObject);
}

export function strings(value: unknown, except: ReadonlySet<string> = new Set()): Record<string, string> {
  return Object.fromEntries(
    Object.entries(object(value)).filter((pair): pair is [string, string] => isSafePair(pair) && !except.has(pair[0])),
  );
}

/** `__proto__` as a key would change the object that it is copied into. */
export function isSafePair([key, value]: readonly [string, unknown]): boolean {
  return key !== '' && key !== '__proto__' && typeof value === 'string';
}

/** A text with something in it: Go writes what is unset as an empty string. */
export function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function time(value: unknown): string | undefined {
  return typeof value === 'string' && TIMESTAMP.test(value) ? value : undefined;
}

export function count(value: Json | undefined): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

export function optional<K extends string, V>(key: K, value: V | undefined): { [key in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [key in K]?: V });
}
