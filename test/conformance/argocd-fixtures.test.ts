import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type ArgoCdContext, toApplication } from '../../src/adapters/delivery-systems/argocd-application.ts';
import { syncBody } from '../../src/adapters/delivery-systems/argocd-sync.ts';
import { Secret } from '../../src/base/secret.ts';
import { observe } from '../../src/engine/observe.ts';
import type { Application } from '../../src/events/application.ts';
import { argocdSender } from '../../src/http/senders/argocd.ts';
import { rollout } from '../../src/tasks/rollout.ts';
import { sync } from '../../src/tasks/sync.ts';
import { fakeArgoCd } from '../support/argocd-fake.ts';
import { hasArgoCdFixtures, readFixture, readFixtureText } from '../support/argocd-fixtures.ts';
import { createArgoCd } from '../support/argocd-world.ts';
import { COMMIT, step } from '../support/sequence.ts';
import { look, taskIdOf } from '../support/task-look.ts';

const FOLDER = new URL('../../../shared/conformance/argocd/', import.meta.url);
const PREFIX = 'argocd-app-';
const BEFORE = '53e28ff20cc530b9ada2173fbbd64d48338583ba';
const OLDER = '0d7a9c14be1f5b0d2b1c3a6f7e8d9c0b1a2f3e4d';
const [A, B, C] = ['a', 'b', 'c'].map((digit) => digit.repeat(40)) as [string, string, string];
const PLACE = { project: 'payments', stage: 'staging', service: 'checkout' };
const CONTEXT: ArgoCdContext = {
  system: 'main',
  url: 'https://argocd.example.com',
  labelPrefix: 'lynceus.dev',
  controlPlaneNamespace: 'argocd',
};

/** What a recorded application means to each who looks at it. `revision` is the change on its way. */
interface Meaning {
  /** As the index says. */
  says: string;
  key: string;
  revision: string;
  revisions?: string[];
  /** With an older commit remembered, unless it says otherwise. */
  remembered?: string | 'nothing';
  observe: 'deliver' | 'same' | 'remember';
  /** What the sync task says where the stage is gated, and the operation with marks is ours. */
  gated: string;
  automatic: string;
  /** First look, and the look when the settle time is over. */
  rollout: [string, string];
}

const healthy = (revision: string): Meaning['rollout'] => [
  'waiting: healthy, settling for 10 s',
  `pass: ${revision} is deployed and healthy`,
];
const always = (says: string): Meaning['rollout'] => [says, says];
const AUTO_SYNC = 'Argo CD syncs this application by itself, so nothing can be gated';
const HOOK = 'waiting for completion of hook batch/Job/predeploy-gate';

