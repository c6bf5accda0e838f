import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../../src/base/secret.ts';
import { fluxSender } from '../../../src/http/senders/flux.ts';

const RECEIVED = new Date('2026-08-20T10:00:05.000Z');
const OLD = new Secret('old-token-of-eu-000001');
const NEW = new Secret('new-token-of-eu-000002');
const OTHER = new Secret('token-of-the-us-000003');
const SOURCES = [
  { system: 'eu', tokens: [OLD, NEW] },
  { system: 'us', tokens: [OTHER] },
];
const sender = fluxSender({ sources: SOURCES });

const sign = (body: string | Buffer, key: string, algorithm = 'sha256') =>
  `${algorithm}=${createHmac(algorithm, key).update(body).digest('hex')}`;
const from = (headers: Record<string, string>, body = '{"a":"<b>"}') =>
  sender.authenticate({ headers, rawBody: Buffer.from(body) });
const signedBy = (key: string) => from({ 'x-signature': sign('{"a":"<b>"}', key) });

const UID = '7d0cdc51-ddcf-4743-b223-83ca5c699632';
const COMMIT = '731f7eaddfb6af01cb2173e18f0f75b0ba780ef1';
const involvedObject = {
  kind: 'Kustomization',
  namespace: 'apps',
  name: 'webapp',
  uid: UID,
  apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
};
const EVENT = {
  involvedObject,
  severity: 'info',
  timestamp: '2026-08-20T10:00:04Z',
  message: 'Reconciliation finished in 449ms, next run in 10m0s',
  reason: 'ReconciliationSucceeded',
  metadata: { revision: `main@sha1:${COMMIT}`, cluster: 'eu' },
  reportingController: 'kustomize-controller',
};
const source = { ...involvedObject, kind: 'GitRepository', apiVersion: 'source.toolkit.fluxcd.io/v1' };
const release = {
  ...EVENT,
  involvedObject: { ...involvedObject, kind: 'HelmRelease', apiVersion: 'helm.toolkit.fluxcd.io/v2' },
};

const receive = (body: unknown, to = sender, at = RECEIVED) =>
  to.translate('eu', Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)), at);
const at = (minutes: number) => new Date(Date.parse('2026-08-20T10:00:00Z') + minutes * 60_000);
/** One after the other, as one replica hears them: the keys, equal where they are one event. */
function keysOf(...events: (Record<string, unknown> & { minute: number })[]): (string | undefined)[] {
  const fresh = fluxSender({ sources: SOURCES });
  return events.map(({ minute, ...change }) => {
    const body = { ...EVENT, timestamp: at(minute).toISOString(), message: `after ${minute} min`, ...change };
    const translation = receive(body, fresh, at(minute));
    return translation.ok ? translation.event.key : undefined;
  });
}

