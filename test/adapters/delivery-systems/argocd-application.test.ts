import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toApplication } from '../../../src/adapters/delivery-systems/argocd-application.ts';
import { AdapterError } from '../../../src/base/adapter-error.ts';
import type { Application } from '../../../src/events/application.ts';
import { hasArgoCdFixtures, readFixture } from '../../support/argocd-fixtures.ts';

const context = {
  system: 'main',
  url: 'https://argocd.example.com/',
  labelPrefix: 'lynceus.dev',
  controlPlaneNamespace: 'argocd',
};
const translate = (raw: unknown) => toApplication(raw, context);
const minimal = (more: object = {}) => ({ metadata: { name: 'checkout', ...more } });
const labelled = (labels: object) => translate(minimal({ labels }));
const annotated = (annotations: object, more: object = {}) => translate({ ...minimal({ annotations }), ...more });

const A = '8a3d1f0c6b7e4d5a9f2b1c0d3e4f5a6b7c8d9e0f';
const B = '53e28ff20cc530b9ada2173fbbd64d48338583ba';
const C = '0d7a9c14be1f5b0d2b1c3a6f7e8d9c0b1a2f3e4d';
const INFOS = { 'gatekeeper.run': 'run_01J9Z6Y3Q4', 'gatekeeper.reason': 'pre-deploy checks passed (budget 71% left)' };
const SOURCE = {
  repoUrl: 'https://github.com/example-org/checkout-deploy.git',
  path: 'overlays/staging',
  targetRevision: 'main',
};
const EARLIER = [
  { id: 11, revision: C, startedAt: '2026-08-19T16:40:00Z', deployedAt: '2026-08-19T16:40:21Z', by: 'gatekeeper' },
  { id: 12, revision: B, startedAt: '2026-08-20T09:10:03Z', deployedAt: '2026-08-20T09:10:20Z', by: 'gatekeeper' },
];
const DEPLOYED = {
  id: 13,
  revision: A,
  startedAt: '2026-08-20T10:01:33Z',
  deployedAt: '2026-08-20T10:02:03Z',
  by: 'gatekeeper',
};
const SYNCED = {
  phase: 'Succeeded',
  startedAt: '2026-08-20T10:01:33Z',
  finishedAt: '2026-08-20T10:02:03Z',
  revision: A,
  infos: INFOS,
  dryRun: false,
  partial: false,
  retrying: false,
  automated: false,
  by: 'gatekeeper',
  retryLimit: 2,
  message: 'successfully synced (all tasks run)',
} as const;
const CHART = {
  repoUrl: 'https://charts.example.com',
  path: '',
  targetRevision: '2.8.1',
  kind: 'helm',
  chart: 'checkout',
} as const;

const ABSENT = undefined as never;

