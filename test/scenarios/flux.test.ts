import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Manifest } from '../../examples/sandbox/kubernetes/objects.ts';
import {
  automaticStage,
  deliveryOf,
  dependencyGatedStage,
  fluxStory,
  labelsOf,
  sourceGatedStage,
} from '../support/flux-story.ts';
import { eventually } from '../support/lynceus.ts';
import { isOver, last, waitsAt } from '../support/story.ts';

const LIMIT = { timeout: 120_000 };
const BOTH = ['kustomization/checkout-dev', 'kustomization/checkout-production'];

const [OLD, NEW] = [`sha256:${'a'.repeat(64)}`, `sha256:${'b'.repeat(64)}`];
const workload = (version: string, digest: string) => `apiVersion: apps/v1
kind: Deployment
metadata: {name: checkout, namespace: shop}
spec: {template: {spec: {containers: [{name: web, image: "acme/checkout:${version}@${digest}"}]}}}
`;
const web = (version: string, digest: string) => ({
  files: { 'web.yaml': workload(version, digest) },
  branch: 'stage/dev',
  message: `Web ${version}`,
});

describe.concurrent('Flux that applies by itself', () => {
  it('is verified without any event, and the change is promoted to the branch of the next stage', LIMIT, async () => {
    const delivery = deliveryOf({
      dev: 'sync: automatic\n      promotion: {onPass: automatic}',
      production: 'sync: automatic',
    });
    await fluxStory(
      {
        delivery,
        applications: BOTH,
        manifests: (repository) => [...automaticStage('dev', repository), ...automaticStage('production', repository)],
      },
      async (told) => {
        const commit = told.release(1);
        const dev = await told.stage(commit, 'dev', isOver, 'is verified');
        expect(dev).toMatchObject({ result: 'pass' });
        expect(dev.tasks.map(({ name }) => name)).toEqual(['plan', 'sync', 'rollout', 'promotion']);
        const production = await told.stage(commit, 'production', isOver, 'is promoted and verified');
        expect(production).toMatchObject({ result: 'pass' });
        expect(told.repository.sha('stage/production')).toBe(told.applied('checkout-production').at(-1));
      },
    );
  });

  it('is followed by watching it, where nothing else would tell', LIMIT, async () => {
    await fluxStory(
      {
        delivery: deliveryOf({ dev: 'sync: automatic', production: 'sync: automatic' }),
        applications: ['kustomization/checkout-dev'],
        manifests: (repository) => automaticStage('dev', repository),
        files: { 'web.yaml': workload('1.0', OLD) },
        system: ', watch: true',
        env: { LYNCEUS_RECONCILE_EVERY: '1h' },
      },
      async (told) => {
        const brought = told.repository.commit(web('1.1', NEW));
        const stage = await told.stage(brought, 'dev', isOver, 'is verified');
        expect(stage).toMatchObject({
          result: 'pass',
          tasks: [{}, {}, { data: { images: [`acme/checkout:1.1@${NEW}`] } }],
        });
        // An edit of something else: the images are those that ran before.
        const edited = told.release(1);
        expect(await told.stage(edited, 'dev', isOver, 'is verified')).toMatchObject({ result: 'pass' });
        await eventually(async () => (await told.row(edited))?.kind === 'config', {
          within: 5_000,
          what: 'it is told as an edit of configuration',
          otherwise: () => told.row(edited),
        });
        expect((await told.row(brought))?.kind).not.toBe('config');
      },
    );
  });

  it(
    'is not taken for an edit of configuration when it is seen late, with its images running already',
    LIMIT,
    async () => {
      await fluxStory(
        {
          delivery: deliveryOf({ dev: 'sync: automatic', production: 'sync: automatic' }),
          applications: ['kustomization/checkout-dev'],
          manifests: (repository) => automaticStage('dev', repository),
          files: { 'web.yaml': workload('1.0', OLD) },
          timing: { healthMs: 1_500 },
        },
        async (told) => {
          for (const [version, digest] of [
            ['1.1', NEW],
            ['1.2', OLD],
          ] as const) {
            const brought = told.repository.commit(web(version, digest));
            const stage = await told.stage(brought, 'dev', isOver, 'is verified');
            expect(stage).toMatchObject({
              tasks: [{}, {}, { data: { images: [`acme/checkout:${version}@${digest}`] } }],
            });
            const row = await eventually(() => told.row(brought), { within: 5_000, what: 'it is listed' });
            expect(row.kind).toBe('code');
          }
        },
      );
    },
  );

  it('fails the stage when what it applied does not become healthy', LIMIT, async () => {
    await fluxStory(
      {
        delivery: deliveryOf({ dev: 'sync: automatic', production: 'sync: automatic' }),
        applications: ['kustomization/checkout-dev'],
        manifests: (repository) => automaticStage('dev', repository),
      },
      async (told) => {
        told.flux.decide('checkout-dev', '', 'unhealthy');
        const over = await told.stage(told.release(1), 'dev', isOver, 'fails');
        expect(over).toMatchObject({ result: 'fail', message: expect.stringContaining('HealthCheckFailed') });
      },
    );
  });

  it('is not taken for rolled out where it does not wait for health, unless the team accepts that', LIMIT, async () => {
    const delivery = deliveryOf({ dev: 'sync: automatic', production: 'sync: automatic' });
    await fluxStory(
      {
        delivery,
        applications: BOTH,
        manifests: (repository) => [
          ...automaticStage('dev', repository, { wait: false }),
          ...automaticStage('production', repository, { wait: false }, { 'lynceus.dev/health': 'applied' }),
        ],
      },
      async (told) => {
        const open = told.release(1);
        const words = /applied, but Flux does not wait for health/;
        await told.stage(open, 'dev', (view) => words.test(last(view).waitingFor?.sentence ?? ''), 'waits for health');
        const accepted = told.release(1, 'production');
        expect(await told.stage(accepted, 'production', isOver, 'is accepted')).toMatchObject({ result: 'pass' });
      },
    );
  });
});