const MEANINGS: Record<string, Meaning> = {
  'succeeded-healthy': {
    says: 'synced and healthy: deployed',
    key: 'main/argocd/checkout',
    revision: COMMIT,
    observe: 'deliver',
    gated: 'pass: synced 8a3d1f0c',
    automatic: 'pass: synced 8a3d1f0c',
    rollout: healthy('8a3d1f0c'),
  },
  'succeeded-progressing': {
    says: 'sync done, rollout still in progress: NOT deployed yet',
    key: 'main/argocd/checkout',
    revision: COMMIT,
    observe: 'deliver',
    gated: 'pass: synced 8a3d1f0c',
    automatic: 'pass: synced 8a3d1f0c',
    rollout: always('waiting: health is Progressing'),
  },
  'succeeded-stale-healthy': {
    says: 'Healthy carried over from the previous revision: only a settle time of our own proves it',
    key: 'main/argocd/checkout',
    revision: COMMIT,
    observe: 'deliver',
    gated: 'pass: synced 8a3d1f0c',
    automatic: 'pass: synced 8a3d1f0c',
    rollout: healthy('8a3d1f0c'),
  },
  degraded: {
    says: 'Degraded: not deployed, and not final before the time limit',
    key: 'main/argocd/checkout',
    revision: COMMIT,
    observe: 'deliver',
    gated: 'pass: synced 8a3d1f0c',
    automatic: 'pass: synced 8a3d1f0c',
    rollout: always('waiting: health is Degraded'),
  },
  'any-namespace': {
    says: 'outside the control-plane namespace: another identity',
    key: 'main/team-payments/checkout',
    revision: COMMIT,
    observe: 'deliver',
    gated: 'pass: synced 8a3d1f0c',
    automatic: 'pass: synced 8a3d1f0c',
    rollout: healthy('8a3d1f0c'),
  },
  'sync-requested': {
    says: 'operation present, operationState absent: asked for, which is not "never synced"',
    key: 'main/argocd/checkout',
    revision: COMMIT,
    observe: 'deliver',
    gated: 'waiting: the sync was asked for',
    automatic: 'waiting: the sync was asked for',
    rollout: always('waiting: a sync is running'),
  },
  'running-presync': {
    says: 'the hook-wait message of a running sync',
    key: 'main/argocd/checkout',
    revision: COMMIT,
    observe: 'deliver',
    gated: `waiting: syncing: ${HOOK}`,
    automatic: `waiting: syncing: ${HOOK}`,
    rollout: always(`waiting: ${HOOK}`),
  },
  'autosync-retry-backoff': {
    says: 'Running WITH finishedAt waits for a retry: neither over nor failed',
    key: 'main/argocd/checkout',
    revision: COMMIT,
    observe: 'deliver',
    gated: 'waiting: attempt 1 of 6 failed, the next follows: one or more synchronization tasks',
    automatic: 'waiting: attempt 1 of 6 failed, the next follows: one or more synchronization tasks',
    rollout: always('waiting: one or more synchronization tasks completed unsuccessfully. Retrying attempt #1'),
  },
  'sync-failed-autosync-stuck': {
    says: 'auto-sync will not try this revision again',
    key: 'main/argocd/checkout',
    revision: COMMIT,
    observe: 'deliver',
    gated: `errored: ${AUTO_SYNC}`,
    automatic: 'fail: the sync ended as Failed: one or more synchronization tasks completed unsuccessfully (retried 5',
    rollout: always('errored: 53e28ff2 is deployed instead of 8a3d1f0c'),
  },
  'rollback-succeeded': {
    says: 'a rollback: no hooks, no info, OutOfSync against the target, and no new change',
    key: 'main/argocd/checkout',
    revision: COMMIT,
    remembered: COMMIT,
    observe: 'same',
    gated: 'waiting: about to sync',
    automatic: 'waiting: somebody has to sync it in Argo CD',
    rollout: always('errored: gatekeeper rolled back to 53e28ff2 in Argo CD (number 12 of its history)'),
  },
  'multi-source-succeeded': {
    says: 'the singular revision is an EMPTY STRING, one per source carries the values',
    key: 'main/argocd/checkout-chart',
    revision: '2.8.1',
    revisions: ['2.8.1', COMMIT],
    remembered: '2.8.0',
    observe: 'deliver',
    gated: 'pass: synced 2.8.1',
    automatic: 'pass: synced 2.8.1',
    rollout: healthy('2.8.1'),
  },
  'progressive-sync': {
    says: 'a RollingSync of the ApplicationSet, without a pin',
    key: 'main/argocd/checkout-eu-1',
    revision: COMMIT,
    observe: 'deliver',
    gated: 'waiting: another sync was asked for',
    automatic: 'waiting: another sync was asked for',
    rollout: always('waiting: a sync is running'),
  },
  'source-hydrator': {
    says: 'the revision is a commit of the hydrated branch; what was hydrated for hydrateTo is not deployed',
    key: 'main/argocd/checkout-hydrated',
    revision: BEFORE,
    remembered: 'nothing',
    observe: 'remember',
    gated: 'pass: 53e28ff2 was synced by somebody else',
    automatic: 'pass: 53e28ff2 was synced by Argo CD',
    rollout: healthy('53e28ff2'),
  },
  'real-test-single-source': {
    says: 'without status.sync: nothing is asked for, and what ran was not looked at since',
    key: 'main/fake-argocd-ns/my-app',
    revision: A,
    observe: 'same',
    gated: 'pass: aaaaaaaa was synced by somebody else',
    automatic: 'pass: aaaaaaaa was synced by Argo CD',
    rollout: always('waiting: Argo CD has not yet looked at the result'),
  },
  'real-test-multi-source': {
    says: 'three sources, one of them only values',
    key: 'main/fake-argocd-ns/my-app',
    revision: A,
    revisions: [A, B, C],
    observe: 'same',
    gated: 'pass: aaaaaaaa was synced by somebody else',
    automatic: 'pass: aaaaaaaa was synced by Argo CD',
    rollout: always('waiting: Argo CD has not yet looked at the result'),
  },
  'real-velero-succeeded': {
    says: 'a real one, with a target of the test that was never deployed ("rev1")',
    key: 'main/argo-cd/velero-test',
    revision: 'ea8759964626a583667a2bfd08f334ec2070040a',
    observe: 'deliver',
    gated: 'pass: ea875996 was synced by somebody else',
    automatic: 'pass: ea875996 was synced by Argo CD',
    rollout: healthy('ea875996'),
  },
};