/** What each recorded application means, as far as it differs from its neighbours. */
const MEANINGS: Record<string, Partial<Application>> = {
  'succeeded-healthy': {
    ref: {
      system: 'main',
      namespace: 'argocd',
      name: 'checkout',
      uid: '3f0c5a1e-6f0b-4b52-9f0e-6f4b1d1f7c11',
      systemProject: 'payments',
    },
    url: 'https://checkout.staging.example.com/',
    link: 'https://argocd.example.com/applications/argocd/checkout',
    annotations: {
      'notifications.argoproj.io/subscribe.gate-sync.gatekeeper': '',
      'argocd.argoproj.io/manifest-generate-paths': '.',
    },
    source: SOURCE,
    sources: [SOURCE],
    automated: false,
    targetRevision: A,
    syncStatus: 'Synced',
    health: { status: 'Healthy', since: '2026-08-20T10:02:41Z' },
    operation: SYNCED,
    reconciledAt: '2026-08-20T10:02:05Z',
    history: [...EARLIER, DEPLOYED],
    images: ['ghcr.io/example-org/checkout:2.8.1'],
    conditions: [],
  },
  'succeeded-progressing': {
    operation: SYNCED,
    health: { status: 'Progressing', since: '2026-08-20T10:02:04Z' },
  },
  'succeeded-stale-healthy': {
    operation: SYNCED,
    health: { status: 'Healthy', since: '2026-08-19T16:41:10Z' },
    reconciledAt: '2026-08-20T10:02:05Z',
  },
  degraded: { operation: SYNCED, health: { status: 'Degraded', since: '2026-08-20T10:12:44Z' } },
  'any-namespace': {
    ref: {
      system: 'main',
      namespace: 'team-payments',
      name: 'checkout',
      uid: '3f0c5a1e-6f0b-4b52-9f0e-6f4b1d1f7c11',
      systemProject: 'payments',
    },
    link: 'https://argocd.example.com/applications/team-payments/checkout',
    operation: SYNCED,
  },
  'sync-requested': {
    operationRequested: { infos: INFOS },
    operation: ABSENT,
    syncStatus: 'OutOfSync',
    history: EARLIER,
  },
  'running-presync': {
    operationRequested: ABSENT,
    operation: {
      phase: 'Running',
      startedAt: '2026-08-20T10:01:33Z',
      revision: A,
      infos: INFOS,
      dryRun: false,
      partial: false,
      retrying: false,
      automated: false,
      by: 'gatekeeper',
      retryLimit: 2,
      message: 'waiting for completion of hook batch/Job/predeploy-gate',
    },
  },
  'autosync-retry-backoff': {
    automated: true,
    selfHeal: true,
    operationRequested: ABSENT,
    operation: {
      phase: 'Running',
      startedAt: '2026-08-20T10:01:33Z',
      finishedAt: '2026-08-20T10:01:58Z',
      revision: A,
      infos: {},
      dryRun: false,
      partial: false,
      failedHooks: ['predeploy-gate'],
      retrying: true,
      automated: true,
      retries: 1,
      retryLimit: 5,
      message: 'one or more synchronization tasks completed unsuccessfully. Retrying attempt #1 at 10:02AM.',
    },
  },
  'sync-failed-autosync-stuck': {
    automated: true,
    selfHeal: true,
    syncStatus: 'OutOfSync',
    operation: {
      phase: 'Failed',
      startedAt: '2026-08-20T10:01:33Z',
      finishedAt: '2026-08-20T10:09:12Z',
      revision: A,
      infos: {},
      dryRun: false,
      partial: false,
      failedHooks: ['predeploy-gate'],
      retrying: false,
      automated: true,
      retries: 5,
      retryLimit: 5,
      message: 'one or more synchronization tasks completed unsuccessfully (retried 5 times).',
    },
    conditions: [
      {
        type: 'SyncError',
        message: `Failed last sync attempt to [${A}]: one or more synchronization tasks completed unsuccessfully (retried 5 times).`,
      },
    ],
  },
  'rollback-succeeded': {
    syncStatus: 'OutOfSync',
    targetRevision: A,
    operation: {
      phase: 'Succeeded',
      startedAt: '2026-08-20T10:20:02Z',
      finishedAt: '2026-08-20T10:20:10Z',
      revision: B,
      infos: {},
      dryRun: false,
      // Strategy "apply" skips the application's hooks.
      partial: true,
      retrying: false,
      automated: false,
      by: 'gatekeeper',
      message: 'successfully synced (all tasks run)',
    },
  },
  'multi-source-succeeded': {
    // The values' repository only lends files, so the chart leads.
    source: CHART,
    sources: [
      CHART,
      {
        repoUrl: 'https://github.com/example-org/checkout-values.git',
        path: '',
        targetRevision: 'main',
        ref: 'values',
      },
    ],
    targetRevision: '2.8.1',
    targetRevisions: ['2.8.1', A],
    operation: { ...SYNCED, revision: '2.8.1', revisions: ['2.8.1', A] },
    history: [{ ...DEPLOYED, id: 7, revision: '2.8.1', revisions: ['2.8.1', A] }],
    url: ABSENT,
  },
  'progressive-sync': {
    operationRequested: {
      infos: { Reason: 'ApplicationSet RollingSync triggered a sync of this Application resource' },
    },
    operation: ABSENT,
    automated: false,
    owner: { kind: 'ApplicationSet', name: 'checkout' },
  },
  'source-hydrator': {
    source: {
      repoUrl: 'https://github.com/example-org/checkout-config',
      path: 'checkout',
      targetRevision: 'environments/prod',
    },
    targetRevision: B,
    hydration: {
      phase: 'Hydrated',
      drySha: A,
      hydratedSha: 'c0ffee254729296a45a3885639ac7e10f9d54979',
      last: { drySha: A, hydratedSha: 'c0ffee254729296a45a3885639ac7e10f9d54979' },
      branch: 'environments/prod',
      hydrateTo: 'environments/prod-next',
      dry: { repoUrl: 'https://github.com/example-org/checkout-config', path: 'chart', targetRevision: 'main' },
    },
    operation: ABSENT,
    history: [{ id: 3, revision: B, startedAt: '2026-08-20T09:10:03Z', deployedAt: '2026-08-20T09:10:20Z' }],
  },
  'real-test-single-source': {
    ref: { system: 'main', namespace: 'fake-argocd-ns', name: 'my-app', uid: '123', systemProject: 'default' },
    source: {
      repoUrl: 'https://github.com/argoproj/argocd-example-apps.git',
      path: 'some/path',
      targetRevision: 'HEAD',
    },
    automated: true,
    syncStatus: 'Unknown',
    health: { status: 'Unknown' },
    targetRevision: ABSENT,
    history: [],
    images: [],
    operation: {
      phase: 'Succeeded',
      startedAt: '2018-09-21T23:50:25Z',
      finishedAt: '2018-09-21T23:50:29Z',
      revision: 'a'.repeat(40),
      infos: {},
      dryRun: false,
      partial: false,
      retrying: false,
      automated: false,
      message: 'successfully synced',
    },
  },
  'real-test-multi-source': {
    sources: [
      { repoUrl: 'https://github.com/argoproj/argocd-example-apps.git', path: 'some/path', targetRevision: 'HEAD' },
      {
        repoUrl: 'https://github.com/argoproj/argocd-example-apps-fake.git',
        path: 'some/other/path',
        targetRevision: 'HEAD',
      },
      {
        repoUrl: 'https://github.com/argoproj/argocd-example-apps-fake-ref.git',
        path: '',
        targetRevision: 'HEAD',
        ref: 'values_test',
      },
    ],
    operation: expect.objectContaining({
      phase: 'Succeeded',
      revision: 'a'.repeat(40),
      revisions: ['a'.repeat(40), 'b'.repeat(40), 'c'.repeat(40)],
    }),
  },
  'real-velero-succeeded': {
    ref: {
      system: 'main',
      namespace: 'argo-cd',
      name: 'velero-test',
      uid: '94978696-4fd4-40b3-a1de-38d9df9e9316',
      systemProject: 'sre',
    },
    source: {
      repoUrl: 'https://github.com/foo/manifests-velero.git',
      path: 'instances/test',
      targetRevision: 'test-lla',
    },
    targetRevision: 'rev1',
    health: { status: 'Healthy' },
    reconciledAt: '2024-03-05T07:33:04Z',
    images: ['nginx:latest'],
    operation: expect.objectContaining({
      phase: 'Succeeded',
      revision: 'ea8759964626a583667a2bfd08f334ec2070040a',
      finishedAt: '2024-03-05T07:33:04Z',
    }),
    history: expect.objectContaining({ length: 10 }),
  },
};

