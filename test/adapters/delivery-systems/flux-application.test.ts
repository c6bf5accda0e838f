import { describe, expect, it } from 'vitest';
import { toFluxApplication } from '../../../src/adapters/delivery-systems/flux-application.ts';
import type { FluxObjects } from '../../../src/adapters/delivery-systems/flux-seen.ts';
import type { JsonObject } from '../../../src/base/json.ts';
import type { Application } from '../../../src/events/application.ts';
import { hasFluxFixtures, readFluxFixture } from '../../support/flux-fixtures.ts';

const CONTEXT = { system: 'eu', labelPrefix: 'lynceus.dev' };
const [OLD, NEW, OTHER] = ['1', '2', '3'].map((digit) => digit.repeat(40)) as [string, string, string];
const [DIGEST, NEXT] = ['a', 'b'].map((digit) => `sha256:${digit.repeat(64)}`) as [string, string];
const AT = '2026-11-21T10:00:00Z';
const LABELS = { 'lynceus.dev/project': 'shop', 'lynceus.dev/stage': 'dev', 'lynceus.dev/service': 'checkout' };

interface Given {
  spec?: JsonObject;
  status?: JsonObject;
  annotations?: Record<string, string>;
  labels?: Record<string, string>;
  generation?: number;
}

function object(
  kind: string,
  name: string,
  { spec = {}, status = {}, annotations = {}, labels = LABELS, generation = 2 }: Given,
) {
  return {
    kind,
    metadata: { name, namespace: 'shop', uid: `uid-${name}`, generation, annotations, labels, resourceVersion: '7' },
    spec,
    status: { observedGeneration: 2, ...status },
  } as JsonObject;
}

function condition(type: string, status: string, reason: string, more: JsonObject = {}): JsonObject {
  return { type, status, reason, message: `${reason} it is`, observedGeneration: 2, lastTransitionTime: AT, ...more };
}

const READY = condition('Ready', 'True', 'ReconciliationSucceeded');

function kustomization(status: JsonObject, more: Given = {}): JsonObject {
  return object('Kustomization', 'checkout', {
    ...more,
    spec: { path: './deploy', wait: true, sourceRef: { kind: 'GitRepository', name: 'deploy' }, ...more.spec },
    status,
  });
}

function git(revision: string | undefined, more: Given = {}): JsonObject {
  const artifact = revision === undefined ? {} : { artifact: { revision: `main@sha1:${revision}` } };
  return object('GitRepository', 'deploy', {
    ...more,
    labels: {},
    spec: { url: 'https://git.example.org/deploy', ref: { branch: 'main' }, ...more.spec },
    status: { ...artifact, ...more.status },
  });
}

function applied(revision: string, attempted = revision): JsonObject {
  return { lastAppliedRevision: `main@sha1:${revision}`, lastAttemptedRevision: `main@sha1:${attempted}` };
}

function told(objects: FluxObjects): Application {
  return toFluxApplication(objects, CONTEXT);
}

