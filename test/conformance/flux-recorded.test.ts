import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/base/secret.ts';
import { fluxSender } from '../../src/http/senders/flux.ts';

interface Recorded {
  token: string;
  requests: { what: string; headers: Record<string, string>; body: string }[];
}

const FILE = new URL('../fixtures/flux/requests.json', import.meta.url);
const { token, requests } = JSON.parse(readFileSync(FILE, 'utf8')) as Recorded;
const sender = fluxSender({ sources: [{ system: 'eu', tokens: [new Secret(token)] }] });

const sentBy = (headers: Record<string, string>, body: string) =>
  sender.authenticate({
    // As Node hands them over.
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
    rawBody: Buffer.from(body),
  });
const receive = (body: string) => {
  const { timestamp } = JSON.parse(body) as { timestamp: string };
  return sender.translate('eu', Buffer.from(body), new Date(Date.parse(timestamp) + 1_000));
};
const dataOf = (what: RegExp) => {
  const found = requests.find((request) => what.test(request.what));
  const translation = receive(found?.body ?? '{}');
  return translation.ok ? translation.event.data : translation;
};

describe('what notification-controller really sent', () => {
  it.each(requests.map((request) => [request.what, request] as const))('is taken: %s', (_, { headers, body }) => {
    expect(sentBy(headers, body)).toEqual({ source: 'eu' });
    expect(receive(body)).toMatchObject({ ok: true, jobs: [{ queue: 'observe' }] });
  });

  it.each(
    requests.filter(({ headers }) => 'X-Signature' in headers).map((request) => [request.what, request] as const),
  )('is refused with one bit changed: %s', (_, { headers, body }) => {
    const changed = Buffer.from(body);
    for (const at of [0, Math.floor(changed.length / 2), changed.length - 1]) {
      changed[at] = (changed[at] as number) ^ 1;
      expect(sentBy(headers, changed.toString('latin1'))).toBeUndefined();
      changed[at] = (changed[at] as number) ^ 1;
    }
  });

  it('cannot be checked after it was written again', () => {
    const [first] = requests;
    const again = JSON.stringify(JSON.parse(first?.body ?? ''));
    expect(again).not.toBe(first?.body);
    expect(sentBy(first?.headers ?? {}, again)).toBeUndefined();
  });

  it('says what it means', () => {
    expect(dataOf(/failure/)).toMatchObject({ meaning: 'failed', severity: 'error' });
    expect(dataOf(/drift/)).toMatchObject({
      meaning: 'drifted',
      revision: '',
      release: 2,
      metadata: { cluster: 'main' },
    });
    expect(dataOf(/OCI/)).toMatchObject({
      meaning: 'applied',
      originRevision: 'main@sha1:b3b00fe35424a45d373bf4c7214178bc36fd7872',
    });
    expect(dataOf(/annotation/)).toMatchObject({ metadata: { stage: 'staging', cluster: 'main' } });
  });
});
