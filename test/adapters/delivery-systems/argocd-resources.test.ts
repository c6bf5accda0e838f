import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SandboxArgoCd, SandboxOptions } from '../../../examples/sandbox/argocd/server.ts';
import { startSandboxArgoCd } from '../../../examples/sandbox/argocd/server.ts';
import { type BareRepository, createBareRepository } from '../../../examples/sandbox/git.ts';
import { readResources } from '../../../src/adapters/delivery-systems/argocd-resources.ts';
import type { DeliverySystem } from '../../../src/adapters/delivery-systems/delivery-system.ts';
import type { ApplicationRef } from '../../../src/events/application.ts';
import { createArgoCd, eventually, LABELS, QUICK, TOKEN } from '../../support/argocd-world.ts';

const ROLLOUT = `apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: checkout}
spec:
  strategy: {canary: {steps: [{setWeight: 20}, {pause: {}}]}}
  image: VERSION
`;
const REF: ApplicationRef = {
  system: 'main',
  namespace: 'argocd',
  name: 'checkout',
  uid: 'u',
  systemProject: 'payments',
};

let repository: BareRepository;
let sandbox: SandboxArgoCd;
let system: DeliverySystem;
beforeEach(() => {
  repository = createBareRepository('deploy');
  repository.commit({ branch: 'main', files: { 'app/rollout.yaml': ROLLOUT } });
});
afterEach(async () => {
  await sandbox.close();
  repository.remove();
});

async function start(options: Partial<SandboxOptions> = {}): Promise<void> {
  sandbox = await startSandboxArgoCd({
    token: TOKEN,
    timing: QUICK,
    apps: [
      {
        name: 'checkout',
        project: 'payments',
        labels: LABELS,
        repoUrl: repository.path,
        path: 'app',
        healthDelayMs: 10,
        deployed: true,
      },
    ],
    ...options,
  });
  system = createArgoCd(sandbox.url);
  const revision = repository.commit({
    branch: 'main',
    files: { 'app/rollout.yaml': ROLLOUT.replace('VERSION', '2') },
  });
  await system.sync(REF, { revision, prune: false, infos: {} });
  await eventually(async () => (await system.read(REF)).health.status === 'Suspended' || undefined);
}

async function rollout() {
  const found = (await system.resources?.(REF))?.find(({ kind }) => kind === 'Rollout');
  if (!found) throw new Error('there is no Rollout');
  return found;
}

describe('the objects of an application', () => {
  it('are told with the health that Argo CD computed, a paused Rollout among them', async () => {
    await start();
    expect(await rollout()).toEqual({
      group: 'argoproj.io',
      version: 'v1alpha1',
      kind: 'Rollout',
      namespace: 'checkout',
      name: 'checkout',
      health: { status: 'Suspended', message: 'CanaryPauseStep' },
    });
  });

  it.each([
    ['resume', 'Healthy'],
    ['promote-full', 'Healthy'],
    ['abort', 'Degraded'],
  ])('take the action %s, and get %s', async (action, health) => {
    await start();
    await system.act?.(REF, await rollout(), action);
    await eventually(async () => (await system.read(REF)).health.status === health || undefined);
    expect(sandbox.controller.actions).toEqual([`${action} Rollout/checkout`]);
  });

  it('take it also in versions of Argo CD that know only the older address', async () => {
    await start({ olderActions: true });
    await system.act?.(REF, await rollout(), 'resume');
    expect(sandbox.controller.actions).toEqual(['resume Rollout/checkout']);
    expect(sandbox.requests.findLast(({ method }) => method === 'POST')).toMatchObject({
      path: '/api/v1/applications/checkout/resource/actions',
      body: '"resume"',
    });
  });

  it('that are not there, and actions that there are none, are refused in words', async () => {
    await start();
    const found = await rollout();
    await expect(system.act?.(REF, { ...found, name: 'basket' }, 'resume')).rejects.toMatchObject({
      reason: 'rejected',
      message: expect.stringContaining('basket'),
    });
    await expect(system.act?.(REF, found, 'explode')).rejects.toMatchObject({ reason: 'rejected' });
    await expect(system.act?.({ ...REF, name: 'gone' }, found, 'resume')).rejects.toMatchObject({
      reason: 'not-found',
    });
    expect(sandbox.controller.actions).toEqual([]);
  });

  it('are not touched when we may no longer act', async () => {
    await start();
    const guard = () => {
      throw new Error('the lease is over');
    };
    await expect(system.act?.(REF, await rollout(), 'resume', { guard })).rejects.toThrow();
    expect(sandbox.controller.actions).toEqual([]);
  });

  it('that make no sense are left out, and an unknown health is not a good one', async () => {
    await start();
    const nodes = [null, 3, {}, { kind: 'Pod' }, { kind: 'Pod', name: 'a', health: { status: 'Splendid' } }];
    expect(await readResources(async () => ({ nodes }), REF, {})).toEqual([
      { group: '', version: 'v1', kind: 'Pod', namespace: '', name: 'a', health: { status: 'Unknown' } },
    ]);
    expect(await readResources(async () => null, REF, {})).toEqual([]);
  });
});
