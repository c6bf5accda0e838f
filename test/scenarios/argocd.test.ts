import { describe, expect, it } from 'vitest';
import { createBareRepository } from '../../examples/sandbox/git.ts';
import { eventually } from '../support/lynceus.ts';
import { deliveryWith, isOver, last, type Story, story, waitsAt } from '../support/story.ts';

const LIMIT = { timeout: 90_000 };
const STAGING = 'checkout-staging';

/** What the last task of a stage waits for, in its own words. */
const waitsFor = (words: RegExp) => (view: Parameters<typeof last>[0]) =>
  view.tasks.length > 0 && words.test(last(view).waitingFor?.sentence ?? '');

/** Somebody commits to the branch of staging itself: what happens before it is told elsewhere. */
function commitTo(told: Story): string {
  const files = { 'app.json': `{"version": "${told.world.argocd.requests.length}"}\n` };
  const repository = told.world.repositories.get('checkout');
  return repository?.commit({ branch: 'stage/staging', files, message: 'Move staging' }) ?? '';
}

/** delivery.yaml whose staging wants this of a rollout. */
const rollingOut = (rollout: string) =>
  deliveryWith('staging', 'sync: gated').replace(
    'name: staging\n      branch: stage/staging\n      rollout: {settle: 100ms}',
    `name: staging\n      branch: stage/staging\n      rollout: ${rollout}`,
  );

describe.concurrent('a rollout that turns Degraded after Healthy', () => {
  it('has to be healthy for the whole settle time again', LIMIT, async () => {
    await story({ delivery: rollingOut('{settle: 5m, timeout: 1h}') }, async (told) => {
      const { controller } = told.world.argocd;
      const commit = commitTo(told);
      await told.stage(commit, 'staging', waitsFor(/^healthy, settling/), 'settles');
      await controller.setHealth(STAGING, 'Degraded');
      await told.stage(commit, 'staging', waitsFor(/^health is Degraded/), 'notices');
      await told.pass('6m');
      await told.stage(commit, 'staging', waitsFor(/^health is Degraded/), 'still waits: Degraded is not final yet');
      await controller.setHealth(STAGING, undefined);
      await told.stage(commit, 'staging', waitsFor(/^healthy, settling/), 'settles anew');
      await told.pass('6m');
      expect(await told.stage(commit, 'staging', isOver, 'is deployed')).toMatchObject({ result: 'pass' });
    });
  });

  it('fails the stage when it stays so until the time limit', LIMIT, async () => {
    await story({ delivery: rollingOut('{settle: 5m, timeout: 20m}') }, async (told) => {
      const commit = commitTo(told);
      await told.stage(commit, 'staging', waitsFor(/^healthy, settling/), 'settles');
      await told.world.argocd.controller.setHealth(STAGING, 'Degraded');
      await told.stage(commit, 'staging', waitsFor(/^health is Degraded/), 'notices');
      await told.pass('21m');
      expect(await told.stage(commit, 'staging', isOver, 'fails')).toMatchObject({
        result: 'fail',
        message: 'rollout did not finish in time: health is Degraded',
      });
    });
  });
});

describe.concurrent('a suspended application', () => {
  it('is waited for where the stage says nothing, and accepted where it says so', LIMIT, async () => {
    await story({ delivery: rollingOut('{settle: 100ms}') }, async (told) => {
      await told.world.argocd.controller.setHealth(STAGING, 'Suspended');
      const commit = commitTo(told);
      await told.stage(commit, 'staging', waitsFor(/Suspended|paused/), 'waits');
    });
    await story({ delivery: rollingOut('{settle: 100ms, suspended: accept}') }, async (told) => {
      await told.world.argocd.controller.setHealth(STAGING, 'Suspended');
      const commit = commitTo(told);
      expect(await told.stage(commit, 'staging', isOver, 'accepts it')).toMatchObject({ result: 'pass' });
    });
  });
});