/** Labelled as ours; the marks of "gatekeeper" are those of the sync task that looks. */
function recorded(name: string) {
  const text = readFixtureText(`${PREFIX}${name}.json`)
    .replaceAll('app.example.com/', 'lynceus.dev/')
    .replaceAll('gatekeeper.run', 'lynceus.dev/task')
    .replaceAll('run_01J9Z6Y3Q4', taskIdOf('sync'));
  const object = JSON.parse(text);
  object.metadata.labels = Object.fromEntries(
    Object.entries(PLACE).map(([label, value]) => [`lynceus.dev/${label}`, value]),
  );
  return { object, application: toApplication(object, CONTEXT) };
}

const sender = argocdSender({ sources: [{ system: 'main', tokens: [new Secret('a-token-of-the-fixtures')] }] });
const notified = (app: object) =>
  sender.translate('main', Buffer.from(JSON.stringify({ schema: 'argocd.v1', trigger: 't', app })), new Date());

async function said(...asked: Parameters<typeof look>): Promise<string> {
  const { outcome } = await look(...asked);
  if (outcome.kind === 'waiting') return `waiting: ${outcome.blocker.sentence}`;
  return `${outcome.status === 'succeeded' ? outcome.result : outcome.status}: ${outcome.message}`;
}

function changeOf({ revision, revisions }: Meaning) {
  return { revision, ...(revisions === undefined ? {} : { revisions }) };
}

