import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SandboxFlux } from '../../examples/sandbox/kubernetes/flux.ts';
import { createGitRepository } from '../support/argocd-world.ts';
import { gitRepository, kustomization, startFluxWorld } from '../support/flux-world.ts';
import { bearer, fluxEvent, type HttpWorld, startHttpWorld, TOKENS } from '../support/http-world.ts';
import { eventually } from '../support/lynceus.ts';

describe('a cluster that is listed once an hour', () => {
  const repository = createGitRepository();
  let flux: SandboxFlux;
  let world: HttpWorld;

  beforeAll(async () => {
    const first = repository.commit('checkout:1.0.0');
    const manifests = [gitRepository('checkout', repository.path), kustomization('checkout', 'GitRepository/checkout')];
    flux = await startFluxWorld({ manifests });
    // There is one list in this hour: what it does not find is not found.
    await fetched(first);
    world = await startHttpWorld({ flux: { kubeconfig: flux.kubeconfig }, env: { LYNCEUS_RECONCILE_EVERY: '1h' } });
    await eventually(async () => (await commits()).length === 1, { within: 20_000, what: 'the first look' });
  });
  afterAll(async () => {
    await world.stop();
    await flux.close();
    repository.remove();
  });

  /** Commits that Lynceus saw Git ask for, oldest first. */
  async function commits(): Promise<string[]> {
    const stream = encodeURIComponent('application/eu/shop/kustomization/checkout');
    const answer = await world.get(`/api/v1/events?stream=${stream}`, bearer(TOKENS.READER));
    const { events } = (await answer.json()) as { events: { data: { targetRevision: string } }[] };
    return events.map(({ data }) => data.targetRevision);
  }
  const tell = (event: object) => {
    const body = JSON.stringify(event);
    const signature = `sha256=${createHmac('sha256', TOKENS.FLUX_WEBHOOK).update(body).digest('hex')}`;
    return world.post('/webhooks/flux', body, { 'X-Signature': signature });
  };
  const fetched = (commit: string) =>
    eventually(async () => JSON.stringify(flux.store.get('GitRepository', 'shop', 'checkout')).includes(commit), {
      within: 10_000,
      what: 'Flux has fetched the commit',
    });

  it('is looked at as soon as Flux tells of an application', async () => {
    const commit = repository.commit('checkout:1.1.0');
    await fetched(commit);
    expect(await commits()).not.toContain(commit);
    expect((await tell(fluxEvent('checkout', { reason: 'Progressing' }))).status).toBe(202);
    await eventually(async () => (await commits()).at(-1) === commit, { within: 10_000, what: 'the look' });
  });

  it('is looked at as soon as Flux tells of a source', async () => {
    const commit = repository.commit('checkout:1.2.0');
    await fetched(commit);
    expect(await commits()).not.toContain(commit);
    const involvedObject = { kind: 'GitRepository', namespace: 'shop', name: 'checkout', uid: 'uid-of-the-source' };
    expect((await tell(fluxEvent('checkout', { involvedObject, reason: 'NewArtifact' }))).status).toBe(202);
    await eventually(async () => (await commits()).at(-1) === commit, { within: 20_000, what: 'the list' });
  });

  it('starts nothing for what Flux only says', async () => {
    const before = await commits();
    const lie = fluxEvent('checkout', { metadata: { revision: `main@sha1:${'f'.repeat(40)}` } });
    expect((await tell(lie)).status).toBe(202);
    expect((await tell(fluxEvent('nobody'))).status).toBe(202);
    await eventually(async () => world.logText().includes('cannot be read'), { within: 10_000, what: 'both looks' });
    expect(await commits()).toEqual(before);
  });
});