describe.concurrent('a sync', () => {
  it('of another commit than the gated one fails the stage', LIMIT, async () => {
    await story({ delivery: deliveryWith('staging', 'sync: gated') }, async (told) => {
      const base = told.world.repositories.get('checkout')?.sha('stage/staging') ?? '';
      told.world.argocd.controller.syncInstead(STAGING, [base]);
      const over = await told.stage(commitTo(told), 'staging', isOver, 'fails');
      expect(over).toMatchObject({
        result: 'fail',
        message: expect.stringMatching(new RegExp(`^${base.slice(0, 8)} was synced instead of .{8}, which was gated$`)),
      });
    });
  });

  it('that a person ends in Argo CD fails the stage', LIMIT, async () => {
    await story({ delivery: deliveryWith('staging', 'sync: gated'), timing: { syncMs: 3_000 } }, async (told) => {
      const commit = commitTo(told);
      await told.stage(commit, 'staging', waitsFor(/^syncing/), 'is synced');
      told.world.argocd.controller.terminate(STAGING, 'argocd');
      expect(await told.stage(commit, 'staging', isOver, 'fails')).toMatchObject({
        result: 'fail',
        message: 'the sync ended as Failed: Operation terminated',
      });
    });
  });

  it('that is stuck is ended after the time that the stage gives it', LIMIT, async () => {
    const demands = 'sync: gated\n      syncPolicy: {timeout: 15m}';
    await story({ delivery: deliveryWith('staging', demands), timing: { syncMs: 6_000 } }, async (told) => {
      const commit = commitTo(told);
      await told.stage(commit, 'staging', waitsFor(/^syncing/), 'is synced');
      await told.pass('16m');
      const over = await told.stage(commit, 'staging', isOver, 'gives up');
      expect(over).toMatchObject({
        result: 'fail',
        message: expect.stringMatching(/^the sync ran longer than 15 min and was ended while: /),
      });
      const operation = told.world.argocd.controller.find(STAGING)?.status.operationState;
      expect(operation).toMatchObject({ phase: 'Failed', message: 'Operation terminated' });
    });
  });

  it('of somebody else that is stuck is left alone; the change says who runs it and how to end it', LIMIT, async () => {
    await story({ delivery: deliveryWith('staging', 'sync: gated'), timing: { syncMs: 30_000 } }, async (told) => {
      const base = told.world.repositories.get('checkout')?.sha('stage/staging') ?? '';
      await told.world.argocd.controller.requestSync(STAGING, 'argocd', { revision: base }, 'grace');
      const commit = commitTo(told);
      await told.stage(commit, 'staging', waitsFor(/^another sync is running/), 'waits for it');
      await told.pass('11m');
      const stuck = await told.stage(commit, 'staging', waitsFor(/^sync by grace since/), 'names it');
      expect(last(stuck).waitingFor?.sentence).toMatch(/; to end it: argocd app terminate-op checkout-staging$/);
    });
  });

  it('in a dry run, or of some resources, by somebody else neither counts nor disturbs', LIMIT, async () => {
    await story({ delivery: deliveryWith('staging', 'sync: gated\n      soak: 10m') }, async (told) => {
      const { controller } = told.world.argocd;
      const commit = commitTo(told);
      await told.stage(commit, 'staging', waitsAt('soak'), 'soaks');
      const base = told.world.repositories.get('checkout')?.sha('stage/staging~1') ?? '';
      const ended = (count: number) =>
        eventually(
          async () => {
            const { operation, status } = controller.find(STAGING) ?? {};
            const syncs = controller.syncs.filter(({ name }) => name === STAGING).length;
            return operation === undefined && syncs === count && status?.operationState?.phase === 'Succeeded';
          },
          { within: 10_000, what: `${count} operations have ended` },
        );
      await ended(1);
      await controller.requestSync(STAGING, 'argocd', { revision: base, dryRun: true }, 'grace');
      await ended(2);
      const resources = [{ group: 'apps', kind: 'Deployment', name: 'checkout' }];
      await controller.requestSync(STAGING, 'argocd', { revision: commit, resources }, 'grace');
      await ended(3);
      await told.pass('11m');
      expect(await told.stage(commit, 'staging', isOver, 'is through')).toMatchObject({ result: 'pass' });
    });
  });
});

