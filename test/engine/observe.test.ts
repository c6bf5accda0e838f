import { describe, expect, it } from 'vitest';
import { lineFor } from '../../src/engine/line.ts';
import { observe } from '../../src/engine/observe.ts';
import { hasBegun, judgeRollout } from '../../src/engine/rollout.ts';
import { fold } from '../../src/engine/sequence.ts';
import type { Application, Operation } from '../../src/events/application.ts';
import { planned, started, step, taskFinished, taskTriggered, triggered } from '../support/sequence.ts';

const OLD = '1111111111111111111111111111111111111111';
const NEW = '2222222222222222222222222222222222222222';

function application(changes: Partial<Application> = {}): Application {
  return {
    ref: { system: 'main', namespace: 'argocd', name: 'checkout', uid: 'u1', systemProject: 'default' },
    place: { project: 'shop', stage: 'staging', service: 'checkout' },
    annotations: {},
    source: { repoUrl: 'r', path: '.', targetRevision: 'stage/staging' },
    sources: [],
    automated: false,
    targetRevision: NEW,
    syncStatus: 'OutOfSync',
    health: { status: 'Healthy' },
    reconciledAt: '2026-03-02T10:00:20Z',
    history: [],
    images: [],
    conditions: [],
    ...changes,
  };
}

const synced: Operation = {
  phase: 'Succeeded',
  startedAt: '2026-03-02T10:00:00Z',
  finishedAt: '2026-03-02T10:00:10Z',
  revision: NEW,
  infos: {},
  dryRun: false,
  partial: false,
  retrying: false,
  automated: false,
  message: '',
};

describe('looking at an application', () => {
  it('delivers a commit that it has not seen', () => {
    expect(observe(application(), { targetRevision: OLD }, undefined)).toEqual({
      kind: 'deliver',
      targetRevision: NEW,
      previousRevision: OLD,
    });
  });

  it('delivers nothing twice, whatever else moved', () => {
    expect(observe(application({ health: { status: 'Degraded' } }), { targetRevision: NEW }, undefined)).toEqual({
      kind: 'same',
    });
  });

  it('does not deliver again what ran before we came', () => {
    const running = application({
      syncStatus: 'Synced',
      history: [{ revision: NEW, deployedAt: '2026-03-01T00:00:00Z' }],
    });
    expect(observe(running, undefined, undefined)).toMatchObject({ kind: 'remember', why: 'known-before-us' });
  });

  it('delivers the first commit of an application that runs nothing yet', () => {
    expect(observe(application(), undefined, undefined)).toEqual({ kind: 'deliver', targetRevision: NEW });
  });

  it('joins the sequence that another cluster of the same stage has started', () => {
    expect(observe(application(), { targetRevision: OLD }, { sequence: 's', revision: NEW })).toMatchObject({
      kind: 'remember',
    });
  });

  it('delivers an older commit again when the branch goes back to it', () => {
    expect(
      observe(application({ targetRevision: OLD }), { targetRevision: NEW }, { sequence: 's', revision: NEW }),
    ).toMatchObject({ kind: 'deliver', targetRevision: OLD });
  });

  describe('with several sources', () => {
    const [VALUES, NEWER] = ['3'.repeat(40), '4'.repeat(40)];
    const several = (targetRevisions: string[], changes: Partial<Application> = {}) =>
      application({ targetRevision: NEW, targetRevisions, ...changes });
    const remembered = { targetRevision: NEW, targetRevisions: [NEW, VALUES] };

    it('delivers a change of any of them', () => {
      expect(observe(several([NEW, NEWER]), remembered, undefined)).toEqual({
        kind: 'deliver',
        targetRevision: NEW,
        targetRevisions: [NEW, NEWER],
        previousRevision: NEW,
      });
    });

    it('delivers nothing while all of them stay', () => {
      expect(observe(several([NEW, VALUES]), remembered, undefined)).toEqual({ kind: 'same' });
    });

    it('joins another cluster only where all of them are the same', () => {
      const newest = { sequence: 's', revision: NEW, revisions: [NEW, NEWER] };
      expect(observe(several([NEW, NEWER]), remembered, newest)).toMatchObject({ why: 'already-delivering' });
      expect(observe(several([NEW, VALUES]), { targetRevision: OLD }, newest)).toMatchObject({ kind: 'deliver' });
    });

    it('takes it for no change that the version before kept the first of them only', () => {
      expect(observe(several([VALUES, NEW]), { targetRevision: VALUES }, undefined)).toMatchObject({
        kind: 'remember',
        targetRevisions: [VALUES, NEW],
      });
    });

    it('does not deliver again what ran before we came, unless one of them is behind', () => {
      const running = (revisions: string[]) =>
        several([NEW, VALUES], {
          syncStatus: 'Synced',
          history: [{ revision: NEW, revisions, deployedAt: '2026-03-01T00:00:00Z' }],
        });
      expect(observe(running([NEW, VALUES]), undefined, undefined)).toMatchObject({ why: 'known-before-us' });
      expect(observe(running([NEW, NEWER]), undefined, undefined)).toMatchObject({ kind: 'deliver' });
    });
  });

  it('takes a rollback in the delivery system for no change, because Git still asks for the newer commit', () => {
    const history = [OLD, NEW, OLD].map((revision) => ({ revision, deployedAt: '2026-03-01T00:00:00Z' }));
    expect(observe(application({ history }), { targetRevision: NEW }, undefined)).toEqual({ kind: 'same' });
  });

  it('takes a render that comes out the same for no change, though another dry commit was hydrated', () => {
    const hydration = { phase: 'Hydrated', drySha: '5'.repeat(40), hydratedSha: NEW, branch: 'env/dev' } as const;
    expect(observe(application({ hydration }), { targetRevision: NEW }, undefined)).toEqual({ kind: 'same' });
  });

  it('does not look at what carries no labels', () => {
    const { place: _, ...unlabelled } = application();
    expect(observe(unlabelled, undefined, undefined)).toEqual({ kind: 'same' });
  });
});

