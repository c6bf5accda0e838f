import { describe, expect, it } from 'vitest';
import { parseDelivery } from '../../src/definitions/delivery-yaml.ts';
import { sayProblem } from '../../src/definitions/problem.ts';

const head =
  'apiVersion: lynceus.dev/v1\nkind: Delivery\nmetadata: {name: shop}\nspec:\n  stages:\n    - name: production\n      checks:\n        risk:\n';
const of = (...lines: string[]) => `${head}${lines.map((line) => `          ${line}\n`).join('')}`;
const parsed = (...lines: string[]) => parseDelivery(of(...lines), 'delivery.yaml');

const problems = (...lines: string[]) => {
  const found = parsed(...lines);
  return found.ok ? [] : found.problems.map(sayProblem);
};

describe('what a stage says of risk', () => {
  it('is read with levels, signals, weights and what they demand', () => {
    const found = parsed(
      'approvalAbove: 20',
      'denyAbove: 80',
      'levels: {medium: 5}',
      'signals:',
      '  alerts: {query: "count(ALERTS)", provider: main}',
      '  dependencies: [{name: payments, query: "up", below: 1}]',
      '  infrastructure: [{name: upgrade, query: "u", above: 0, deny: true}]',
      'weights: {size: 0.5, rollback: -1}',
      'soak: {medium: 10m, high: 1h}',
      'approval: {high: {quorum: 2}}',
    );
    expect(found.ok && found.value.stages[0]?.checks.risk).toEqual({
      approvalAbove: 20,
      denyAbove: 80,
      levels: { medium: 5, high: 25 },
      alerts: { query: 'count(ALERTS)', provider: 'main' },
      dependencies: [{ name: 'payments', query: 'up', below: 1 }],
      infrastructure: [{ name: 'upgrade', query: 'u', above: 0, deny: true }],
      weights: { size: 0.5, rollback: -1 },
      soakMs: { medium: 600_000, high: 3_600_000 },
      quorum: { high: 2 },
    });
  });

  it.each<[string, string[], string]>([
    [
      'a limit that is out of order',
      ['levels: {medium: 30}'],
      ':9:28 spec.stages[0].checks.risk.levels.medium high (25) must not be below medium (30)',
    ],
    [
      'a deny below the approval',
      ['approvalAbove: 50', 'denyAbove: 40'],
      ':10:22 spec.stages[0].checks.risk.denyAbove must not be below approvalAbove (50)',
    ],
    [
      'a probe without a limit',
      ['signals: {dependencies: [{name: a, query: q}]}'],
      ':9:36 spec.stages[0].checks.risk.signals.dependencies[0] needs "above" or "below": the value beyond which it is red, such as above: 0',
    ],
    [
      'a probe with two limits',
      ['signals: {infrastructure: [{name: a, query: q, above: 1, below: 0}]}'],
      ':9:68 spec.stages[0].checks.risk.signals.infrastructure[0] has both "above" and "below": keep one',
    ],
    [
      'two probes of one name',
      ['signals: {dependencies: [{name: a, query: q, above: 1}, {name: a, query: r, above: 1}]}'],
      'dependencies[1].name is there already: rename one',
    ],
    ['a weight for no signal', ['weights: {sise: 1}'], 'unknown property "sise", did you mean "size"?'],
    ['a weight in the wrong direction', ['weights: {size: -1}'], 'checks.risk.weights.size must be'],
    ['a way back that would raise the risk', ['weights: {rollback: 1}'], 'checks.risk.weights.rollback must be'],
    ['a quorum of nobody', ['approval: {high: {quorum: 0}}'], 'checks.risk.approval.high.quorum must be'],
    ['a level that there is not', ['soak: {low: 1m}'], 'unknown property "low"'],
    ['a soak that is no duration', ['soak: {high: long}'], '"long" is not a duration'],
  ])('refuses %s', (_what, lines, said) => {
    const found = problems(...lines);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(said);
  });
});