describe('who sends an event of Flux', () => {
  it('is told by the key that signed the bytes, the new one as well as the old', () => {
    expect(signedBy(OLD.reveal())).toEqual({ source: 'eu' });
    expect(signedBy(NEW.reveal())).toEqual({ source: 'eu' });
    expect(signedBy(OTHER.reveal())).toEqual({ source: 'us' });
  });

  it('is told by a bearer token too, for Providers of type generic', () => {
    expect(from({ authorization: `Bearer ${NEW.reveal()}` })).toEqual({ source: 'eu' });
  });

  it('is told where the Secret of Flux ends in a newline, which is part of its key', () => {
    expect(signedBy(`${OTHER.reveal()}\n`)).toEqual({ source: 'us' });
  });

  it('is told from the bytes as they came: the same JSON with other escapes is another body', () => {
    const signature = sign(String.raw`{"a":"\u003cb\u003e"}`, NEW.reveal());
    expect(from({ 'x-signature': signature }, String.raw`{"a":"\u003cb\u003e"}`)).toEqual({ source: 'eu' });
    expect(from({ 'x-signature': signature }, '{"a":"<b>"}')).toBeUndefined();
  });

  it.each(['sha1', 'sha224', 'sha384', 'sha512'])('stays unknown with %s, however right it is', (algorithm) => {
    expect(from({ 'x-signature': sign('{"a":"<b>"}', NEW.reveal(), algorithm) })).toBeUndefined();
  });

  it('stays unknown when one bit of the signature is another', () => {
    const right = sign('{"a":"<b>"}', NEW.reveal());
    for (let nth = 0; nth < 64; nth++) {
      const digit = Number.parseInt(right[7 + nth] as string, 16) ^ 1;
      const wrong = right.slice(0, 7 + nth) + digit.toString(16) + right.slice(8 + nth);
      expect(from({ 'x-signature': wrong })).toBeUndefined();
    }
  });

  it.each([
    ['nothing', {}],
    ['no digest', { 'x-signature': 'sha256=' }],
    ['half a digest', { 'x-signature': sign('{"a":"<b>"}', NEW.reveal()).slice(0, 39) }],
    ['a digest of another key', { 'x-signature': sign('{"a":"<b>"}', 'some other key') }],
    ['a digest of another body', { 'x-signature': sign('{}', NEW.reveal()) }],
    ['a digest without its algorithm', { 'x-signature': sign('{"a":"<b>"}', NEW.reveal()).slice(7) }],
    ['a wrong token', { authorization: 'Bearer wrong' }],
    ['a wrong digest and a right token', { 'x-signature': 'sha256=00', authorization: `Bearer ${NEW.reveal()}` }],
  ])('stays unknown with %s', (_, headers) => {
    expect(from(headers)).toBeUndefined();
  });

  it('has to be clear from the configuration', () => {
    const create = () => fluxSender({ sources: ['eu', 'us'].map((system) => ({ system, tokens: [OLD] })) });
    expect(create).toThrow('eu and us share a webhook token');
  });
});

