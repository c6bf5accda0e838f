import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments, stringify } from 'yaml';
import { parseValuePath, sayValuePath } from '../../../src/definitions/value-path.ts';
import { matchesGlob } from '../../../src/promotion/edits/glob.ts';
import { planEdits } from '../../../src/promotion/edits/plan-edits.ts';
import { applied, tree } from './trees.ts';

const key = fc.stringMatching(/^[a-z][a-z0-9_-]{0,8}$/).filter((one) => !['__proto__', 'constructor'].includes(one));
const scalar = fc.oneof(
  fc.string({ maxLength: 20, unit: 'grapheme' }).filter((text) => !/[\n\r\u2028\u2029\u0085\ufeff]/.test(text)),
  fc.constantFrom(
    'yes',
    '1.10',
    '0123',
    '1:30',
    '~',
    'null',
    '0x1f',
    '.5',
    '1e3',
    '2026-11-21',
    '# no',
    '- x',
    '@a',
    '%b',
    '{c',
  ),
  fc.integer(),
  fc.boolean(),
);
const { document } = fc.letrec((tie) => ({
  document: fc.dictionary(key, tie('value'), { minKeys: 1, maxKeys: 4 }),
  value: fc.oneof({ maxDepth: 3 }, scalar, tie('document'), fc.array(scalar, { maxLength: 3 })),
}));
const layout = fc.record({
  defaultStringType: fc.constantFrom('PLAIN', 'QUOTE_DOUBLE', 'QUOTE_SINGLE'),
  indent: fc.constantFrom(2, 4),
  collectionStyle: fc.constantFrom('any', 'flow'),
  comments: fc.boolean(),
  crlf: fc.boolean(),
  bom: fc.boolean(),
});

/** Every place of a plain value. */
function places(value: unknown, path: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([name, one]) =>
    places(one, [...path, Array.isArray(value) ? Number(name) : name]),
  );
}

function write(value: unknown, { comments, crlf, bom, ...style }: Record<string, unknown>): string {
  const yaml = stringify(value, { ...style, lineWidth: 0 } as object);
  const lines = yaml.trimEnd().split('\n');
  const commented = comments ? ['# first', ...lines.map((line) => `${line} # ${line.length}`), '# last'] : lines;
  return `${bom ? '\uFEFF' : ''}${commented.join(crlf ? '\r\n' : '\n')}${crlf ? '\r\n' : '\n'}`;
}

const read = (text: string) => parseAllDocuments(text, { schema: 'core' }).map((one) => one.toJS() as unknown);

function withValue(value: unknown, path: readonly (string | number)[], put: unknown): unknown {
  const copy = structuredClone(value) as Record<string | number, unknown>;
  let parent = copy;
  for (const step of path.slice(0, -1)) parent = parent[step] as Record<string | number, unknown>;
  parent[path.at(-1) ?? ''] = put;
  return copy;
}

describe('a value that is set, in any file', () => {
  it('is the only thing that reads otherwise afterwards, and nothing around it is written otherwise', () => {
    fc.assert(
      fc.property(document, layout, scalar, fc.nat(), (value, style, put, pick) => {
        const before = write(value, style);
        fc.pre(JSON.stringify(read(before)) === JSON.stringify([value]));
        const all = places(value).filter((path) => path.length > 0);
        fc.pre(all.length > 0);
        const path = all[pick % all.length] ?? [];
        const change = { set: { file: 'f.yaml', path: sayValuePath(path), value: put } };
        const { edits, problems } = planEdits([change], tree({}, 'a'), tree({ 'f.yaml': before }, 'b'));
        expect(problems).toEqual([]);
        const after = String(applied(edits, {}, { 'f.yaml': before })['f.yaml']);
        expect(read(after)).toEqual([withValue(value, path, put)]);
        expectOnePlace(before, after);
        const again = planEdits([change], tree({}, 'a'), tree({ 'f.yaml': after }, 'b'));
        expect(again.edits).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });
});

describe('values that are set one after the other', () => {
  it('are all that reads otherwise afterwards, whatever moved in between', () => {
    const steps = fc.array(fc.record({ pick: fc.nat(), put: scalar, fresh: fc.boolean() }), {
      minLength: 2,
      maxLength: 6,
    });
    fc.assert(
      fc.property(document, layout, steps, (value, style, wishes) => {
        const before = write(value, style);
        fc.pre(JSON.stringify(read(before)) === JSON.stringify([value]));
        let wanted: unknown = value;
        const changes = wishes.flatMap(({ pick, put, fresh }, at) => {
          const all = places(wanted).filter((path) => path.length > 0 && typeof path.at(-1) === 'string');
          if (all.length === 0) return [];
          const found = all[pick % all.length] ?? [];
          const path = fresh ? [...found.slice(0, -1), `new${at}`] : found;
          wanted = withValue(wanted, path, put);
          return [{ set: { file: 'f.yaml', path: sayValuePath(path), value: put } }];
        });
        const { edits, problems } = planEdits(changes, tree({}, 'a'), tree({ 'f.yaml': before }, 'b'));
        expect(problems).toEqual([]);
        expect(read(String(applied(edits, {}, { 'f.yaml': before })['f.yaml']))).toEqual([wanted]);
      }),
      { numRuns: 300 },
    );
  });
});

/** What differs lies in one line; comments, ends of lines and the beginning of the file are as they were. */
function expectOnePlace(before: string, after: string): void {
  const [a, b] = [before.split('\n'), after.split('\n')];
  expect(b.length).toBe(a.length);
  expect(a.filter((line, at) => line !== b[at]).length).toBeLessThanOrEqual(1);
  const comments = (text: string) => text.match(/ # \d+\r?$/gm) ?? [];
  expect(comments(after)).toEqual(comments(before));
}

describe('a path of values', () => {
  it('is read as it is said', () => {
    const step = fc.oneof(
      fc.string({ minLength: 1, maxLength: 12 }),
      fc.nat({ max: 99_999 }),
      fc.record({ field: key, is: fc.string({ minLength: 1, maxLength: 8 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 8 }), (steps) => {
        fc.pre(!JSON.stringify(steps).includes('\\'));
        expect(parseValuePath(sayValuePath(steps))).toEqual(steps);
      }),
    );
  });

  it.each(['', '.', 'a.', '.a', 'a..b', 'a[', 'a[]', 'a[x]', 'a[-1]', 'a b', 'a[0]b', "a['b']", 'a=b'])(
    'is not %j',
    (text) => {
      expect(parseValuePath(text)).toBeUndefined();
    },
  );
});

describe('a pattern for files', () => {
  it.each([
    ['a.yaml', '*.yaml', true],
    ['b/a.yaml', '*.yaml', false],
    ['b/a.yaml', '**/*.yaml', true],
    ['a.yaml', '**/*.yaml', true],
    ['b/c/a.yaml', 'b/**', true],
    ['b/c/d/a.yaml', 'b/**/d/*.y?ml', true],
    ['b/c/a.yaml', 'b/*/x.yaml', false],
    ['.hidden', '*', true],
  ])('%s with %s: %s', (path, pattern, matching) => {
    expect(matchesGlob(path, pattern)).toBe(matching);
  });

  it('costs little, whatever it is', () => {
    expect(matchesGlob('a'.repeat(300), `${'*a'.repeat(90)}b`)).toBe(false);
    expect(matchesGlob('a/'.repeat(140).slice(0, -1), `${'**/a/'.repeat(40)}b`)).toBe(false);
  });
});