describe('a Kustomization', () => {
  it('that applied what its source offers, and is Ready, is synced and healthy', () => {
    const seen = told({ object: kustomization({ ...applied(NEW), conditions: [READY] }), source: git(NEW) });
    expect(seen).toMatchObject({
      ref: { system: 'eu', namespace: 'shop', name: 'kustomization/checkout', uid: 'uid-checkout' },
      place: { project: 'shop', stage: 'dev', service: 'checkout' },
      source: { repoUrl: 'https://git.example.org/deploy', path: 'deploy', targetRevision: 'main' },
      automated: true,
      targetRevision: NEW,
      syncStatus: 'Synced',
      health: { status: 'Healthy', since: AT },
      operation: { phase: 'Succeeded', revision: NEW, infos: {}, dryRun: false, partial: false },
      reconciledAt: AT,
    });
    expect(seen.history.at(-1)).toMatchObject({ revision: NEW });
  });

  it('that has not attempted what its source offers is out of sync', () => {
    const seen = told({ object: kustomization({ ...applied(OLD), conditions: [READY] }), source: git(NEW) });
    expect(seen).toMatchObject({ targetRevision: NEW, syncStatus: 'OutOfSync', operation: { revision: OLD } });
  });

  it.each<[string, JsonObject, Partial<NonNullable<Application['operation']>>, string]>([
    ['is at work', condition('Ready', 'Unknown', 'Progressing'), { phase: 'Running' }, 'Progressing'],
    ['waits for a dependency', condition('Ready', 'False', 'DependencyNotReady'), { phase: 'Running' }, 'Progressing'],
    ['could not be built', condition('Ready', 'False', 'BuildFailed'), { phase: 'Failed' }, 'Unknown'],
    ['did not become healthy', condition('Ready', 'False', 'HealthCheckFailed'), { phase: 'Failed' }, 'Degraded'],
    ['fails in a way of tomorrow', condition('Ready', 'False', 'SomethingNew'), { phase: 'Failed' }, 'Degraded'],
    ['is Ready, but of another revision', READY, { phase: 'Running' }, 'Healthy'],
  ])('that %s is no success', (_, ready, operation, health) => {
    const seen = told({ object: kustomization({ ...applied(OLD, NEW), conditions: [ready] }), source: git(NEW) });
    expect(seen).toMatchObject({ operation: { ...operation, revision: NEW }, health: { status: health } });
    expect(seen.history.at(-1)?.revision).not.toBe(NEW);
  });

  it('handled is not applied: a request that is not handled holds up everything', () => {
    const annotations = { 'reconcile.fluxcd.io/requestedAt': 'now' };
    const status = { ...applied(NEW), conditions: [READY], lastHandledReconcileAt: 'before' };
    expect(told({ object: kustomization(status, { annotations }), source: git(NEW) }).operation?.phase).toBe('Running');
    const handled = { ...applied(OLD), conditions: [READY], lastHandledReconcileAt: 'now' };
    const seen = told({ object: kustomization(handled, { annotations }), source: git(NEW) });
    expect(seen).toMatchObject({ operation: { revision: OLD }, syncStatus: 'OutOfSync' });
  });

  it('that was changed since says nothing by its old conditions', () => {
    const status = { ...applied(NEW), conditions: [READY] };
    const seen = told({ object: kustomization(status, { generation: 3 }), source: git(NEW) });
    expect(seen).toMatchObject({ operation: { phase: 'Running' }, health: { status: 'Unknown' } });
  });

  it('that fails at its newest spec has failed, though its status was observed before that', () => {
    const failing = condition('Ready', 'False', 'BuildFailed', { observedGeneration: 3 });
    const status = { ...applied(NEW), conditions: [failing] };
    const seen = told({ object: kustomization(status, { generation: 3 }), source: git(NEW) });
    expect(seen.operation?.phase).toBe('Failed');
  });

  it('that is suspended keeps its Ready, which then counts for nothing', () => {
    const status = { ...applied(NEW), conditions: [READY] };
    const seen = told({ object: kustomization(status, { spec: { suspend: true } }), source: git(NEW) });
    expect(seen).toMatchObject({ held: 'suspended', health: { status: 'Unknown' } });
  });

  it('that stalled has failed for good', () => {
    const conditions = [
      condition('Ready', 'False', 'DependencyNotReady'),
      condition('Stalled', 'True', 'AccessDenied'),
    ];
    const seen = told({ object: kustomization({ ...applied(OLD, NEW), conditions }), source: git(NEW) });
    expect(seen).toMatchObject({ operation: { phase: 'Failed' }, health: { status: 'Degraded' } });
    expect(seen.conditions).toContainEqual({ type: 'Stalled', message: 'AccessDenied: AccessDenied it is' });
  });

  it('without wait is applied, and healthy only for who accepts that', () => {
    const status = { ...applied(NEW), conditions: [READY] };
    const of = (annotations: Record<string, string>) =>
      told({ object: kustomization(status, { spec: { wait: false }, annotations }), source: git(NEW) }).health;
    expect(of({})).toMatchObject({ status: 'Unknown', message: expect.stringContaining('does not wait for health') });
    expect(of({ 'lynceus.dev/health': 'applied' }).status).toBe('Healthy');
    expect(of({ 'lynceus.dev/health': 'whatever' }).status).toBe('Unknown');
  });

  it('looked at anew in its interval is no new deployment', () => {
    const conditions = [condition('Ready', 'Unknown', 'Progressing'), condition('Reconciling', 'True', 'Progressing')];
    const entry = {
      firstReconciled: '2026-11-20T10:00:00Z',
      lastReconciled: AT,
      lastReconciledStatus: 'ReconciliationSucceeded',
      metadata: { revision: `main@sha1:${NEW}` },
    };
    const seen = told({ object: kustomization({ ...applied(NEW), conditions, history: [entry] }), source: git(NEW) });
    expect(seen).toMatchObject({
      operation: { phase: 'Succeeded', revision: NEW, startedAt: '2026-11-20T10:00:00Z' },
      health: { status: 'Progressing' },
    });
  });

  it('looked at anew stays healthy until the health checks of this look begin, so that a settle time can end', () => {
    const ready = [condition('Ready', 'Unknown', 'Progressing'), condition('Reconciling', 'True', 'Progressing')];
    const entry = (status: string, revision = NEW) => ({
      firstReconciled: AT,
      lastReconciled: AT,
      lastReconciledStatus: status,
      metadata: { revision: `main@sha1:${revision}` },
    });
    const healthOf = (last: JsonObject, checked: JsonObject[], more: Given = {}) =>
      told({
        object: kustomization({ ...applied(NEW), conditions: [...ready, ...checked], history: [last] }, more),
        source: git(NEW),
      }).health.status;
    const good = entry('ReconciliationSucceeded');
    const healthy = condition('Healthy', 'True', 'Succeeded');
    expect(healthOf(good, [healthy])).toBe('Healthy');
    expect(healthOf(good, [condition('Healthy', 'Unknown', 'Progressing')])).toBe('Progressing');
    expect(healthOf(good, [condition('Healthy', 'False', 'HealthCheckFailed')])).toBe('Progressing');
    expect(healthOf(good, [{ ...healthy, observedGeneration: 1 }])).toBe('Progressing');
    expect(healthOf(good, [])).toBe('Progressing');
    expect(healthOf(entry('HealthCheckFailed'), [healthy])).toBe('Progressing');
    expect(healthOf(entry('ReconciliationSucceeded', OLD), [healthy])).toBe('Progressing');
    const accepted = { 'lynceus.dev/health': 'applied' };
    expect(healthOf(good, [], { spec: { wait: false }, annotations: accepted })).toBe('Healthy');
    expect(healthOf(good, [], { spec: { wait: false } })).toBe('Progressing');
    expect(healthOf(good, [healthy], { spec: { suspend: true } })).toBe('Unknown');
  });

  it('of an OCI artifact is told by the commit that it was made of, and by its digest', () => {
    const source = object('OCIRepository', 'deploy', {
      spec: { url: 'oci://registry.example.org/deploy', ref: { tag: 'latest' } },
      status: {
        artifact: {
          revision: `latest@${DIGEST}`,
          metadata: {
            'org.opencontainers.image.source': 'https://git.example.org/app',
            'org.opencontainers.image.revision': `main@sha1:${NEW}`,
          },
        },
      },
    });
    const status = {
      lastAppliedRevision: `latest@${NEXT}`,
      lastAttemptedRevision: `latest@${NEXT}`,
      lastAppliedOriginRevision: `main@sha1:${OLD}`,
      conditions: [READY],
    };
    const spec = { sourceRef: { kind: 'OCIRepository', name: 'deploy' } };
    const seen = told({ object: kustomization(status, { spec }), source });
    expect(seen).toMatchObject({
      source: { repoUrl: 'https://git.example.org/app' },
      targetRevision: NEW,
      targetRevisions: [NEW, DIGEST],
      syncStatus: 'OutOfSync',
    });
    expect(seen.history.at(-1)).toMatchObject({ revision: OLD, revisions: [OLD, NEXT] });
  });

  it.each([
    ['a format of tomorrow', 'main@sha3:abc'],
    ['nothing', ''],
    ['a branch', 'main'],
  ])('whose source offers %s offers nothing: a commit is never guessed', (_, revision) => {
    const source = git(undefined, { status: { artifact: { revision } } });
    const seen = told({ object: kustomization({ ...applied(NEW), conditions: [READY] }), source });
    expect(seen.targetRevision).toBeUndefined();
    expect(seen.syncStatus).toBe('Unknown');
  });

  it('without any status is nothing yet', () => {
    const seen = told({ object: { ...kustomization({}), status: {} } });
    expect(seen.operation).toBeUndefined();
    expect(seen).toMatchObject({ health: { status: 'Unknown' }, history: [], syncStatus: 'Unknown' });
  });
});

