import { afterEach, describe, expect, it } from 'vitest';
import type { SandboxFlux } from '../../../examples/sandbox/kubernetes/flux.ts';
import type { Manifest, Spec } from '../../../examples/sandbox/kubernetes/objects.ts';
import type { Kind } from '../../../examples/sandbox/kubernetes/store.ts';
import { createFlux, kustomization, NAMESPACE, object, startFluxWorld } from '../../support/flux-world.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const pod = (...images: string[]): Spec => ({
  template: { spec: { containers: images.map((image, at) => ({ name: `c${at}`, image })) } },
});
const idOf = (kind: string, name: string, namespace = NAMESPACE) => `${namespace}_${name}_apps_${kind}`;
const SUSPENDED = { spec: { suspend: true } };
const INSTALLED = { 'helm.toolkit.fluxcd.io/name': 'shop', 'helm.toolkit.fluxcd.io/namespace': NAMESPACE };

let world: SandboxFlux | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

/** A cluster where the object has this inventory; its controllers leave it alone. */
async function start(manifests: Manifest[], ids: readonly string[] | undefined, forbidden: string[] = []) {
  world = await startFluxWorld({ manifests, forbidden });
  const [first] = manifests;
  const subject = world.store.get(first?.kind as Kind, NAMESPACE, first?.metadata.name ?? '');
  if (ids)
    world.store.saveStatus(
      { ...subject, status: { inventory: { entries: ids.map((id) => ({ id, v: 'v1' })) } } },
      'test',
    );
  return world;
}

function ask({ kubeconfig }: SandboxFlux, name: string, config = {}) {
  const ref = { system: 'main', namespace: NAMESPACE, name, uid: '', systemProject: '' };
  return createFlux(kubeconfig, config).images?.(ref);
}

describe('the images that Flux applied', () => {
  it('are those of the workloads in the inventory of a Kustomization, each asked for once', async () => {
    const cluster = await start(
      [
        kustomization('checkout', 'GitRepository/deploy', SUSPENDED),
        object('Deployment', 'web', pod(`acme/web:1.8.2@${DIGEST}`, 'acme/proxy:3')),
        object('StatefulSet', 'db', {
          template: { spec: { initContainers: [{ image: 'acme/migrate:2' }], containers: [{}] } },
        }),
        object('Deployment', 'other', pod('acme/other:1')),
      ],
      [
        idOf('Deployment', 'web'),
        idOf('StatefulSet', 'db'),
        `${NAMESPACE}_web__Service`,
        `${NAMESPACE}_a_b_apps_Deployment`,
        'x',
      ],
    );
    expect(await ask(cluster, 'kustomization/checkout')).toEqual([
      'acme/migrate:2',
      'acme/proxy:3',
      `acme/web:1.8.2@${DIGEST}`,
    ]);
    expect(cluster.requests.filter(({ path }) => path.includes('/apis/apps/'))).toHaveLength(2);
  });

  it('are those that carry the label of a HelmRelease, which lists nothing', async () => {
    const release = object('HelmRelease', 'shop', { suspend: true, targetNamespace: 'web' });
    const workload = (name: string, labels: Record<string, string>) =>
      object('DaemonSet', name, pod(`acme/${name}:1`), { namespace: 'web', labels });
    const cluster = await start([release, workload('own', INSTALLED), workload('theirs', {})], undefined);
    expect(await ask(cluster, 'helmrelease/shop')).toEqual(['acme/own:1']);
  });

  it.each([
    ['where the right is missing', {}, [idOf('Deployment', 'web')], ['get deployments'], {}, 'forbidden'],
    ['in another cluster', { kubeConfig: { secretRef: { name: 'k' } } }, [], [], {}, 'rejected'],
    [
      'in a namespace that is not ours',
      {},
      [idOf('Deployment', 'web', 'other')],
      [],
      { namespaces: [NAMESPACE] },
      'rejected',
    ],
    [
      'of more workloads than are asked',
      {},
      Array.from({ length: 21 }, (_, at) => idOf('Deployment', `web-${at}`)),
      [],
      {},
      'rejected',
    ],
    ['that went away meanwhile', {}, [idOf('Deployment', 'gone')], [], {}, 'not-found'],
  ] as const)('are not told %s', async (_where, spec, ids, forbidden, config, reason) => {
    const subject = kustomization('checkout', 'GitRepository/deploy', { spec: { ...SUSPENDED.spec, ...spec } });
    const cluster = await start([subject, object('Deployment', 'web', pod('acme/web:1'))], ids, [...forbidden]);
    await expect(ask(cluster, 'kustomization/checkout', config)).rejects.toMatchObject({ reason });
  });

  it('are a warning of the diagnosis where they cannot be told, with what to apply', async () => {
    const { kubeconfig } = await startFluxWorld({ forbidden: ['list daemonsets'] }).then((one) => (world = one));
    const findings = (await createFlux(kubeconfig).diagnose?.()) ?? [];
    expect(findings.filter(({ level }) => level !== 'ok')).toMatchObject([
      {
        level: 'warning',
        check: 'can-i workloads',
        sentence: 'may not list daemonsets in all namespaces: which images a change brings is not told',
        remedy: expect.stringContaining('flux-alerts/rbac.yaml'),
      },
    ]);
  });
});