describe.concurrent('Flux held by its source', () => {
  const delivery = deliveryOf({
    dev: 'sync: automatic',
    production: 'sync: gated\n      approval: {quorum: 1}',
  });
  const world = {
    delivery,
    applications: ['kustomization/checkout-production'],
    manifests: (repository: Parameters<typeof sourceGatedStage>[1]) => sourceGatedStage('production', repository),
  };

  it('applies nothing before the change may go, and then exactly the gated commit, once', LIMIT, async () => {
    await fluxStory(world, async (told) => {
      const [before] = told.applied('checkout-production');
      const commit = told.release(1, 'production');
      await told.stage(commit, 'production', waitsAt('approval'), 'waits for a person');
      expect(told.applied('checkout-production')).toEqual([before]);
      await told.decide(commit, 'production', 'approve');
      const over = await told.stage(commit, 'production', isOver, 'is released');
      expect(over).toMatchObject({ result: 'pass' });
      expect(told.applied('checkout-production')).toEqual([before, commit]);
      const pins = told.flux.requests.filter(({ method, body }) => method === 'PATCH' && body.includes('"commit"'));
      expect(pins).toHaveLength(1);
    });
  });

  it('does not apply a commit that came between the gate and the release', LIMIT, async () => {
    await fluxStory(
      {
        ...world,
        delivery: deliveryOf({ dev: 'sync: automatic', production: 'sync: gated' }),
        timing: { pollMs: 400 },
      },
      async (told) => {
        const before = told.repository.sha('stage/production');
        const gated = told.release(1, 'production');
        await told.stage(
          gated,
          'production',
          ({ tasks }) => tasks.some(({ name }) => name === 'sync'),
          'is at its sync',
        );
        const later = told.release(2, 'production');
        await eventually(async () => told.applied('checkout-production').includes(gated), {
          within: 20_000,
          what: 'the gated commit is applied',
        });
        expect(told.applied('checkout-production').slice(0, 2)).toEqual([before, gated]);
        expect(later).not.toBe(gated);
      },
    );
  });

  it('knows its release again when the answer to it was lost, and asks for no second one', LIMIT, async () => {
    await fluxStory(
      { ...world, delivery: deliveryOf({ dev: 'sync: automatic', production: 'sync: gated' }) },
      async (told) => {
        const path = 'gitrepositories/production-gated';
        told.flux.faults.next({ method: 'PATCH', path, effect: { kind: 'apply-then-fail', status: 0 } });
        const commit = told.release(1, 'production');
        expect(await told.stage(commit, 'production', isOver, 'is released')).toMatchObject({ result: 'pass' });
        const patches = told.flux.requests.filter((one) => one.method === 'PATCH' && one.path.endsWith(path));
        expect(patches.map(({ fault }) => fault)).toEqual(['apply-then-fail']);
      },
    );
  });

  it('says that nothing is held where Flux applies by itself', LIMIT, async () => {
    await fluxStory(
      {
        delivery: deliveryOf({ dev: 'sync: gated', production: 'sync: gated' }),
        applications: ['kustomization/checkout-dev'],
        manifests: (repository) => automaticStage('dev', repository),
      },
      async (told) => {
        const over = await told.stage(told.release(1), 'dev', isOver, 'is refused');
        expect(over).toMatchObject({
          result: 'fail',
          message: expect.stringMatching(/^Flux .*by itself.*lynceus\.dev\/gate/),
        });
      },
    );
  });

  it('fails the stage when somebody puts the pin back, and says what to take out of Git', LIMIT, async () => {
    await fluxStory(world, async (told) => {
      const before = told.repository.sha('stage/production') ?? '';
      const commit = told.release(1, 'production');
      await told.stage(commit, 'production', waitsAt('approval'), 'waits for a person');
      told.flux.decide('production-gated', commit, 'fetch-failed');
      await told.decide(commit, 'production', 'approve');
      const pin = () => told.flux.store.get('GitRepository', 'shop', 'production-gated').spec['ref'].commit;
      await eventually(async () => pin() === commit, { within: 10_000, what: 'the commit is pinned' });
      const spec = { ref: { branch: 'stage/production', commit: before } };
      told.flux.store.apply(
        { kind: 'GitRepository', metadata: { name: 'production-gated', namespace: 'shop' }, spec },
        'kustomize-controller',
      );
      const over = await told.stage(commit, 'production', isOver, 'notices');
      expect(over).toMatchObject({ result: 'fail', message: expect.stringContaining('take spec.ref.commit') });
    });
  });

  it('takes its pin back when a person aborts the change', LIMIT, async () => {
    await fluxStory(
      {
        ...world,
        delivery: deliveryOf({ dev: 'sync: automatic', production: 'sync: gated' }),
        timing: { fetchMs: 3_000 },
      },
      async (told) => {
        const before = told.repository.sha('stage/production') ?? '';
        const commit = told.release(1, 'production');
        const pin = () => told.flux.store.get('GitRepository', 'shop', 'production-gated').spec['ref'].commit;
        await eventually(async () => pin() === commit, { within: 10_000, what: 'the commit is pinned' });
        await told.decide(commit, 'production', 'abort');
        expect(await told.stage(commit, 'production', isOver, 'is aborted')).toMatchObject({ reason: 'aborted' });
        await eventually(async () => pin() === before, { within: 10_000, what: 'the pin is taken back' });
        expect(told.applied('checkout-production')).not.toContain(commit);
      },
    );
  });
});