describe.skipIf(!hasArgoCdFixtures())('a recorded application', () => {
  const NOW = '2026-08-20T10:30:00Z';
  const soonAfter = ({ operation }: Application) =>
    operation ? new Date(Date.parse(operation.startedAt) + 40_000).toISOString() : NOW;

  describe.each(Object.entries(MEANINGS))('%s', (name, meaning) => {
    it(`is heard of as itself (${meaning.says})`, () => {
      const translation = notified(recorded(name).object);
      expect(translation).toMatchObject({ ok: true, jobs: [{ queue: 'observe', key: meaning.key }] });
    });

    it(`is ${meaning.observe === 'deliver' ? 'a new change' : 'no new change'} to the observer`, () => {
      const { application } = recorded(name);
      const remembered = meaning.remembered === 'nothing' ? undefined : { targetRevision: meaning.remembered ?? OLDER };
      expect(observe(application, remembered, undefined).kind).toBe(meaning.observe);
    });

    it('is judged by the sync', async () => {
      const { application } = recorded(name);
      const scene = { triggered: changeOf(meaning), now: soonAfter(application) };
      expect(await said(sync, application, scene)).toContain(meaning.gated);
      const automatic = { ...scene, step: step('sync', { mode: 'automatic' }) };
      expect(await said(sync, application, automatic)).toContain(meaning.automatic);
    });

    it('is judged by the rollout, at first sight and when the settle time is over', async () => {
      const { application } = recorded(name);
      const scene = { triggered: changeOf(meaning), now: NOW };
      const key = `main/${application.ref.namespace}/${application.ref.name}`;
      const settled = { ...scene, memo: { healthySince: { [key]: '2026-08-20T10:29:50Z' } } };
      expect(await said(rollout, application, scene)).toContain(meaning.rollout[0]);
      expect(await said(rollout, application, settled)).toContain(meaning.rollout[1]);
    });

    it('is never deployed as another commit', async () => {
      const { application } = recorded(name);
      const outcome = await said(rollout, application, {
        triggered: { revision: 'f'.repeat(40) },
        now: NOW,
        memo: { healthySince: { [meaning.key]: '2026-08-20T10:00:00Z' } },
      });
      expect(outcome).not.toMatch(/^pass/);
    });
  });

  it('of several sources is not deployed when another of them differs', async () => {
    const { application } = recorded('multi-source-succeeded');
    const triggered = { revision: '2.8.1', revisions: ['2.8.1', BEFORE] };
    expect(await said(sync, application, { triggered, now: NOW })).toBe(
      'fail: of source 2, 8a3d1f0c was synced instead of 53e28ff2, which was gated',
    );
    expect(await said(rollout, application, { triggered, now: NOW })).toContain('of source 2');
  });

  it('that was hydrated for the branch of a pull request is not deployed there', async () => {
    const { application } = recorded('source-hydrator');
    const triggered = { revision: 'c0ffee254729296a45a3885639ac7e10f9d54979' };
    expect(await said(rollout, application, { triggered, now: NOW })).not.toMatch(/^pass/);
  });
});

/** Everything in the folder that is no application: what holds it, by file. */
const OTHERS: Record<string, () => Promise<void>> = {
  'argocd-api-sync-request-single.json': async () => {
    const { strategy, dryRun, ...wanted } = readFixture('argocd-api-sync-request-single.json');
    // Both are what Argo CD assumes where they are left out.
    expect([strategy.hook.force, dryRun]).toEqual([false, false]);
    const body = { ...requestLike(wanted), appNamespace: wanted.appNamespace, project: wanted.project };
    expect(body).toMatchObject(wanted);
  },
  'argocd-api-sync-request-multi.json': async () => {
    const wanted = readFixture('argocd-api-sync-request-multi.json');
    const body = requestLike(wanted);
    expect({ ...body, appNamespace: wanted.appNamespace, project: wanted.project }).toEqual(wanted);
    expect(body.sourcePositions.every((position) => typeof position === 'number')).toBe(true);
  },
  'argocd-api-rollback-request.json': async () => {
    // Skips hooks, carries no marks, and an id that is forgotten means 0: never sent.
    expect(await sentPaths()).not.toContain('rollback');
  },
  'argocd-api-patch-disable-autosync.json': async () => {
    // Owners put it back, and auto-sync may stay dead after it: never sent.
    expect(await sentPaths()).not.toContain('PATCH');
  },
  'argocd-api-revision-metadata.json': async () => {
    await using server = await fakeArgoCd({ text: readFixtureText('argocd-api-revision-metadata.json') });
    expect(await createArgoCd(server.url).revisionMetadata(REF, COMMIT)).toEqual({
      author: 'Jane Doe <jane@example.com>',
      date: '2026-08-20T09:58:11Z',
      message: expect.stringContaining('chore: bump checkout to 2.8.1'),
      tags: [],
    });
  },
  'argocd-api-syncwindows.json': async () => {
    // The active denial lets syncs by hand pass, and ours is one.
    const windows = readFixtureText('argocd-api-syncwindows.json');
    await using server = await fakeArgoCd((path) => ({
      text: path.endsWith('/syncwindows') ? windows : '{"metadata": {"name": "payments"}, "spec": {}}',
    }));
    expect(await createArgoCd(server.url).windows?.(REF)).toMatchObject({ open: true });
  },
  'argocd-api-errors.json': async () => {
    for (const { httpStatus, body, bodyText } of Object.values<{
      httpStatus: number;
      body?: object;
      bodyText?: string;
    }>(readFixture('argocd-api-errors.json'))) {
      await using server = await fakeArgoCd({
        status: httpStatus,
        text: body ? JSON.stringify(body) : (bodyText ?? ''),
      });
      const syncing = createArgoCd(server.url).sync(REF, { revision: COMMIT, prune: false, infos: {} });
      await expect(syncing).rejects.toMatchObject({ name: 'AdapterError' });
    }
  },
  'argocd-stream-applications.sse.txt': async () => {
    const text = readFixtureText('argocd-stream-applications.sse.txt').replaceAll('app.example.com/', 'lynceus.dev/');
    await using server = await fakeArgoCd({ text, contentType: 'text/event-stream' });
    const hints = [];
    for await (const hint of createArgoCd(server.url).watch({ signal: new AbortController().signal })) hints.push(hint);
    expect(hints.length).toBeGreaterThan(0);
    expect(hints.every(({ name }) => name === 'checkout')).toBe(true);
  },
  'argocd-webhook-body-recommended.json': async () => {
    const body = Buffer.from(readFixtureText('argocd-webhook-body-recommended.json'));
    expect(sender.translate('main', body, new Date())).toMatchObject({
      ok: true,
      jobs: [{ queue: 'observe', key: 'main/argocd/checkout' }],
    });
  },
  // The schema that requests and answers of all tests are held to (test/support/argocd-swagger.ts).
  'swagger.json': async () => expect(readFixture('swagger.json').swagger).toBe('2.0'),
};

