import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SandboxFlux } from '../../../examples/sandbox/kubernetes/flux.ts';
import type { Manifest } from '../../../examples/sandbox/kubernetes/objects.ts';
import type { DeliverySystem } from '../../../src/adapters/delivery-systems/delivery-system.ts';
import type { Application } from '../../../src/events/application.ts';
import { createGitRepository, eventually, type GitRepository } from '../../support/argocd-world.ts';
import {
  createFlux,
  gatedByDependency,
  gatedBySource,
  gitRepository,
  kustomization,
  manifestsOfDocs,
  NAMESPACE,
  object,
  ociRepository,
  patchProblems,
  startFluxWorld,
} from '../../support/flux-world.ts';

const CHECKOUT = { namespace: NAMESPACE, name: 'kustomization/checkout' };

describe('Flux and its quirks', () => {
  let repository: GitRepository;
  let flux: SandboxFlux;
  let system: DeliverySystem;

  beforeEach(() => {
    repository = createGitRepository();
    repository.commit('checkout:1.0.0');
  });
  afterEach(async () => {
    expect(patchProblems(flux)).toEqual([]);
    await flux.close();
    repository.remove();
  });

  async function start(
    manifests: readonly Manifest[],
    config: Record<string, unknown> = {},
    options = {},
  ): Promise<void> {
    flux = await startFluxWorld({ manifests, ...options });
    system = createFlux(flux.kubeconfig, config);
  }

  async function until(isSo: (seen: Application) => boolean): Promise<Application> {
    return eventually(async () => {
      const seen = await system.read(CHECKOUT);
      return isSo(seen) ? seen : undefined;
    });
  }

  const gated = () => flux.store.get('GitRepository', NAMESPACE, 'checkout-gated');
  const ask = (revision: string, more = {}) => ({ revision, prune: false, infos: { task: 't-1' }, ...more });

  it('tells the same in a list as when it is read', async () => {
    await start(gatedBySource(repository.path));
    await until(({ targetRevision }) => targetRevision !== undefined);
    expect(await system.list()).toEqual([await system.read(CHECKOUT)]);
  });

  it('reads long lists page by page, and anew when a page is no longer known', async () => {
    const many = Array.from({ length: 520 }, (_, at) =>
      gitRepository(`other-${at}`, repository.path, 'main', { suspend: true }),
    );
    await start([...many, ...gatedBySource(repository.path)]);
    expect(await system.list()).toHaveLength(1);
    const pages = () => flux.requests.filter(({ query }) => query['continue'] !== undefined);
    expect(pages()).toHaveLength(1);
    flux.faults.next({ method: 'GET', path: 'gitrepositories', effect: { kind: 'answer', status: 410 } });
    expect(await system.list()).toHaveLength(1);
  });

  it('asks for one list per kind in a cycle, whatever there is', async () => {
    await start(gatedBySource(repository.path));
    const before = flux.requests.length;
    await system.list();
    expect(flux.requests.slice(before).map(({ method, path }) => `${method} ${path.split('/').at(-1)}`)).toEqual([
      'GET kustomizations',
      'GET helmreleases',
      'GET gitrepositories',
      'GET ocirepositories',
    ]);
  });

  it('looks nowhere but in its namespaces', async () => {
    const elsewhere = kustomization('cart', 'GitRepository/checkout');
    elsewhere.metadata.namespace = 'other';
    await start([...gatedBySource(repository.path), elsewhere], { namespaces: [NAMESPACE] });
    expect((await system.list()).map(({ ref }) => ref.namespace)).toEqual([NAMESPACE]);
    expect(flux.requests.every(({ path }) => path.includes(`/namespaces/${NAMESPACE}/`))).toBe(true);
  });

  it('does without a controller that is not installed, but not without any', async () => {
    await start(gatedBySource(repository.path));
    const missing = (plural: string) =>
      flux.faults.next({ method: 'GET', path: plural, effect: { kind: 'answer', status: 404 } });
    missing('helmreleases');
    expect(await system.list()).toHaveLength(1);
    missing('helmreleases');
    missing('kustomizations');
    await expect(system.list()).rejects.toMatchObject({
      reason: 'not-found',
      message: expect.stringMatching(/is not installed/),
    });
  });

  it('says which right is missing, and where to get it', async () => {
    await start(gatedBySource(repository.path), {}, { forbidden: ['list gitrepositories'] });
    await expect(system.list()).rejects.toMatchObject({
      reason: 'forbidden',
      message: expect.stringMatching(/cannot list resource "gitrepositories".*flux-alerts/),
    });
  });

  it('lets one of two releases through', async () => {
    await start(gatedBySource(repository.path));
    const revision = repository.commit('checkout:1.1.0');
    const other = repository.commit('checkout:1.2.0');
    const { ref } = await system.read(CHECKOUT);
    const both = await Promise.allSettled([system.sync(ref, ask(revision)), system.sync(ref, ask(other))]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(both.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { reason: 'conflict' } });
    const ended = await until(({ operation }) => operation?.phase === 'Succeeded');
    expect(ended.operation?.revision).toBe(both[0].status === 'fulfilled' ? revision : other);
  });

  it('does not give up because a controller wrote the status in between', async () => {
    await start(gatedBySource(repository.path));
    const revision = repository.commit('checkout:1.1.0');
    const { ref } = await system.read(CHECKOUT);
    flux.faults.next({
      method: 'PATCH',
      effect: { kind: 'answer', status: 409, message: 'the object has been modified' },
    });
    await system.sync(ref, ask(revision));
    expect(gated().spec['ref'].commit).toBe(revision);
  });

  it('pins and tells of it in one patch', async () => {
    await start(gatedBySource(repository.path));
    const revision = repository.commit('checkout:1.1.0');
    const { ref } = await system.read(CHECKOUT);
    await system.sync(ref, ask(revision));
    const [patch, ...others] = flux.requests
      .filter(({ method }) => method === 'PATCH')
      .map(({ body }) => JSON.parse(body));
    expect(others).toEqual([]);
    expect(patch).toMatchObject({ spec: { suspend: false, ref: { commit: revision } } });
    expect(JSON.parse(patch.metadata.annotations['lynceus.dev/release'])).toMatchObject({
      application: 'shop/kustomization/checkout',
      revision,
      infos: { task: 't-1' },
      before: null,
    });
    expect(gated().metadata.managedFields.map(({ manager }) => manager)).toContain('lynceus');
  });

  it('releases a commit again that the source has fetched already', async () => {
    await start(gatedBySource(repository.path));
    const revision = repository.commit('checkout:1.1.0');
    const { ref } = await system.read(CHECKOUT);
    flux.decide('checkout', revision, 'unhealthy');
    await system.sync(ref, ask(revision));
    await until(({ operation }) => operation?.phase === 'Failed');
    flux.decide('checkout', revision, 'applied');
    await system.sync(ref, ask(revision, { infos: { task: 't-2' } }));
    const ended = await until(({ operation }) => operation?.phase === 'Succeeded');
    expect(ended.operation).toMatchObject({ revision, infos: { task: 't-2' } });
  });

  it('holds a source that was never pinned before by suspending it again', async () => {
    await start(gatedBySource(repository.path), {}, { timing: { fetchMs: 1_000 } });
    const revision = repository.commit('checkout:1.1.0');
    const { ref } = await system.read(CHECKOUT);
    await system.sync(ref, ask(revision));
    await system.terminate(ref);
    expect(gated().spec).toMatchObject({ suspend: true, ref: { branch: 'main' } });
    expect(gated().spec['ref'].commit).toBeUndefined();
    expect((await system.read(CHECKOUT)).operation).toMatchObject({ phase: 'Failed', infos: { task: 't-1' } });
  });

  it.each<[string, (manifests: Manifest[]) => void, RegExp]>([
    ['is suspended', (all) => Object.assign(all[2]?.spec ?? {}, { suspend: true }), /is suspended; resume it first/],
    ['is not gated', (all) => Object.assign(all[2]?.metadata ?? {}, { annotations: {} }), /is not held by a gate/],
    [
      'has a gate that holds nothing',
      (all) => Object.assign(all[1]?.spec ?? {}, { suspend: false }),
      /neither pinned nor suspended/,
    ],
  ])('releases nothing that %s', async (_, change, words) => {
    const manifests = gatedBySource(repository.path);
    change(manifests);
    await start(manifests);
    const revision = repository.commit('checkout:1.1.0');
    const { ref } = await system.read(CHECKOUT);
    await eventually(async () => ((await system.read(CHECKOUT)).operation?.phase === 'Running' ? undefined : true));
    await expect(system.sync(ref, ask(revision))).rejects.toMatchObject({ reason: 'rejected', message: words });
    expect(flux.requests.filter(({ method }) => method === 'PATCH')).toEqual([]);
  });

  it('refuses what Flux cannot do for a single sync', async () => {
    await start(gatedBySource(repository.path));
    const { ref } = await system.read(CHECKOUT);
    const policy = { retry: { limit: 3 } };
    await expect(system.sync(ref, ask(repository.commit('a'), { policy }))).rejects.toMatchObject({
      reason: 'rejected',
    });
  });

  it('opens no dependency for a commit that the source has moved on from', async () => {
    await start(gatedByDependency(repository.path));
    const gone = repository.commit('checkout:1.1.0');
    const now = repository.commit('checkout:1.2.0');
    const seen = await until(({ targetRevision }) => targetRevision === now);
    await expect(system.sync(seen.ref, ask(gone))).rejects.toMatchObject({
      reason: 'rejected',
      message: expect.stringMatching(/moved on/),
    });
    await system.sync(seen.ref, ask(now));
    expect((await until(({ operation }) => operation?.phase === 'Succeeded')).operation).toMatchObject({
      revision: now,
      infos: { task: 't-1' },
    });
  });

  it('closes the dependency when it is terminated', async () => {
    await start(gatedByDependency(repository.path), {}, { timing: { applyMs: 1_500 } });
    const seen = await until(({ targetRevision }) => targetRevision !== undefined);
    await system.sync(seen.ref, ask(seen.targetRevision ?? ''));
    await system.terminate(seen.ref);
    const gate = flux.store.get('Kustomization', NAMESPACE, 'checkout-gate');
    expect(gate.metadata.annotations['lynceus.dev/open']).toBeUndefined();
    expect((await system.read(CHECKOUT)).operation?.phase).toBe('Failed');
  });

  it('pins an artifact by its digest, and knows the commit that it was made of', async () => {
    const url = 'oci://registry.example.org/checkout';
    const annotations = { 'lynceus.dev/gate': 'source', 'lynceus.dev/follows': 'OCIRepository/checkout' };
    await start([
      ociRepository('checkout', url),
      ociRepository('checkout-gated', url, 'latest', { suspend: true }),
      kustomization('checkout', 'OCIRepository/checkout-gated', { annotations }),
    ]);
    const commit = repository.commit('checkout:1.1.0');
    const digest = flux.registry.push(url, 'latest', 'one', { repoUrl: repository.path, commit });
    const seen = await until(({ targetRevision }) => targetRevision === commit);
    expect(seen).toMatchObject({ targetRevisions: [commit, digest], source: { repoUrl: repository.path } });
    flux.registry.push(url, 'latest', 'two', { repoUrl: repository.path, commit: repository.commit('checkout:1.2.0') });
    await system.sync(seen.ref, ask(commit, { revisions: [commit, digest] }));
    const ended = await until(({ operation }) => operation?.phase === 'Succeeded');
    expect(ended.operation).toMatchObject({ revision: commit, revisions: [commit, digest] });
    expect(flux.store.get('OCIRepository', NAMESPACE, 'checkout-gated').spec['ref']).toMatchObject({ digest });
  });

  it('releases the chart of a HelmRelease by its digest', async () => {
    const url = 'oci://registry.example.org/charts/checkout';
    const ref = { namespace: NAMESPACE, name: 'helmrelease/checkout' };
    const annotations = { 'lynceus.dev/gate': 'source', 'lynceus.dev/follows': 'OCIRepository/chart' };
    await start([
      ociRepository('chart', url, '1.0.0'),
      ociRepository('chart-gated', url, '1.0.0', { suspend: true }),
      object('HelmRelease', 'checkout', { chartRef: { kind: 'OCIRepository', name: 'chart-gated' } }, { annotations }),
    ]);
    const digest = flux.registry.push(url, '1.0.0', 'chart');
    const seen = await eventually(async () => {
      const now = await system.read(ref);
      return now.targetRevision === digest ? now : undefined;
    });
    await system.sync(seen.ref, ask(digest));
    const ended = await eventually(async () => {
      const now = await system.read(ref);
      return now.operation?.phase === 'Succeeded' ? now : undefined;
    });
    expect(ended).toMatchObject({ operation: { revision: digest, infos: { task: 't-1' } }, syncStatus: 'Synced' });
  });

  it('hints at an application when the source that it follows moves', async () => {
    await start(gatedBySource(repository.path));
    await until(({ targetRevision }) => targetRevision !== undefined);
    const hints = hintsOf(system);
    await eventually(() => (hints.seen.length > 0 ? true : undefined));
    const before = hints.seen.length;
    repository.commit('checkout:1.1.0');
    await eventually(() => (hints.seen.length > before ? true : undefined));
    await hints.stop();
    expect(new Set(hints.seen)).toEqual(new Set(['kustomization/checkout']));
  });

  it('hints at an application that loses its label or is deleted, and not at what it stood on after that', async () => {
    const release = object('HelmRelease', 'chart', { interval: '10m' }, { labels: { 'lynceus.dev/service': 'chart' } });
    await start([...gatedBySource(repository.path), release]);
    await until(({ targetRevision }) => targetRevision !== undefined);
    const hints = hintsOf(system);
    const both = ['kustomization/checkout', 'helmrelease/chart'];
    await eventually(() => (both.every((name) => hints.seen.includes(name)) ? true : undefined));
    const without = { metadata: { labels: { 'lynceus.dev/service': null } } };
    // Only what carries the label is watched of the one, everything of the other.
    for (const [kind, name] of [
      ['HelmRelease', 'helmrelease/chart'],
      ['Kustomization', 'kustomization/checkout'],
    ] as const) {
      const seen = hints.seen.length;
      flux.store.patch(kind, NAMESPACE, name.split('/')[1] ?? '', without, 'kubectl');
      await eventually(() => (hints.seen.slice(seen).includes(name) ? true : undefined));
    }
    const gone = hints.seen.length;
    repository.commit('checkout:1.2.0');
    flux.store.apply(kustomization('other', 'GitRepository/checkout'));
    await eventually(() => (hints.seen.includes('kustomization/other') ? true : undefined));
    expect(hints.seen.slice(gone)).not.toContain('kustomization/checkout');
    const seen = hints.seen.length;
    flux.store.remove('Kustomization', NAMESPACE, 'other');
    await eventually(() => (hints.seen.slice(seen).includes('kustomization/other') ? true : undefined));
    await expect(system.read({ namespace: NAMESPACE, name: 'kustomization/other' })).rejects.toThrow('not found');
    await hints.stop();
  });

  it('goes on watching after a restart of the server and when it has forgotten what was', async () => {
    await start(gatedBySource(repository.path), {}, { bookmarkMs: 20 });
    const hints = hintsOf(system);
    const watches = () => flux.requests.filter(({ query }) => query['watch'] !== undefined).length;
    await eventually(() => (watches() === 4 ? true : undefined));
    const lists = () => flux.requests.filter(({ query }) => query['limit'] !== undefined).length;
    const before = lists();
    flux.endWatches();
    await eventually(() => (watches() === 8 ? true : undefined));
    expect(lists()).toBe(before);
    flux.faults.next({ path: 'gitrepositories', effect: { kind: 'answer', status: 410 } });
    flux.endWatches();
    await eventually(() => (lists() > before ? true : undefined));
    const seen = hints.seen.length;
    repository.commit('checkout:1.3.0');
    await eventually(() => (hints.seen.length > seen ? true : undefined));
    await hints.stop();
  });

  it('takes the manifests of the documentation as they are', async () => {
    const shown = manifestsOfDocs().map((manifest) => {
      const { spec } = manifest;
      return spec['url'] === undefined ? manifest : { ...manifest, spec: { ...spec, url: repository.path } };
    });
    await start(shown.slice(0, 3));
    repository.commit('checkout:1.1.0', 'stage/production');
    const seen = await until(({ targetRevision }) => targetRevision !== undefined);
    expect(seen).toMatchObject({ automated: false, held: 'its source is suspended', conditions: [] });
    await system.sync(seen.ref, ask(seen.targetRevision ?? ''));
    expect((await until(({ operation }) => operation?.phase === 'Succeeded')).health.status).toBe('Healthy');
  });
});

function hintsOf(system: DeliverySystem): { seen: string[]; stop(): Promise<void> } {
  const stop = new AbortController();
  const seen: string[] = [];
  const running = (async () => {
    for await (const { name } of system.watch({ signal: stop.signal })) seen.push(name);
  })();
  return {
    seen,
    async stop() {
      stop.abort();
      await running;
    },
  };
}
