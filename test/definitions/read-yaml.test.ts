import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readYaml, readYamlDocuments } from '../../src/definitions/read-yaml.ts';

const first = (text: string) => {
  const read = readYaml(text, 'a.yaml');
  return read.ok ? 'read' : `${read.problems[0]?.line}:${read.problems[0]?.column} ${read.problems[0]?.message}`;
};

describe('a YAML file', () => {
  it('gives its value and knows where each part is written', () => {
    const read = readYaml('a:\n  - b: 1\n    c: [2, three]\n', 'a.yaml');
    if (!read.ok) throw new Error('not read');
    expect(read.value.value).toEqual({ a: [{ b: 1, c: [2, 'three'] }] });
    expect(read.value.place(['a', 0, 'c', 1])).toEqual({ line: 3, column: 12 });
    expect(read.value.place(['a', 0], 'c')).toEqual({ line: 3, column: 5 });
    expect(read.value.place(['a', 7, 'x'])).toEqual({ line: 2, column: 3 });
  });

  it('may be JSON', () => {
    expect(first('{"a": [1, 2]}')).toBe('read');
  });

  it('finds its way through an alias', () => {
    const read = readYaml('base: &b {x: 1}\nother: *b\n', 'a.yaml');
    if (!read.ok) throw new Error('not read');
    expect(read.value.value).toEqual({ base: { x: 1 }, other: { x: 1 } });
    expect(read.value.place(['other', 'x'])).toEqual({ line: 1, column: 14 });
  });

  it.each([
    ['is empty', '', 'the file is empty'],
    ['holds only a comment', '# nothing\n', 'the file is empty'],
    ['holds two documents', 'a: 1\n---\nb: 2\n', 'several documents'],
    ['has a key twice', 'a: 1\nb: 2\na: 3\n', '3:1 "a" is there twice'],
    ['has a custom tag', 'a: !!binary aGk=\n', 'Unresolved tag'],
    ['has a tag of its own', 'a: !ruby/object x\n', 'Unresolved tag'],
    ['has a list as a key', '{[a]: b}\n', 'keys must be strings'],
    ['would reach a prototype', 'a: {__proto__: {b: 1}}\n', '1:5 "__proto__" cannot be used'],
    ['is broken', 'a: [1, 2\n', '2:1'],
    ['contains itself', 'a: &x [*x]\n', 'nested deeper'],
    ['is nested too deeply', `a: ${'['.repeat(100)}${']'.repeat(100)}\n`, 'nested deeper than 64 levels'],
    ['is nested without end', '['.repeat(100_000), 'call stack'],
    ['is too large', `a: ${'x'.repeat(256 * 1024)}`, 'larger than 256 KiB'],
    ['is too large in bytes, though not in characters', `a: ${'\u20ac'.repeat(100_000)}`, 'larger than 256 KiB'],
    ['has too many values', `[${'1,'.repeat(30_000)}]`, 'more than 20000 values'],
    ['is a bomb of aliases', bomb(), 'more than 20000 values'],
    ['has more aliases than anybody needs', `a: &a [1, 2]\nb: [${'*a, '.repeat(40)}]\n`, 'alias'],
  ])('that %s is refused with its place', (_what, text, message) => {
    expect(first(text)).toContain(message);
  });

  it('reads 1.1 words and merge keys as what they are in YAML 1.2', () => {
    const read = readYaml('%YAML 1.1\n---\na: yes\nb: 010\n<<: {c: 1}\n', 'a.yaml');
    expect(read.ok && read.value.value).toEqual({ a: 'yes', b: 10, '<<': { c: 1 } });
  });

  it('never throws, whatever the text', () => {
    const pieces = fc.constantFrom(
      'a',
      ':',
      ' ',
      '\n',
      '- ',
      '[',
      ']',
      '{',
      '}',
      '&a',
      '*a',
      '!',
      '!!',
      '|',
      '>',
      '"',
      "'",
      '#',
      '%',
      '---\n',
      '...\n',
      '? ',
      '\t',
      '<<: ',
      ',',
      '\u0000',
      '\ud800',
      '@',
      '`',
    );
    const yamlish = fc.array(pieces, { maxLength: 60 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.oneof(yamlish, fc.string({ unit: 'binary' })), (text) => {
        const read = readYamlDocuments(text, 'a.yaml');
        expect(
          read.ok || read.problems.every(({ line, column, message }) => line > 0 && column > 0 && message !== ''),
        ).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

function bomb(): string {
  const levels = ['a: &l0 [x, x, x, x, x, x, x, x, x, x]'];
  for (let level = 1; level < 9; level++) levels.push(`k${level}: &l${level} [${`*l${level - 1}, `.repeat(10)}]`);
  return `${levels.join('\n')}\n`;
}
