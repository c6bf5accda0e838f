import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseOpenSlo } from '../../src/definitions/openslo-yaml.ts';
import { type Parsed, sayProblem } from '../../src/definitions/problem.ts';
import { parseSli } from '../../src/definitions/sli-yaml.ts';
import { parseSlo } from '../../src/definitions/slo-yaml.ts';
import { indicatorOfQuery } from '../../src/slo/indicator.ts';

const CONFORMANCE = join(import.meta.dirname, '../../../shared/conformance');
const available = existsSync(CONFORMANCE);
if (!available) {
  if (process.env['CI'] === 'true') throw new Error('CI needs the conformance data beside the project');
  console.warn('Skipped: real Keptn files, because the conformance data is not beside the project');
}

function say(parsed: Parsed<unknown>): string {
  return parsed.ok ? 'accepted' : parsed.problems.map(sayProblem).join('\n');
}

const slo = (rest: string, objectives = '- {sli: a, pass: [{criteria: ["<1"]}]}') =>
  `objectives:\n${objectives}\ntotal_score: {pass: "90%", warning: "75%"}\n${rest}`;

describe('an slo.yaml', () => {
  it('has defaults where it says nothing', () => {
    expect(
      parseSlo('objectives: [{sli: a, pass: [{criteria: ["<1"]}]}, {sli: b}]\ntotal_score: {pass: 90}\n', 'slo.yaml'),
    ).toEqual({
      ok: true,
      value: {
        comparison: { count: 1, include: 'all', aggregate: 'avg' },
        objectives: [
          { sli: 'a', pass: [['<1']], warning: [], weight: 1, keySli: false },
          { sli: 'b', pass: [], warning: [], weight: 1, keySli: false },
        ],
        totalScore: { pass: 90 },
        filter: {},
      },
    });
  });

  it('is read with everything it can say', () => {
    const text = slo(
      'spec_version: 1.0\nfilter: {handler: cart, shard: 7}\ncomparison: {compare_with: several_results, number_of_comparison_results: 5, include_result_with_score: pass_or_warn, aggregate_function: p90}\n',
      '- {sli: a, displayName: A, pass: [{criteria: ["<=+10%", "<600"]}, {criteria: ["<5"]}], warning: [{criteria: ["<=800"]}], weight: 3, key_sli: true}',
    );
    expect(parseSlo(text, 'slo.yaml')).toEqual({
      ok: true,
      value: {
        comparison: { count: 5, include: 'pass_or_warn', aggregate: 'p90' },
        objectives: [
          {
            sli: 'a',
            displayName: 'A',
            pass: [['<=+10%', '<600'], ['<5']],
            warning: [['<=800']],
            weight: 3,
            keySli: true,
          },
        ],
        totalScore: { pass: 90, warning: 75 },
        filter: { handler: 'cart', shard: '7' },
      },
    });
  });

  it.each([
    ['comparison: {compare_with: single_result, number_of_comparison_results: 3}', 1],
    ['comparison: {compare_with: several_results}', 3],
    ['comparison:', 1],
  ])('with %s compares with %i earlier evaluations', (comparison, count) => {
    expect(parseSlo(slo(comparison), 'slo.yaml')).toMatchObject({ value: { comparison: { count } } });
  });

  it.each([
    [
      'an unknown aggregate',
      slo('comparison: {compare_with: single_result, aggregate_function: AVG}'),
      'slo.yaml:4:63 comparison.aggregate_function must be one of "avg", "p50", "p90", "p95", got "AVG", did you mean "avg"?',
    ],
    [
      'an unknown comparison',
      slo('comparison: {compare_with: last}'),
      'slo.yaml:4:28 comparison.compare_with must be one of',
    ],
    [
      'a comparison with nobody knows what',
      slo('comparison: {aggregate_function: avg}'),
      'slo.yaml:4:13 comparison "compare_with" is missing: write single_result',
    ],
    ['no total score', 'objectives: [{sli: a, pass: [{criteria: ["<1"]}]}]', 'slo.yaml:1:1 "total_score" is missing'],
    [
      'an unknown property',
      slo('', '- {sli: a, wieght: 2, pass: [{criteria: ["<1"]}]}'),
      'slo.yaml:2:12 objectives[0] unknown property "wieght", did you mean "weight"?',
    ],
    [
      'empty criteria',
      slo('', '- {sli: a, pass: [{criteria: []}]}'),
      'objectives[0].pass[0].criteria must have at least 1 entry',
    ],
    [
      'a criterion with a unit',
      slo('', '- {sli: a, pass: [{criteria: ["<10ms"]}]}'),
      'slo.yaml:2:31 objectives[0].pass[0].criteria[0] "<10ms" is not a criterion',
    ],
    [
      'invalid warning criteria',
      slo('', '- {sli: a, pass: [{criteria: ["<1"]}], warning: [{criteria: [often]}]}'),
      'objectives[0].warning[0].criteria[0] "often" is not a criterion',
    ],
    [
      'a warning that nothing passes before',
      slo('', '- {sli: a, warning: [{criteria: ["<1"]}]}'),
      '"warning" without "pass" is never judged',
    ],
    [
      'a key that cannot fail',
      slo('', '- {sli: a, pass: [{criteria: ["<1"]}]}\n- {sli: b, key_sli: true}'),
      '"key_sli" without "pass"',
    ],
    ['nothing that is judged', slo('', '- {sli: a}\n- {sli: b}'), 'slo.yaml:2:1 objectives nothing is judged'],
    ['a weight of nothing', slo('', '- {sli: a, weight: 0, pass: [{criteria: ["<1"]}]}'), 'weight must be >= 1'],
    [
      'yes instead of true',
      slo('', '- {sli: a, key_sli: yes, pass: [{criteria: ["<1"]}]}'),
      'key_sli must be true or false, got "yes"',
    ],
    [
      'a warning above the pass',
      'objectives: [{sli: a, pass: [{criteria: ["<1"]}]}]\ntotal_score: {pass: 50, warning: 60}',
      'must not be above "pass" (50)',
    ],
    ['no text at all', '', 'slo.yaml:1:1 the file is empty'],
  ])('with %s is refused', (_what, text, message) => {
    expect(say(parseSlo(text, 'slo.yaml'))).toContain(message);
  });

  it('may name the same SLI several times', () => {
    const twice = '- {sli: a, pass: [{criteria: ["<1"]}]}\n- {sli: a, pass: [{criteria: ["<5"]}]}';
    expect(say(parseSlo(slo('', twice), 'slo.yaml'))).toBe('accepted');
  });
});

