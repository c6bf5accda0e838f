import { describe, expect, it } from 'vitest';
import { type Parsed, sayProblem } from '../../src/definitions/problem.ts';
import { parseSli } from '../../src/definitions/sli-yaml.ts';
import { parseSlo } from '../../src/definitions/slo-yaml.ts';

function say(parsed: Parsed<unknown>): string {
  return parsed.ok ? 'accepted' : parsed.problems.map(sayProblem).join('\n');
}

const one = (entry: string) => `indicators:\n  a: ${entry}\n`;

describe('an indicator in sli.yaml', () => {
  it.each([
    ['up', { sources: [{ query: 'up' }], aggregation: 'sum' }],
    ['{query: up, provider: thanos}', { sources: [{ query: 'up', provider: 'thanos' }], aggregation: 'sum' }],
    [
      '{sources: [{query: a}, {query: b, provider: grype}], aggregate: worst, better: lower, unit: findings}',
      {
        sources: [{ query: 'a' }, { query: 'b', provider: 'grype' }],
        aggregation: 'worst',
        better: 'lower',
        unit: 'findings',
      },
    ],
    [
      '{query: p95, unit: ms, better: lower, minimumSamples: {query: count, count: 100}}',
      {
        sources: [{ query: 'p95' }],
        aggregation: 'sum',
        unit: 'ms',
        better: 'lower',
        minimumSamples: { query: 'count', count: 100 },
      },
    ],
    ['{pushed: true, unit: "%", better: higher}', { sources: [], aggregation: 'sum', unit: '%', better: 'higher' }],
  ])('%s is read', (entry, indicator) => {
    expect(parseSli(one(entry), 'sli.yaml')).toEqual({ ok: true, value: { a: indicator } });
  });

  it.each([
    ['{unit: ms}', 'sli.yaml:2:6 indicators.a says nothing of where its number comes from'],
    ['{query: up, pushed: true}', 'sli.yaml:2:18 indicators.a "query" and "pushed" exclude each other'],
    ['{pushed: false}', 'indicators.a.pushed must be true, got false'],
    ['{pushed: true, provider: x}', '"provider" belongs to a query'],
    ['{pushed: true, minimumSamples: {query: a, count: 1}}', 'a pushed number has no samples'],
    ['{sources: [{query: a}, {query: b}]}', 'several sources become one number by "aggregate"'],
    ['{query: a, aggregate: sum}', '"aggregate" is for several "sources"'],
    ['{sources: [{query: a}, {query: b}], aggregate: worst}', 'add "better: lower" or "higher"'],
    ['{sources: [{query: a}, {query: b}], aggregate: median}', 'must be one of "sum", "avg", "max", "min", "worst"'],
    ['{sources: []}', 'indicators.a.sources must have at least 1 entry'],
    ['{query: a, minimumSamples: {query: b, count: 0}}', 'indicators.a.minimumSamples.count must be > 0'],
    ['{query: a, minimumSamples: {count: 3}}', '"query" is missing'],
    ['{query: a, beter: lower}', 'unknown property "beter", did you mean "better"?'],
    ['[up]', 'must be a query in the language of the metrics source, or a mapping'],
  ])('%s is refused', (entry, message) => {
    expect(say(parseSli(one(entry), 'sli.yaml'))).toContain(message);
  });
});

const withControl = (control: string, more = '') =>
  `objectives:\n  - {sli: a, control: ${control}${more}}\ntotal_score: {pass: "90%"}\n`;

describe('a control group in slo.yaml', () => {
  it('needs no criteria, and has strict defaults', () => {
    expect(parseSlo(withControl('{failOn: increase}'), 'slo.yaml')).toMatchObject({
      ok: true,
      value: {
        objectives: [
          {
            pass: [],
            control: {
              failOn: 'increase',
              confidence: 0.98,
              effectSizeMeasure: 'meanRatio',
              critical: false,
              onNoData: 'fail',
            },
          },
        ],
      },
    });
  });

  it.each([
    ['{failOn: either, allowedIncrease: 1.1, allowedDecrease: 0.9, outlierFactor: 3, tolerance: 0.25}', ''],
    ['{failOn: increase, critical: true, criticalIncrease: 2}', ''],
    ['{failOn: increase, effectSizeMeasure: cles, allowedIncrease: 0.7}', ''],
    ['{failOn: increase}', ', key_sli: true'],
    ['{failOn: increase}', ', pass: [{criteria: ["<5"]}], warning: [{criteria: ["<9"]}]'],
  ])('may be %s%s', (control, more) => {
    expect(say(parseSlo(withControl(control, more), 'slo.yaml'))).toBe('accepted');
  });

  it.each([
    ['{}', '"failOn" is missing: which way is worse'],
    ['{failOn: more}', 'must be one of "increase", "decrease", "either"'],
    ['{failOn: increase, confidence: 98}', 'confidence must be <= 0.9999'],
    ['{failOn: increase, allowedIncrease: 0.1}', "must be a ratio to the control's mean of at least 1"],
    ['{failOn: decrease, allowedDecrease: 1.1}', 'from 0 to 1, got 1.1'],
    ['{failOn: increase, effectSizeMeasure: cles, allowedIncrease: 1.1}', 'a share of pairs from 0.5 to 1'],
    ['{failOn: increase, allowedDecrease: 0.9}', '"allowedDecrease" never matters with failOn: increase'],
    ['{failOn: increase, criticalIncrease: 2}', '"criticalIncrease" never matters without critical: true'],
    ['{failOn: increase, critical: true, onNoData: ignore}', 'slo.yaml:2:58 objectives[0].control a critical'],
    ['{failOn: increase}', '"warning" without "pass"', ', warning: [{criteria: ["<9"]}]'],
  ])('%s is refused: %s', (control, message, more = '') => {
    expect(say(parseSlo(withControl(control, more), 'slo.yaml'))).toContain(message);
  });
});

describe('an slo.yaml under compatibility: keptn', () => {
  it('is read as Keptn did, with what strict mode refuses', () => {
    const text =
      'unknown: 1\nobjectives:\n- {sli: a, weight: 2.9, key_sli: yes, pass: [{criteria: []}]}\ntotal_score: {pass: 90}\n';
    expect(say(parseSlo(text, 'slo.yaml'))).toContain('unknown property');
    expect(parseSlo(text, 'slo.yaml', 'keptn')).toEqual({
      ok: true,
      value: {
        compatibility: 'keptn',
        comparison: { count: 1, include: 'all', aggregate: 'avg' },
        objectives: [{ sli: 'a', pass: [[]], warning: [], weight: 2, keySli: true }],
        totalScore: { pass: 90 },
        filter: {},
      },
    });
  });
});
