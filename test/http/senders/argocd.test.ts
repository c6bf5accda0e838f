import { describe, expect, it } from 'vitest';
import { Secret } from '../../../src/base/secret.ts';
import { argocdSender } from '../../../src/http/senders/argocd.ts';
import type { Translation } from '../../../src/http/senders/sender.ts';
import { hasArgoCdFixtures, readFixture, readFixtureText } from '../../support/argocd-fixtures.ts';

const RECEIVED = new Date('2026-08-20T10:03:00.123Z');
const OLD = new Secret('old-token-of-main-0001');
const NEW = new Secret('new-token-of-main-0002');
const OTHER = new Secret('token-of-the-edge-0003');
const sender = argocdSender({
  sources: [
    { system: 'main', tokens: [OLD, NEW] },
    { system: 'edge', tokens: [OTHER] },
  ],
});

const from = (authorization?: string) =>
  sender.authenticate({ headers: authorization === undefined ? {} : { authorization }, rawBody: Buffer.alloc(0) });
const receive = (body: unknown) =>
  sender.translate('main', Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)), RECEIVED);

const UID = '3f0c5a1e-6f0b-4b52-9f0e-6f4b1d1f7c11';
const metadata = { name: 'checkout', namespace: 'argocd', uid: UID };
const status = {
  operationState: {
    phase: 'Succeeded',
    startedAt: '2026-08-20T10:01:33Z',
    finishedAt: '2026-08-20T10:02:03Z',
    syncResult: { revision: 'aaa' },
  },
  health: { status: 'Healthy', lastTransitionTime: '2026-08-20T10:02:41Z' },
  sync: { status: 'Synced', revision: 'aaa' },
};
const body = (change: object = {}) => ({ schema: 'argocd.v1', trigger: 't', app: { metadata, status, ...change } });
const identityOf = (translation: Translation) => {
  if (!translation.ok) throw new Error(translation.detail);
  return [translation.event.source, translation.event.id];
};
const toldBy = (raw: unknown) => identityOf(receive(raw));

describe('who sends an Argo CD notification', () => {
  it('is told by the token, the new one as well as the old', () => {
    expect(from(`Bearer ${OLD.reveal()}`)).toEqual({ source: 'main' });
    expect(from(`Bearer ${NEW.reveal()}`)).toEqual({ source: 'main' });
    expect(from(`bearer ${OTHER.reveal()}`)).toEqual({ source: 'edge' });
  });

  it.each([
    undefined,
    '',
    'Bearer',
    'Bearer ',
    'Bearer wrong',
    `Basic ${OLD.reveal()}`,
    OLD.reveal(),
    `Bearer ${OLD.reveal()}x`,
  ])('stays unknown with %s', (authorization) => {
    expect(from(authorization)).toBeUndefined();
  });

  it('has to be clear from the configuration, with tokens that cannot be guessed', () => {
    const create =
      (...tokens: Secret[]) =>
      () =>
        argocdSender({ sources: tokens.map((token, at) => ({ system: `argo-${at}`, tokens: [token] })) });
    expect(create(OLD, OLD)).toThrow('argo-0 and argo-1 share a webhook token');
    expect(create(new Secret(''))).toThrow('the webhook token of argo-0 is shorter than 16 characters');
    expect(create(new Secret('short'))).not.toThrow('short token');
  });
});