describe.concurrent('Flux held by a dependency', () => {
  it('opens for one reconciliation and is closed again by it', LIMIT, async () => {
    await fluxStory(
      {
        delivery: deliveryOf({ dev: 'sync: automatic', production: 'sync: gated' }),
        applications: [],
        manifests: (repository) => dependencyGatedStage('production', repository),
      },
      async (told) => {
        const first = told.repository.sha('stage/production') ?? '';
        expect(await told.stage(first, 'production', isOver, 'is released')).toMatchObject({ result: 'pass' });
        const commit = told.release(1, 'production');
        expect(await told.stage(commit, 'production', isOver, 'is released')).toMatchObject({ result: 'pass' });
        expect(told.applied('checkout-production')).toEqual([first, commit]);
        // Nobody released this one: no delivery is asked for while Lynceus is told to wait.
        const object = () => told.flux.store.get('Kustomization', 'shop', 'checkout-production');
        told.flux.store.patch(
          'Kustomization',
          'shop',
          'checkout-production',
          { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': 'by hand' } } },
          'flux',
        );
        await eventually(async () => JSON.stringify(object().status['conditions']).includes('DependencyNotReady'), {
          within: 10_000,
          what: 'the gate is closed',
        });
      },
    );
  });
});

describe.concurrent('a HelmRelease', () => {
  const chart = (version: string, spec = '') =>
    `apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: checkout
  namespace: shop
  labels: ${JSON.stringify(labelsOf('dev'))}
spec:
  interval: 10m
  chart: {spec: {chart: checkout, version: "${version}", sourceRef: {kind: HelmRepository, name: charts}}}
${spec}`;
  const world = (spec: string) => ({
    delivery: deliveryOf({ dev: 'sync: automatic', production: 'sync: automatic' }),
    applications: ['helmrelease/checkout'],
    files: { 'release.yaml': chart('1.0.0', spec) },
    manifests: (repository: Parameters<typeof automaticStage>[1]) => {
      const [source, owner] = automaticStage('dev', repository, { wait: false });
      return [source, { ...owner, metadata: { ...owner?.metadata, labels: {} } }] as ReturnType<typeof automaticStage>;
    },
  });

  it('is told by the commit that holds it and by its chart, values included', LIMIT, async () => {
    await fluxStory(world(''), async (told) => {
      const values = { 'release.yaml': chart('1.0.0', '  values: {replicas: 3}') };
      const commit = told.repository.commit({ branch: 'stage/dev', files: values, message: 'Three of them' });
      expect(await told.stage(commit, 'dev', isOver, 'is verified')).toMatchObject({ result: 'pass' });
      const [release] = told.flux.store.get('HelmRelease', 'shop', 'checkout').status['history'];
      expect(release).toMatchObject({ version: 2, chartVersion: '1.0.0', status: 'deployed' });
    });
  });

  it('that upgraded and was then rolled back by its own remediation is a failure', LIMIT, async () => {
    const spec = '  test: {enable: true}\n  upgrade: {remediation: {retries: 1}}';
    await fluxStory(world(spec), async (told) => {
      told.flux.decide('checkout', '2.0.0', 'test-failed');
      const files = { 'release.yaml': chart('2.0.0', spec) };
      const commit = told.repository.commit({ branch: 'stage/dev', files, message: 'Two' });
      const over = await told.stage(commit, 'dev', isOver, 'fails');
      expect(over).toMatchObject({ result: 'fail', message: expect.stringContaining('its own remediation') });
      const conditions = JSON.stringify(told.flux.store.get('HelmRelease', 'shop', 'checkout').status['conditions']);
      expect(conditions).toContain('UpgradeSucceeded');
    });
  });

  it(
    'that comes after one that was rolled back is no failure, though what was rolled back is still told',
    LIMIT,
    async () => {
      const spec = '  upgrade: {remediation: {retries: 1}}';
      await fluxStory(world(spec), async (told) => {
        told.flux.decide('checkout', '2.0.0', 'upgrade-failed');
        const put = (version: string) => {
          const files = { 'release.yaml': chart(version, spec) };
          return told.repository.commit({ branch: 'stage/dev', files, message: `Use ${version}` });
        };
        expect(await told.stage(put('2.0.0'), 'dev', isOver, 'fails')).toMatchObject({ result: 'fail' });
        expect(await told.stage(put('2.0.1'), 'dev', isOver, 'is verified')).toMatchObject({ result: 'pass' });
      });
    },
  );

  const alone = {
    delivery: deliveryOf({ dev: 'sync: automatic', production: 'sync: automatic' }),
    applications: ['helmrelease/checkout'],
    manifests: () => [parse(chart('1.0.0')) as Manifest],
  };

  it('that nobody applies from Git has no files: its health is verified, and that is said', LIMIT, async () => {
    await fluxStory(alone, async (told) => {
      const spec = { chart: { spec: { version: '1.1.0' } } };
      told.flux.store.patch('HelmRelease', 'shop', 'checkout', { spec }, 'kubectl');
      const over = await told.stage('1.1.0', 'dev', isOver, 'is verified');
      expect(over.result).toBe('pass');
      expect(over.tasks[0]?.message).toBe(
        'none of its sources is in Git, so there is no delivery.yaml: only health is verified',
      );
      expect(over.tasks.map(({ name }) => name)).toEqual(['plan', 'sync', 'rollout']);
    });
  });

  it('whose annotation names a file where there is no Git is not verified as if there were none', LIMIT, async () => {
    const [release] = alone.manifests();
    const annotations = { 'lynceus.dev/delivery': 'ops/delivery.yaml' };
    const manifests = () => (release ? [{ ...release, metadata: { ...release.metadata, annotations } }] : []);
    await fluxStory({ ...alone, manifests }, async (told) => {
      const spec = { chart: { spec: { version: '1.1.0' } } };
      told.flux.store.patch('HelmRelease', 'shop', 'checkout', { spec }, 'kubectl');
      const over = await told.stage('1.1.0', 'dev', isOver, 'ends');
      expect(over).toMatchObject({ result: 'fail', message: expect.stringContaining('none of its sources is in Git') });
    });
  });

  it('whose test failed is a failure', LIMIT, async () => {
    const spec = '  test: {enable: true}';
    await fluxStory(world(spec), async (told) => {
      told.flux.decide('checkout', '2.0.0', 'test-failed');
      const files = { 'release.yaml': chart('2.0.0', spec) };
      const commit = told.repository.commit({ branch: 'stage/dev', files, message: 'Two' });
      const over = await told.stage(commit, 'dev', isOver, 'fails');
      expect(over).toMatchObject({ result: 'fail', message: expect.stringMatching(/Failed to upgrade|test failed/i) });
    });
  });
});
