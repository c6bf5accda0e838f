import { describe, expect, it } from 'vitest';
import { parseKeptnSlo } from '../../src/definitions/slo-yaml-keptn.ts';
import type { KeptnSlo } from '../../src/slo/keptn/model.ts';

/*
 * How Keptn 1.4.5 reads slo.yaml: with yaml.v3 3.0.1 into Go's types. What is expected here was seen there,
 * in comparisons of generated files.
 */
const WEIGHTS: [written: string, weight: number][] = [
  ['2.9', 2],
  ['0.5', 1],
  ['-2.9', -2],
  ['1e3', 1000],
  ['1_000', 1000],
  ['+_1', 1],
  ['0x1F', 31],
  ['-0x1F', -31],
  ['017', 15],
  ['08', 8],
  ['0o17', 15],
  ['0b11', 3],
  ['.5_0', 1],
  ['9223372036854775807', 2 ** 63],
  ['-1e30', -(2 ** 63)],
  ['-.inf', -(2 ** 63)],
  ['!!int "2"', 2],
  ['!!float "2.7"', 2],
  ['! 3', 3],
  ['~', 1],
  ['!!null ""', 1],
];
const NO_WEIGHTS = ['"2"', '_1', 'yes', '.inf', '.nan', '1e19', '9223372036854775808', '18446744073709551615', '[1]'];
const NO_WEIGHTS_EITHER = [
  '!!int 2.5',
  '!!str 2',
  '!foo 3',
  '!!int x',
  '!!null x',
  '1:30',
  '0x',
  '1e400',
  '2024-01-01',
];

const FLAGS: [written: string, flag: boolean][] = [
  ...[
    'TRUE',
    'y',
    'Y',
    'yes',
    'Yes',
    'YES',
    'on',
    'On',
    'ON',
    '"yes"',
    "'On'",
    '!!str yes',
    '!foo Y',
    '!!bool "true"',
  ].map((written): [string, boolean] => [written, true]),
  ...['False', 'n', 'N', 'no', 'No', 'NO', 'off', 'Off', 'OFF', '"no"', '~', ''].map((written): [string, boolean] => [
    written,
    false,
  ]),
];
const NO_FLAGS = ['"true"', 'tRUE', 'yEs', '1', 't', '""', '[]', '!!bool yes', '!!str true'];

const TEXTS: [written: string, text: string][] = [
  ['0x10', '0x10'],
  ['2024-01-01', '2024-01-01'],
  ['!!binary YQ==', 'a'],
  ['!foo ~', '~'],
  ['!!str', ''],
  ['null', ''],
  ['"\\x61\\u00e9"', 'aé'],
  ['|-\n   a', 'a'],
  ['a\u0085   b', 'a b'],
];
const NO_TEXTS = [
  '[a]',
  '{a: b}',
  '!!int a',
  '!!binary "%"',
  '*nowhere',
  '&é a',
  '"\\/"',
  '"\\ud83d\\ude42"',
  '@a',
  '- a',
];

