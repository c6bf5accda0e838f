import { describe, expect, it } from 'vitest';
import { eventually } from '../support/lynceus.ts';
import { deliveryWith, expectUntouched, isOver, last, story, waitsAt } from '../support/story.ts';

const LIMIT = { timeout: 90_000 };

describe.concurrent('an application with labels and no file at all', () => {
  it(
    'is verified and reported; nothing is promoted, and nothing is synced that nobody asked us to sync',
    LIMIT,
    async () => {
      await story({ delivery: '' }, async (told) => {
        const repository = told.world.repositories.get('checkout');
        const commit =
          repository?.commit({
            branch: 'stage/dev',
            files: { 'delivery.yaml': null, 'slo.yaml': null, 'app.json': '{"version": 1}\n' },
          }) ?? '';
        const over = await told.stage(commit, 'dev', isOver, 'is verified');
        expect(over).toMatchObject({ result: 'pass', message: 'verified with pass' });
        expect(over.tasks.map(({ name }) => name)).toEqual(['plan', 'sync', 'rollout']);
        expect(over.tasks[0]?.message).toBe('no delivery.yaml: only health is verified');
        expect(told.pullRequests()).toEqual([]);
        await expectUntouched(told, commit, 'staging');
      });
    },
  );
});

describe.concurrent('a mistake in a file', () => {
  it('stops the change with its place and what would be right', LIMIT, async () => {
    await story(
      { delivery: deliveryWith('dev', 'sync: automatic\n      promotion: {onPas: automatic}') },
      async (told) => {
        const over = await told.stage(told.release(1), 'dev', isOver, 'is refused');
        expect(over).toMatchObject({
          result: 'fail',
          message: expect.stringMatching(/^delivery\.yaml:10:19 .*unknown property "onPas", did you mean "onPass"\?$/),
        });
      },
    );
  });

  it('that names an SLO file which is not there is no open gate', LIMIT, async () => {
    await story(
      { delivery: deliveryWith('dev', 'sync: automatic\n      evaluation: {slo: missing.yaml}') },
      async (told) => {
        const over = await told.stage(told.release(1), 'dev', isOver, 'is refused');
        expect(over).toMatchObject({
          result: 'fail',
          message: expect.stringContaining('names missing.yaml, which is not there at this commit'),
        });
      },
    );
  });

  it('that does not know the stage of the label says which stages it knows', LIMIT, async () => {
    await story(
      { delivery: deliveryWith('dev', 'sync: automatic').replace('name: dev', 'name: development') },
      async (told) => {
        const over = await told.stage(told.release(1), 'dev', isOver, 'is refused');
        expect(over.message).toContain(
          'has no stage "dev", which the application\'s label names (known: development, staging, production)',
        );
      },
    );
  });
});

describe.concurrent('a test', () => {
  it('that fails stops the change before anything is promoted', LIMIT, async () => {
    const demands =
      'sync: automatic\n      tests: [{http: {path: /, requests: 10, expect: {status: 204}}}]\n      promotion: {onPass: automatic}';
    await story({ delivery: deliveryWith('dev', demands) }, async (told) => {
      const commit = told.release(1);
      const over = await told.stage(commit, 'dev', isOver, 'fails its test');
      expect(over).toMatchObject({ result: 'fail', reason: 'failed' });
      expect(last(over)).toMatchObject({ name: 'test', result: 'fail' });
      await expectUntouched(told, commit, 'staging');
    });
  });
});

describe.concurrent('an evaluation', () => {
  const slo =
    'spec_version: "1.0"\nobjectives:\n  - {sli: error_rate, pass: [{criteria: ["<=0"]}]}\n  - {sli: throughput, pass: [{criteria: [">=1000000000"]}], warning: [{criteria: [">0"]}]}\ntotal_score: {pass: "90%", warning: "70%"}\n';
  const demands = (onWarning: string) =>
    `sync: automatic\n      tests: [{http: {path: /, requests: 20}}]\n      evaluation: {slo: slo.yaml}\n      promotion: {onPass: automatic, onWarning: ${onWarning}}`;

  it('that warns goes to a person where the stage says so', LIMIT, async () => {
    await story({ delivery: deliveryWith('dev', demands('manual')), files: { 'slo.yaml': slo } }, async (told) => {
      const commit = told.release(1);
      const asked = await told.stage(commit, 'dev', waitsAt('promotion'), 'waits for a review');
      expect(asked).toMatchObject({ score: 75, pullRequest: { number: 1, to: 'staging' } });
      await told.decide(commit, 'dev', 'approve');
      expect(await told.stage(commit, 'dev', isOver, 'is promoted')).toMatchObject({ result: 'warning' });
      await told.stage(commit, 'staging', () => true, 'arrives');
    });
  });

  it('that warns is not promoted by itself', LIMIT, async () => {
    await story({ delivery: deliveryWith('dev', demands('none')), files: { 'slo.yaml': slo } }, async (told) => {
      expect(await told.stage(told.release(1), 'dev', isOver, 'stays')).toMatchObject({
        result: 'warning',
        message: 'verified with warning; not promoted, as the policy says',
      });
      expect(told.pullRequests()).toEqual([]);
    });
  });
});

