import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const FOLDER = join(import.meta.dirname, '../../../shared/conformance');

/** Each group has a form of its own, described in the README beside the vectors. */
export type Loose = Record<string, ReturnType<typeof JSON.parse>>;

export interface Vector {
  group: string;
  name: string;
  goSpecific?: string;
  input: Loose;
  expected: Loose;
}

/** Vectors of a file beside the project; without it the tests are skipped and say so, except in CI. */
export function readVectors(file: string): Vector[] {
  const path = join(FOLDER, file);
  if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8')) as Vector[];
  if (process.env['CI'] === 'true') throw new Error('CI needs the conformance data beside the project');
  console.warn(`Skipped: ${file}, because the conformance data is not beside the project`);
  return [];
}

/** Runs each vector of a group as a test of its own, and counts what passed. */
export function createTally(title: string, vectors: readonly Vector[]) {
  const tally = new Map<string, { passed: number; of: number; relaxed: number }>();
  afterAll(() => {
    if (vectors.length === 0) return;
    const lines = [...tally].map(([name, { passed, of, relaxed }]) => {
      const note = relaxed === 0 ? '' : `, ${relaxed} of them without Go's own words`;
      return `  ${name}: ${passed} of ${of}${note}`;
    });
    const passed = [...tally.values()].reduce((sum, each) => sum + each.passed, 0);
    console.log(`${title}: ${passed} of ${vectors.length} passed, none skipped\n${lines.join('\n')}`);
  });
  return {
    group(name: string, check: (vector: Vector) => void | Promise<void>) {
      const own = vectors.filter((each) => each.group === name);
      const count = { passed: 0, of: own.length, relaxed: own.filter((each) => each.goSpecific).length };
      tally.set(name, count);
      describe.runIf(own.length > 0)(`Keptn's vectors for ${name}`, () => {
        for (const vector of own) {
          it(vector.name, async () => {
            await check(vector);
            count.passed++;
          });
        }
      });
    },
    /** No group may be forgotten. */
    complete() {
      it.runIf(vectors.length > 0)('has a test for every group of vectors', () => {
        expect([...tally.keys()].sort()).toEqual([...new Set(vectors.map(({ group }) => group))].sort());
      });
    },
  };
}

/**
 * Compares only what is expected, and exactly. `null`, `''`, `[]` and what is absent are the same: Go
 * leaves them out as it likes.
 */
export function expectLike(actual: unknown, expected: unknown): void {
  expect(pick(actual, expected)).toEqual(bare(expected));
}

function pick(actual: unknown, expected: unknown): unknown {
  if (isEmpty(expected)) return isEmpty(actual) ? undefined : actual;
  if (Array.isArray(expected) && Array.isArray(actual)) {
    return actual.map((each, at) => (at < expected.length ? pick(each, expected[at]) : each));
  }
  if (!isObject(expected) || !isObject(actual)) return actual;
  const pairs = Object.keys(expected).map((key) => [key, pick(actual[key], expected[key])]);
  return Object.fromEntries(pairs.filter(([, value]) => value !== undefined));
}

function bare(value: unknown): unknown {
  if (isEmpty(value)) return undefined;
  if (Array.isArray(value)) return value.map(bare);
  if (!isObject(value)) return value;
  const pairs = Object.entries(value).map(([key, each]) => [key, bare(each)]);
  return Object.fromEntries(pairs.filter(([, each]) => each !== undefined));
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