describe.skipIf(!hasArgoCdFixtures())('an application as Argo CD tells of it', () => {
  it.each(Object.entries(MEANINGS))('%s', (name, meaning) => {
    const application: Record<string, unknown> = { ...translate(readFixture(`argocd-app-${name}.json`)) };
    const told = Object.keys(meaning).map((field) => [field, application[field]]);
    expect(Object.fromEntries(told)).toEqual(meaning);
  });

  it('is the same in a notification as over the API, as far as it is told', () => {
    const told = translate(readFixture('argocd-webhook-body-recommended.json').app);
    const { annotations: _, ...asked } = translate(readFixture('argocd-app-succeeded-healthy.json'));
    expect(told).toMatchObject(asked);
  });

  it('keeps nothing but what the house has words for', () => {
    const known = Object.keys(translate(readFixture('argocd-app-real-velero-succeeded.json'))).sort();
    expect(known).toEqual([
      'annotations',
      'automated',
      'cluster',
      'conditions',
      'health',
      'history',
      'images',
      'labels',
      'link',
      'operation',
      'owner',
      'reconciledAt',
      'ref',
      'source',
      'sources',
      'syncStatus',
      'targetRevision',
    ]);
  });
});

describe('the place of an application', () => {
  it('comes from our labels', () => {
    const { place } = labelled({
      'lynceus.dev/project': 'shop',
      'lynceus.dev/stage': 'dev',
      'lynceus.dev/service': 'cart',
    });
    expect(place).toEqual({ project: 'shop', stage: 'dev', service: 'cart' });
  });

  it("comes from Keptn's labels where there are none of ours", () => {
    const { place } = labelled({ keptnProject: 'shop', stage: 'dev', keptnService: 'cart' });
    expect(place).toEqual({ project: 'shop', stage: 'dev', service: 'cart' });
  });

  it.each([
    ['one is missing', { 'lynceus.dev/project': 'shop', 'lynceus.dev/service': 'cart' }],
    ['one is no name', { 'lynceus.dev/project': '../shop', 'lynceus.dev/stage': 'dev', 'lynceus.dev/service': 'cart' }],
    ['one is empty', { 'lynceus.dev/project': '', 'lynceus.dev/stage': 'dev', 'lynceus.dev/service': 'cart' }],
  ])('is unknown when %s', (_, labels) => {
    expect(labelled(labels).place).toBeUndefined();
  });
});