describe('a gate', () => {
  const GATED = { 'lynceus.dev/gate': 'source', 'lynceus.dev/follows': 'GitRepository/main' };
  const release = (revision: string, more: JsonObject = {}) => ({
    'lynceus.dev/release': JSON.stringify({
      application: 'shop/kustomization/checkout',
      revision,
      infos: { 'lynceus.dev/task': 't-1' },
      at: '2026-11-21T09:59:00.123Z',
      token: 'x',
      ...more,
    }),
  });
  const pinned = (commit: string, artifact: string, more: Given = {}) =>
    git(artifact, { ...more, spec: { ref: { branch: 'main', commit }, ...more.spec } });
  const at = (revision: string) => kustomization({ ...applied(revision), conditions: [READY] }, { annotations: GATED });

  it('by a pinned source holds: what Git asks for is what the other source offers', () => {
    const seen = told({ object: at(OLD), source: pinned(OLD, OLD), follows: git(NEW) });
    expect(seen).toMatchObject({
      automated: false,
      held: 'pinned to 11111111',
      targetRevision: NEW,
      syncStatus: 'OutOfSync',
    });
  });

  it.each<[string, FluxObjects]>([
    ['whose source is neither pinned nor suspended', { object: at(OLD), source: git(OLD), follows: git(NEW) }],
    ['without a source', { object: at(OLD) }],
    [
      'with a word that nobody knows',
      { object: kustomization({}, { annotations: { 'lynceus.dev/gate': 'sauce' } }), source: git(OLD) },
    ],
    [
      'by a dependency that is none',
      { object: kustomization({}, { annotations: { 'lynceus.dev/gate': 'dependency' } }), source: git(OLD) },
    ],
  ])('%s holds nothing, and says so', (_, objects) => {
    const seen = told(objects);
    expect(seen.automated).toBe(true);
    expect(seen.conditions[0]).toMatchObject({ type: 'GateError' });
  });

  it('by a dependency needs an expression that closes again by itself', () => {
    const of = (readyExpr: string) =>
      told({
        object: kustomization(
          {},
          { annotations: { 'lynceus.dev/gate': 'dependency' }, spec: { dependsOn: [{ name: 'gate', readyExpr }] } },
        ),
        source: git(OLD),
        gate: object('Kustomization', 'gate', {}),
      });
    expect(of("dep.metadata.annotations['lynceus.dev/open'] == 'true'").automated).toBe(true);
    expect(
      of("dep.metadata.annotations['lynceus.dev/open'] == self.x.requestedAt && self.status.lastHandledReconcileAt")
        .automated,
    ).toBe(false);
  });

  it.each<[string, FluxObjects, string]>([
    ['is fetched', { object: at(OLD), source: pinned(NEW, OLD, { annotations: release(NEW) }) }, 'Running'],
    ['was fetched', { object: at(OLD), source: pinned(NEW, NEW, { annotations: release(NEW) }) }, 'Running'],
    ['was applied', { object: at(NEW), source: pinned(NEW, NEW, { annotations: release(NEW) }) }, 'Succeeded'],
    ['was put back', { object: at(OLD), source: pinned(OTHER, OLD, { annotations: release(NEW) }) }, 'Failed'],
    [
      'was suspended',
      {
        object: at(OLD),
        source: pinned(NEW, OLD, { annotations: release(NEW), spec: { suspend: true, ref: { commit: NEW } } }),
      },
      'Failed',
    ],
    [
      'was taken back',
      { object: at(OLD), source: pinned(OLD, OLD, { annotations: release(NEW, { ended: AT }) }) },
      'Failed',
    ],
  ])('that let a release through that %s tells of it as ours', (_, objects, phase) => {
    const seen = told({ ...objects, follows: git(NEW) });
    expect(seen.operation).toMatchObject({ phase, infos: { 'lynceus.dev/task': 't-1' } });
    if (phase === 'Failed') expect(seen.operation?.finishedAt).toBeDefined();
  });

  it('says what to do when its pin was put back by what is in Git', () => {
    const seen = told({
      object: at(OLD),
      source: pinned(OTHER, OLD, { annotations: release(NEW) }),
      follows: git(NEW),
    });
    expect(seen.operation?.message).toMatch(/take spec\.ref\.commit .* out of Git, or annotate it .*IfNotPresent/);
  });

  it('does not take a failure of before for one of the release', () => {
    const failed = {
      ...READY,
      status: 'False',
      reason: 'HealthCheckFailed',
      lastTransitionTime: '2026-11-21T09:00:00Z',
    };
    const waiting = kustomization({ ...applied(OLD, NEW), conditions: [failed] }, { annotations: GATED });
    const source = pinned(NEW, NEW, { annotations: release(NEW) });
    expect(told({ object: waiting, source, follows: git(NEW) }).operation?.phase).toBe('Running');
  });

  it('is no gate of this application when the release was of another one', () => {
    const source = pinned(NEW, NEW, { annotations: release(NEW, { application: 'shop/kustomization/cart' }) });
    expect(told({ object: at(NEW), source, follows: git(NEW) }).operation?.infos).toEqual({});
  });

  it.each(['{', '[]', '{"revision": 1}', `{"application":"a","revision":"b","token":"c","at":"yesterday"}`])(
    'reads no release out of %s',
    (text) => {
      const source = pinned(NEW, NEW, { annotations: { 'lynceus.dev/release': text } });
      expect(told({ object: at(NEW), source, follows: git(NEW) }).operation?.infos).toEqual({});
    },
  );
});

