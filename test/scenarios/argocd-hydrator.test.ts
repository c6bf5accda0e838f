import { describe, expect, it } from 'vitest';
import type { StageView } from '../../src/views/change.ts';
import { eventually, SLO } from '../support/lynceus.ts';
import { last, type Story, story } from '../support/story.ts';

const LIMIT = { timeout: 180_000 };
const DELIVERY = `apiVersion: lynceus.dev/v1
kind: Delivery
metadata: {name: shop}
spec:
  stages:
    - name: dev
      branch: env/dev
      sync: automatic
      rollout: {settle: 100ms}
      promotion: {onPass: automatic}
    - name: staging
      branch: env/staging
      sync: gated
      rollout: {settle: 100ms}
`;

/** Dev and staging are rendered from main: dev as soon as it moves, staging to a branch that waits for its promotion. */
async function hydrated(told: Story) {
  const { controller, requests } = told.world.argocd;
  const repository = told.world.repositories.get('checkout');
  if (!repository) throw new Error('no repository');
  const write = (files: Record<string, string>, message: string) =>
    repository.commit({ branch: 'main', files, message });
  const first = write({ 'delivery.yaml': DELIVERY, 'slo.yaml': SLO, 'app.json': '{"version": 0}\n' }, 'Begin');
  repository.commit({
    branch: 'env/staging',
    files: { 'app/manifest.yaml': 'old\n', 'hydrator.metadata': JSON.stringify({ drySha: first }) },
    message: 'Begin',
  });
  for (const stage of ['dev', 'staging']) {
    controller.remove(`checkout-${stage}`);
    await controller.add({
      name: `hydrated-${stage}`,
      labels: { 'lynceus.dev/project': 'shop', 'lynceus.dev/stage': stage, 'lynceus.dev/service': 'checkout' },
      repoUrl: repository.path,
      path: 'app',
      targetRevision: `env/${stage}`,
      hydrator: { dryRevision: 'main', ...(stage === 'staging' ? { hydrateTo: 'env/staging-next' } : {}) },
      automated: stage === 'dev',
      deployed: true,
      healthDelayMs: 50,
    });
  }
  const lists = () => requests.filter(({ path }) => path.endsWith('/applications')).length;
  const before = lists();
  await eventually(async () => lists() > before + 4, { within: 20_000, what: 'the old applications are gone' });
  return {
    repository,
    release: (version: number) => write({ 'app.json': `{"version": ${version}}\n` }, `Release ${version}`),
    write,
  };
}

function stageOf(told: Story, drySha: string, stage: string, is: (view: StageView) => unknown, what: string) {
  return eventually(
    async () => {
      const views = (await told.world.changes()).flatMap(({ stages }) => stages);
      const view = views.findLast((one) => one.stage === stage && one.drySha === drySha);
      return view && is(view) ? view : undefined;
    },
    { within: 60_000, what: `${stage}: ${what}`, otherwise: () => told.world.changes() },
  );
}

const OPTIONS = { env: { LYNCEUS_RECONCILE_EVERY: '300ms' } };
const isOver = (view: StageView) => view.status === 'finished';

describe.concurrent('an application whose manifests are hydrated', () => {
  it(
    'is delivered as the commit that people wrote, by the pull request between its hydrated branches',
    LIMIT,
    async () => {
      await story(OPTIONS, async (told) => {
        const { repository, release } = await hydrated(told);
        const dry = release(1);
        const dev = await stageOf(told, dry, 'dev', isOver, 'is verified');
        // delivery.yaml is nowhere but in the commit that people wrote.
        expect(dev.tasks[0]).toMatchObject({ name: 'plan', message: 'planned from delivery.yaml' });
        expect(dev).toMatchObject({ result: 'pass', revision: repository.sha('env/dev') });
        const staging = await stageOf(told, dry, 'staging', isOver, 'is delivered');
        expect(staging).toMatchObject({ result: 'pass', revision: repository.sha('env/staging') });
        expect(told.world.syncsOf('hydrated-staging')).toHaveLength(1);
        expect(repository.tries('merge-base', '--is-ancestor', 'env/staging-next', 'env/staging')).toBe(true);
        // One change, through both stages.
        const [change, ...others] = await told.world.changes();
        expect(others).toEqual([]);
        expect(change?.stages.map(({ stage }) => stage)).toEqual(['dev', 'staging']);
      });
    },
  );

  it('that cannot be hydrated says so where the change waits for it, and goes on when it can', LIMIT, async () => {
    await story(OPTIONS, async (told) => {
      const { release } = await hydrated(told);
      const { controller } = told.world.argocd;
      controller.failHydration('hydrated-staging', 'no such chart');
      const dry = release(1);
      const stuck = await stageOf(
        told,
        dry,
        'dev',
        (view) => /could not hydrate/.test(last(view).waitingFor?.sentence ?? ''),
        'waits for the hydration of the next stage',
      );
      expect(last(stuck).waitingFor?.sentence).toBe('Argo CD could not hydrate the commit: no such chart');
      expect(told.world.syncsOf('hydrated-staging')).toEqual([]);
      controller.failHydration('hydrated-staging', undefined);
      expect(await stageOf(told, dry, 'staging', isOver, 'is delivered')).toMatchObject({ result: 'pass' });
    });
  });

  it('is no new change when what was written renders to the same', LIMIT, async () => {
    await story(OPTIONS, async (told) => {
      const { write } = await hydrated(told);
      const dry = write({ 'slo.yaml': `${SLO}# with a remark\n` }, 'Remark');
      const hydration = () => told.world.argocd.controller.find('hydrated-dev')?.status.sourceHydrator;
      await eventually(async () => hydration()?.lastSuccessfulOperation?.drySHA === dry, {
        within: 10_000,
        what: 'the dry commit is hydrated',
      });
      const seen = told.world.argocd.requests.length;
      await eventually(async () => told.world.argocd.requests.length > seen + 4, { within: 10_000, what: 'looks' });
      expect(await told.world.changes()).toEqual([]);
    });
  });
});