describe('a commit is deployed', () => {
  const question = { revision: NEW, settleMs: 10_000, now: '2026-03-02T10:00:30Z' };
  const deployed = (operation: Partial<Operation>, changes: Partial<Application> = {}) =>
    judgeRollout(application({ operation: { ...synced, ...operation }, ...changes }), {
      ...question,
      healthySince: '2026-03-02T10:00:20Z',
    }).kind;

  it('when it was synced, looked at again, and healthy for the settle time', () => {
    expect(deployed({})).toBe('deployed');
  });

  it('also out of sync, as it stays when the branch has moved on from the commit that was pinned', () => {
    const moved = { syncStatus: 'OutOfSync', targetRevision: OLD } as const;
    expect(deployed({}, moved)).toBe('deployed');
  });

  it('not before it has been healthy without a break for that long', () => {
    const app = application({ operation: synced });
    expect(judgeRollout(app, question)).toMatchObject({ kind: 'progressing', healthySince: question.now });
    expect(judgeRollout(app, { ...question, healthySince: '2026-03-02T10:00:21Z' }).kind).toBe('progressing');
  });

  it('not on a health that is older than the sync', () => {
    expect(deployed({}, { reconciledAt: '2026-03-02T10:00:09Z' })).toBe('progressing');
  });

  it('not while it is progressing, degraded, suspended or unknown', () => {
    for (const status of ['Progressing', 'Degraded', 'Suspended', 'Missing', 'Unknown'] as const) {
      expect(deployed({}, { health: { status } })).toBe('progressing');
    }
  });

  it('not while a sync runs or waits for its retry', () => {
    expect(deployed({ phase: 'Running', retrying: true })).toBe('progressing');
    expect(deployed({ phase: 'Terminating' })).toBe('progressing');
    expect(deployed({}, { operationRequested: { infos: {} } })).toBe('progressing');
  });

  it('never by a dry run, or by a sync of some resources', () => {
    expect(deployed({ dryRun: true })).toBe('failed');
    expect(deployed({ partial: true })).toBe('failed');
  });

  it('still, when a dry run came after the real sync', () => {
    expect(deployed({ dryRun: true }, { history: [{ revision: NEW, deployedAt: '2026-03-02T10:00:05Z' }] })).toBe(
      'deployed',
    );
  });

  it('and stays so while somebody tries another sync in a dry run', () => {
    const history = [{ revision: NEW, deployedAt: '2026-03-02T10:00:05Z' }];
    expect(deployed({ dryRun: true, phase: 'Running', revision: OLD }, { history })).toBe('deployed');
  });

  it('never by another commit', () => {
    expect(deployed({ revision: OLD })).toBe('failed');
  });

  it('never with another revision of any source', () => {
    const judge = (revisions: string[]) =>
      judgeRollout(application({ operation: { ...synced, revisions } }), {
        ...question,
        revisions: [NEW, '1.2.3'],
        healthySince: '2026-03-02T10:00:20Z',
      });
    expect(judge([NEW, '1.2.3']).kind).toBe('deployed');
    expect(judge([NEW, '1.2.4'])).toEqual({
      kind: 'failed',
      sentence: 'of source 2, 1.2.4 is deployed instead of 1.2.3',
    });
  });

  it('also when the delivery system has forgotten the operation: the history tells', () => {
    const history = [{ revision: NEW, deployedAt: '2026-03-02T10:00:05Z' }];
    const { operation: _, ...forgotten } = application({ history });
    const healthySince = '2026-03-02T10:00:20Z';
    expect(judgeRollout(forgotten, { ...question, healthySince }).kind).toBe('deployed');
    expect(judgeRollout({ ...forgotten, history: [] }, question).kind).toBe('progressing');
  });

  it('when a suspended rollout is accepted, and only then', () => {
    const app = application({ operation: synced, health: { status: 'Suspended' } });
    const healthySince = '2026-03-02T10:00:20Z';
    expect(judgeRollout(app, { ...question, healthySince, suspended: 'accept' }).kind).toBe('deployed');
    expect(judgeRollout(app, { ...question, healthySince, suspended: 'wait' }).kind).toBe('progressing');
    for (const status of ['Missing', 'Unknown', 'Degraded', 'Progressing'] as const) {
      const other = application({ operation: synced, health: { status } });
      expect(judgeRollout(other, { ...question, suspended: 'accept' }).kind).toBe('progressing');
    }
  });

  it('not while its own dry commit is being hydrated or could not be, whatever is healthy', () => {
    const judge = (hydration: Partial<NonNullable<Application['hydration']>>, drySha = 'd1') =>
      judgeRollout(
        application({
          operation: synced,
          hydration: { phase: 'Hydrating', drySha: 'd1', branch: 'env/dev', ...hydration },
        }),
        { ...question, drySha, healthySince: '2026-03-02T10:00:20Z' },
      );
    expect(judge({})).toEqual({ kind: 'progressing', sentence: 'Argo CD is hydrating d1 for env/dev' });
    expect(judge({ phase: 'Failed', message: 'no chart' })).toEqual({
      kind: 'progressing',
      sentence: 'Argo CD could not hydrate d1: no chart',
    });
    expect(judge({}, '').kind).toBe('progressing');
    expect(judge({ phase: 'Hydrated' }).kind).toBe('deployed');
    // A newer commit that cannot be hydrated is no news about this one.
    expect(judge({ phase: 'Failed', drySha: 'd2' }).kind).toBe('deployed');
  });

  it('also while a newer one is being hydrated or could not be, which Argo CD names no commit of', () => {
    const judge = (hydration: Partial<NonNullable<Application['hydration']>>, revision = NEW, drySha = 'd1') =>
      judgeRollout(
        application({
          operation: { ...synced, revision },
          hydration: { phase: 'Hydrating', branch: 'env/dev', ...hydration },
        }),
        { ...question, drySha, healthySince: '2026-03-02T10:00:20Z' },
      );
    const last = { drySha: 'd1', hydratedSha: NEW };
    expect(judge({ last }).kind).toBe('deployed');
    expect(judge({ last, phase: 'Failed', message: 'no chart' }).kind).toBe('deployed');
    // Two commits later, too: it runs, so it was hydrated.
    expect(judge({ last: { drySha: 'd2', hydratedSha: OLD }, phase: 'Failed' }).kind).toBe('deployed');
    expect(judge({ phase: 'Failed', message: 'no chart' }, OLD)).toEqual({
      kind: 'progressing',
      sentence: 'Argo CD could not hydrate the commit: no chart',
    });
    expect(judge({ last: { drySha: 'd0', hydratedSha: OLD } }, OLD).kind).toBe('progressing');
  });

  it('not any more after a rollback, which is told as one with who made it', () => {
    const at = { deployedAt: '2026-03-02T10:00:05Z' };
    const history = [
      { ...at, id: 12, revision: OLD },
      { ...at, id: 13, revision: NEW },
      { ...at, id: 14, revision: OLD, by: 'admin' },
    ];
    expect(judgeRollout(application({ operation: { ...synced, partial: true }, history }), question)).toEqual({
      kind: 'failed',
      sentence:
        'admin rolled back to 11111111 in Argo CD (number 12 of its history), which is deployed instead of 22222222',
    });
  });
});