describe('a HelmRelease', () => {
  const release = (version: number, chartVersion: string, status: string, more: JsonObject = {}) => ({
    version,
    chartVersion,
    status,
    configDigest: 'sha256:1',
    lastDeployed: AT,
    ...more,
  });
  const chart = (version: string) => ({
    chart: { spec: { chart: 'checkout', version, sourceRef: { kind: 'HelmRepository', name: 'charts' } } },
  });
  const helm = (status: JsonObject, spec: JsonObject = {}) =>
    object('HelmRelease', 'checkout', {
      spec: { ...chart('2.0.0'), ...spec },
      status: { lastAttemptedConfigDigest: 'sha256:1', ...status },
    });

  it('is told by its chart, where nobody applies it from Git', () => {
    const seen = told({
      object: helm({
        lastAttemptedRevision: '2.0.0',
        conditions: [READY],
        history: [release(2, '2.0.0', 'deployed'), release(1, '1.0.0', 'superseded')],
      }),
    });
    expect(seen).toMatchObject({
      ref: { name: 'helmrelease/checkout' },
      source: { kind: 'helm', chart: 'checkout', targetRevision: '2.0.0' },
      targetRevision: '2.0.0',
      syncStatus: 'Synced',
      operation: { phase: 'Succeeded', revision: '2.0.0' },
    });
    expect(seen.history.map(({ id, revision }) => `${id} ${revision}`)).toEqual(['1 1.0.0', '2 2.0.0']);
  });

  it('that upgraded, and was then rolled back by its own remediation, has failed', () => {
    const history = [
      release(3, '1.0.0', 'deployed'),
      release(2, '2.0.0', 'superseded'),
      release(1, '1.0.0', 'superseded'),
    ];
    const conditions = [
      condition('Ready', 'False', 'RollbackSucceeded'),
      condition('Released', 'True', 'UpgradeSucceeded'),
      condition('Remediated', 'True', 'RollbackSucceeded'),
    ];
    const seen = told({ object: helm({ lastAttemptedRevision: '2.0.0', conditions, history }) });
    expect(seen).toMatchObject({
      operation: { phase: 'Failed', revision: '2.0.0', message: expect.stringContaining('its own remediation') },
      syncStatus: 'OutOfSync',
    });
    expect(seen.history.at(-1)?.revision).toBe('1.0.0');
    // Even when a condition says Ready again: the release that runs is the one before.
    const ready = told({ object: helm({ lastAttemptedRevision: '2.0.0', conditions: [READY], history }) });
    expect(ready.operation?.phase).toBe('Failed');
  });

  it.each<[string, JsonObject | undefined, JsonObject, string]>([
    ['have not run', undefined, {}, 'Running'],
    ['are running', { smoke: { phase: 'Running' } }, {}, 'Running'],
    ['end in a way of tomorrow', { smoke: { phase: 'Skipped' } }, {}, 'Running'],
    ['failed', { smoke: { phase: 'Failed' } }, {}, 'Failed'],
    ['failed, and that is to be ignored', { smoke: { phase: 'Failed' } }, { ignoreFailures: true }, 'Succeeded'],
    ['succeeded', { smoke: { phase: 'Succeeded' } }, {}, 'Succeeded'],
    ['are none', {}, {}, 'Succeeded'],
  ])('whose tests %s', (_, testHooks, more, phase) => {
    const history = [release(2, '2.0.0', 'deployed', testHooks === undefined ? {} : { testHooks })];
    const seen = told({
      object: helm(
        { lastAttemptedRevision: '2.0.0', conditions: [READY], history },
        { test: { enable: true, ...more } },
      ),
    });
    expect(seen.operation?.phase).toBe(phase);
  });

  it('of which only the values are new is not deployed with the old ones', () => {
    const status = {
      lastAttemptedRevision: '2.0.0',
      lastAttemptedConfigDigest: 'sha256:2',
      conditions: [condition('Ready', 'Unknown', 'Progressing')],
    };
    expect(told({ object: helm({ ...status, history: [release(2, '2.0.0', 'deployed')] }) }).operation?.phase).toBe(
      'Running',
    );
  });

  it('whose release failed is not deployed', () => {
    const history = [release(2, '2.0.0', 'failed'), release(1, '1.0.0', 'superseded')];
    const conditions = [condition('Ready', 'False', 'UpgradeFailed')];
    const seen = told({ object: helm({ lastAttemptedRevision: '2.0.0', conditions, history }) });
    expect(seen).toMatchObject({ operation: { phase: 'Failed' }, health: { status: 'Degraded' } });
    expect(seen.history.at(-1)?.revision).toBe('1.0.0');
  });

  it('that Flux tries again by itself has not failed yet', () => {
    const conditions = [
      condition('Ready', 'False', 'UpgradeFailed'),
      condition('Reconciling', 'True', 'ProgressingWithRetry'),
    ];
    const seen = told({
      object: helm({ lastAttemptedRevision: '2.0.0', conditions, history: [release(2, '2.0.0', 'failed')] }),
    });
    expect(seen.operation).toMatchObject({ phase: 'Running', retrying: true });
  });

  it('that is told not to wait is applied, and no more', () => {
    const status = { lastAttemptedRevision: '2.0.0', conditions: [READY], history: [release(2, '2.0.0', 'deployed')] };
    expect(told({ object: helm(status, { upgrade: { disableWait: true } }) }).health.status).toBe('Unknown');
  });

  it('knows the digest of a chart again after a rollback has lost it', () => {
    const spec = { chart: null, chartRef: { kind: 'OCIRepository', name: 'chart' } } as unknown as JsonObject;
    const history = [
      release(3, '1.0.0+bbbbbbbbbbbb', 'deployed'),
      release(2, '2.0.0+aaaaaaaaaaaa', 'superseded', { ociDigest: DIGEST }),
      release(1, '1.0.0+bbbbbbbbbbbb', 'superseded', { ociDigest: NEXT }),
    ];
    const status = { lastAttemptedRevision: '2.0.0+aaaaaaaaaaaa', lastAttemptedRevisionDigest: DIGEST, history };
    const seen = told({
      object: helm({ ...status, conditions: [condition('Ready', 'False', 'RollbackSucceeded')] }, spec),
    });
    expect(seen.history.at(-1)?.revision).toBe(NEXT);
    expect(seen.operation).toMatchObject({ phase: 'Failed', revision: DIGEST });
  });

  it('that a Kustomization applies from Git is told by its commit', () => {
    const parent = { object: kustomization({ ...applied(NEW), conditions: [READY] }), source: git(NEW) };
    const status = { lastAttemptedRevision: '2.0.0', conditions: [READY], history: [release(2, '2.0.0', 'deployed')] };
    expect(told({ object: helm(status), parent })).toMatchObject({
      source: { repoUrl: 'https://git.example.org/deploy', path: 'deploy' },
      targetRevision: NEW,
      syncStatus: 'Synced',
      operation: { phase: 'Succeeded', revision: NEW },
    });
    const moving = told({ object: helm(status, chart('>=2.0.0')), parent });
    expect(moving).toMatchObject({ targetRevisions: [NEW, '2.0.0'], operation: { revisions: [NEW, '2.0.0'] } });
  });

  it('is no success while the Kustomization above is at work, and none when that failed', () => {
    const status = { lastAttemptedRevision: '2.0.0', conditions: [READY], history: [release(2, '2.0.0', 'deployed')] };
    const above = (ready: JsonObject) => ({
      object: kustomization({ ...applied(OLD, NEW), conditions: [ready] }),
      source: git(NEW),
    });
    const at = (ready: JsonObject) => told({ object: helm(status), parent: above(ready) });
    expect(at(condition('Ready', 'Unknown', 'Progressing')).operation).toMatchObject({
      phase: 'Running',
      revision: NEW,
    });
    expect(at(condition('Ready', 'False', 'HealthCheckFailed')).operation).toMatchObject({
      phase: 'Failed',
      revision: NEW,
    });
    expect(at(READY).syncStatus).toBe('OutOfSync');
  });
});

