import { describe, expect, it } from 'vitest';
import {
  asStored,
  conditionOf,
  type KubernetesObject,
  type Spec,
} from '../../../examples/sandbox/kubernetes/objects.ts';
import type { JsonObject } from '../../../src/base/json.ts';
import { createGitRepository, eventually } from '../../support/argocd-world.ts';
import { hasFluxFixtures, readFluxFixture } from '../../support/flux-fixtures.ts';
import { recordedStories, sayConditions } from '../../support/flux-statuses.ts';
import {
  gitRepository,
  kustomization,
  NAMESPACE,
  object,
  ociRepository,
  startFluxWorld,
} from '../../support/flux-world.ts';

/** Fields of the types of Flux that the recorded objects happen not to fill. */
const ALSO_KNOWN = [
  'lastAppliedOriginRevision',
  'lastAttemptedConfigDigest',
  'lastAttemptedGeneration',
  'lastAttemptedRevisionDigest',
  'lastHandledReconcileAt',
];

describe.skipIf(!hasFluxFixtures())('the sandbox', () => {
  it.each<[string, 'Kustomization' | 'HelmRelease']>([
    ['flux-kustomization-status-ready.json', 'Kustomization'],
    ['flux-helmrelease-status-ready.json', 'HelmRelease'],
  ])('writes a status as it was recorded in %s', async (fixture, kind) => {
    const repository = createGitRepository();
    repository.commit('checkout:1.0.0');
    const chart = 'oci://registry.example.org/checkout';
    const flux = await startFluxWorld({
      manifests: [
        gitRepository('deploy', repository.path),
        kustomization('checkout', 'GitRepository/deploy'),
        ociRepository('chart', chart, '1.0.0'),
        object('HelmRelease', 'checkout', {
          chartRef: { kind: 'OCIRepository', name: 'chart' },
          test: { enable: true },
        }),
      ],
    });
    flux.registry.push(chart, '1.0.0', 'chart');
    try {
      const { status, apiVersion } = await eventually(async () => {
        const now = flux.store.get(kind, NAMESPACE, 'checkout');
        const ready = (now.status['conditions'] ?? []).find((one: { type: string }) => one.type === 'Ready');
        return /^(?:ReconciliationSucceeded|TestSucceeded)$/.test(ready?.reason) ? structuredClone(now) : undefined;
      });
      const recorded = readFluxFixture(fixture);
      expect(apiVersion).toBe(recorded.apiVersion);
      expect(fieldsOf(status).filter((field) => !fieldsOf(recorded.status).includes(field))).toEqual([]);
      const types = (conditions: { type: string }[]) => conditions.map(({ type }) => type).sort();
      expect(types(status['conditions'])).toEqual(types(recorded.status.conditions));
    } finally {
      await flux.close();
      repository.remove();
    }
  });
});

describe('the sandbox, held to what the controllers of Flux wrote', () => {
  it('shows no conditions together that Flux does not, and the moments between them too', async () => {
    const repository = createGitRepository();
    const first = repository.commit('checkout:1.0.0');
    const flux = await startFluxWorld({});
    const seen: KubernetesObject[] = [];
    flux.store.on('change', ({ object }) => void seen.push(object));
    const until = (name: string, reason: string, kind: 'Kustomization' | 'GitRepository' = 'Kustomization') =>
      eventually(
        async () => conditionOf(flux.store.get(kind, NAMESPACE, name), 'Ready')?.reason === reason || undefined,
      );
    const change = (kind: 'Kustomization' | 'GitRepository', name: string, spec: Spec) =>
      flux.store.patch(kind, NAMESPACE, name, { spec }, 'test');
    try {
      flux.store.apply(gitRepository('deploy', repository.path));
      flux.store.apply(kustomization('checkout', 'GitRepository/deploy'));
      await until('checkout', 'ReconciliationSucceeded');
      for (const [outcome, reason] of [
        ['build-failed', 'BuildFailed'],
        ['unhealthy', 'HealthCheckFailed'],
      ] as const) {
        flux.decide('checkout', repository.commit(`checkout:${outcome}`), outcome);
        await until('checkout', reason);
      }
      repository.commit('checkout:2.0.0');
      await until('checkout', 'ReconciliationSucceeded');
      change('Kustomization', 'checkout', { suspend: true });
      change('GitRepository', 'deploy', { ref: { commit: first } });
      await until('deploy', 'Succeeded', 'GitRepository');
      flux.decide('deploy', '9'.repeat(40), 'fetch-failed');
      change('GitRepository', 'deploy', { ref: { commit: '9'.repeat(40) } });
      await until('deploy', 'GitOperationFailed', 'GitRepository');
      change('GitRepository', 'deploy', { suspend: true });
      flux.store.apply(kustomization('later', 'GitRepository/deploy', { spec: { dependsOn: [{ name: 'nobody' }] } }));
      await until('later', 'DependencyNotReady');
    } finally {
      await flux.close();
      repository.remove();
    }
    const recorded = new Set(
      recordedStories().flatMap(({ steps }) => steps.map(({ object }) => sayConditions(object))),
    );
    const shown = new Set(seen.map((object) => sayConditions(asStored(object) as JsonObject)));
    expect([...shown].filter((one) => !recorded.has(one))).toEqual([]);
    const early = seen.filter(({ status }) => {
      const ready = status['conditions']?.find((one: { type: string }) => one.type === 'Ready');
      return (
        ready?.reason === 'ReconciliationSucceeded' && status['lastAppliedRevision'] !== status['lastAttemptedRevision']
      );
    });
    expect(early.length).toBeGreaterThan(0);
  });
});

/** `history.metadata.revision`; names of hooks are data. */
function fieldsOf(value: unknown, path: string[] = []): string[] {
  if (Array.isArray(value)) return [...new Set(value.flatMap((item) => fieldsOf(item, path)))];
  if (typeof value !== 'object' || value === null) return [path.join('.')];
  return [
    ...new Set(
      Object.entries(value)
        .filter(([key]) => !ALSO_KNOWN.includes(key))
        .flatMap(([key, inner]) => fieldsOf(inner, [...path, path.at(-1) === 'testHooks' ? '*' : key])),
    ),
  ];
}