describe('the address of the deployed service', () => {
  const summary = { status: { summary: { externalURLs: ['javascript:alert(1)', 'Shop|https://shop.example.com/'] } } };

  it('is the annotation, before everything that Argo CD found out', () => {
    expect(annotated({ 'lynceus.dev/url': 'http://shop.dev/' }, summary).url).toBe('http://shop.dev/');
    expect(annotated({ externalURI: 'http://keptn.dev/' }, summary).url).toBe('http://keptn.dev/');
  });

  it('is else the first web address of an ingress', () => {
    expect(annotated({}, summary).url).toBe('https://shop.example.com/');
  });

  it.each(['javascript:alert(1)', 'file:///etc/passwd', 'shop.dev', 'http://me:secret@shop.dev/'])(
    'stays open rather than another one when the annotation says %s',
    (url) => {
      expect(annotated({ 'lynceus.dev/url': url }, summary).url).toBeUndefined();
    },
  );
});

describe('several sources', () => {
  const SHA = ['a', 'b', 'c'].map((digit) => digit.repeat(40));
  const sources = [
    { repoURL: 'https://charts.example.com', chart: 'cart', targetRevision: '2.x' },
    { repoURL: 'https://git.example.com/values', ref: 'values' },
    { repoURL: 'https://git.example.com/more', path: 'app', ref: 'more' },
  ];
  const withStatus = (status: object, spec: object = { sources }) => translate({ ...minimal(), spec, status });

  it('are led by the first that is Git and more than values for others', () => {
    const application = withStatus({ sync: { revision: '', revisions: ['2.8.1', SHA[1], SHA[2]] } });
    expect(application.source.repoUrl).toBe('https://git.example.com/more');
    expect(application.sources.map(({ kind, ref }) => [kind, ref])).toEqual([
      ['helm', undefined],
      [undefined, 'values'],
      [undefined, undefined],
    ]);
    expect(application).toMatchObject({ targetRevision: SHA[2], targetRevisions: ['2.8.1', SHA[1], SHA[2]] });
  });

  it.each([
    ['not resolved', ['2.8.1', '', SHA[2]]],
    ['not known yet', ['2.8.1', SHA[1]]],
    ['no text', ['2.8.1', 7, SHA[2]]],
  ])('ask for nothing while one of them is %s', (_, revisions) => {
    const application = withStatus({ sync: { revisions } });
    expect(application.targetRevision).toBeUndefined();
    expect(application.targetRevisions).toBeUndefined();
  });

  it('of an older spec are read by the sources that the history names', () => {
    const [, git] = sources;
    const entry = { deployedAt: '2026-08-20T10:02:03Z', sources: [sources[2], git], revisions: [SHA[2], SHA[1]] };
    expect(withStatus({ history: [entry] }).history).toMatchObject([{ revision: SHA[2], revisions: [SHA[2], SHA[1]] }]);
  });

  it('may be one that is an artifact of a registry, whose revisions are digests', () => {
    const spec = { source: { repoURL: 'oci://registry.example.com/cart', path: '.', targetRevision: '1.2' } };
    const digest = `sha256:${'d'.repeat(64)}`;
    const application = withStatus({ sync: { revision: digest } }, spec);
    expect(application).toMatchObject({ source: { kind: 'oci' }, targetRevision: digest });
    expect(application.targetRevisions).toBeUndefined();
  });
});

