import { describe, expect, it } from 'vitest';
import type { ApplicationResource } from '../../src/adapters/delivery-systems/delivery-system.ts';
import type { PlannedTask } from '../../src/engine/plan.ts';
import type { Application, Health } from '../../src/events/application.ts';
import { release } from '../../src/tasks/release.ts';
import { COMMIT } from '../support/sequence.ts';
import { look } from '../support/task-look.ts';

const OTHER = '1'.repeat(40);
const step: PlannedTask = { name: 'release', timeLimitMs: 600_000 };

function application(status: Health, revision = COMMIT): Application {
  const source = { repoUrl: 'r', path: '.', targetRevision: 'main' };
  return {
    ref: { system: 'main', namespace: 'argocd', name: 'checkout', uid: 'u1', systemProject: 'default' },
    annotations: {},
    source,
    sources: [source],
    automated: true,
    targetRevision: COMMIT,
    syncStatus: 'Synced',
    health: { status },
    reconciledAt: '2026-03-02T10:00:59Z',
    history: [{ revision, deployedAt: '2026-03-02T10:00:50Z' }],
    operation: {
      phase: 'Succeeded',
      startedAt: '2026-03-02T10:00:40Z',
      finishedAt: '2026-03-02T10:00:50Z',
      revision,
      infos: {},
      dryRun: false,
      partial: false,
      retrying: false,
      automated: true,
      message: '',
    },
    images: [],
    conditions: [],
  };
}

async function abortAt(
  status: Health,
  given: { kind?: string; revision?: string; memo?: object; applicationHealth?: Health } = {},
) {
  const { kind = 'Rollout', revision = COMMIT, memo = {}, applicationHealth = status } = given;
  const acted: string[] = [];
  const group = kind === 'Rollout' ? 'argoproj.io' : 'apps';
  const resource: ApplicationResource = {
    group,
    version: 'v1',
    kind,
    namespace: 'shop',
    name: 'checkout',
    health: { status },
  };
  const system = {
    resources: async () => [resource],
    act: async (_: unknown, { name }: ApplicationResource, action: string) => void acted.push(`${action} ${name}`),
  };
  const { outcome } = await look(release, application(applicationHealth, revision), {
    step,
    system,
    aborted: true,
    memo: { ...memo },
  });
  return { outcome, acted };
}

describe('the canary of a change that was aborted', () => {
  it('is aborted where it is paused', async () => {
    expect(await abortAt('Suspended')).toMatchObject({
      acted: ['abort checkout'],
      outcome: { kind: 'waiting', memo: { aborted: { 'main/argocd/checkout': true } } },
    });
    expect(await abortAt('Degraded', { memo: { aborted: { 'main/argocd/checkout': true } } })).toMatchObject({
      acted: [],
      outcome: { result: 'pass', message: 'the canary was taken back' },
    });
  });

  it('is aborted where it moves, without waiting for a pause', async () => {
    expect(await abortAt('Progressing')).toMatchObject({
      acted: ['abort checkout'],
      outcome: {
        blocker: { sentence: 'Rollout checkout is moving, and is being aborted' },
        memo: { aborted: { 'main/argocd/checkout': true } },
      },
    });
  });

  it('is aborted once where it does not come up, for an aborted one is degraded, too', async () => {
    expect(await abortAt('Degraded')).toMatchObject({
      acted: ['abort checkout'],
      outcome: { memo: { aborted: { 'main/argocd/checkout': true } } },
    });
  });

  it('is aborted where something else of the application is worse', async () => {
    expect(await abortAt('Suspended', { applicationHealth: 'Degraded' })).toMatchObject({ acted: ['abort checkout'] });
  });

  it('that was through before the abort took hold is not said to be taken back', async () => {
    expect(await abortAt('Healthy', { memo: { aborted: { 'main/argocd/checkout': true } } })).toMatchObject({
      acted: [],
      outcome: { message: 'the canary was through before it could be taken back', data: { aborted: false } },
    });
  });

  it.each<[string, Health, object]>([
    ['is no Rollout', 'Progressing', { kind: 'Deployment' }],
    ['belongs to another commit', 'Suspended', { revision: OTHER }],
    ['belongs to another commit and moves', 'Progressing', { revision: OTHER }],
    ['is through already', 'Healthy', {}],
  ])('is let be where it %s', async (_, status, given) => {
    expect(await abortAt(status, given)).toMatchObject({
      acted: [],
      outcome: { result: 'pass', message: 'no canary is left waiting' },
    });
  });
});
