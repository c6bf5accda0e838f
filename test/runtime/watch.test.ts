import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toApplication } from '../../src/adapters/delivery-systems/argocd-application.ts';
import type { ApplicationHint, DeliverySystem } from '../../src/adapters/delivery-systems/delivery-system.ts';
import { fingerprint } from '../../src/engine/observe.ts';
import type { Application } from '../../src/events/application.ts';
import type { Log } from '../../src/runtime/log.ts';
import { watchApplications } from '../../src/runtime/watch.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';

const PLACE = { project: 'shop', stage: 'staging', service: 'checkout' };
const log = { info: () => undefined } as unknown as Log;

describe('the stream of applications', () => {
  let folder: string;
  let store: Store;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'lynceus-watch-'));
    store = await openStore({ dataDir: folder });
    const ref = { ...application().ref };
    const data = { ref, fingerprint: fingerprint(application()) };
    const row = { kind: 'application', id: 'main/argocd/checkout', version: 1, ...PLACE };
    await store.commit({ documents: [{ ...row, status: 'seen', sort: 1, data }] });
  });
  afterEach(async () => {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('asks for no look at an application that is as it was last seen', async () => {
    const compared = application({ reconciledAt: '2026-03-02T12:00:00Z' });
    expect(await looksAskedBy(hintOf(application()), hintOf(compared))).toEqual([]);
  });

  it.each<[string, object]>([
    ['follows another commit', { sync: { status: 'OutOfSync', revision: 'b'.repeat(40) } }],
    ['has another health', { health: { status: 'Degraded', lastTransitionTime: '2026-03-02T12:00:00Z' } }],
    ['is being synced', { operationState: { phase: 'Running', startedAt: '2026-03-02T12:00:00Z' } }],
  ])('asks for a look at one that %s', async (_, status) => {
    expect(await looksAskedBy(hintOf(application(status)))).toEqual(['main/argocd/checkout']);
  });

  it('asks for a look at one that was never seen, or of which nothing is told', async () => {
    const [unknown, bare] = [hintOf(application({}, 'cart')), { namespace: 'argocd', name: 'checkout' }];
    expect(await looksAskedBy(unknown)).toEqual(['main/argocd/cart']);
    expect(await looksAskedBy(bare)).toEqual(['main/argocd/checkout']);
  });

  async function looksAskedBy(...hints: ApplicationHint[]): Promise<string[]> {
    const stop = new AbortController();
    const system = {
      name: 'main',
      async *watch() {
        yield* hints;
        stop.abort();
      },
    } as unknown as DeliverySystem;
    await watchApplications({ store, log }, [system], stop.signal);
    return (await store.claim({ limit: 10, leaseMs: 60_000 })).map(({ key }) => key);
  }
});

function application(status: object = {}, name = 'checkout'): Application {
  const raw = {
    metadata: { name, namespace: 'argocd', uid: 'u-1' },
    status: {
      sync: { status: 'Synced', revision: 'a'.repeat(40) },
      health: { status: 'Healthy', lastTransitionTime: '2026-03-02T10:00:00Z' },
      reconciledAt: '2026-03-02T10:00:00Z',
      ...status,
    },
  };
  const context = {
    system: 'main',
    url: 'https://argocd',
    labelPrefix: 'lynceus.dev',
    controlPlaneNamespace: 'argocd',
  };
  return toApplication(raw, context);
}

function hintOf(one: Application): ApplicationHint {
  return { namespace: one.ref.namespace, name: one.ref.name, application: one };
}