describe.concurrent('a promotion', () => {
  const manual = 'sync: automatic\n      promotion: {onPass: manual}';

  it('is one pull request per service and stage: a newer one takes the place of an older one', LIMIT, async () => {
    await story({ delivery: deliveryWith('dev', manual) }, async (told) => {
      const older = told.release(1);
      await told.stage(older, 'dev', waitsAt('promotion'), 'waits for its review');
      const newer = told.release(2);
      await told.stage(newer, 'dev', waitsAt('promotion'), 'waits for its review');
      expect(await told.stage(older, 'dev', isOver, 'makes room')).toMatchObject({ reason: 'superseded' });
      expect(told.pullRequests()).toEqual(['closed', 'open']);
      await told.decide(newer, 'dev', 'approve');
      await told.stage(newer, 'production', isOver, 'goes all the way');
      expect((await told.change(older))?.stages).toHaveLength(1);
    });
  });

  it('that is rejected closes its pull request', LIMIT, async () => {
    await story({ delivery: deliveryWith('dev', manual) }, async (told) => {
      const commit = told.release(1);
      await told.stage(commit, 'dev', waitsAt('promotion'), 'waits for its review');
      await told.decide(commit, 'dev', 'reject');
      expect(await told.stage(commit, 'dev', isOver, 'is rejected')).toMatchObject({
        result: 'fail',
        message: 'rejected by ada: told so',
      });
      expect(told.pullRequests()).toEqual(['closed']);
      await expectUntouched(told, commit, 'staging');
    });
  });

  it('does not happen when something else is deployed by the time it would', LIMIT, async () => {
    await story(
      { delivery: deliveryWith('staging', 'sync: gated\n      soak: 10m\n      promotion: {onPass: automatic}') },
      async (told) => {
        const commit = told.release(1);
        await told.stage(commit, 'staging', waitsAt('soak'), 'soaks');
        const base = told.world.repositories.get('checkout')?.sha('stage/dev~1') ?? '';
        await told.world.argocd.controller.requestSync('checkout-staging', 'argocd', { revision: base }, 'somebody');
        const over = await told.stage(commit, 'staging', isOver, 'notices');
        expect(over).toMatchObject({ result: 'fail', message: expect.stringMatching(/is deployed instead of/) });
        expect(told.pullRequests()).toEqual(['merged']);
      },
    );
  });
});

describe.concurrent('a person', () => {
  it('aborts a change; what it started in Argo CD is stopped', LIMIT, async () => {
    await story({ delivery: deliveryWith('staging', 'sync: gated'), timing: { syncMs: 4_000 } }, async (told) => {
      const commit = told.release(1);
      await told.stage(
        commit,
        'staging',
        (view) => last(view).waitingFor?.sentence.startsWith('syncing'),
        'is being synced',
      );
      expect((await told.decide(commit, 'staging', 'abort')).status).toBe(201);
      expect(await told.stage(commit, 'staging', isOver, 'is aborted')).toMatchObject({
        result: 'fail',
        reason: 'aborted',
        message: 'aborted by ada: told so',
      });
      const operation = () => told.world.argocd.controller.find('checkout-staging')?.status.operationState;
      await eventually(async () => operation()?.message === 'Operation terminated', {
        within: 8_000,
        what: 'the sync is terminated, not finished',
      });
    });
  });

  it('pauses a change, which then does not go on, and resumes it', LIMIT, async () => {
    await story({ delivery: deliveryWith('staging', 'sync: gated\n      soak: 10m') }, async (told) => {
      const commit = told.release(1);
      await told.stage(commit, 'staging', waitsAt('soak'), 'soaks');
      await told.decide(commit, 'staging', 'pause');
      await told.pass('11m');
      await told.stage(
        commit,
        'staging',
        (view) => view.paused && view.tasks.at(-1)?.finishedAt !== undefined,
        'has soaked and is paused',
      );
      expect((await told.change(commit))?.summary).toBe('staging: paused by ada: told so');
      await told.decide(commit, 'staging', 'resume');
      await told.stage(commit, 'staging', isOver, 'goes on');
    });
  });
});

describe.concurrent('a stage that is gated', () => {
  it('says so when Argo CD syncs by itself and nothing could be held back', LIMIT, async () => {
    await story({ delivery: deliveryWith('dev', 'sync: gated') }, async (told) => {
      const over = await told.stage(told.release(1), 'dev', isOver, 'is refused');
      expect(over).toMatchObject({ result: 'fail', message: expect.stringMatching(/auto-sync/) });
    });
  });
});

describe.concurrent('an application that is deleted', () => {
  it('no longer holds up its stage, and the one that takes its place is delivered', LIMIT, async () => {
    await story(
      { delivery: deliveryWith('staging', 'sync: gated'), env: { LYNCEUS_RECONCILE_EVERY: '300ms' } },
      async (told) => {
        const { controller } = told.world.argocd;
        const { path } = told.world.repositories.get('checkout') ?? { path: '' };
        controller.remove('checkout-staging');
        await controller.add({
          name: 'checkout-staging-new',
          labels: { 'lynceus.dev/project': 'shop', 'lynceus.dev/stage': 'staging', 'lynceus.dev/service': 'checkout' },
          repoUrl: path,
          targetRevision: 'stage/staging',
          deployed: true,
          healthDelayMs: 50,
        });
        await eventually(
          async () =>
            told.world.argocd.requests.filter(({ path: asked }) => asked.endsWith('/applications')).length > 8,
          {
            within: 10_000,
            what: 'the applications were listed a few times',
          },
        );
        const commit = told.release(1);
        expect(await told.stage(commit, 'staging', isOver, 'is delivered by the new one')).toMatchObject({
          result: 'pass',
        });
        expect(told.world.syncsOf('checkout-staging-new')).toHaveLength(1);
      },
    );
  });
});