describe('a hydrated application', () => {
  const hydrated = (status: object) =>
    translate({
      ...minimal(),
      spec: {
        sourceHydrator: {
          drySource: { repoURL: 'https://git.example.com/dry', path: 'chart', targetRevision: 'main' },
          syncSource: { targetBranch: 'environments/dev', path: 'cart' },
        },
      },
      status: { sourceHydrator: status },
    }).hydration;
  const last = { drySHA: 'd1', hydratedSHA: 'h1' };

  it('names the commit of its last operation, and no hydrated commit that belongs to another one', () => {
    expect(hydrated({ lastSuccessfulOperation: last })).toMatchObject({
      phase: 'Hydrated',
      drySha: 'd1',
      hydratedSha: 'h1',
    });
    const running = hydrated({
      lastSuccessfulOperation: last,
      currentOperation: { phase: 'Hydrating', drySHA: 'd2', startedAt: '2026-08-20T10:00:00Z' },
    });
    expect(running).toMatchObject({ phase: 'Hydrating', drySha: 'd2', branch: 'environments/dev' });
    expect(running?.hydratedSha).toBeUndefined();
  });

  it('is never hydrated by a phase that we do not know, or before it ever was', () => {
    expect(hydrated({})?.phase).toBe('Hydrating');
    expect(hydrated({ lastSuccessfulOperation: last, currentOperation: { phase: 'Splendid' } })?.phase).toBe(
      'Hydrating',
    );
    expect(
      hydrated({ currentOperation: { phase: 'Splendid', finishedAt: '2026-08-20T10:00:00Z', message: 'no' } }),
    ).toMatchObject({ phase: 'Failed', message: 'no' });
  });
});

describe('the owner of an application', () => {
  const ownedBy = (metadata: object) => translate({ metadata: { name: 'cart', ...metadata } }).owner;

  it('is the application that tracks it, never itself', () => {
    const tracked = (id: string) => ownedBy({ annotations: { 'argocd.argoproj.io/tracking-id': id } });
    expect(tracked('root:argoproj.io/Application:argocd/cart')).toEqual({ kind: 'Application', name: 'root' });
    expect(tracked('cart:argoproj.io/Application:argocd/cart')).toBeUndefined();
    expect(ownedBy({ labels: { 'argocd.argoproj.io/instance': 'root' } })).toEqual({
      kind: 'Application',
      name: 'root',
    });
    expect(ownedBy({ ownerReferences: [{ kind: 'Deployment', name: 'x' }] })).toBeUndefined();
  });
});