describe.concurrent('a rollback that somebody makes in Argo CD', () => {
  it('is told as one, and is no new change to be delivered', LIMIT, async () => {
    await story({ delivery: deliveryWith('staging', 'sync: gated\n      soak: 10m') }, async (told) => {
      const { controller } = told.world.argocd;
      const before = controller.find(STAGING)?.status.history.at(-1)?.revision ?? '';
      const commit = commitTo(told);
      await told.stage(commit, 'staging', waitsAt('soak'), 'soaks');
      await controller.requestSync(STAGING, 'argocd', { revision: before, strategy: { apply: {} } }, 'grace');
      const over = await told.stage(commit, 'staging', isOver, 'notices');
      expect(over).toMatchObject({
        result: 'fail',
        message: expect.stringMatching(/^grace rolled back to .{8} in Argo CD \(number \d+ of its history\)/),
      });
      expect(await told.world.changes()).toHaveLength(1);
    });
  });
});

describe.concurrent('an application of several sources', () => {
  it('is delivered when its second source moves, with every source pinned', LIMIT, async () => {
    await story({ delivery: deliveryWith('staging', 'sync: gated\n      approval: {quorum: 1}') }, async (told) => {
      const values = createBareRepository('values');
      try {
        const first = values.commit({ branch: 'main', files: { 'values.yaml': 'replicas: 1\n' }, message: 'Begin' });
        await replaceBySeveral(told, values.path);
        const deploy = told.world.repositories.get('checkout')?.sha('stage/staging') ?? '';
        const second = values.commit({ branch: 'main', files: { 'values.yaml': 'replicas: 2\n' }, message: 'Scale' });
        const view = await approved(told);
        // It was moved again meanwhile: what is synced is what was looked at.
        expect(view).toMatchObject({ result: 'pass', revision: deploy });
        expect(told.world.syncsOf('checkout-several').map(({ revisions }) => revisions)).toEqual([[deploy, second]]);
        expect([first, second]).not.toContain(deploy);
      } finally {
        values.remove();
      }
    });
  });
});

/** Staging runs two sources by an application of another name, as found by the reconciler. */
async function replaceBySeveral(told: Story, valuesPath: string): Promise<void> {
  const { controller } = told.world.argocd;
  const { path } = told.world.repositories.get('checkout') ?? { path: '' };
  controller.remove(STAGING);
  await controller.add({
    name: 'checkout-several',
    labels: { 'lynceus.dev/project': 'shop', 'lynceus.dev/stage': 'staging', 'lynceus.dev/service': 'checkout' },
    repoUrl: path,
    targetRevision: 'stage/staging',
    moreSources: [{ repoUrl: valuesPath, path: '.' }],
    deployed: true,
    healthDelayMs: 50,
  });
  await eventually(
    async () => {
      const answer = await told.world.ask('/api/v1/events?stream=application/main/argocd/checkout-several');
      return ((await answer.json()) as { events: unknown[] }).events.length > 0;
    },
    { within: 20_000, what: 'the application is seen' },
  );
}

/** The only change there is, once a person has agreed and it is over. */
async function approved(told: Story) {
  return eventually(
    async () => {
      const [change] = await told.world.changes();
      const view = change?.stages.find(({ stage }) => stage === 'staging');
      if (!change || !view) return undefined;
      if (view.decide) {
        const { revision, evidence } = view.decide;
        const said = { verdict: 'approve', reason: 'fine', stage: 'staging', revision, evidence };
        await told.world.decide(change.id, said);
      }
      return isOver(view) ? view : undefined;
    },
    { within: 60_000, what: 'the change is delivered', otherwise: () => told.world.changes() },
  );
}

describe.concurrent('a branch that a promotion has moved', () => {
  it('is looked at by Argo CD at once, instead of when it polls next', LIMIT, async () => {
    const timing = { pollMs: 600_000 };
    const delivery = deliveryWith('staging', 'sync: gated');
    await story({ delivery, timing, env: { LYNCEUS_RECONCILE_EVERY: '500ms' } }, async (told) => {
      const { controller, requests } = told.world.argocd;
      const commit = told.release(1);
      await controller.refresh('checkout-dev');
      expect(await told.stage(commit, 'staging', isOver, 'is delivered')).toMatchObject({ result: 'pass' });
      const refreshed = requests.filter(({ query }) => query['refresh'] !== undefined);
      expect(refreshed.map(({ path, query }) => [path, query['refresh']])).toEqual([
        ['/api/v1/applications/checkout-staging', ['normal']],
      ]);
    });
  });
});