describe('an event of Flux', () => {
  it('becomes an event for people and a look at what it is about', () => {
    expect(receive(EVENT)).toMatchObject({
      ok: true,
      event: {
        type: 'dev.lynceus.notification.received.v1',
        source: 'flux/eu',
        subject: 'eu/apps/kustomization/webapp',
        data: { meaning: 'applied', revision: `main@sha1:${COMMIT}`, metadata: { cluster: 'eu' } },
      },
      jobs: [
        {
          queue: 'observe',
          key: 'eu/apps/kustomization/webapp',
          payload: { system: 'eu', namespace: 'apps', name: 'kustomization/webapp' },
        },
      ],
    });
  });

  it('about a source asks for a look at everything of that cluster, once for all that move within ten seconds', () => {
    const jobs = (receivedAt: string) => {
      const translation = receive({ ...EVENT, involvedObject: source }, sender, new Date(receivedAt));
      return translation.ok ? translation.jobs : [];
    };
    const job = { queue: 'reconcile', key: 'eu', payload: { system: 'eu' } };
    expect(jobs('2026-08-20T10:00:04.000Z')).toEqual([{ ...job, delayMs: 6_000 }]);
    expect(jobs('2026-08-20T10:00:09.999Z')).toEqual([{ ...job, delayMs: 1 }]);
  });

  it('about something that delivers nothing is kept, and asks for nothing', () => {
    const involved = { ...involvedObject, kind: 'ImagePolicy', apiVersion: 'image.toolkit.fluxcd.io/v1' };
    expect(receive({ ...EVENT, involvedObject: involved })).toMatchObject({
      ok: true,
      event: { data: { meaning: 'ignored' } },
      jobs: [],
    });
  });

  it('is about another kind when the group of its API is another', () => {
    const involved = { ...involvedObject, kind: 'HelmChart', apiVersion: 'helm.cattle.io/v1' };
    expect(receive({ ...EVENT, involvedObject: involved })).toMatchObject({ ok: true, jobs: [] });
  });

  it.each([
    [{ reason: 'DependencyNotReady' }, 'waiting'],
    [{ reason: 'HealthCheckCanceled' }, 'superseded'],
    [{ reason: 'Progressing', message: 'Health check passed in 15.027s' }, 'healthy'],
    [{ reason: 'Progressing', message: 'Deployment/apps/webapp configured' }, 'progressing'],
    [{ reason: 'SomethingNew' }, 'unknown'],
    [{ reason: 'SomethingNewFailed' }, 'failed'],
    [{ reason: 'InvalidCELExpression' }, 'failed'],
    [{ reason: 'ReconciliationSucceeded', severity: 'error' }, 'applied'],
  ])('means by its reason and not by its severity: %o is %s', (change, meaning) => {
    expect(receive({ ...EVENT, ...change })).toMatchObject({ ok: true, event: { data: { meaning } } });
  });

  it('of a Helm release is told apart by the number of the release', () => {
    const message = (number: number) =>
      `Helm upgrade succeeded for release podinfo/podinfo.v${number} with chart x@1.0.0`;
    const event = { ...release, reason: 'UpgradeSucceeded' };
    const [second, third] = keysOf(
      { ...event, message: message(2), minute: 1 },
      { ...event, message: message(3), minute: 1 },
    );
    expect(receive({ ...event, message: message(12) })).toMatchObject({ ok: true, event: { data: { release: 12 } } });
    expect(second).not.toBe(third);
  });

  it('that repeats a success in every interval is one event a day', () => {
    const keys = keysOf(...Array.from({ length: 1_440 }, (_, minute) => ({ minute })));
    expect(new Set(keys).size).toBe(1);
    expect(new Set(keysOf({ minute: 0 }, { minute: 1_439 }, { minute: 1_440 })).size).toBe(2);
  });

  it('that repeats a failure at every attempt is one event in a quarter of an hour', () => {
    const failed = { reason: 'HealthCheckFailed', severity: 'error' };
    expect(new Set(keysOf(...Array.from({ length: 15 }, (_, minute) => ({ ...failed, minute })))).size).toBe(1);
    expect(new Set(keysOf({ ...failed, minute: 0 }, { ...failed, minute: 15 })).size).toBe(2);
  });

  it('that tells of a second failure after a recovery is heard, and so is the recovery', () => {
    const failed = { reason: 'HealthCheckFailed' };
    const keys = keysOf({ ...failed, minute: 1 }, { minute: 2 }, { ...failed, minute: 3 }, { minute: 4 });
    expect(new Set(keys).size).toBe(4);
  });

  it('means something new with another revision, of another object, and from another cluster', () => {
    const [first, other] = keysOf({ minute: 1 }, { minute: 1, metadata: { revision: `main@sha1:${'b'.repeat(40)}` } });
    const [again] = keysOf({ minute: 1, involvedObject: { ...involvedObject, uid: 'created-anew' } });
    const elsewhere = sender.translate('us', Buffer.from(JSON.stringify(EVENT)), RECEIVED);
    expect(new Set([first, other, again, elsewhere.ok && elsewhere.event.key]).size).toBe(4);
  });

  it('sent once more with the same bytes is the same event, however long ago the first was', () => {
    const idOf = (seconds: number) => {
      const translation = receive(
        EVENT,
        fluxSender({ sources: SOURCES }),
        new Date(RECEIVED.getTime() + seconds * 1_000),
      );
      return translation.ok ? [translation.event.source, translation.event.id] : undefined;
    };
    expect(idOf(500)).toEqual(idOf(0));
  });

  it('keeps of a long message what people read, and no half of a character', () => {
    const translation = receive({ ...EVENT, message: `x${'\u{1F680}'.repeat(15_000)}` });
    const message = translation.ok ? String(translation.event.data['message']) : '';
    expect(message.length).toBeLessThanOrEqual(2_000);
    expect(message.isWellFormed()).toBe(true);
  });

  it.each([
    ['ten minutes old', '2026-08-20T09:50:05Z', true],
    ['older', '2026-08-20T09:50:04Z', false],
    ['two minutes ahead', '2026-08-20T10:02:05Z', true],
    ['further ahead', '2026-08-20T10:02:06Z', false],
    ['of another time zone', '2026-08-20T12:00:04+02:00', true],
  ])('is taken or refused by its time: %s', (_, timestamp, ok) => {
    expect(receive({ ...EVENT, timestamp }).ok).toBe(ok);
  });
});

