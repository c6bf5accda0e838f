import { describe, expect, it } from 'vitest';
import { AdapterError } from '../../src/base/adapter-error.ts';
import type { Application, Operation } from '../../src/events/application.ts';
import { sync } from '../../src/tasks/sync.ts';
import { COMMIT, step } from '../support/sequence.ts';
import { look, type Scene, taskIdOf } from '../support/task-look.ts';

const OTHER = '1'.repeat(40);
const VALUES = '2'.repeat(40);
const OURS = { 'lynceus.dev/task': taskIdOf('sync') };
const INTENDED = { intents: { 'main/argocd/checkout': '2026-03-02T10:00:30Z' } };

function application(changes: Partial<Application> = {}): Application {
  const source = { repoUrl: 'r', path: '.', targetRevision: 'main' };
  return {
    ref: { system: 'main', namespace: 'argocd', name: 'checkout', uid: 'u1', systemProject: 'default' },
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

function operation(changes: Partial<Operation> = {}): Operation {
  return {
    phase: 'Running',
    startedAt: '2026-03-02T10:00:40Z',
    infos: OURS,
    dryRun: false,
    partial: false,
    retrying: false,
    automated: false,
    message: 'waiting for hooks',
    ...changes,
  };
}

const withOperation = (changes: Partial<Operation>) => application({ operation: operation(changes) });
const automatic = { step: step('sync', { mode: 'automatic' }) };
const within = (timeoutMs: number) => ({ step: step('sync', { policy: { timeoutMs } }) });
const seen = async (app: Application, scene: Scene = {}) => (await look(sync, app, scene)).outcome;

describe('a sync of ours', () => {
  it('is asked for once the intent is written down, pinned, with what the stage says', async () => {
    expect((await look(sync, application())).syncs).toEqual([]);
    const policy = { options: ['CreateNamespace=true'], retry: { limit: 2 }, timeoutMs: 1 };
    const { syncs } = await look(sync, application(), { memo: INTENDED, step: step('sync', { prune: true, policy }) });
    expect(syncs).toEqual([
      {
        revision: COMMIT,
        prune: true,
        policy: { options: ['CreateNamespace=true'], retry: { limit: 2 } },
        infos: { 'lynceus.dev/context': 'ctx', 'lynceus.dev/task': taskIdOf('sync') },
      },
    ]);
  });

  it('leaves options and retry to the application where the stage says nothing', async () => {
    const [request] = (await look(sync, application(), { memo: INTENDED, ...within(1) })).syncs;
    expect(request).not.toHaveProperty('policy');
  });

  it('is held to what was gated: another commit fails the stage', async () => {
    expect(await seen(withOperation({ phase: 'Succeeded', revision: OTHER }))).toMatchObject({
      result: 'fail',
      message: '11111111 was synced instead of 8a3d1f0c, which was gated',
    });
  });

  it('that ran longer than the stage allows is ended, and the stage fails with what it was at', async () => {
    const slow = { ...within(60_000), now: '2026-03-02T10:02:00Z' };
    expect((await look(sync, withOperation({}), { ...slow, now: '2026-03-02T10:01:40Z' })).terminated).toBe(0);
    const ending = await look(sync, withOperation({}), slow);
    expect(ending.terminated).toBe(1);
    expect(ending.outcome).toMatchObject({
      blocker: { kind: 'sync', sentence: 'the sync ran longer than 1 min and is being ended' },
    });
    const memo = ending.outcome.kind === 'waiting' ? (ending.outcome.memo ?? {}) : {};
    const again = await look(sync, withOperation({ phase: 'Terminating' }), { ...slow, memo });
    expect(again).toMatchObject({ terminated: 0, outcome: { kind: 'waiting' } });
    expect(
      await seen(withOperation({ phase: 'Failed', message: 'Operation terminated' }), { ...slow, memo }),
    ).toMatchObject({
      result: 'fail',
      message: 'the sync ran longer than 1 min and was ended while: waiting for hooks',
    });
    expect(
      await seen(withOperation({ phase: 'Terminating' }), { ...slow, memo, now: '2026-03-02T10:07:30Z' }),
    ).toMatchObject({
      status: 'errored',
      message: 'the sync ran longer than 1 min, and Argo CD has not ended it for 5 min 30 s',
    });
  });

  it('gets its time anew after a window has held it', async () => {
    const scene = { ...within(60_000), now: '2026-03-02T18:00:00Z' };
    const held = await look(sync, withOperation({}), { ...scene, blocker: { kind: 'window', sentence: 'closed' } });
    expect(held.terminated).toBe(0);
    const memo = held.outcome.kind === 'waiting' ? (held.outcome.memo ?? {}) : {};
    expect((await look(sync, withOperation({}), { ...scene, memo })).terminated).toBe(0);
    expect((await look(sync, withOperation({}), { ...scene, memo, now: '2026-03-02T18:02:00Z' })).terminated).toBe(1);
  });

  it('that waits for its next attempt is no failure, and says which one it was', async () => {
    const retrying = { retrying: true, retries: 2, retryLimit: 5, finishedAt: '2026-03-02T10:00:50Z' };
    expect(await seen(withOperation(retrying))).toMatchObject({
      blocker: { sentence: 'attempt 2 of 6 failed, the next follows: waiting for hooks' },
    });
  });

  it('that nobody picks up says so', async () => {
    const requested = application({ operationRequested: { infos: OURS } });
    expect(await seen(requested, { memo: INTENDED })).toMatchObject({
      blocker: { sentence: 'the sync was asked for' },
    });
    expect(await seen(requested, { memo: INTENDED, now: '2026-03-02T10:05:00Z' })).toMatchObject({
      blocker: { sentence: 'Argo CD has not picked the sync up since 10:00 UTC: does its controller run?' },
    });
  });

  it('that somebody else ended in Argo CD has failed', async () => {
    expect(await seen(withOperation({ phase: 'Failed', message: 'Operation terminated' }))).toMatchObject({
      result: 'fail',
      message: 'the sync ended as Failed: Operation terminated',
    });
  });

  it('is found in the history when a dry run has taken its place', async () => {
    const history = [{ revision: COMMIT, deployedAt: '2026-03-02T10:00:50Z' }];
    const dryRun = operation({ infos: {}, dryRun: true, phase: 'Succeeded', startedAt: '2026-03-02T10:00:55Z' });
    expect(await seen(application({ history, operation: dryRun }), { memo: INTENDED })).toMatchObject({
      result: 'pass',
    });
  });

  it('that was aborted is ended, also when it was only asked for: then later', async () => {
    expect((await look(sync, withOperation({}), {}, 'stop')).terminated).toBe(1);
    expect((await look(sync, withOperation({ infos: {} }), {}, 'stop')).terminated).toBe(0);
    const requested = application({ operationRequested: { infos: OURS } });
    await expect(look(sync, requested, {}, 'stop')).rejects.toMatchObject({ reason: 'conflict' });
  });
});

describe('with several sources', () => {
  const sources = [
    { repoUrl: 'https://charts.example.com', path: '', targetRevision: '2.x', kind: 'helm', chart: 'checkout' },
    { repoUrl: 'https://git.example.com/values', path: '', targetRevision: 'main', ref: 'values' },
  ] as const;
  const several = (changes: Partial<Application> = {}) =>
    application({
      source: sources[0],
      sources: [...sources],
      targetRevision: '2.8.1',
      targetRevisions: ['2.8.1', OTHER],
      ...changes,
    });
  const gated = { triggered: { revision: '2.8.1', revisions: ['2.8.1', VALUES] }, memo: INTENDED };

  it('pins all of them to what was gated, a range of versions to the one that was resolved', async () => {
    const [request] = (await look(sync, several(), gated)).syncs;
    expect(request).toMatchObject({ revision: '2.8.1', revisions: ['2.8.1', VALUES] });
  });

  it('pins to what is known now what was not gated, as for a change of an older version', async () => {
    const [request] = (await look(sync, several(), { ...gated, triggered: { revision: '2.8.1' } })).syncs;
    expect(request?.revisions).toEqual(['2.8.1', OTHER]);
  });

  it('syncs nothing while one of them is not resolved', async () => {
    const { targetRevisions: _, ...unresolved } = several();
    const { syncs, outcome } = await look(sync, unresolved, { ...gated, triggered: { revision: '2.8.1' } });
    expect(syncs).toEqual([]);
    expect(outcome).toMatchObject({ blocker: { sentence: 'Argo CD has not resolved all sources yet' } });
  });

  it('fails when any of them was synced at another revision', async () => {
    const done = operation({ phase: 'Succeeded', revision: '2.8.1', revisions: ['2.8.1', OTHER] });
    expect(await seen(several({ operation: done }), gated)).toMatchObject({
      result: 'fail',
      message: 'of source 2, 11111111 was synced instead of 22222222, which was gated',
    });
  });
});

describe("somebody else's sync", () => {
  const theirs = { infos: {}, by: 'admin', startedAt: '2026-03-02T09:00:00Z' };

  it('is waited for, and past the limit the sentence says who runs it, since when and how to end it', async () => {
    expect(await seen(withOperation({ ...theirs, startedAt: '2026-03-02T10:00:00Z' }))).toMatchObject({
      blocker: { sentence: 'another sync is running: waiting for hooks' },
    });
    const stuck = await look(sync, withOperation(theirs));
    expect(stuck.terminated).toBe(0);
    expect(stuck.outcome).toMatchObject({
      blocker: {
        sentence: 'sync by admin since 09:00 UTC; to end it: argocd app terminate-op checkout',
      },
    });
    expect(await seen(withOperation({ ...theirs, startedAt: '2026-03-01T23:59:00Z' }))).toMatchObject({
      blocker: { sentence: 'sync by admin since 1 Mar 23:59 UTC; to end it: argocd app terminate-op checkout' },
    });
    expect(await seen(withOperation({ ...theirs, phase: 'Terminating' }))).toMatchObject({
      blocker: { sentence: "a sync by admin, begun 09:00 UTC, does not end: see Argo CD's controller" },
    });
  });

  it('by a short hash of the gated commit deploys the gated one: what was synced counts, not what was typed', async () => {
    const done = (revision: string) => withOperation({ ...theirs, phase: 'Succeeded', revision });
    for (const revision of [COMMIT, COMMIT.slice(0, 7)])
      expect(await seen(done(revision))).toMatchObject({
        result: 'pass',
        message: '8a3d1f0c was synced by somebody else',
      });
    // Ours is asked for after another commit, whatever its name looks like.
    for (const revision of [OTHER, OTHER.slice(0, 7)])
      expect(await seen(done(revision))).toMatchObject({ blocker: { sentence: 'about to sync' } });
  });

  it('in a dry run, or of some resources, deploys nothing', async () => {
    for (const kind of [{ dryRun: true }, { partial: true }]) {
      const done = { infos: {}, phase: 'Succeeded', revision: COMMIT, ...kind } as const;
      expect(await seen(withOperation(done), automatic)).toMatchObject({
        blocker: { sentence: 'somebody has to sync it in Argo CD', byHand: true },
      });
      expect((await look(sync, withOperation(done), { memo: {} })).outcome.kind).toBe('waiting');
    }
  });

  it('is asked for where the system leaves it to people and one of them says so, once', async () => {
    const asked = { ...automatic, asked: 1 };
    expect((await look(sync, application(), automatic)).syncs).toEqual([]);
    const first = await look(sync, application(), asked);
    expect(first).toMatchObject({ syncs: [], outcome: { blocker: { sentence: 'about to sync' } } });
    const memo = first.outcome.kind === 'waiting' ? (first.outcome.memo ?? {}) : {};
    const { syncs } = await look(sync, application(), { ...asked, memo });
    expect(syncs).toMatchObject([{ revision: COMMIT, infos: OURS }]);
    expect(await seen(withOperation({ phase: 'Succeeded', revision: COMMIT }), { ...asked, memo })).toMatchObject({
      result: 'pass',
    });
    // Where the system syncs by itself, nobody has to.
    expect((await look(sync, application({ automated: true }), { ...asked, memo })).syncs).toEqual([]);
  });

  it('that the system does not let us ask for stays with people, who may ask again', async () => {
    const answer = () => Promise.reject(new AdapterError('forbidden', 'permission denied: applications, sync'));
    const refused = await look(sync, application(), { ...automatic, asked: 1, memo: INTENDED, answer });
    expect(refused.outcome).toMatchObject({
      blocker: { kind: 'sync', sentence: 'somebody has to sync it in Argo CD: it does not let Lynceus' },
      memo: { refused: 1, intents: {} },
    });
    const memo = { refused: 1, intents: {} };
    expect(await look(sync, application(), { ...automatic, asked: 1, memo })).toMatchObject({
      syncs: [],
      outcome: { blocker: { sentence: 'somebody has to sync it in Argo CD: it does not let Lynceus' } },
    });
    expect(await seen(application(), { ...automatic, asked: 2, memo })).toMatchObject({
      blocker: { sentence: 'about to sync' },
    });
  });

  it('in a dry run, or of some resources, fails nothing either', async () => {
    for (const kind of [{ dryRun: true }, { partial: true }]) {
      const failed = { infos: {}, phase: 'Failed', revision: COMMIT, ...kind } as const;
      expect((await seen(withOperation(failed), automatic)).kind).toBe('waiting');
    }
  });

  it('does not hide that the commit was deployed before it', async () => {
    const history = [{ revision: COMMIT, deployedAt: '2026-03-02T10:00:50Z' }];
    const after = operation({ infos: {}, dryRun: true, phase: 'Failed' });
    expect(await seen(application({ history, operation: after }), automatic)).toMatchObject({ result: 'pass' });
  });
});

describe('an application', () => {
  it('that is being deleted is not asked', async () => {
    const { syncs, outcome } = await look(sync, application({ deleting: true }), { memo: INTENDED });
    expect(syncs).toEqual([]);
    expect(outcome).toMatchObject({ status: 'errored', message: 'the application is being deleted in Argo CD' });
  });

  it('whose own commit is still being hydrated is waited for', async () => {
    const hydration = { phase: 'Hydrating', drySha: VALUES, branch: 'env/dev' } as const;
    expect(await seen(application({ hydration }), { triggered: { drySha: VALUES } })).toMatchObject({
      blocker: { sentence: 'Argo CD is hydrating 22222222 for env/dev' },
    });
  });

  it('whose target cannot be resolved for a moment has not been overtaken', async () => {
    const { targetRevision: _, ...unresolved } = application();
    expect((await seen(unresolved, automatic)).kind).toBe('waiting');
    expect(await seen(application({ targetRevision: OTHER }), automatic)).toMatchObject({ status: 'aborted' });
  });

  it('that is busy when it is asked is asked again later', async () => {
    const answer = () => Promise.reject(new AdapterError('conflict', 'another operation is already in progress'));
    expect(await seen(application(), { memo: INTENDED, answer })).toMatchObject({
      blocker: { sentence: 'another sync is running' },
      memo: { intents: {} },
    });
  });
});
