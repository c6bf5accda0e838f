import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { DeliverySystem } from '../../src/adapters/delivery-systems/delivery-system.ts';
import { AdapterError } from '../../src/base/adapter-error.ts';
import type { Operation } from '../../src/events/application.ts';
import { createSyncingCommitFinder } from '../../src/runtime/syncing-commit.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { COMMIT } from '../support/sequence.ts';

const PLACE = { project: 'shop', stage: 'production', service: 'checkout' };
let folder: string;
let store: Store;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lynceus-syncing-'));
  store = await openStore({ dataDir: folder });
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

async function seen(...systems: string[]): Promise<void> {
  await store.commit({
    documents: systems.map((system) => ({
      kind: 'application',
      id: `${system}/argocd/checkout`,
      version: 1,
      ...PLACE,
      status: 'seen',
      sort: 1,
      data: {
        ref: { system, namespace: 'argocd', name: 'checkout', uid: 'u', systemProject: 'payments' },
        fingerprint: '',
      },
    })),
  });
}

const asking = (operation: Partial<Operation> | AdapterError | undefined, which: object = { app: 'checkout' }) =>
  createSyncingCommitFinder(
    store,
    () =>
      ({
        read: async () => {
          if (operation instanceof AdapterError) throw operation;
          return { operation };
        },
      }) as unknown as DeliverySystem,
  )(PLACE, which, 1_000);

it('the commit of a running sync is known, and the application is looked at at once', async () => {
  await seen('main');
  expect(await asking({ phase: 'Running', revision: COMMIT })).toEqual({ revision: COMMIT });
  const jobs = await store.claim({ queues: ['observe'], leaseMs: 1_000, limit: 1 });
  expect(jobs).toMatchObject([{ payload: { system: 'main', namespace: 'argocd', name: 'checkout' } }]);
});

it.each([
  ['nothing runs', undefined, 'Argo CD is not syncing checkout right now'],
  ['it is over', { phase: 'Succeeded' as const, revision: COMMIT }, 'Argo CD is not syncing checkout right now'],
  [
    'it is not resolved yet',
    { phase: 'Running' as const },
    'Argo CD has not said yet which commit of checkout it syncs',
  ],
  ['Argo CD is away', new AdapterError('unavailable', 'down'), 'Which commit is being synced is not known: down'],
])('it is not known, and that is said, when %s', async (_, operation, why) => {
  await seen('main');
  expect(await asking(operation)).toEqual({ why });
});

it('it is not known of a name that nobody has, or that several clusters share', async () => {
  expect(await asking(undefined)).toEqual({ why: 'No application is known of the name checkout' });
  await seen('eu', 'us');
  expect(await asking({ phase: 'Running', revision: COMMIT })).toEqual({
    why: '2 applications are called checkout: name the commit',
  });
  expect(await asking(undefined, { app: 'checkout', namespace: 'elsewhere' })).toHaveProperty('why');
});
