import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { kubeconfigText, type SandboxFlux } from '../../../examples/sandbox/kubernetes/flux.ts';
import type { Finding } from '../../../src/events/finding.ts';
import { LABELS } from '../../support/argocd-world.ts';
import {
  createFlux,
  FLUX_TOKEN,
  gitRepository,
  kustomization,
  NAMESPACE,
  object,
  startFluxWorld,
} from '../../support/flux-world.ts';

const folder = mkdtempSync(join(tmpdir(), 'lynceus-flux-diagnosis-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let world: SandboxFlux | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

const start = async (options: Parameters<typeof startFluxWorld>[0] = {}) => {
  world = await startFluxWorld({ manifests: [], ...options });
  return world;
};
const diagnose = (kubeconfig: string, config = {}): Promise<Finding[]> =>
  createFlux(kubeconfig, config).diagnose?.() ?? Promise.resolve([]);
const bad = (findings: readonly Finding[]) => findings.filter(({ level }) => level !== 'ok');

describe('the diagnosis of Flux', () => {
  it('finds all rights and kinds in order, and changes nothing', async () => {
    const { kubeconfig, requests } = await start();
    const findings = await diagnose(kubeconfig);
    expect(bad(findings)).toEqual([]);
    expect(findings.map(({ check }) => check)).toEqual([
      'address',
      'can-i kustomizations',
      'can-i helmreleases',
      'can-i gitrepositories',
      'can-i ocirepositories',
      'can-i workloads',
      'kind kustomizations',
      'kind helmreleases',
      'kind gitrepositories',
      'kind ocirepositories',
    ]);
    const reviews = requests.filter(({ method }) => method !== 'GET');
    expect(reviews).toHaveLength(22);
    for (const { path } of reviews) expect(path).toMatch(/\/selfsubjectaccessreviews$/);
  });

  it.each(['get', 'list', 'watch'])('says that RBAC denies to %s, and what to apply', async (verb) => {
    const { kubeconfig } = await start({ forbidden: [`${verb} kustomizations`] });
    expect(bad(await diagnose(kubeconfig))).toEqual([
      {
        level: 'problem',
        check: `can-i ${verb} kustomizations`,
        sentence: `may not ${verb} kustomizations in all namespaces`,
        remedy: expect.stringContaining('flux-alerts/rbac.yaml'),
      },
    ]);
  });

  it('takes a missing right to release for a problem only where something is gated', async () => {
    const gates = [{ 'lynceus.dev/gate': 'source' }, {}].map((annotations) =>
      kustomization('checkout', 'GitRepository/deploy', { annotations }),
    );
    for (const [at, level] of ['problem', 'warning'].entries()) {
      const { kubeconfig, close } = await start({
        forbidden: ['patch kustomizations'],
        manifests: gates.slice(at, at + 1),
      });
      expect(bad(await diagnose(kubeconfig))).toMatchObject([
        {
          level,
          check: 'can-i patch kustomizations',
          sentence: 'may not patch kustomizations in all namespaces',
          remedy: expect.stringContaining('flux-alerts/rbac.yaml'),
        },
      ]);
      await close();
      world = undefined;
    }
  });

  it('names the namespaces in which a right is missing, though not all of many', async () => {
    const { kubeconfig } = await start({ forbidden: ['patch helmreleases'] });
    const [finding] = bad(await diagnose(kubeconfig, { namespaces: ['a', 'b', 'c', 'd', 'e'] }));
    expect(finding?.sentence).toBe('may not patch helmreleases in a, b, c and 2 more namespaces');
  });

  it('tells a token that is not taken from an address where nobody is', async () => {
    const { url } = await start();
    const [stranger, nobody] = [join(folder, 'stranger'), join(folder, 'nobody')];
    writeFileSync(stranger, kubeconfigText(url, 'token-of-a-stranger-7d1e'));
    writeFileSync(nobody, kubeconfigText('http://127.0.0.1:1', FLUX_TOKEN));
    const refused = await diagnose(stranger);
    expect(refused).toMatchObject([
      { level: 'problem', check: 'address', remedy: expect.stringContaining('kubeconfig') },
    ]);
    expect(JSON.stringify(refused)).not.toContain('token-of-a-stranger-7d1e');
    expect(await diagnose(nobody)).toMatchObject([{ level: 'problem', remedy: expect.stringContaining('it runs') }]);
  });

  it('lets a cluster live without Helm, but not without anything that applies', async () => {
    const { kubeconfig, faults } = await start();
    const missing = (path: string) =>
      faults.next({ method: 'GET', path, effect: { kind: 'answer', status: 404, contentType: 'application/json' } });
    missing('/helmreleases');
    expect(bad(await diagnose(kubeconfig))).toMatchObject([{ level: 'warning', check: 'kind helmreleases' }]);
    missing('/helmreleases');
    missing('/kustomizations');
    expect(bad(await diagnose(kubeconfig))).toMatchObject([
      { level: 'problem', check: 'kind kustomizations' },
      { level: 'problem', check: 'kind helmreleases' },
    ]);
  });
});

describe('what carries labels of ours in Flux', () => {
  it('is found whatever of them is missing, each once', async () => {
    const { kubeconfig } = await start({
      manifests: [
        gitRepository('checkout', 'https://git.example.com/shop/checkout'),
        kustomization('whole', 'GitRepository/checkout'),
        kustomization('half', 'GitRepository/checkout', { labels: { 'lynceus.dev/stage': 'dev' } }),
        kustomization('none', 'GitRepository/checkout', { labels: {} }),
        object('HelmRelease', 'chart', { interval: '10m' }, { labels: { 'lynceus.dev/project': 'shop' } }),
      ],
    });
    const labelled = (await createFlux(kubeconfig).labelled?.()) ?? [];
    expect(labelled.map(({ name }) => name).sort()).toEqual([
      'helmrelease/chart',
      'kustomization/half',
      'kustomization/whole',
    ]);
    expect(labelled.find(({ name }) => name === 'kustomization/whole')).toMatchObject({
      namespace: NAMESPACE,
      project: { name: 'lynceus.dev/project', value: LABELS['lynceus.dev/project'] },
      resource: 'kustomization.kustomize.toolkit.fluxcd.io/whole',
    });
  });
});
