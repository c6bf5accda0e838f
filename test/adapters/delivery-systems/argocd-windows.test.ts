import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SandboxArgoCd, SandboxOptions } from '../../../examples/sandbox/argocd/server.ts';
import { readWindows } from '../../../src/adapters/delivery-systems/argocd-windows.ts';
import { AdapterError } from '../../../src/base/adapter-error.ts';
import type { ApplicationRef } from '../../../src/events/application.ts';
import type { SyncWindows } from '../../../src/events/sync-windows.ts';
import { hasArgoCdFixtures, readFixture } from '../../support/argocd-fixtures.ts';
import { createArgoCd, createGitRepository, type GitRepository, startArgoCdWorld } from '../../support/argocd-world.ts';

const REF: ApplicationRef = {
  system: 'main',
  namespace: 'argocd',
  name: 'checkout',
  uid: 'u',
  systemProject: 'payments',
};
const NIGHT = { kind: 'deny', schedule: '0 22 * * *', duration: '1h', manualSync: false } as const;

let repository: GitRepository;
let sandbox: SandboxArgoCd;
beforeEach(() => {
  repository = createGitRepository();
  repository.commit('checkout:1.0.0');
});
afterEach(async () => {
  await sandbox?.close();
  repository.remove();
});

async function windowsWith(
  windows: Parameters<SandboxArgoCd['controller']['setWindows']>[1],
  at: string,
  options: Partial<SandboxOptions> = {},
): Promise<SyncWindows | undefined> {
  sandbox = await startArgoCdWorld({ repository, ...options });
  sandbox.controller.clock = () => new Date(at);
  sandbox.controller.setWindows('payments', windows);
  return createArgoCd(sandbox.url).windows?.(REF);
}

describe('the sync windows of an application', () => {
  it('come with the time zone and the description that only the AppProject knows', async () => {
    const freeze = { ...NIGHT, applications: ['check*'], timeZone: 'Europe/Vienna', description: 'weekend freeze' };
    expect(await windowsWith([freeze], '2026-11-21T21:30:00Z')).toEqual({
      open: false,
      owner: 'AppProject payments',
      windows: [{ ...NIGHT, active: true, timeZone: 'Europe/Vienna', description: 'weekend freeze' }],
    });
  });

  it('are only those that concern it, and none is no obstacle', async () => {
    expect(await windowsWith([{ ...NIGHT, applications: ['other-*'] }], '2026-11-21T22:30:00Z')).toEqual({
      open: true,
      owner: 'AppProject payments',
      windows: [],
    });
  });

  it('are read without time zone where the token may not read the project: then nobody knows when they open', async () => {
    const told = await windowsWith([{ ...NIGHT, applications: ['*'] }], '2026-11-21T22:30:00Z', {
      hiddenProjects: ['payments'],
    });
    expect(told).toMatchObject({ open: false, windows: [{ active: true }] });
    expect(told?.windows[0]).not.toHaveProperty('timeZone');
  });

  it('have no time zone where two windows that look alike differ in theirs', async () => {
    const alike = [
      { ...NIGHT, namespaces: ['checkout'], timeZone: 'Europe/Vienna' },
      { ...NIGHT, clusters: ['*'], timeZone: 'Asia/Tokyo' },
    ];
    const told = await windowsWith(alike, '2026-11-21T21:30:00Z');
    expect(told?.windows.map(({ timeZone }) => timeZone)).toEqual([undefined, undefined]);
  });

  it('that look alike are told apart by the names of the applications they are for', async () => {
    const alike = [
      { ...NIGHT, applications: ['checkout'], timeZone: 'Europe/Vienna' },
      { ...NIGHT, applications: ['basket'], timeZone: 'Asia/Tokyo' },
    ];
    expect((await windowsWith(alike, '2026-11-21T21:30:00Z'))?.windows).toMatchObject([{ timeZone: 'Europe/Vienna' }]);
  });
});

describe('an answer about windows', () => {
  const answering = (windows: unknown, project: unknown = {}) =>
    readWindows(async ({ path }) => (path.endsWith('/syncwindows') ? windows : project), REF, {});

  it.runIf(hasArgoCdFixtures())('of Argo CD as recorded: active, but open for a sync that we ask for', async () => {
    expect(await answering(readFixture('argocd-api-syncwindows.json'))).toMatchObject({
      open: true,
      windows: [{ kind: 'deny', active: true, manualSync: true }],
    });
  });

  it.each([[null], ['no'], [{}], [{ canSync: 'yes' }]])(
    'that does not say whether a sync may start is no yes: %j',
    async (answer) => {
      await expect(answering(answer)).rejects.toMatchObject({ reason: 'bad-response' });
    },
  );

  it('full of nonsense harms nobody', async () => {
    const windows = {
      canSync: false,
      assignedWindows: [7, null, {}, { kind: 'maybe' }, { kind: 'deny', schedule: 5 }],
    };
    const hostile = {
      spec: { syncWindows: [{ kind: 'deny', applications: ['*'.repeat(1_000), '(a+)+$', 5], timeZone: 3 }] },
    };
    expect(await answering(windows, hostile)).toMatchObject({
      open: false,
      windows: [{ kind: 'deny', schedule: '', duration: '', active: false }],
    });
  });

  it('about the project that cannot be had because of an outage is waited for', async () => {
    const ask = async ({ path }: { path: string }) => {
      if (path.endsWith('/syncwindows')) return { canSync: true, assignedWindows: [NIGHT] };
      throw new AdapterError('unavailable', 'down');
    };
    await expect(readWindows(ask, REF, {})).rejects.toMatchObject({ reason: 'unavailable' });
  });
});