const REF = { system: 'main', namespace: 'argocd', name: 'checkout', uid: 'u', systemProject: 'payments' };

/** The body that we send for what a recorded request asks. */
function requestLike(wanted: {
  revision?: string;
  revisions?: string[];
  prune: boolean;
  infos: { name: string; value: string }[];
  syncOptions?: { items: string[] };
  retryStrategy?: { limit: number };
}) {
  const policy = {
    ...(wanted.syncOptions ? { options: wanted.syncOptions.items } : {}),
    ...(wanted.retryStrategy ? { retry: { limit: 1, backoffMs: 5_000, factor: 2, maxBackoffMs: 60_000 } } : {}),
  };
  return syncBody({
    revision: wanted.revision ?? wanted.revisions?.[0] ?? '',
    ...(wanted.revisions ? { revisions: wanted.revisions } : {}),
    prune: wanted.prune,
    policy,
    infos: Object.fromEntries(wanted.infos.map(({ name, value }) => [name, value])),
  });
}

/** Methods and paths that the adapter can send, out of its source. */
async function sentPaths(): Promise<string> {
  const { readFileSync } = await import('node:fs');
  const folder = new URL('../../src/adapters/delivery-systems/', import.meta.url);
  const files = readdirSync(folder).filter((file) => file.startsWith('argocd'));
  const texts = files.map((file) => readFileSync(new URL(file, folder), 'utf8'));
  return texts.flatMap((text) => text.match(/method: '\w+'|path`[^`]+`|path: '[^']+'/g) ?? []).join('\n');
}

describe.skipIf(!hasArgoCdFixtures())('what was recorded of Argo CD', () => {
  it.each(Object.entries(OTHERS))('%s means to us what it says', (_, check) => check());

  it('has a meaning here, every file of it', () => {
    const known = [...Object.keys(MEANINGS).map((name) => `${PREFIX}${name}.json`), ...Object.keys(OTHERS)];
    expect(readdirSync(FOLDER).sort()).toEqual(known.sort());
  });
});