describe('what is no event of Flux', () => {
  const old = { ...EVENT, timestamp: '2026-08-20T09:00:05Z' };
  const without = (field: string) => ({ ...EVENT, [field]: undefined });
  const involving = (change: object) => ({ ...EVENT, involvedObject: { ...involvedObject, ...change } });

  it.each<[string, unknown, number, string, string]>([
    ['nothing', '', 400, 'not-json', 'the text is empty'],
    ['no JSON', 'event=1', 400, 'not-json', '1:1:'],
    ['a key that stands twice', '{"reason":"a","reason":"b"}', 400, 'duplicate-key', '1:'],
    ['another shape', [], 422, 'unknown-shape', 'involvedObject is missing'],
    ['no object', without('involvedObject'), 422, 'unknown-shape', 'involvedObject is missing'],
    ['no kind', involving({ kind: 1 }), 422, 'unknown-shape', 'involvedObject.kind'],
    ['a path for a name', involving({ name: '../x' }), 422, 'unknown-shape', 'involvedObject.name'],
    ['no namespace', involving({ namespace: '' }), 422, 'unknown-shape', 'involvedObject.namespace'],
    ['no reason', without('reason'), 422, 'unknown-shape', 'reason is not'],
    ['no time', without('timestamp'), 422, 'unknown-shape', 'timestamp is not'],
    ['a time that is none', { ...EVENT, timestamp: '2026-99-20T10:00:04Z' }, 422, 'unknown-shape', 'timestamp is not'],
    ['an old one', old, 422, 'outside-time-window', '3600 s old, taken are 10 minutes back and 2 ahead: compare'],
    ['too much', 'x'.repeat(1024 * 1024 + 1), 413, 'too-large', 'more than 1048576'],
  ])('is refused: %s', (_, raw, status, code, detail) => {
    const translation = receive(raw);
    expect(translation).toMatchObject({ ok: false, status, code });
    expect(translation.ok ? '' : translation.detail).toContain(detail);
  });
});

describe('whatever else arrives', () => {
  const json = fc.jsonValue().map((value) => JSON.stringify(value));
  const nearly = fc
    .record(
      {
        involvedObject: fc.oneof(
          fc.jsonValue(),
          fc.record({
            kind: fc.jsonValue(),
            namespace: fc.jsonValue(),
            name: fc.jsonValue(),
            apiVersion: fc.jsonValue(),
          }),
          fc.constant(involvedObject),
        ),
        reason: fc.oneof(
          fc.jsonValue(),
          fc.string({ unit: 'binary', minLength: 100, maxLength: 300 }),
          fc.constant('ReconciliationSucceeded'),
        ),
        timestamp: fc.oneof(fc.jsonValue(), fc.string(), fc.constant(EVENT.timestamp)),
        message: fc.oneof(fc.jsonValue(), fc.string({ unit: 'binary', maxLength: 5_000 })),
        metadata: fc.oneof(fc.jsonValue(), fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue())),
      },
      { requiredKeys: [] },
    )
    .map((value) => JSON.stringify(value));
  const bytes = fc.uint8Array({ maxLength: 2_000 }).map((value) => Buffer.from(value).toString('latin1'));

  it('is an event that can be kept, or refused with a reason, and never more', () => {
    fc.assert(
      fc.property(fc.oneof(json, nearly, bytes), (body) => {
        const translation = receive(body);
        if (!translation.ok) return void expect(translation.detail).not.toBe('');
        expect(JSON.stringify(translation.event)).not.toMatch(/\\u0000|\\ud[89a-f]/i);
        expect(JSON.stringify(translation.event).length).toBeLessThan(200_000);
        expect(Buffer.byteLength(translation.event.key ?? '')).toBeLessThan(1_024);
        expect(translation.jobs.length).toBeLessThanOrEqual(1);
      }),
      { numRuns: 2_000 },
    );
  });
});
