import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SandboxFlux } from '../../../examples/sandbox/kubernetes/flux.ts';
import { KUSTOMIZATION } from '../../../src/adapters/delivery-systems/flux-kinds.ts';
import { createKubernetesApi, type KubernetesApi } from '../../../src/adapters/delivery-systems/kubernetes.ts';
import { kubernetesCredentials } from '../../../src/adapters/delivery-systems/kubernetes-credentials.ts';
import { failureOf } from '../../contracts/delivery-system.ts';
import { eventually } from '../../support/argocd-world.ts';
import { FLUX_TOKEN, kustomization, NAMESPACE, startFluxWorld } from '../../support/flux-world.ts';

const LIST = '/apis/kustomize.toolkit.fluxcd.io/v1/kustomizations';
const AT = { namespace: NAMESPACE, name: 'checkout' };
const MERGE_PATCH = 'application/merge-patch+json';

/** What kube-apiserver 1.36 with the schemas of Flux was seen to do (test/fixtures/flux/README.md). */
describe('the sandbox answers as the API server of Kubernetes does', () => {
  let flux: SandboxFlux;
  let api: KubernetesApi;
  beforeEach(async () => {
    const manifests = ['checkout', 'other', 'third'].map((name) => kustomization(name, 'GitRepository/none'));
    flux = await startFluxWorld({ manifests, bookmarkMs: 20 });
    const credentials = kubernetesCredentials('Flux main', { kubeconfig: { file: flux.kubeconfig } });
    api = createKubernetesApi({ name: 'Flux main', credentials, addresses: 'any' });
  });
  afterEach(() => flux.close());

  async function send(method: string, path: string, body?: unknown, type = MERGE_PATCH) {
    const response = await fetch(flux.url + path, {
      method,
      headers: { Authorization: `Bearer ${FLUX_TOKEN}`, 'Content-Type': type },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, text, type: response.headers.get('content-type') };
  }
  const patch = (body: unknown, type?: string) =>
    send('PATCH', `/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/${NAMESPACE}/kustomizations/checkout`, body, type);

  it('drops fields that no schema knows, and the status, without a word', async () => {
    const before = await api.get(KUSTOMIZATION, AT);
    const { status } = await patch({ extra: { a: 1 }, status: { lastAppliedRevision: 'main@sha1:1' } });
    expect(status).toBe(200);
    const after = await api.get(KUSTOMIZATION, AT);
    expect(after).not.toHaveProperty('extra');
    expect(after['status']).not.toHaveProperty('lastAppliedRevision');
    expect(after['metadata']).toMatchObject({ generation: (before['metadata'] as { generation: number }).generation });
  });

  it('makes no version of a change that changes nothing, and has no empty annotations', async () => {
    await patch({ metadata: { annotations: { a: 'b' } } });
    const once = await api.get(KUSTOMIZATION, AT);
    await patch({ metadata: { annotations: { a: 'b' } } });
    expect((await api.get(KUSTOMIZATION, AT))['metadata']).toEqual(once['metadata']);
    await patch({ metadata: { annotations: { a: null } } });
    expect((await api.get(KUSTOMIZATION, AT))['metadata']).not.toHaveProperty('annotations');
  });

  it('refuses annotations of more than 256 KiB, which is no lost lock', async () => {
    const read = await api.get(KUSTOMIZATION, AT);
    const long = { metadata: { annotations: { 'lynceus.dev/release': 'x'.repeat(262_144) } } };
    expect(await failureOf(api.patch(KUSTOMIZATION, read, long))).toMatchObject({
      reason: 'rejected',
      message: expect.stringContaining('Too long'),
    });
  });

  it('takes a merge patch with a character set, and no strategic one', async () => {
    const body = { metadata: { annotations: { a: 'b' } } };
    expect((await patch(body, `${MERGE_PATCH}; charset=utf-8`)).status).toBe(200);
    expect((await patch(body, 'application/strategic-merge-patch+json')).status).toBe(415);
  });

  it('counts what is left of a list only without a selector', async () => {
    const all = JSON.parse((await send('GET', `${LIST}?limit=1`)).text) as { metadata: object };
    const some = JSON.parse((await send('GET', `${LIST}?limit=1&labelSelector=lynceus.dev/service`)).text) as {
      metadata: object;
    };
    expect(all.metadata).toMatchObject({ continue: expect.any(String), remainingItemCount: 2 });
    expect(some.metadata).toHaveProperty('continue');
    expect(some.metadata).not.toHaveProperty('remainingItemCount');
  });

  it('answers for groups that it does not have in plain text, which means that there are none', async () => {
    const kind = { ...KUSTOMIZATION, version: 'v9' };
    expect(await send('GET', '/apis/kustomize.toolkit.fluxcd.io/v9/kustomizations')).toMatchObject({
      status: 404,
      text: '404 page not found\n',
    });
    expect(await api.list(kind, {})).toBeUndefined();
  });

  it('tells a watch with a selector what comes into its sight and what leaves it, and bookmarks only what moved', async () => {
    const stop = new AbortController();
    const seen: string[] = [];
    const { resourceVersion = '' } = (await api.list(KUSTOMIZATION, {})) ?? {};
    const watching = (async () => {
      for await (const { type } of api.watch(KUSTOMIZATION, { labelSelector: 'team' }, resourceVersion, stop.signal)) {
        if (type !== seen.at(-1)) seen.push(type);
      }
    })();
    await eventually(() => flux.requests.find(({ query }) => query['watch']) && true);
    await patch({ metadata: { labels: { team: 'a' } } });
    await eventually(() => (seen.includes('ADDED') ? true : undefined));
    await patch({ metadata: { labels: { team: 'b' } } });
    await patch({ metadata: { labels: { team: null } } });
    await eventually(() => (seen.includes('DELETED') ? true : undefined));
    await eventually(() => (seen.at(-1) === 'BOOKMARK' ? true : undefined));
    stop.abort();
    await watching;
    expect(seen.filter((type) => type !== 'BOOKMARK')).toEqual(['ADDED', 'MODIFIED', 'DELETED']);
  });
});