describe('an Argo CD notification', () => {
  it('becomes an event and a look at the application', () => {
    const translation = receive(body());
    expect(translation).toMatchObject({
      ok: true,
      event: {
        type: 'dev.lynceus.notification.received.v1',
        source: 'argocd/main',
        subject: 'main/argocd/checkout',
        time: '2026-08-20T10:03:00.123Z',
        id: `2026-08-20T10:02:41Z/2026-08-20T10:01:33Z:Succeeded:2026-08-20T10:02:03Z:Healthy:2026-08-20T10:02:41Z:Synced:aaa/${UID}`,
        data: {
          system: 'main',
          namespace: 'argocd',
          name: 'checkout',
          uid: UID,
          trigger: 't',
          operation: { phase: 'Succeeded', revision: 'aaa' },
        },
      },
      jobs: [
        {
          queue: 'observe',
          key: 'main/argocd/checkout',
          payload: { system: 'main', namespace: 'argocd', name: 'checkout' },
        },
      ],
    });
  });

  it.skipIf(!hasArgoCdFixtures())('is understood as the recommended template writes it', () => {
    const translation = receive(readFixtureText('argocd-webhook-body-recommended.json'));
    expect(translation).toMatchObject({
      ok: true,
      event: { data: { trigger: 'gate-finished', sync: { status: 'Synced' } } },
    });
  });

  it.skipIf(!hasArgoCdFixtures())('is understood for several sources, whose singular revision is empty', () => {
    const translation = receive({ trigger: 't', app: readFixture('argocd-app-multi-source-succeeded.json') });
    const revision = '2.8.1,8a3d1f0c6b7e4d5a9f2b1c0d3e4f5a6b7c8d9e0f';
    expect(translation).toMatchObject({ ok: true, event: { data: { sync: { revision }, operation: { revision } } } });
  });

  it('means the same when another trigger, or a later copy of the object, says it again', () => {
    const again = { ...body({ metadata: { ...metadata, resourceVersion: '9' } }), trigger: 'another' };
    expect(toldBy(again)).toEqual(toldBy(body()));
  });

  it.each<[string, object]>([
    ['another operation', { operationState: { ...status.operationState, startedAt: '2026-08-20T10:09:00Z' } }],
    ['another phase', { operationState: { ...status.operationState, phase: 'Failed' } }],
    ['another health', { health: { status: 'Degraded', lastTransitionTime: '2026-08-20T10:02:41Z' } }],
    ['the same health once more', { health: { status: 'Healthy', lastTransitionTime: '2026-08-20T11:00:00Z' } }],
    ['another commit', { sync: { status: 'Synced', revision: 'bbb' } }],
    ['drift', { sync: { status: 'OutOfSync', revision: 'aaa' } }],
  ])('means something new with %s', (_, change) => {
    expect(toldBy(body({ status: { ...status, ...change } }))).not.toEqual(toldBy(body()));
  });

  it('is told apart by the last of many sources', () => {
    const revisions = (last: string) => [...Array.from({ length: 9 }, () => 'c'.repeat(40)), last.repeat(40)];
    const [one, other] = ['d', 'e'].map((last) =>
      toldBy(body({ status: { ...status, sync: { status: 'Synced', revisions: revisions(last) } } })),
    );
    expect(one).not.toEqual(other);
  });

  it('means something else from another Argo CD, or for a re-created application', () => {
    const elsewhere = sender.translate('edge', Buffer.from(JSON.stringify(body())), RECEIVED);
    expect(identityOf(elsewhere)).not.toEqual(toldBy(body()));
    expect(toldBy(body({ metadata: { ...metadata, uid: 'another' } }))).not.toEqual(toldBy(body()));
  });

  it('is kept without bulk and without what charts are given', () => {
    const source = {
      repoURL: 'https://x',
      helm: { values: 'password: hunter2' },
      plugin: { env: [{ value: 'hunter2' }] },
    };
    const app = {
      metadata: {
        ...metadata,
        managedFields: [{}],
        annotations: { 'kubectl.kubernetes.io/last-applied-configuration': 'hunter2', kept: 'yes' },
      },
      spec: { source, sources: [source] },
      status: { ...status, sync: { ...status.sync, comparedTo: { source } }, history: [{ source }] },
    };
    const text = JSON.stringify(receive({ trigger: 't', app }));
    expect(text).not.toContain('hunter2');
    expect(text).not.toContain('managedFields');
    expect(text).toContain('"kept":"yes"');
  });

  it('is not kept when it is very large, but still looked at', () => {
    const translation = receive(body({ spec: { bulk: 'x'.repeat(70_000) } }));
    expect(translation).toMatchObject({ ok: true, event: { data: { appLeftOut: expect.any(String) } }, jobs: [{}] });
    expect(JSON.stringify(translation).length).toBeLessThan(5_000);
  });
});

describe('what is no Argo CD notification', () => {
  it.each<[string, unknown, number, string, string]>([
    ['nothing', '', 400, 'empty-body', 'webhook.<service>.body'],
    [
      'a value without toJson',
      '{"trigger":"t","app":<no value>}',
      400,
      'not-json',
      '1:22: this is not JSON; every value needs toJson',
    ],
    ['a map without toJson', '{"app":map[a:b]}', 400, 'not-json', 'every value needs toJson'],
    ['a key that stands twice', '{"app":{},"app":{}}', 400, 'duplicate-key', '1:11:'],
    ['another shape', '[]', 422, 'unknown-shape', 'must be a JSON object'],
    ['another schema', { ...body(), schema: 'argocd.v9' }, 422, 'unknown-shape', 'schema: only "argocd.v1"'],
    ['no application', { trigger: 't' }, 422, 'unknown-shape', 'app: the application object is missing'],
    ['no name', body({ metadata: {} }), 422, 'unknown-shape', 'app.metadata.name'],
    ['a path for a name', body({ metadata: { ...metadata, name: '../x' } }), 422, 'unknown-shape', 'app.metadata.name'],
    ['no namespace', body({ metadata: { name: 'a', uid: 'u' } }), 422, 'unknown-shape', 'app.metadata.namespace'],
    ['no uid', body({ metadata: { name: 'a', namespace: 'b' } }), 422, 'unknown-shape', 'app.metadata.uid'],
    ['too much', 'x'.repeat(1024 * 1024 + 1), 413, 'too-large', 'more than 1048576'],
  ])('is refused: %s', (_, raw, wanted, code, detail) => {
    const translation = receive(raw);
    expect(translation).toMatchObject({ ok: false, status: wanted, code });
    expect(translation.ok ? '' : translation.detail).toContain(detail);
  });
});