describe.skipIf(!hasFluxFixtures())('what was recorded of Flux', () => {
  it('a Kustomization that is Ready is deployed and healthy at its commit', () => {
    const commit = '450796ddb2ab6724ee1cc32a4be56da032d1cca0';
    const seen = told({ object: readFluxFixture('flux-kustomization-status-ready.json') });
    expect(seen).toMatchObject({
      ref: { namespace: 'apps', name: 'kustomization/webapp' },
      operation: { phase: 'Succeeded', revision: commit, startedAt: '2025-08-15T10:11:00Z' },
      health: { status: 'Healthy', since: '2025-08-15T11:12:00Z' },
    });
    // The one before never became healthy: it is no deployment to go back to.
    expect(seen.history.map(({ revision }) => revision)).toEqual([commit]);
  });

  it('a HelmRelease whose tests succeeded is deployed at the digest of its chart', () => {
    const recorded = readFluxFixture('flux-helmrelease-status-ready.json');
    const seen = told({
      object: { ...recorded, spec: { test: { enable: true }, chartRef: { kind: 'OCIRepository' } } },
    });
    const digest = 'sha256:0cc9a8446c95009ef382f5eade883a67c257f77d50f84e78ecef2aac9428d1e5';
    expect(seen).toMatchObject({
      ref: { name: 'helmrelease/podinfo' },
      operation: { phase: 'Succeeded', revision: digest },
      health: { status: 'Healthy' },
    });
    expect(seen.history.map(({ id }) => id)).toEqual([1, 2]);
  });
});
