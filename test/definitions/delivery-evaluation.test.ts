import { describe, expect, it } from 'vitest';
import { parseDelivery } from '../../src/definitions/delivery-yaml.ts';
import { sayProblem } from '../../src/definitions/problem.ts';

const withEvaluation = (evaluation: string) => `apiVersion: lynceus.dev/v1
kind: Delivery
metadata: {name: shop}
spec:
  stages:
    - name: staging
      evaluation: {slo: slo.yaml, ${evaluation}}
    - name: production
`;

function read(evaluation: string) {
  const parsed = parseDelivery(withEvaluation(evaluation), 'delivery.yaml');
  if (!parsed.ok) throw new Error(parsed.problems.map(sayProblem).join('\n'));
  return parsed.value.stages[0]?.evaluation;
}

function mistakes(evaluation: string): string[] {
  const parsed = parseDelivery(withEvaluation(evaluation), 'delivery.yaml');
  return parsed.ok ? [] : parsed.problems.map(sayProblem);
}

const groups = (experiment: string, control: string) =>
  `compareWith: {control: {variables: {experiment: ${experiment}, control: ${control}}}}`;

describe('the evaluation of a stage', () => {
  it('takes one file of indicators, several, or none', () => {
    expect(read('window: 5m')?.sli).toEqual([]);
    expect(read('sli: sli.yaml')?.sli).toEqual(['sli.yaml']);
    expect(read('sli: [sli.yaml, security.yaml]')?.sli).toEqual(['sli.yaml', 'security.yaml']);
  });

  it('watches every minute and fails with the first failing step, unless it says otherwise', () => {
    expect(read('watch: {for: 15m}')?.watch).toEqual({ forMs: 900_000, everyMs: 60_000, failures: 1 });
    expect(read('watch: {for: 15m, every: 3m, failures: 2}')?.watch).toEqual({
      forMs: 900_000,
      everyMs: 180_000,
      failures: 2,
    });
  });

  it.each([
    ['{previous: 3}', { previous: 3 }],
    ['{lastPassed: 3}', { lastPassed: 3 }],
    ['{evaluation: e-1}', { evaluation: 'e-1' }],
    ['{deployed: true}', { deployed: true }],
    ['{stage: production}', { stage: 'production' }],
  ])('is compared with %s', (written, meant) => {
    expect(read(`compareWith: ${written}`)?.compareWith).toEqual(meant);
  });

  it('is compared with a control group, minute by minute unless it says otherwise', () => {
    expect(read(groups('{track: canary}', '{track: stable}'))?.compareWith).toEqual({
      control: { variables: { experiment: { track: 'canary' }, control: { track: 'stable' } }, stepMs: 60_000 },
    });
  });

  it('can wait for metrics, and judge as Keptn did', () => {
    expect(read('delay: 30s, compatibility: keptn')).toMatchObject({ delayMs: 30_000, compatibility: 'keptn' });
  });

  it.each([
    ['a comparison with nothing', 'compareWith: {}', 'needs one of previous, lastPassed'],
    ['two comparisons', 'compareWith: {previous: 1, deployed: true}', 'has both "previous" and "deployed": keep one'],
    ['a comparison with what is not deployed', 'compareWith: {deployed: false}', 'must be true'],
    ['a stage that there is not', 'compareWith: {stage: prodution}', 'did you mean "production"?'],
    ['one group twice', groups('{track: a}', '{track: a}'), 'then one is compared with itself'],
    ['groups of different variables', groups('{track: a}', '{version: b}'), 'lacks track, which the other group has'],
    ['a variable that is ours', groups('{SERVICE: a}', '{SERVICE: b}'), '"SERVICE" is filled in by Lynceus'],
    ['a name that is no placeholder', groups('{"a b": a}', '{"a b": b}'), '"a b" is not the name of a placeholder'],
    ['both a window and a watch', 'window: 5m, watch: {for: 5m}', 'keep one'],
    ['a step longer than the watch', 'watch: {for: 30s}', '"every" (1m by default) is longer than "for"'],
    ['more steps than anybody can pay for', 'watch: {for: 7d}', 'makes 10080 steps, at most 100'],
    ['failures that cannot happen', 'watch: {for: 2m, failures: 3}', 'there are only 2 steps'],
    ['an unknown compatibility', 'compatibility: lighthouse', 'must be'],
    ['no file in a list', 'sli: []', 'must have at least 1 entry'],
  ])('with %s is refused', (_what, written, message) => {
    const said = mistakes(written);
    expect(said.join('\n')).toContain(message);
    expect(said[0]).toMatch(/^delivery\.yaml:7:\d+ spec\.stages\[0\]\.evaluation/);
  });
});
