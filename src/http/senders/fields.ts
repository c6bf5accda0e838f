import { isJsonObject, type Json, type JsonObject } from '../../base/json.ts';

/** What lies at a path of foreign JSON; `undefined` where anything on the way is not as expected. */
export function at(value: Json | undefined, ...path: readonly string[]): Json | undefined {
  return path.reduce<Json | undefined>(
    (inner, key) => (isJsonObject(inner) && Object.hasOwn(inner, key) ? inner[key] : undefined),
    value,
  );
}

/** The text at a path; `''` where there is none, or one that is longer than anything we look for. */
export function textAt(value: Json | undefined, ...path: readonly string[]): string {
  const found = at(value, ...path);
  return typeof found === 'string' && found.length <= MAX_TEXT ? found : '';
}

/** The number of a pull request, or of anything else that is counted from 1. */
export function numberAt(value: Json | undefined, ...path: readonly string[]): number | undefined {
  const found = at(value, ...path);
  return Number.isSafeInteger(found) && Number(found) > 0 ? Number(found) : undefined;
}

/** The objects of a list, at most `limit`. */
export function objectsAt(limit: number, value: Json | undefined, ...path: readonly string[]): JsonObject[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? found.slice(0, limit).filter(isJsonObject) : [];
}

/** A URL of a repository, a branch: all are shorter. */
const MAX_TEXT = 1_000;
