import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseOpenSlo } from '../../src/definitions/openslo-yaml.ts';
import { type Parsed, sayProblem } from '../../src/definitions/problem.ts';
import { parseSli } from '../../src/definitions/sli-yaml.ts';
import { parseSlo } from '../../src/definitions/slo-yaml.ts';

const CONFORMANCE = join(import.meta.dirname, '../../../shared/conformance');
const available = existsSync(CONFORMANCE);
if (!available) {
  if (process.env['CI'] === 'true') throw new Error('CI needs the conformance data beside the project');
  console.warn('Skipped: real Keptn and OpenSLO files, because the conformance data is not beside the project');
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
    expect(parseSli(text, 'sli.yaml')).toEqual({ ok: true, value: { throughput: 'sum(x)', 'a.b/c': 'y' } });
  });

  it.each([
    ['no indicators', 'spec_version: "1.0"', '"indicators" is missing'],
    ['no indicator in them', 'indicators: {}', 'indicators must not be empty'],
    ['an empty query', 'indicators: {a: ""}', 'indicators.a must not be empty'],
    ['a query that is a number', 'indicators: {a: 1}', 'indicators.a must be a query'],
    ['an indicator twice', 'indicators:\n  a: x\n  a: y\n', 'sli.yaml:3:3 "a" is there twice'],
    ['an unknown property', 'indicator: {a: x}', 'unknown property "indicator", did you mean "indicators"?'],
  ])('with %s is refused', (_what, text, message) => {
    expect(say(parseSli(text, 'sli.yaml'))).toContain(message);
  });
});

const prometheus = (query: string) => `{metricSource: {type: Prometheus, spec: {query: '${query}'}}}`;
const openSlo = (ratio: string, changes: Record<string, string> = {}) => {
  const parts = {
    budgetingMethod: 'Occurrences',
    timeWindow: '[{duration: 30d, isRolling: true}]',
    objectives: '[{target: 0.999}]',
    indicator: `{spec: {ratioMetric: ${ratio}}}`,
    ...changes,
  };
  const spec = Object.entries(parts).map(([key, value]) => `  ${key}: ${value}\n`);
  return `apiVersion: openslo/v1\nkind: SLO\nmetadata: {name: cart}\nspec:\n  service: cart\n${spec.join('')}`;
};
const GOOD = `{good: ${prometheus('sum(rate(good[$WINDOW]))')}, total: ${prometheus('sum(rate(all[$WINDOW]))')}}`;

