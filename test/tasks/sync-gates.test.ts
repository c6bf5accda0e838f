import { describe, expect, it } from 'vitest';
import type { ApplicationResource, DeliverySystem } from '../../src/adapters/delivery-systems/delivery-system.ts';
import { AdapterError, type FailureReason } from '../../src/base/adapter-error.ts';
import type { Application, Operation } from '../../src/events/application.ts';
import type { SyncWindow } from '../../src/events/sync-windows.ts';
import { sync } from '../../src/tasks/sync.ts';
import { COMMIT, step } from '../support/sequence.ts';
import { look } from '../support/task-look.ts';

const OTHER = '1'.repeat(40);
const INTENDED = { intents: { 'main/argocd/checkout': '2026-03-02T10:00:30Z' } };
const automatic = step('sync', { mode: 'automatic' });

function application(changes: Partial<Application> = {}): Application {
  const source = { repoUrl: 'r', path: '.', targetRevision: 'main' };
  return {
    ref: { system: 'main', namespace: 'argocd', name: 'checkout', uid: 'u1', systemProject: 'payments' },
    annotations: {},
    source,
    sources: [source],
    automated: false,
    targetRevision: COMMIT,
    syncStatus: 'OutOfSync',
    health: { status: 'Healthy' },
    history: [],
    images: [],
    conditions: [],
    ...changes,
  };
}

/** Argo CD gave up on it before this task began, at 10:00. */
const denied: Operation = {
  phase: 'Failed',
  startedAt: '2026-03-02T09:40:00Z',
  finishedAt: '2026-03-02T09:55:00Z',
  revision: COMMIT,
  infos: {},
  dryRun: false,
  partial: false,
  retrying: false,
  automated: true,
  failedHooks: ['lynceus-gate'],
  message: 'one or more synchronization tasks completed unsuccessfully (retried 5 times).',
};
const held = (changes: Partial<Operation> = {}): Application =>
  application({
    automated: true,
    operation: {
      ...denied,
      phase: 'Running',
      failedHooks: [],
      message: 'waiting for completion of hook batch/Job/lynceus-gate',
      ...changes,
    },
  });

describe('a sync that was denied at the gate', () => {
  const stuck = (changes: Partial<Operation> = {}) =>
    application({ automated: true, operation: { ...denied, ...changes } });

  it('is started by us with the target, because auto-sync takes nothing else', async () => {
    expect((await look(sync, stuck(), { step: automatic })).outcome).toMatchObject({ kind: 'waiting' });
    const { syncs } = await look(sync, stuck(), { step: automatic, memo: INTENDED });
    expect(syncs).toMatchObject([{ revision: 'main' }]);
  });

  it.each<[string, Partial<Operation>]>([
    ['at a hook of the team', { failedHooks: ['migrate'] }],
    ['at the gate and at a hook of the team', { failedHooks: ['lynceus-gate', 'migrate'] }],
    ['at a hook that only sounds like it', { failedHooks: ['lynceus-gatekeeper'] }],
    ['at no hook', { failedHooks: [] }],
    ['after the gate was open', { startedAt: '2026-03-02T10:00:10Z' }],
  ])('but not one that failed %s', async (_, changes) => {
    const { outcome, syncs } = await look(sync, stuck(changes), { step: automatic, memo: INTENDED });
    expect(outcome).toMatchObject({ kind: 'finished', result: 'fail' });
    expect(syncs).toEqual([]);
  });

  it('is left alone when Git asks for a newer commit by now, or for none that is known', async () => {
    const newer = await look(sync, { ...stuck(), targetRevision: OTHER }, { step: automatic, memo: INTENDED });
    expect(newer.outcome).toMatchObject({ kind: 'finished', status: 'aborted' });
    const { targetRevision: _, ...unresolved } = stuck();
    const unknown = await look(sync, unresolved, { step: automatic, memo: INTENDED });
    expect(unknown.outcome).toMatchObject({ kind: 'waiting' });
    expect([...newer.syncs, ...unknown.syncs]).toEqual([]);
  });
});

describe('a suspended Job that holds a sync', () => {
  const latch: ApplicationResource = {
    group: 'batch',
    version: 'v1',
    kind: 'Job',
    namespace: 'checkout',
    name: 'lynceus-gate',
    health: { status: 'Suspended' },
  };
  const withResources = (resources: ApplicationResource[]) => {
    const acted: string[] = [];
    const system: Partial<DeliverySystem> = {
      resources: async () => resources,
      act: async (_ref, { name }, action) => void acted.push(`${action} ${name}`),
    };
    return { system, acted };
  };

  it('is not resumed while the line is stopped', async () => {
    const { system, acted } = withResources([latch]);
    const stops = [{ id: 'a', at: '2026-03-02T09:00:00Z', actor: 'ada', reason: 'INC-42' }];
    const { outcome } = await look(sync, held(), { step: automatic, system, stops });
    expect(outcome).toMatchObject({ blocker: { kind: 'stopped' } });
    expect(acted).toEqual([]);
  });

  it('is resumed when the gate is open', async () => {
    const { system, acted } = withResources([latch]);
    const { outcome } = await look(sync, held(), { step: automatic, system });
    expect(outcome).toMatchObject({ blocker: { sentence: 'the gate is open: Job lynceus-gate was resumed' } });
    expect(acted).toEqual(['resume lynceus-gate']);
  });

  const { revision: _, ...unresolved } = denied;
  it.each<[string, Application, ApplicationResource]>([
    ['holds another commit', held({ revision: OTHER }), latch],
    [
      'holds one that is not known',
      application({ operation: { ...unresolved, phase: 'Running', message: 'waiting for lynceus-gate' } }),
      latch,
    ],
    ['is somebody else’s', held(), { ...latch, name: 'lynceus-gatekeeper' }],
    ['is no Job', held(), { ...latch, kind: 'CronJob' }],
    ['runs already', held(), { ...latch, health: { status: 'Progressing' } }],
    ['is not what is waited for', held({ message: 'waiting for completion of hook batch/Job/migrate' }), latch],
    ['belongs to a sync that is being ended', held({ phase: 'Terminating' }), latch],
  ])('is not touched when it %s', async (_what, app, resource) => {
    const { system, acted } = withResources([resource]);
    await look(sync, app, { step: automatic, system });
    expect(acted).toEqual([]);
  });
});

