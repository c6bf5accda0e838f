import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/base/secret.ts';
import { plainMetadata } from '../../src/events/flux-event.ts';
import { parseFluxRevision } from '../../src/events/flux-revision.ts';
import { fluxSender } from '../../src/http/senders/flux.ts';
import { signatureAuthentication } from '../../src/http/senders/signature.ts';
import { fluxFixtures, hasFluxFixtures, readFluxFixture, readFluxFixtureText } from '../support/flux-fixtures.ts';

const TOKEN = new Secret('a-token-for-the-tests');
const sender = fluxSender({ sources: [{ system: 'eu', tokens: [TOKEN] }] });
const OWN_GROUP = 'kustomize.toolkit.fluxcd.io';

/** A body as it is received five seconds after the event in it. */
function receive(text: string) {
  const timestamp = /"timestamp": ?"([^"]+)"/.exec(text)?.[1] ?? '2026-08-20T10:00:00Z';
  return sender.translate('eu', Buffer.from(text), new Date(Date.parse(timestamp) + 5_000));
}

const COMMIT = '731f7eaddfb6af01cb2173e18f0f75b0ba780ef1';
const commit = (name: string) => ({ kind: 'commit', commit: COMMIT, name });
const WEBAPP = 'eu/apps/kustomization/webapp';
const PODINFO = 'eu/default/helmrelease/podinfo';

/** What it means, which work it asks for, and what its revision is. */
const EVENTS: Record<string, [meaning: string, job: string, revision?: object]> = {
  'flux-event-controller-side-validationfailed.json': ['failed', WEBAPP, commit('main')],
  'flux-gitrepository-new-artifact.json': ['new-artifact', 'eu', commit('main')],
  'flux-helmrelease-drift-detected.json': ['drifted', PODINFO],
  'flux-helmrelease-install-succeeded.json': ['released', PODINFO, { kind: 'version', version: '6.5.3' }],
  // The old chart, and of severity info.
  'flux-helmrelease-rollback-succeeded.json': [
    'rolled-back',
    PODINFO,
    { kind: 'version', version: '6.6.0+cdd538a0167e', build: 'cdd538a0167e' },
  ],
  'flux-helmrelease-test-failed.json': ['failed', PODINFO, { kind: 'version', version: '6.5.3' }],
  'flux-helmrelease-test-succeeded.json': [
    'tested',
    PODINFO,
    { kind: 'version', version: '6.6.1+0cc9a8446c95', build: '0cc9a8446c95' },
  ],
  // Before its tests.
  'flux-helmrelease-upgrade-succeeded.json': [
    'released',
    PODINFO,
    { kind: 'version', version: '6.6.1+0cc9a8446c95', build: '0cc9a8446c95' },
  ],
  'flux-kustomization-applied.json': ['progressing', WEBAPP, commit('main')],
  // Of severity info, and not deployed.
  'flux-kustomization-dependency-not-ready.json': ['waiting', WEBAPP, commit('main')],
  'flux-kustomization-healthcheck-failed.json': ['failed', WEBAPP, commit('main')],
  'flux-kustomization-healthcheck-passed.json': ['healthy', WEBAPP, commit('main')],
  'flux-kustomization-oci-origin-revision.json': [
    'applied',
    WEBAPP,
    {
      kind: 'digest',
      digest: 'sha256:3b6cdcc7adcc9a84d3214ee1c029543789d90b5ae69debe9efa3f66e982875de',
      name: 'latest',
    },
  ],
  'flux-kustomization-reconciliation-succeeded.json': ['applied', WEBAPP, commit('main')],
  // Its revision is a word that says nothing.
  'flux-ocirepository-new-artifact.json': ['new-artifact', 'eu'],
};