describe("slo.yaml as Keptn's parser reads it", () => {
  it.each(WEIGHTS)('takes a weight of %s for %d', (written, weight) => {
    expect(objective(`weight: ${written}`)).toMatchObject({ weight });
  });

  it.each(FLAGS)('takes key_sli %s for %s', (written, flag) => {
    expect(objective(`key_sli: ${written}`)).toMatchObject({ key_sli: flag });
  });

  it.each(TEXTS)('takes a name of %j for %j', (written, text) => {
    expect(objective(`displayName: ${written}`)).toMatchObject({ displayName: text });
  });

  it.each([
    ...[...NO_WEIGHTS, ...NO_WEIGHTS_EITHER].map((written) => `weight: ${written}`),
    ...NO_FLAGS.map((written) => `key_sli: ${written}`),
    ...NO_TEXTS.map((written) => `displayName: ${written}`),
  ])('refuses %j, and says where', (property) => {
    expect(parse(objectiveWith(property))).toMatchObject({ ok: false, problems: [{ line: 3 }] });
  });

  it.each([
    [
      'null in a list of criteria is left out',
      'pass: [{criteria: ["<1", ~, ">0"]}]',
      { pass: [{ criteria: ['<1', '>0'] }] },
    ],
    ['a merged key comes after its own', '<<: {weight: 4, key_sli: on}\n  weight: 2', { weight: 2, key_sli: true }],
    ['the first of several that are merged wins', '<<: [{weight: 3}, {weight: 5}]', { weight: 3 }],
    ['"<<" in quotes is a name like any other', '"<<": {weight: 4}', { weight: 1 }],
    ['what is merged over is not looked at', '<<: {weight: x}\n  weight: 2', { weight: 2 }],
    ['keys that are null or unknown are ignored', '~: 1\n  extra: !!int x', { weight: 1 }],
    ['an alias may be a key', 'displayName: &n weight\n  *n : 7', { displayName: 'weight', weight: 7 }],
    ['a tab after a colon or a value', 'weight:\t2\t', { weight: 2 }],
    ['a tab in brackets', 'pass: [\t{criteria:\t["<1"]}\t]', { pass: [{ criteria: ['<1'] }] }],
  ])('knows that %s', (_what, property, expected) => {
    expect(objective(property)).toMatchObject(expected);
  });

  it.each([
    ['a merge of null', '<<: ~'],
    ['a merge of text', '<<: x'],
    ['two merges', '<<: {weight: 4}\n  <<: {weight: 5}'],
    ['a list as a key', '? [k]\n  : v'],
    ['a key that is missing', ': v'],
    ['a tab that indents', 'pass:\n\t- {criteria: ["<1"]}'],
    ['a line of a tab', 'weight: 1\n\t\n  key_sli: true'],
    ['a tab behind a dash', 'pass:\n  -\t{criteria: ["<1"]}'],
    ['no blank after a colon in brackets', 'pass: [{criteria:["<1"]}]'],
    ['a question mark in brackets', 'pass: [{note: ok?, criteria: ["<1"]}]'],
    ['no blank after a tag in brackets', 'extra: x\n  pass: [{criteria: ["<1"], note: !a, other: b}]'],
    ['no blank after a tag that ends brackets', 'pass: [{criteria: ["<1"], note: !a}]'],
    ['an alias before its anchor', 'displayName: *n\n  extra: &n x'],
    ['an alias that nobody looks at', 'extra: *nowhere'],
    ['a control character', 'displayName: a\u0007b'],
    ['a line separator', 'displayName: a\u2028b'],
    ['criteria of null', 'pass: [~]'],
  ])('refuses %s', (_what, property) => {
    expect(parse(objectiveWith(property))).toMatchObject({ ok: false });
  });

  it.each([
    ['a byte order mark and CRLF', (text: string) => `\ufeff${text.replaceAll('\n', '\r\n')}`],
    ['CR alone', (text: string) => text.replaceAll('\n', '\r')],
    ['%YAML 1.1', (text: string) => `%YAML 1.1\n---\n${text}`],
    ['more documents, whatever they are', (text: string) => `${text}---\n{broken\n`],
  ])('reads a file with %s', (_what, change) => {
    expect(parse(change(objectiveWith('weight: 7')))).toMatchObject({
      ok: true,
      value: { objectives: [{ weight: 7 }] },
    });
  });

  it.each([
    ['%YAML 1.2', (text: string) => `%YAML 1.2\n---\n${text}`],
    ['a tab behind its byte order mark', (text: string) => `\ufeff\t${text}`],
    ['an unknown directive', (text: string) => `%FOO bar\n---\n${text}`],
    ['an end before its beginning', (text: string) => `# note\n...\n${text}`],
  ])('refuses a file with %s', (_what, change) => {
    expect(parse(change(objectiveWith('weight: 7')))).toMatchObject({ ok: false });
  });

  it('says the line of what it refuses before it parses', () => {
    expect(parse('objectives:\r\n- sli: a\r\n\tweight: 2\r\n')).toMatchObject({
      ok: false,
      problems: [{ line: 3, column: 1, message: 'a tab cannot indent: write spaces' }],
    });
  });

  it('refuses a file that is nested too deep', () => {
    expect(parse('['.repeat(100_000))).toMatchObject({
      ok: false,
      problems: [{ message: 'the file is nested too deep' }],
    });
  });

  it('reads a file of nothing but aliases in time that grows with it', () => {
    const text = `x: &x y\nobjectives:\n${'- {sli: a, extra: *x}\n'.repeat(10_000)}`;
    expect(parse(text)).toMatchObject({ ok: true });
  });
});

function parse(text: string) {
  return parseKeptnSlo(text, 'slo.yaml');
}

function objectiveWith(property: string): string {
  return `objectives:\n- sli: a\n  ${property}\ntotal_score: {pass: 90%}\n`;
}

function objective(property: string): KeptnSlo['objectives'][number] | undefined {
  const parsed = parse(objectiveWith(property));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.value.objectives[0];
}