describe('the windows of Argo CD', () => {
  const night: SyncWindow = {
    kind: 'deny',
    schedule: '0 10 * * *',
    duration: '2h',
    manualSync: false,
    timeZone: 'UTC',
    active: true,
  };
  const windows = (open: boolean, ...all: SyncWindow[]): { system: Partial<DeliverySystem> } => ({
    system: { windows: async () => ({ open, windows: all, owner: 'AppProject payments' }) },
  });

  it('keep a sync waiting until they open', async () => {
    const { outcome, syncs } = await look(sync, application(), windows(false, night));
    expect(outcome).toMatchObject({
      blocker: {
        kind: 'window',
        sentence: 'an Argo CD sync window is closed until Mon 12:00 (deny daily 10:00, AppProject payments)',
        until: '2026-03-02T12:00:00.000Z',
      },
      askAgainMs: 60_000,
    });
    expect(syncs).toEqual([]);
  });

  it('are asked again right when they open', async () => {
    const now = '2026-03-02T11:59:50Z';
    expect((await look(sync, application(), { ...windows(false, night), now })).outcome).toMatchObject({
      askAgainMs: 11_000,
    });
  });

  it('that our reckoning does not agree with say nothing of when they open', async () => {
    const { outcome } = await look(sync, application(), windows(false, { ...night, schedule: '0 22 * * *' }));
    expect(outcome).toMatchObject({ blocker: { kind: 'window' }, askAgainMs: 15_000 });
    expect(outcome).not.toHaveProperty('blocker.until');
  });

  it.each<FailureReason>(['forbidden', 'not-found', 'rejected', 'bad-response'])(
    'that cannot be read (%s) are left to Argo CD, which obeys them anyway',
    async (reason) => {
      const system: Partial<DeliverySystem> = {
        windows: async () => {
          throw new AdapterError(reason, 'no');
        },
      };
      expect((await look(sync, application(), { system, memo: INTENDED })).syncs).toHaveLength(1);
      expect((await look(sync, application(), { system })).outcome).toMatchObject({
        blocker: { sentence: 'about to sync' },
      });
    },
  );

  it('are waited for during an outage', async () => {
    const system: Partial<DeliverySystem> = {
      windows: async () => {
        throw new AdapterError('unavailable', 'down');
      },
    };
    await expect(look(sync, application(), { system })).rejects.toMatchObject({ reason: 'unavailable' });
  });

  it('that stop a sync in its back-off are named, whoever began it', async () => {
    const stopped = held({
      message: 'Sync operation blocked by sync window',
      retrying: true,
      finishedAt: '2026-03-02T09:59:00Z',
    });
    expect((await look(sync, stopped, { step: automatic, ...windows(true, night) })).outcome).toMatchObject({
      blocker: { kind: 'window', until: '2026-03-02T12:00:00.000Z' },
    });
  });

  it('that hold auto-sync leave the sync to us, by the target; without one nothing is gated', async () => {
    const lenient = { ...night, manualSync: true };
    const auto = application({ automated: true });
    expect((await look(sync, auto, { ...windows(true, lenient), memo: INTENDED })).syncs).toMatchObject([
      { revision: 'main' },
    ]);
    expect((await look(sync, auto, { ...windows(true), memo: INTENDED })).outcome).toMatchObject({ status: 'errored' });
    expect((await look(sync, auto, { memo: INTENDED })).outcome).toMatchObject({ status: 'errored' });
  });
});

describe('a stopped line', () => {
  const stop = { id: 'a', at: '2026-03-02T09:00:00Z', actor: 'ada', reason: 'INC-42' };
  const gated = { step: step('sync', { mode: 'gated' }), stops: [stop] };

  it('keeps a sync from being asked for, and says by whom and why', async () => {
    const { outcome, syncs } = await look(sync, application(), gated);
    expect(syncs).toEqual([]);
    expect(outcome).toMatchObject({
      kind: 'waiting',
      blocker: { kind: 'stopped', sentence: 'the line was stopped by ada: INC-42' },
    });
  });

  it('of another stage does not', async () => {
    const { outcome } = await look(sync, application(), { ...gated, stops: [{ ...stop, stage: 'production' }] });
    expect(outcome).toMatchObject({ kind: 'waiting', blocker: { kind: 'sync' } });
  });

  it('stops nothing that was asked for already', async () => {
    const { syncs } = await look(sync, application(), { ...gated, memo: INTENDED });
    expect(syncs).toHaveLength(1);
  });

  it('stops nothing that somebody let through', async () => {
    const { outcome } = await look(sync, application(), { ...gated, overridden: true });
    expect(outcome).toMatchObject({ kind: 'waiting', blocker: { sentence: 'about to sync' } });
  });

  it('never stops a rollback', async () => {
    const rollsBack = { sequence: 's', revision: OTHER, to: COMMIT, pullRequest: 7 };
    const { outcome } = await look(sync, application(), { ...gated, triggered: { rollsBack } });
    expect(outcome).toMatchObject({ kind: 'waiting', blocker: { sentence: 'about to sync' } });
  });
});
