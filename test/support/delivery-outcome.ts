import { expect } from 'vitest';
import type { ChangeView } from '../../src/views/change.ts';
import { STAGES, type TestWorld } from './lynceus.ts';

/** What must be the same however often the process died on the way. */
export interface Outcome {
  stages: { stage: string; status: string; result: string | undefined; tasks: string[] }[];
  syncs: Record<string, number>;
  merges: Record<string, number>;
  pullRequests: string[];
}

/** The end of a delivery as the outside world saw it: Argo CD's accepted syncs and Git's commits are counted, not our own words. */
export function outcomeOf(world: TestWorld, change: ChangeView, service = 'checkout'): Outcome {
  const repository = world.repositories.get(service);
  if (!repository) throw new Error(`no repository of ${service}`);
  const gated = STAGES.slice(1);
  const refs = repository
    .git('for-each-ref', '--format=%(refname)', 'refs/lynceus/pull-requests/')
    .split('\n')
    .filter(Boolean);
  return {
    stages: change.stages.map(({ stage, status, result, tasks }) => ({
      stage,
      status,
      result,
      tasks: tasks.map(({ name, result: verdict }) => `${name} ${verdict}`),
    })),
    syncs: Object.fromEntries(
      gated.map((stage) => [
        stage,
        world.syncsOf(`${service}-${stage}`, repository.sha(`refs/heads/stage/${stage}`)).length,
      ]),
    ),
    merges: Object.fromEntries(
      gated.map((stage) => [
        stage,
        Number(repository.git('rev-list', '--count', '--merges', '--first-parent', `refs/heads/stage/${stage}`)),
      ]),
    ),
    pullRequests: refs.map(
      (ref) => (JSON.parse(repository.git('show', `${ref}:pull-request.json`)) as { state: string }).state,
    ),
  };
}

/** A version through three stages, each gated stage synced once, each promotion one pull request and one merge. */
export const UNDISTURBED: Outcome = {
  stages: [
    {
      stage: 'dev',
      status: 'finished',
      result: 'pass',
      tasks: ['plan pass', 'sync pass', 'rollout pass', 'test pass', 'evaluation pass', 'promotion pass'],
    },
    {
      stage: 'staging',
      status: 'finished',
      result: 'pass',
      tasks: [
        'plan pass',
        'checks pass',
        'sync pass',
        'rollout pass',
        'test pass',
        'evaluation pass',
        'soak pass',
        'promotion pass',
      ],
    },
    {
      stage: 'production',
      status: 'finished',
      result: 'pass',
      tasks: ['plan pass', 'approval pass', 'sync pass', 'rollout pass'],
    },
  ],
  syncs: { staging: 1, production: 1 },
  merges: { staging: 1, production: 1 },
  pullRequests: ['merged', 'merged'],
};

export function expectUndisturbed(outcome: Outcome): void {
  expect(outcome).toEqual(UNDISTURBED);
}
