import { describe, expect, it } from 'vitest';
import { hasWork, judgeUntouched, ownPaths, touches } from '../../src/engine/own-paths.ts';
import type { Application } from '../../src/events/application.ts';
import { COMMIT } from '../support/sequence.ts';

const OLD = '1'.repeat(40);

function application(path: string, generate?: string, changes: Partial<Application> = {}): Application {
  const source = { repoUrl: 'r', path, targetRevision: 'main' };
  return {
    ref: { system: 'main', namespace: 'argocd', name: 'checkout', uid: 'u1', systemProject: 'payments' },
    annotations: generate === undefined ? {} : { 'argocd.argoproj.io/manifest-generate-paths': generate },
    source,
    sources: [source],
    automated: false,
    targetRevision: COMMIT,
    syncStatus: 'Synced',
    health: { status: 'Healthy' },
    history: [{ revision: OLD, deployedAt: '2026-03-02T10:00:00Z' }],
    images: [],
    conditions: [],
    ...changes,
  };
}

describe('the paths of an application', () => {
  it.each([
    ['its folder', 'envs/prod', undefined, ['envs/prod']],
    ['its folder and what is named beside it', 'envs/prod', '.;../shared', ['envs/prod', 'envs/prod', 'envs/shared']],
    ['what is named from the root', 'envs/prod', '/base/app', ['envs/prod', 'base/app']],
    ['the folder that a pattern begins with', 'envs/prod', '/base/*/app;/libs/a*.yaml', ['envs/prod', 'base', 'libs']],
    ['everything where it is the root', '.', undefined, ['']],
    ['everything where a path leads out', 'envs/prod', '../../..', ['envs/prod', '']],
    ['without dots and slashes too many', './envs//prod/', undefined, ['envs/prod']],
  ])('are %s', (_, path, generate, paths) => {
    expect(ownPaths(application(path, generate))?.paths).toEqual(paths);
  });

  it('are not known of several sources, of charts and of what is hydrated', () => {
    const { source } = application('a');
    expect(ownPaths(application('a', undefined, { sources: [source, source] }))).toBeUndefined();
    expect(ownPaths(application('a', undefined, { source: { ...source, kind: 'helm' } }))).toBeUndefined();
    expect(
      ownPaths(application('a', undefined, { hydration: { phase: 'Hydrated', branch: 'b' } as never })),
    ).toBeUndefined();
  });

  it('are touched by files in them, and by nothing whose name only begins alike', () => {
    const own = { paths: ['envs/prod', 'shared.yaml'], isDeclared: true };
    expect(touches(own, ['envs/prod/app.yaml'])).toBe(true);
    expect(touches(own, ['shared.yaml'])).toBe(true);
    expect(touches(own, ['envs/production/app.yaml', 'shared.yaml.md', 'envs/dev/app.yaml'])).toBe(false);
    expect(touches({ paths: [''], isDeclared: false }, ['anything'])).toBe(true);
  });
});

describe('an application that asks for another commit', () => {
  it.each([
    ['in sync, with what was deployed before', {}, false],
    ['out of sync', { syncStatus: 'OutOfSync' as const }, true],
    ['not compared yet', { syncStatus: 'Unknown' as const }, true],
    ['that is deployed already', { history: [{ revision: COMMIT, deployedAt: '2026-03-02T10:00:00Z' }] }, true],
    ['with a sync that was asked for', { operationRequested: { infos: {} } }, true],
  ])('%s', (_, changes, works) => {
    expect(hasWork(application('envs/prod', undefined, changes))).toBe(works);
  });
});

describe('a commit that changes nothing of an application', () => {
  const quiet = { inFlight: false, promoting: false, passedBy: false };
  const declared = { paths: ['envs/prod'], isDeclared: true };
  const rendered = { paths: ['envs/prod'], isDeclared: false };
  const outOfSync = { syncStatus: 'OutOfSync' as const };
  const deployed = { history: [{ revision: COMMIT, deployedAt: '2026-03-02T10:00:00Z' }] };

  const automated = { automated: true };
  it.each([
    ['is nothing to it', rendered, {}, quiet, 'nothing'],
    [
      'is a change where there is something to deploy that its folder does not explain',
      rendered,
      outOfSync,
      { ...quiet, newest: OLD },
      'a change',
    ],
    [
      'is nothing where a change that was not deployed is what keeps it out of sync',
      rendered,
      outOfSync,
      { ...quiet, newest: '2'.repeat(40) },
      'nothing',
    ],
    ['is a change where nothing was delivered yet', rendered, outOfSync, quiet, 'a change'],
    ['is a change where it was deployed', rendered, deployed, { ...quiet, newest: OLD }, 'a change'],
    ['is nothing where the team says what it is made of', declared, outOfSync, quiet, 'nothing'],
    ['is a change where it took the place of another', declared, {}, { ...quiet, passedBy: true }, 'a change'],
    [
      'is a change where it was deployed over what is to be promoted',
      declared,
      deployed,
      { ...quiet, promoting: true },
      'a change',
    ],
    [
      'is nothing while another is verified that is deployed',
      declared,
      automated,
      { ...quiet, inFlight: true },
      'nothing',
    ],
    [
      'is looked at again while another is yet to be deployed by the system itself',
      declared,
      { ...automated, ...outOfSync },
      { ...quiet, inFlight: true },
      'later',
    ],
    ['is nothing while another waits for a sync of ours', declared, outOfSync, { ...quiet, inFlight: true }, 'nothing'],
    [
      'is looked at again after a sync of ours where its folder may use others',
      rendered,
      outOfSync,
      { ...quiet, inFlight: true },
      'later',
    ],
    [
      'is a change when it was deployed in place of another',
      declared,
      deployed,
      { ...quiet, inFlight: true },
      'a change',
    ],
  ])('%s', (_, own, changes, traffic, judgement) => {
    expect(judgeUntouched(application('envs/prod', undefined, changes), own, traffic)).toBe(judgement);
  });
});
