import { describe, expect, it } from 'vitest';
import { parseDelivery } from '../../src/definitions/delivery-yaml.ts';
import { sayProblem } from '../../src/definitions/problem.ts';
import { planDelivery } from '../../src/engine/plan.ts';

const deliveryOf = (stage: string) =>
  parseDelivery(
    `apiVersion: lynceus.dev/v1\nkind: Delivery\nmetadata: {name: a}\nspec:\n  stages:\n  - {name: dev, ${stage}}\n`,
    'd.yaml',
  );
const stageOf = (stage: string) => {
  const parsed = deliveryOf(stage);
  if (!parsed.ok) throw new Error(parsed.problems.map(sayProblem).join('\n'));
  return parsed.value.stages[0];
};
const problemsOf = (stage: string) => {
  const parsed = deliveryOf(stage);
  return parsed.ok ? [] : parsed.problems.map(sayProblem);
};

describe('syncPolicy', () => {
  it('says how a sync is carried out', () => {
    const policy =
      'sync: gated, syncPolicy: {options: [CreateNamespace=true], retry: {limit: 2, backoff: 5s, factor: 2, maxBackoff: 3m}, timeout: 15m}';
    expect(stageOf(policy)?.syncPolicy).toEqual({
      options: ['CreateNamespace=true'],
      retry: { limit: 2, backoffMs: 5_000, factor: 2, maxBackoffMs: 180_000 },
      timeoutMs: 900_000,
    });
  });

  it('leaves to the application what it does not say', () => {
    expect(stageOf('sync: gated')?.syncPolicy).toBeUndefined();
    expect(stageOf('sync: gated, syncPolicy: {}')?.syncPolicy).toEqual({});
    expect(stageOf('sync: gated, syncPolicy: {retry: {limit: 0}}')?.syncPolicy).toEqual({ retry: { limit: 0 } });
  });

  it('gives the sync its time on top of what it may wait', () => {
    const stage = stageOf('sync: gated, syncPolicy: {timeout: 15m}');
    if (!stage) throw new Error('no stage');
    const sync = planDelivery({ stage, files: [] }).steps.find(({ name }) => name === 'sync');
    expect(sync).toMatchObject({ timeLimitMs: 75 * 60_000, policy: { timeoutMs: 900_000 } });
  });

  it.each([
    ['an option without a value', 'sync: gated, syncPolicy: {options: [CreateNamespace]}', 'is not a sync option of'],
    ['two options in one', 'sync: gated, syncPolicy: {options: ["A=true,B=true"]}', 'is not a sync option of Argo CD'],
    ['retries without end', 'sync: gated, syncPolicy: {retry: {limit: -1}}', 'retry.limit must be >= 0'],
    ['retries without a limit', 'sync: gated, syncPolicy: {retry: {backoff: 5s}}', '"limit" is missing'],
    ['a retry of the newest commit', 'sync: gated, syncPolicy: {retry: {limit: 1, refresh: true}}', '"refresh"'],
    ['a time that is none', 'sync: gated, syncPolicy: {timeout: soon}', 'is not a duration such as'],
    ['options where Argo CD syncs by itself', 'syncPolicy: {options: [Prune=false]}', 'needs "sync: gated"'],
    [
      'retries where Argo CD syncs by itself',
      'sync: automatic, syncPolicy: {retry: {limit: 1}}',
      'needs "sync: gated"',
    ],
  ])('refuses %s', (_, stage, message) => {
    expect(problemsOf(stage).join('\n')).toContain(message);
  });
});

describe('a suspended application', () => {
  it('is waited for unless the stage accepts it', () => {
    expect(stageOf('rollout: {settle: 1s}')?.rollout.suspended).toBeUndefined();
    expect(stageOf('rollout: {suspended: accept}')?.rollout.suspended).toBe('accept');
    expect(problemsOf('rollout: {suspended: ignore}')).toEqual([
      expect.stringContaining('must be one of "wait", "accept"'),
    ]);
  });
});
