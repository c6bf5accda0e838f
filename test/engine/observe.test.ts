import { describe, expect, it } from 'vitest';
import { lineFor } from '../../src/engine/line.ts';
import { observe } from '../../src/engine/observe.ts';
import { judgeRollout } from '../../src/engine/rollout.ts';
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

  it('never by another commit', () => {
    expect(deployed({ revision: OLD })).toBe('failed');
  });
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
