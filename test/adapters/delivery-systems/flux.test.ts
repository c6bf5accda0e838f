import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { kubeconfigText, type SandboxFlux } from '../../../examples/sandbox/kubernetes/flux.ts';
import { type DeliverySystemWorld, deliverySystemContract } from '../../contracts/delivery-system.ts';
import { createGitRepository } from '../../support/argocd-world.ts';
import {
  createFlux,
  FLUX_TOKEN,
  gatedBySource,
  NAMESPACE,
  patchProblems,
  startFluxWorld,
} from '../../support/flux-world.ts';

/** Every world of this file: all patches of all of them are held to the rules at the end. */
const worlds: SandboxFlux[] = [];
const folder = mkdtempSync(join(tmpdir(), 'lynceus-flux-'));
const nobody = join(folder, 'nobody');
writeFileSync(nobody, kubeconfigText('http://127.0.0.1:1', FLUX_TOKEN));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

deliverySystemContract('Flux', async (): Promise<DeliverySystemWorld> => {
  const repository = createGitRepository();
  repository.commit('checkout:1.0.0');
  const flux = await startFluxWorld({ manifests: gatedBySource(repository.path) });
  worlds.push(flux);
  let version = 0;
  const system = createFlux(flux.kubeconfig);
  await system.read({ namespace: NAMESPACE, name: 'kustomization/checkout' }, { refresh: true });
  return {
    system,
    impatient: createFlux(flux.kubeconfig, { timeout: '200ms' }),
    unreachable: createFlux(nobody),
    secret: FLUX_TOKEN,
    knowsAuthors: false,
    application: { namespace: NAMESPACE, name: 'kustomization/checkout', systemProject: '' },
    commit: async () => {
      version += 1;
      const commit = repository.commit(`checkout:1.1.${version}`);
      return commit;
    },
    answerNext: (status, contentType, text) =>
      flux.faults.next({ effect: { kind: 'answer', status, contentType, text } }),
    echoNext: () =>
      flux.faults.next({ effect: { kind: 'answer', status: 400, message: `bad token ${FLUX_TOKEN} in request` } }),
    hangNext: () => flux.faults.next({ effect: { kind: 'hang' } }),
    resetNext: () => flux.faults.next({ effect: { kind: 'reset' } }),
    changes: () => flux.requests.filter(({ method }) => method !== 'GET').length,
    close: async () => {
      await flux.close();
      repository.remove();
    },
  };
});

describe('what Lynceus writes to the Kubernetes API', () => {
  it('is always a merge patch under its own field manager, locked to the version that was read', () => {
    expect(
      worlds.flatMap(({ requests }) => requests.filter(({ method }) => method === 'PATCH')).length,
    ).toBeGreaterThan(10);
    expect(worlds.flatMap(patchProblems)).toEqual([]);
  });
});
