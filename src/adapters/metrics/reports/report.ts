import { AdapterError } from '../../../base/adapter-error.ts';
import { isJsonObject, type JsonObject } from '../../../base/json.ts';

/** What a program wrote about one run or one scan. */
export interface Report {
  /** Numbers by name; one that the report does not support is absent, never zero. */
  figures: Record<string, number>;
  /** What was scanned, by every name that the report has for it; empty for a test. */
  artifacts: string[];
}

/** A report that cannot be believed: cut off, of another format, or about nothing. */
export function badReport(format: string, what: string): AdapterError {
  return new AdapterError('bad-response', `the ${format} report ${what}`);
}

/** The member as an object, or an empty one: a report leaves out what it has not. */
export function objectAt(object: JsonObject, key: string): JsonObject {
  const value = object[key];
  return isJsonObject(value) ? value : {};
}

/** The member as a finite number. */
export function numberAt(object: JsonObject, key: string): number | undefined {
  const value = object[key];
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** The members that are finite numbers, under these names. */
export function figuresOf(named: Record<string, number | undefined>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(named).filter((entry): entry is [string, number] => Number.isFinite(entry[1])),
  );
}

/** Those members of an array, or the member itself, that are texts with something in them. */
export function textsOf(...values: readonly unknown[]): string[] {
  return values.flat().filter((value) => typeof value === 'string' && value !== '') as string[];
}