describe('an OpenSLO file', () => {
  it.each([
    ['good and total', GOOD, '1 - (sum(rate(good[$WINDOW]))) / (sum(rate(all[$WINDOW])))'],
    [
      'bad and total',
      `{bad: ${prometheus('a[$WINDOW]')}, total: ${prometheus('b[$WINDOW]')}}`,
      '(a[$WINDOW]) / (b[$WINDOW])',
    ],
    ['a raw share of failures', `{rawType: failure, raw: ${prometheus('a[$WINDOW]')}}`, 'a[$WINDOW]'],
    ['a raw share of successes', `{rawType: success, raw: ${prometheus('a[$WINDOW]')}}`, '1 - (a[$WINDOW])'],
    ["Sloth's placeholder", `{rawType: failure, raw: ${prometheus('a[{{ .window }}]')}}`, 'a[$WINDOW]'],
    [
      'counters',
      `{counter: true, bad: ${prometheus('a{code=~"5.."}')}, total: ${prometheus('a')}}`,
      '(sum(increase(a{code=~"5.."}[$WINDOW]))) / (sum(increase(a[$WINDOW])))',
    ],
  ])('with %s gives the query of the error ratio', (_what, ratio, errorRatio) => {
    expect(parseOpenSlo(openSlo(ratio), 'slo.yaml')).toEqual({
      ok: true,
      value: { errorRatio, target: 0.999, windowMs: 2_592_000_000, method: 'occurrences' },
    });
  });

  it('may state its target in percent', () => {
    const parsed = parseOpenSlo(openSlo(GOOD, { objectives: '[{targetPercent: 99.9}]' }), 'slo.yaml');
    expect(parsed).toMatchObject({ value: { target: 0.999 } });
  });

  it('may hold the SLI as a document of its own, and others that do not matter', () => {
    const slos = openSlo('', { indicatorRef: 'cart-errors' }).replace(/ {2}indicator: .*\n/, '');
    const text = `${slos}---\napiVersion: openslo/v1\nkind: SLI\nmetadata: {name: cart-errors}\nspec: {ratioMetric: ${GOOD}}\n---\napiVersion: openslo/v1\nkind: Service\nmetadata: {name: cart}\n`;
    expect(say(parseOpenSlo(text, 'slo.yaml'))).toBe('accepted');
  });

  it.each([
    [
      'time slices',
      openSlo(GOOD, { budgetingMethod: 'Timeslices' }),
      'slo.yaml:6:20 spec.budgetingMethod Timeslices is not yet supported',
    ],
    ['no method', openSlo(GOOD, { budgetingMethod: '' }), 'budgetingMethod must be Occurrences'],
    [
      'a calendar window',
      openSlo(GOOD, { timeWindow: '[{duration: 1w, isRolling: false}]' }),
      'calendar windows are not yet supported',
    ],
    [
      'a month',
      openSlo(GOOD, { timeWindow: '[{duration: 1M, isRolling: true}]' }),
      '"1M" is not a duration such as 30d',
    ],
    ['two windows', openSlo(GOOD, { timeWindow: '[]' }), 'exactly one window'],
    [
      'several objectives',
      openSlo(GOOD, { objectives: '[{target: 0.9}, {target: 0.8}]' }),
      'exactly one objective, got 2',
    ],
    ['a target of everything', openSlo(GOOD, { objectives: '[{target: 1}]' }), 'must be above 0 and below 1'],
    ['no target', openSlo(GOOD, { objectives: '[{}]' }), 'needs one of "target"'],
    [
      'a composite',
      openSlo(GOOD, { objectives: '[{target: 0.9, compositeWeight: 1}]' }),
      'composite SLOs ("compositeWeight")',
    ],
    [
      'a threshold',
      openSlo(GOOD, { indicator: '{spec: {thresholdMetric: {}}}' }),
      'thresholdMetric is not yet supported',
    ],
    ['no indicator', openSlo(GOOD, { indicator: '' }), 'needs a'],
    [
      'an SLI that is not there',
      openSlo(GOOD, { indicator: '', indicatorRef: 'x' }).replace('  indicator: \n', ''),
      'there is no SLI "x"',
    ],
    [
      'another source',
      openSlo('{rawType: failure, raw: {metricSource: {type: Datadog, spec: {query: a}}}}'),
      'metrics of type "Datadog" cannot be asked',
    ],
    ['a query of one range', openSlo(`{rawType: failure, raw: ${prometheus('rate(a[5m])')}}`), 'must contain $WINDOW'],
    [
      'a counter beside a rate',
      openSlo(`{counter: true, bad: ${prometheus('a')}, total: ${prometheus('rate(b[$WINDOW])')}}`),
      'both be plain selectors',
    ],
    [
      'a raw share of nobody knows what',
      openSlo(`{raw: ${prometheus('a[$WINDOW]')}}`),
      '"rawType" must be success or failure',
    ],
    [
      'good and bad',
      openSlo(`{good: ${prometheus('a')}, bad: ${prometheus('a')}}`),
      'exactly one of "good", "bad" and "raw"',
    ],
    ['two SLOs', `${openSlo(GOOD)}---\n${openSlo(GOOD)}`, 'is a second SLO'],
    ['none', 'apiVersion: openslo/v1\nkind: Service\n', 'holds no document of kind SLO'],
    ['something else', 'hello: world\n', 'is not an OpenSLO document'],
  ])('with %s is refused', (_what, text, message) => {
    expect(say(parseOpenSlo(text, 'slo.yaml'))).toContain(message);
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

  it("among OpenSLO's examples are all refused, each for what is not there yet", () => {
    const folder = 'openslo/examples';
    const reasons = Object.fromEntries(
      read(folder).map((file) => [file, say(parseOpenSlo(text(folder, file), file)).split('\n')[0]]),
    );
    expect(reasons).toEqual({
      'budgeting-method/occurences-slo.yaml': expect.stringContaining('thresholdMetric is not yet supported'),
      'budgeting-method/ratio-timeslices.yaml': expect.stringContaining('RatioTimeslices is not yet supported'),
      'budgeting-method/timeslices-slo.yaml': expect.stringContaining('Timeslices is not yet supported'),
      'treat-low-traffic-as-equally-important/timeslices-slo.yaml': expect.stringContaining(
        'Timeslices is not yet supported',
      ),
    });
  });
});