/** Everything else, by what it is for. */
const OTHERS: Record<string, () => void> = {
  'flux-generic-hmac-vector.json'() {
    const { key, rawBody, headers } = readFluxFixture('flux-generic-hmac-vector.json');
    const keyed = fluxSender({ sources: [{ system: 'eu', tokens: [new Secret(key)] }] });
    const sent = (signature: string, body: string) =>
      keyed.authenticate({ headers: { 'x-signature': signature }, rawBody: Buffer.from(body) });
    expect(sent(headers['X-Signature'], rawBody)).toEqual({ source: 'eu' });
    expect(sent(headers['X-Signature'], `${rawBody}\n`)).toBeUndefined();
    expect(sent(headers['X-Signature'].replace('sha256', 'sha512'), rawBody)).toBeUndefined();
    expect(receive(rawBody)).toMatchObject({ ok: true, jobs: [{ queue: 'reconcile', key: 'eu' }] });
  },
  'flux-githubdispatch-request.json'() {
    const { body } = readFluxFixture('flux-githubdispatch-request.json');
    expect(receive(JSON.stringify(body))).toMatchObject({ ok: false, status: 422, code: 'unknown-shape' });
    const inside = receive(JSON.stringify(body.client_payload));
    expect(inside).toMatchObject({ ok: true, event: { data: { meaning: 'released', metadata: { env: 'staging' } } } });
  },
  'flux-metadata-annotation-deploymentid.json'() {
    const { annotations, alertEventMetadata, postedMetadata } = readFluxFixture(
      'flux-metadata-annotation-deploymentid.json',
    );
    expect(plainMetadata(OWN_GROUP, { ...annotations, ...alertEventMetadata })).toEqual(postedMetadata);
    expect(plainMetadata(OWN_GROUP, postedMetadata)).toEqual(postedMetadata);
  },
  'flux-metadata-cleanup-case.json'() {
    const { input, afterCleanup } = readFluxFixture('flux-metadata-cleanup-case.json');
    const plain = { foo: 'fooval', bar: 'barval', zzz: 'zzzz', 'aa/bb': 'cc', baz: 'foo', bazfoo: 'foobaz' };
    expect(plainMetadata(OWN_GROUP, input)).toEqual(plain);
    expect(plainMetadata(OWN_GROUP, afterCleanup)).toEqual(plain);
  },
  'flux-metadata-precedence-case.json'() {
    const { eventMetadata, alertSpec, postedMetadata } = readFluxFixture('flux-metadata-precedence-case.json');
    const { summary, eventMetadata: added } = alertSpec;
    expect(plainMetadata(OWN_GROUP, { ...eventMetadata, ...added, summary })).toEqual(postedMetadata);
  },
  // For a Receiver of Flux: the signature is of the same kind, the body is none of its events.
  'flux-receiver-generic-hmac-request.json'() {
    const { token, rawBody, headers } = readFluxFixture('flux-receiver-generic-hmac-request.json');
    const known = signatureAuthentication([{ name: 'eu', tokens: [new Secret(token)] }]);
    expect(known(headers['X-Signature'], Buffer.from(rawBody))).toEqual({ source: 'eu' });
    for (const algorithm of ['sha1', 'sha512']) {
      const signature = `${algorithm}=${createHmac(algorithm, token).update(rawBody).digest('hex')}`;
      expect(known(signature, Buffer.from(rawBody))).toBeUndefined();
    }
    expect(receive(rawBody)).toMatchObject({ ok: false, code: 'unknown-shape' });
  },
  'flux-receiver-cdevents-request.json'() {
    const { body } = readFluxFixture('flux-receiver-cdevents-request.json');
    expect(receive(JSON.stringify(body))).toMatchObject({ ok: false, code: 'unknown-shape' });
  },
  // The address of a Receiver, which Lynceus never calls: it asks Kubernetes itself.
  'flux-receiver-webhookpath-vector.json'() {
    const text = readFluxFixtureText('flux-receiver-webhookpath-vector.json');
    expect(receive(text)).toMatchObject({ ok: false, code: 'unknown-shape' });
  },
  // Objects, not events: src/adapters/delivery-systems/ reads them.
  'flux-helmrelease-status-ready.json'() {
    const text = readFluxFixtureText('flux-helmrelease-status-ready.json');
    expect(receive(text)).toMatchObject({ ok: false, code: 'unknown-shape' });
    const { history } = readFluxFixture('flux-helmrelease-status-ready.json').status;
    expect(parseFluxRevision(history[0].chartVersion)).toMatchObject({ kind: 'version', build: '0cc9a8446c95' });
  },
  'flux-kustomization-status-ready.json'() {
    const text = readFluxFixtureText('flux-kustomization-status-ready.json');
    expect(receive(text)).toMatchObject({ ok: false, code: 'unknown-shape' });
    const { lastAppliedRevision } = readFluxFixture('flux-kustomization-status-ready.json').status;
    expect(parseFluxRevision(lastAppliedRevision)).toMatchObject({ kind: 'commit', name: 'v1.0.1' });
  },
};

describe.skipIf(!hasFluxFixtures())('every fixture of Flux', () => {
  it('is in one of the tables', () => {
    expect(fluxFixtures()).toEqual([...Object.keys(EVENTS), ...Object.keys(OTHERS)].sort());
  });

  it.each(Object.entries(EVENTS))('%s comes to what it means', (file, [meaning, job, revision]) => {
    const translation = receive(readFluxFixtureText(file));
    if (!translation.ok) throw new Error(translation.detail);
    expect(translation.event.data).toMatchObject({ meaning });
    expect(translation.jobs.map(({ queue, key }) => [queue, key])).toEqual([
      [job === 'eu' ? 'reconcile' : 'observe', job],
    ]);
    expect(parseFluxRevision(String(translation.event.data['revision']))).toEqual(revision);
  });

  it.each(Object.entries(OTHERS))('%s comes to what it is for', (_, check) => check());

  it('names the Git commit of an OCI artifact where controllers tell it', () => {
    const translation = receive(readFluxFixtureText('flux-kustomization-oci-origin-revision.json'));
    const origin = translation.ok ? String(translation.event.data['originRevision']) : '';
    expect(parseFluxRevision(origin)).toMatchObject({ commit: 'b3b00fe35424a45d373bf4c7214178bc36fd7872' });
  });
});