describe('an sli.yaml', () => {
  it('gives queries by indicator', () => {
    const text = 'spec_version: "1.0"\nindicators: {throughput: sum(x), a.b/c: "y"}\n';
    expect(parseSli(text, 'sli.yaml')).toEqual({
      ok: true,
      value: { throughput: indicatorOfQuery('sum(x)'), 'a.b/c': indicatorOfQuery('y') },
    });
  });

  it.each([
    ['no indicators', 'spec_version: "1.0"', '"indicators" is missing'],
    ['no indicator in them', 'indicators: {}', 'indicators must not be empty'],
    ['an empty query', 'indicators: {a: ""}', 'indicators.a must be a query'],
    ['a query that is a number', 'indicators: {a: 1}', 'indicators.a must be a query'],
    ['an indicator twice', 'indicators:\n  a: x\n  a: y\n', 'sli.yaml:3:3 "a" is there twice'],
    ['an unknown property', 'indicator: {a: x}', 'unknown property "indicator", did you mean "indicators"?'],
  ])('with %s is refused', (_what, text, message) => {
    expect(say(parseSli(text, 'sli.yaml'))).toContain(message);
  });
});

describe('any text', () => {
  const pieces = fc.constantFrom(
    'objectives',
    'indicators',
    'total_score',
    'apiVersion: openslo/v1',
    'kind: SLO',
    'spec',
    ': ',
    '\n',
    '  ',
    '- ',
    '{',
    '}',
    '[',
    ']',
    'a',
    '1',
    'null',
    '"',
    '&a',
    '*a',
  );
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(pieces, { maxLength: 40 }).map((parts) => parts.join('')),
  );

  it.each([
    ['slo.yaml', parseSlo],
    ['sli.yaml', parseSli],
    ['OpenSLO file', parseOpenSlo],
  ])('read as %s is accepted or refused with a reason, never a crash', (_name, parse) => {
    fc.assert(
      fc.property(text, (each) => {
        const parsed = parse(each, 'x');
        expect(parsed.ok || parsed.problems.length > 0).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

describe.skipIf(!available)('real files', () => {
  const read = (folder: string) =>
    available
      ? readdirSync(join(CONFORMANCE, folder), { recursive: true })
          .map(String)
          .filter((file) => file.endsWith('.yaml'))
          .sort()
      : [];
  const text = (folder: string, file: string) => readFileSync(join(CONFORMANCE, folder, file), 'utf8');

  it('of Keptn users are accepted, but for the one that judges nothing', () => {
    const folder = 'keptn-files/slo';
    const refused = read(folder).flatMap((file) => {
      const said = say(parseSlo(text(folder, file), file));
      return said === 'accepted' ? [] : [said];
    });
    expect(read(folder)).toHaveLength(15);
    expect(refused).toEqual([
      'simplenode-empty.yaml:2:1 "total_score" is missing: the score that passes, such as {pass: "90%", warning: "75%"}\n' +
        'simplenode-empty.yaml:4:12 objectives must be a list of objectives; without one nothing is judged, got null',
    ]);
  });

  it('of queries by Keptn users are all accepted', () => {
    const folder = 'keptn-files/sli';
    expect(read(folder)).toHaveLength(8);
    for (const file of read(folder)) expect(say(parseSli(text(folder, file), file))).toBe('accepted');
  });
});