it('what runs may be of a change from the start of its sync on, however that ends, and never by a dry run', () => {
  const begun = (operation: Partial<Operation> | undefined, changes: Partial<Application> = {}) =>
    hasBegun(application({ ...(operation ? { operation: { ...synced, ...operation } } : {}), ...changes }), {
      revision: NEW,
    });
  for (const phase of ['Running', 'Failed', 'Succeeded'] as const) expect(begun({ phase })).toBe(true);
  expect(begun({ phase: 'Running', partial: true })).toBe(true);
  expect(begun(undefined, { history: [{ revision: NEW, deployedAt: '2026-03-02T10:00:05Z' }] })).toBe(true);
  expect(begun(undefined)).toBe(false);
  expect(begun({ phase: 'Running', dryRun: true })).toBe(false);
  expect(begun({ phase: 'Running', revision: OLD })).toBe(false);
});

describe('a line', () => {
  const at = (sequence: string, ...rest: Parameters<typeof fold>[0]) => fold([triggered({ sequence }), ...rest]);

  it('is busy with the one that works on the application', () => {
    expect(lineFor('b', [at('a', started), at('b')])).toEqual({ busyWith: 'a' });
  });

  it('is not blocked by one that waits for an approval or for the review of its promotion', () => {
    for (const name of ['approval', 'promotion'] as const) {
      const [, ...history] = planned(step('sync'));
      expect(lineFor('b', [at('a', ...history, taskTriggered(1, name)), at('b')])).toEqual({});
    }
  });

  it('knows the newest that came later, finished ones left out', () => {
    const over = at('c', {
      name: 'sequence.finished',
      at: '',
      data: { status: 'aborted', result: 'fail', reason: 'aborted', message: '' },
    });
    expect(lineFor('a', [at('a'), at('b'), over])).toMatchObject({ newer: 'b' });
    expect(lineFor('b', [at('a'), at('b'), over])).toEqual({});
  });

  it('counts a sequence between two tasks as at work', () => {
    const [, ...history] = planned(step('sync'), step('rollout'));
    expect(
      lineFor('b', [at('a', ...history, taskTriggered(1, 'sync'), taskFinished('sync', 'pass')), at('b')]),
    ).toEqual({ busyWith: 'a' });
  });
});