describe('an operation', () => {
  const operation = (state: object) => translate({ ...minimal(), status: { operationState: state } }).operation;

  it('is told apart from a dry run and from a partial one', () => {
    const sync = (more: object) => operation({ phase: 'Succeeded', operation: { sync: more } });
    expect(sync({ dryRun: true })?.dryRun).toBe(true);
    expect(sync({ resources: [{ kind: 'Deployment', name: 'cart' }] })?.partial).toBe(true);
    expect(sync({ syncStrategy: { apply: {} } })?.partial).toBe(true);
    expect(sync({ syncStrategy: { hook: {} } })?.partial).toBe(false);
  });

  it('is about the commit that was synced, not about the short hash that somebody typed', () => {
    const typed = { phase: 'Succeeded', operation: { sync: { revision: A.slice(0, 7) } } };
    expect(operation({ ...typed, syncResult: { revision: A } })).toMatchObject({ revision: A });
    expect(operation(typed)).not.toHaveProperty('revision');
  });

  it('of a phase that we do not know is never a success', () => {
    expect(operation({ phase: 'Splendid', finishedAt: '2026-08-20T10:02:03Z' })).toMatchObject({ phase: 'Error' });
    expect(operation({ phase: 'Splendid' })).toMatchObject({ phase: 'Running', retrying: false });
    expect(operation({})?.message).toContain('unknown phase');
  });

  it('without a start counts as older than everything', () => {
    expect(operation({ phase: 'Running', startedAt: 'yesterday' })?.startedAt).toBe('1970-01-01T00:00:00Z');
  });

  it('that has ended does not hide that another one was asked for', () => {
    const app = {
      ...minimal(),
      operation: { info: [{ name: 'a', value: 'b' }] },
      status: { operationState: { phase: 'Failed' } },
    };
    expect(translate(app).operationRequested).toEqual({ infos: { a: 'b' } });
  });
});

describe('an application object of any shape', () => {
  it('without a name is refused', () => {
    for (const raw of [
      undefined,
      null,
      [],
      'x',
      {},
      { metadata: null },
      { metadata: { name: '' } },
      { metadata: { name: 7 } },
    ]) {
      expect(() => translate(raw)).toThrow(AdapterError);
    }
  });

  it('with nothing but a name is an application of which little is known', () => {
    expect(translate(minimal())).toEqual({
      ref: { system: 'main', namespace: 'argocd', name: 'checkout', uid: '', systemProject: 'default' },
      link: 'https://argocd.example.com/applications/argocd/checkout',
      annotations: {},
      source: { repoUrl: '', path: '', targetRevision: '' },
      sources: [],
      automated: false,
      syncStatus: 'Unknown',
      health: { status: 'Unknown' },
      history: [],
      images: [],
      conditions: [],
    });
  });

  it('switched off automation is no automation', () => {
    const withPolicy = (automated: unknown) =>
      translate({ ...minimal(), spec: { syncPolicy: { automated } } }).automated;
    expect([{}, { enabled: true }, { enabled: false }, null, undefined].map(withPolicy)).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });

  it('never crashes us', () => {
    const anything = fc.jsonValue({ maxDepth: 4 });
    const part = fc.record(
      {
        spec: fc.oneof(anything, fc.record({ source: anything, sources: anything, syncPolicy: anything })),
        status: fc.oneof(
          anything,
          fc.record({
            operationState: anything,
            sync: anything,
            health: anything,
            history: anything,
            summary: anything,
          }),
        ),
        operation: anything,
        labels: anything,
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(part, ({ labels, ...rest }) => {
        expect(translate({ ...minimal({ labels, annotations: labels }), ...rest }).ref.name).toBe('checkout');
      }),
    );
  });
});
