import { describe, expect, it } from 'vitest';
import { createGitRepository, eventually } from '../../support/argocd-world.ts';
import { hasFluxFixtures, readFluxFixture } from '../../support/flux-fixtures.ts';
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
