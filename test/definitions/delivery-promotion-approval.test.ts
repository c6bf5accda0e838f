import { describe, expect, it } from 'vitest';
import { parseDelivery } from '../../src/definitions/delivery-yaml.ts';
import { sayProblem } from '../../src/definitions/problem.ts';
import { planDelivery } from '../../src/engine/plan.ts';

const deliveryOf = (promotion: string) =>
  parseDelivery(
    `apiVersion: lynceus.dev/v1
kind: Delivery
metadata: {name: a}
spec:
  stages:
    - {name: dev, promotion: ${promotion}}
    - {name: production, branch: stage/production}
`,
    'd.yaml',
  );
const policyOf = (promotion: string) => {
  const parsed = deliveryOf(promotion);
  if (!parsed.ok) throw new Error(parsed.problems.map(sayProblem).join('\n'));
  return parsed.value.stages[0]?.promotion;
};
const problemsOf = (promotion: string) => {
  const parsed = deliveryOf(promotion);
  return parsed.ok ? [] : parsed.problems.map(sayProblem);
};

describe('who approves a promotion', () => {
  it('is written down in one place', () => {
    const approval =
      'approval: {quorum: 2, groups: [acme/leads], people: [583231, "{b7e2}"], authors: allow, bots: [41898282], expires: 12h}';
    expect(policyOf(`{${approval}, merge: host, method: squash}`)).toMatchObject({
      approval: {
        quorum: 2,
        groups: ['acme/leads'],
        people: ['583231', '{b7e2}'],
        authors: 'allow',
        bots: ['41898282'],
        expiresAfterMs: 43_200_000,
      },
      merge: 'host',
      method: 'squash',
    });
  });

  it('is one person who did not write it, unless the file says more', () => {
    expect(policyOf('{}')).not.toHaveProperty('approval');
    expect(policyOf('{approval: {}}')?.approval).toEqual({
      quorum: 1,
      groups: [],
      people: [],
      authors: 'refuse',
      bots: [],
      expiresAfterMs: 7 * 86_400_000,
    });
  });

  it('travels in the plan of the change', () => {
    const parsed = deliveryOf('{approval: {quorum: 2}, merge: person}');
    const stage = parsed.ok ? parsed.value.stages[0] : undefined;
    if (!stage) throw new Error('no stage');
    const promotionTargets = [{ to: 'production', branch: 'stage/production' }];
    const step = planDelivery({ stage, promotionTargets, files: [] }).steps.find(({ name }) => name === 'promotion');
    expect(step).toMatchObject({ approval: { quorum: 2 }, merge: 'person' });
  });

  it.each([
    ['nobody', '{approval: {quorum: 0}}', 'quorum must be >= 1'],
    ['a person by a name', '{approval: {people: ["@ada"]}}', 'the id that the Git host has given a person'],
    ['a group with a blank', '{approval: {groups: ["the leads"]}}', 'a group as the Git host names it'],
    ['more than are named', '{approval: {quorum: 3, people: [1, 2]}}', 'asks for 3 approvals, but only 2 are named'],
    ['a merger that is none', '{merge: robot}', 'must be one of "lynceus", "person", "host"'],
    ['a method that is none', '{method: rebase-merge}', 'must be one of "merge", "squash", "rebase"'],
    ['no end', '{approval: {expires: never}}', 'a duration such as'],
    ['something unknown', '{approval: {quorun: 2}}', 'quorun'],
  ])('is never %s', (_, promotion, message) => {
    expect(problemsOf(promotion).join('\n')).toContain(message);
  });

  it('may be many people of a group', () => {
    expect(problemsOf('{approval: {quorum: 3, people: [1, 2], groups: [acme/leads]}}')).toEqual([]);
    expect(problemsOf('{approval: {quorum: 3, people: [1, 2], bots: [3]}}')).toEqual([]);
  });
});
