import { connect } from 'node:net';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSandboxArgoCd } from '../../examples/sandbox/argocd/server.ts';
import { StoreUnavailableError } from '../../src/store/store.ts';
import {
  bearer,
  fluxEvent,
  type HttpWorld,
  notification,
  problemOf,
  startHttpWorld,
  TOKENS,
  YEARS,
} from '../support/http-world.ts';
import { eventually } from '../support/lynceus.ts';
import { COMMIT, planned, step, taskTriggered } from '../support/sequence.ts';

const MIB = 1024 * 1024;
const DEPTH = 100_000;

/** One of the ways in, with what it takes when all is well. */
interface Door {
  path: string;
  token: string;
  headers: Record<string, string>;
  /** A body that is taken; `id` makes it a new one. */
  body(id: string): Record<string, unknown>;
  accepted: number;
  limit: number;
  /** The codes in which the doors differ. */
  codes?: Partial<Record<string, [number, string]>>;
}

const DOORS: Record<string, Door> = {
  'a webhook of Argo CD': {
    path: '/webhooks/argocd',
    token: TOKENS.WEBHOOK_NEW,
    headers: { 'Content-Type': 'application/json' },
    body: (id) => notification(id),
    accepted: 202,
    limit: MIB,
  },
  'a webhook of Flux': {
    path: '/webhooks/flux',
    token: TOKENS.FLUX_WEBHOOK,
    headers: { 'Content-Type': 'application/json' },
    body: (id) => fluxEvent(id),
    accepted: 202,
    limit: MIB,
  },
  'a structured CloudEvent': {
    path: '/api/v1/events',
    token: TOKENS.REPORTER,
    headers: { 'Content-Type': 'application/cloudevents+json' },
    body: (id) => ({ specversion: '1.0', id, source: 'https://ci.example.com', type: 'com.example.built', data: {} }),
    accepted: 202,
    limit: MIB,
  },
  'a binary CloudEvent': {
    path: '/api/v1/events',
    token: TOKENS.REPORTER,
    headers: {
      'Content-Type': 'application/json',
      'ce-specversion': '1.0',
      'ce-id': 'binary',
      'ce-source': 'https://ci.example.com',
      'ce-type': 'com.example.built',
    },
    body: (id) => ({ build: id }),
    accepted: 202,
    limit: MIB,
  },
  'a decision': {
    path: '/api/v1/changes/ctx/decisions',
    token: TOKENS.APPROVER,
    headers: { 'Content-Type': 'application/json' },
    body: (id) => ({ verdict: 'pause', reason: id, revision: COMMIT }),
    accepted: 201,
    limit: 64 * 1024,
    codes: {
      'very deep': [413, 'too-large'],
      ...Object.fromEntries(
        ['deep', 'text', 'latin1', 'duplicate', 'proto', 'nul'].map((name) => [name, [400, 'invalid-json']]),
      ),
    },
  },
};

type Bad = [name: string, what: string, expected: [number, string], make: (door: Door) => RequestInit];

const json = (door: Door) => JSON.stringify(door.body('bad'));
const withHeaders = (door: Door, headers: Record<string, string>, body: string | Buffer = json(door)): RequestInit => ({
  body: body as RequestInit['body'] & {},
  headers: { ...door.headers, ...bearer(door.token), ...headers },
});
/** The valid body with something added before its last brace. */
const added = (door: Door, text: string) => withHeaders(door, {}, `${json(door).slice(0, -1)},${text}}`);

const BAD: Bad[] = [
  ['token', 'no token', [401, 'unauthenticated'], (door) => ({ body: json(door), headers: door.headers })],
  ['token', 'a wrong token', [401, 'unauthenticated'], (door) => withHeaders(door, bearer('wrong-token-0123456789'))],
  [
    'token',
    'a truncated token',
    [401, 'unauthenticated'],
    (door) => withHeaders(door, bearer(door.token.slice(0, -1))),
  ],
  ['token', 'another scheme', [401, 'unauthenticated'], (door) => withHeaders(door, { Authorization: door.token })],
  [
    'gzip',
    'a compressed body',
    [415, 'encoded-body'],
    (door) => withHeaders(door, { 'Content-Encoding': 'gzip' }, gzipSync(json(door))),
  ],
  ['large', 'one byte too many', [413, 'too-large'], (door) => withHeaders(door, {}, padded(door, door.limit + 1))],
  ['deep', 'a nesting of 65', [400, 'too-deep'], (door) => added(door, `"x":${nested(64)}`)],
  ['very deep', 'a nesting of 100,000', [400, 'too-deep'], (door) => added(door, `"x":${nested(DEPTH)}`)],
  ['text', 'something that is not JSON', [400, 'not-json'], (door) => withHeaders(door, {}, 'app=checkout')],
  ['text', 'JSON that ends early', [400, 'not-json'], (door) => withHeaders(door, {}, json(door).slice(0, -1))],
  ['latin1', 'bytes that are not UTF-8', [400, 'not-utf8'], (door) => withHeaders(door, {}, latin1(door))],
  ['duplicate', 'a key that stands twice', [400, 'duplicate-key'], (door) => added(door, '"x":1,"x":2')],
  ['proto', 'the key __proto__', [400, 'forbidden-key'], (door) => added(door, '"__proto__":{"admin":true}')],
  ['proto', 'the key constructor', [400, 'forbidden-key'], (door) => added(door, '"constructor":{"prototype":{}}')],
  ['nul', 'a NUL character', [400, 'bad-character'], (door) => added(door, '"x":"\\u0000"')],
  ['header', 'headers of 20 KiB', [431, 'too-large'], (door) => withHeaders(door, { 'X-Long': 'x'.repeat(20 * 1024) })],
];

function padded(door: Door, bytes: number, id = 'bad'): string {
  const body = JSON.stringify(door.body(id));
  return `${body.slice(0, -1)}${' '.repeat(bytes - body.length)}}`;
}

function nested(levels: number): string {
  return '['.repeat(levels) + ']'.repeat(levels);
}

function latin1(door: Door): Buffer {
  return Buffer.from(`${json(door).slice(0, -1)},"x":"\u00e9"}`, 'latin1');
}

describe('the front door', () => {
  let world: HttpWorld;
  beforeAll(async () => {
    world = await startHttpWorld({
      flux: 'unreachable',
      sequences: [[...planned(step('approval', { always: true }), step('sync')), taskTriggered(1, 'approval', YEARS)]],
    });
  });
  afterAll(() => world.stop());

  const send = (door: Door, init: RequestInit) => world.fetch(door.path, { method: 'POST', ...init });

  describe.each(Object.entries(DOORS))('for %s', (name, door) => {
    it('takes what is valid, up to its limit, and keeps it', async () => {
      const before = await world.events();
      const id = `${name} at the limit`.replaceAll(' ', '-').toLowerCase();
      const answer = await send(door, withHeaders(door, { 'ce-id': id }, padded(door, door.limit, id)));
      expect(answer.status).toBe(door.accepted);
      expect(await world.events()).toBe(before + 1);
    });

    it.each(BAD)('refuses (%s) %s', async (kind, _what, expected, make) => {
      const before = await world.events();
      const answer = await send(door, make(door));
      const [status, code] = door.codes?.[kind] ?? expected;
      expect(await problemOf(answer)).toMatchObject({ status, code });
      expect(await world.events()).toBe(before);
      expect((await world.get('/healthz')).status).toBe(200);
    });

    it('says where the mistake is', async () => {
      const answer = await send(door, added(door, '\n"x":1,"x":2'));
      expect((await problemOf(answer)).detail).toMatch(/2:7: the key "x" stands here twice/);
    });
  });

  it('takes no empty body where one is needed', async () => {
    const cases: [string, number, string][] = [
      ['a webhook of Argo CD', 400, 'empty-body'],
      ['a webhook of Flux', 400, 'not-json'],
      ['a structured CloudEvent', 400, 'not-json'],
      ['a decision', 400, 'invalid-json'],
    ];
    const before = await world.events();
    for (const [name, status, code] of cases) {
      const door = DOORS[name]!;
      const answer = await send(door, { headers: { ...door.headers, ...bearer(door.token) } });
      expect(await problemOf(answer), name).toMatchObject({ status, code });
    }
    expect(await world.events()).toBe(before);
  });

  it('reads a webhook whatever its media type, as templates of Argo CD often send none', async () => {
    const door = DOORS['a webhook of Argo CD']!;
    for (const type of [{ 'Content-Type': '' }, { 'Content-Type': 'text/plain' }]) {
      const body = JSON.stringify(door.body(`typed-${Object.values(type)[0]?.length}`));
      expect((await send(door, withHeaders(door, type, body))).status).toBe(202);
    }
  });

  it.each(['a structured CloudEvent', 'a binary CloudEvent', 'a decision'])(
    'wants the media type to be named for %s',
    async (name) => {
      const door = DOORS[name]!;
      for (const type of ['', 'text/plain', 'application/x-www-form-urlencoded']) {
        const answer = await send(door, withHeaders(door, { 'Content-Type': type }));
        expect(await problemOf(answer), type).toMatchObject({ status: 415, code: 'unsupported-media-type' });
      }
    },
  );

  it('reads nothing of the body of an unknown sender', async () => {
    const door = DOORS['a webhook of Argo CD']!;
    const answer = await send(door, { body: padded(door, 3 * MIB), headers: bearer('wrong-token-0123456789') });
    expect(await problemOf(answer)).toMatchObject({ status: 401 });
  });

  it('knows both tokens of a sender while one replaces the other', async () => {
    for (const token of [TOKENS.WEBHOOK_OLD, TOKENS.WEBHOOK_NEW]) {
      const body = JSON.stringify(notification(`rotated-${token.slice(-4)}`));
      expect((await world.post('/webhooks/argocd', body, bearer(token))).status).toBe(202);
    }
    const other = await world.post('/webhooks/argocd', '{}', bearer(TOKENS.APPROVER));
    expect(await problemOf(other)).toMatchObject({ status: 401 });
  });

  it('says what is missing in a payload that Argo CD would not send', async () => {
    const bodies: [object, RegExp][] = [
      [{}, /^app: the application object is missing/],
      [{ schema: 'argocd.v9', app: {} }, /^schema: only "argocd.v1" is known/],
      [{ app: { metadata: { name: '../etc' } } }, /^app\.metadata\.name is not the name of an application/],
      [{ app: { metadata: { name: 'a', namespace: 'A B' } } }, /^app\.metadata\.namespace/],
    ];
    for (const [body, detail] of bodies) {
      const answer = await world.post('/webhooks/argocd', JSON.stringify(body), bearer(TOKENS.WEBHOOK_NEW));
      expect(await problemOf(answer)).toMatchObject({
        status: 422,
        code: 'unknown-shape',
        detail: expect.stringMatching(detail),
      });
    }
  });

  it('says which attribute of a CloudEvent is wrong', async () => {
    const valid = DOORS['a structured CloudEvent']!.body('attributes');
    const bodies: [object, RegExp][] = [
      [{ ...valid, specversion: '0.3' }, /^specversion: /],
      [{ ...valid, id: '' }, /^id: /],
      [{ ...valid, id: undefined }, /^id: /],
      [{ ...valid, id: 'x'.repeat(513) }, /^id: /],
      [{ ...valid, time: 'yesterday' }, /^time: must match format "date-time"/],
      [{ ...valid, time: '2026-02-29T08:15:30Z' }, /^time: /],
      [{ ...valid, time: '2026-13-01T08:15:30Z' }, /^time: /],
      [{ ...valid, time: '2026-03-02T24:00:00Z' }, /^time: /],
      [{ ...valid, time: '2026-03-02T08:15:30' }, /^time: /],
      [{ ...valid, time: 20260302 }, /^time: must be string/],
      [{ ...valid, type: 'dev.lynceus.sequence.finished.v1' }, /reserved/],
      [{ ...valid, source: 'argocd/main' }, /reserved/],
      [{ ...valid, source: 'flux/eu' }, /reserved/],
      [{ ...valid, data_base64: 'AAAA' }, /^data_base64 is not taken/],
      [{ ...valid, 'Trace Parent': '00' }, /^"Trace Parent": attributes have names/],
      [[valid], /must be a JSON object/],
    ];
    for (const [body, detail] of bodies) {
      const headers = { ...bearer(TOKENS.REPORTER), 'Content-Type': 'application/cloudevents+json' };
      const answer = await world.post('/api/v1/events', JSON.stringify(body), headers);
      expect(await problemOf(answer), JSON.stringify(body)).toMatchObject({
        status: 400,
        code: 'invalid-event',
        detail: expect.stringMatching(detail),
      });
    }
  });

  it.each([
    '2026-03-02T08:15:30Z',
    '2026-03-02T08:15:30.123456789Z',
    '2026-03-31T23:59:59Z',
    '2028-02-29T00:00:00Z',
    '2016-12-31T23:59:60Z',
    '2026-03-02t08:15:30.5+05:30',
  ])('takes a CloudEvent of %s', async (time) => {
    const body = { ...DOORS['a structured CloudEvent']!.body(`at ${time}`), time };
    const headers = { ...bearer(TOKENS.REPORTER), 'Content-Type': 'application/cloudevents+json' };
    expect((await world.post('/api/v1/events', JSON.stringify(body), headers)).status).toBe(202);
  });

  it('takes a batch of CloudEvents whole or not at all, and names the one that is wrong', async () => {
    const event = DOORS['a structured CloudEvent']!.body;
    const headers = { ...bearer(TOKENS.REPORTER), 'Content-Type': 'application/cloudevents-batch+json' };
    const post = (body: unknown) => world.post('/api/v1/events', JSON.stringify(body), headers);
    const before = await world.events();
    const bodies: [unknown, RegExp][] = [
      [event('lonely'), /must be a JSON array/],
      [[event('first'), { ...event('second'), id: '' }], /^event 2 of the batch: id: /],
      [[event('first'), 'second'], /^event 2 of the batch: the event must be a JSON object/],
      [[{ ...event('first'), type: 'dev.lynceus.indicators.pushed.v1' }], /data/],
      [Array.from({ length: 1001 }, (_, at) => event(`many-${at}`)), /1001 events is more than 1000/],
    ];
    for (const [body, detail] of bodies) {
      const problem = await problemOf(await post(body));
      expect(problem).toMatchObject({ status: 400, code: 'invalid-event', detail: expect.stringMatching(detail) });
    }
    expect(await world.events()).toBe(before);
    expect((await post([event('one'), event('two'), event('one')])).status).toBe(202);
    expect((await post([])).status).toBe(202);
    expect(await world.events()).toBe(before + 2);
  });

  it('takes no NUL out of a header of a binary CloudEvent', async () => {
    const door = DOORS['a binary CloudEvent']!;
    for (const header of ['ce-id', 'ce-subject', 'ce-extension']) {
      const answer = await send(door, withHeaders(door, { 'ce-id': `nul-${header}`, [header]: 'a%00b' }));
      expect(await problemOf(answer), header).toMatchObject({ status: 400, code: 'invalid-event' });
    }
  });

  it.each([
    ['/api/v1/changes/%E0%A4%A', 400, 'invalid-request'],
    ['/api/v1/changes/%zz/decisions', 400, 'invalid-request'],
    ['/changes/%', 400, 'invalid-request'],
    ['/api/v1/changes/a%00b', 400, 'invalid-request'],
    ['/api/v1/changes?project=%00', 400, 'invalid-request'],
    ['/api/v1/changes?cursor=nonsense', 400, 'invalid-request'],
    ['/api/v1/changes?limit=0', 400, 'invalid-request'],
    ['/api/v1/changes?limit=201', 400, 'invalid-request'],
    ['/api/v1/changes?state=happy', 400, 'invalid-request'],
    ['/api/v1/changes?needs=you', 400, 'invalid-request'],
    ['/api/v1/changes?since=yesterday', 400, 'invalid-request'],
    ['/api/v1/changes?q=a&q=b', 400, 'invalid-request'],
    ['/api/v1/changes?mine=perhaps', 400, 'invalid-request'],
    ['/api/v1/events?after=-1', 400, 'invalid-request'],
    ['/api/v1/events?limit=ten', 400, 'invalid-request'],
    ['/api/v1/changes/nobody', 404, 'not-found'],
    [`/api/v1/changes/${'x'.repeat(5000)}`, 404, 'not-found'],
    ['/api/v1/changes/__proto__', 404, 'not-found'],
    ['/changes/..%2f..%2fetc%2fpasswd', 404, 'not-found'],
    ['/etc/passwd', 404, 'not-found'],
  ])('answers %s with %i %s', async (address, status, code) => {
    const method = address.endsWith('/decisions') ? 'POST' : 'GET';
    const answer = await world.fetch(address, { method, headers: bearer(TOKENS.APPROVER) });
    expect(await problemOf(answer)).toMatchObject({ status, code });
  });

  it('tells a sender that uses the wrong method which one is right', async () => {
    const answer = await world.get('/webhooks/argocd', bearer(TOKENS.WEBHOOK_NEW));
    expect(answer.headers.get('allow')).toBe('POST');
    expect(await problemOf(answer)).toMatchObject({
      status: 405,
      code: 'method-not-allowed',
      detail: '/webhooks/argocd takes POST, not GET',
    });
  });

  it('answers what is not HTTP with a problem too', async () => {
    const text = await rawAnswer(world.url, 'HELLO\r\n\r\n');
    expect(text).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(JSON.parse(text.slice(text.indexOf('\r\n\r\n')))).toMatchObject({ status: 400, code: 'invalid-request' });
  });

  it('tells people in a browser the same on a page', async () => {
    const answer = await world.get('/changes/nobody', { Accept: 'text/html,*/*;q=0.8' });
    expect(answer.status).toBe(404);
    expect(answer.headers.get('content-type')).toMatch(/^text\/html/);
    expect(await answer.text()).toContain('There is no change nobody');
  });
});

describe('a notification about an application that nobody has', () => {
  it('is taken, looked into once, and mentioned once in the log', async () => {
    const argocd = await startSandboxArgoCd({ token: TOKENS.ARGOCD_TOKEN, apps: [] });
    const world = await startHttpWorld({ argocdUrl: argocd.url });
    const lines = () => world.log.filter(({ msg }) => msg === 'application cannot be read');
    try {
      const body = JSON.stringify(notification('ghost'));
      const answer = await world.post('/webhooks/argocd', body, bearer(TOKENS.WEBHOOK_NEW));
      expect(answer.status).toBe(202);
      await eventually(async () => lines().length > 0, { within: 5_000, what: 'a line in the log' });
      await eventually(
        async () => {
          const metrics = await (await world.get('/metrics')).text();
          return !/lynceus_queue_jobs\{queue="observe"/.test(metrics);
        },
        { within: 5_000, what: 'no work left' },
      );
      expect(lines()).toMatchObject([{ level: 'warn', name: 'ghost', system: 'main' }]);
      expect(await world.events()).toBe(1);
      expect(await (await world.get('/api/v1/changes')).json()).toMatchObject({ rows: [], total: 0 });
    } finally {
      await world.stop();
      await argocd.close();
    }
  });
});

describe('senders that are slow', () => {
  it('are cut off within 12 seconds, while others are served', async () => {
    const world = await startHttpWorld();
    try {
      const head = `POST /webhooks/argocd HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKENS.WEBHOOK_NEW}\r\n`;
      const began = Date.now();
      const slow = [
        drip(world.url, '', head),
        drip(world.url, `${head}Content-Length: 1000\r\n\r\n`, '{'.repeat(100)),
        drip(world.url, `${head}Transfer-Encoding: chunked\r\n\r\n`, '1\r\n{\r\n'.repeat(100)),
      ];
      expect((await world.get('/healthz')).status).toBe(200);
      const ends = await Promise.all(slow);
      for (const { text, after } of ends) {
        expect(text).toMatch(/^HTTP\/1\.1 503 [\s\S]*"code":"overloaded"[\s\S]*did not arrive/);
        expect(after).toBeLessThan(12_000);
      }
      // Only headers that come too slowly are cut earlier.
      expect(ends[0]?.after).toBeLessThan(7_500);
      expect(Date.now() - began).toBeLessThan(13_000);
      expect(await world.events()).toBe(0);
    } finally {
      await world.stop();
    }
  });
});

describe('our own mistakes', () => {
  it('reveal an id and nothing else; the log has the rest under it', async () => {
    const failpoint = (name: string) => {
      if (name === 'receive.before') throw new Error('password=hunter2 in /srv/lynceus');
    };
    const world = await startHttpWorld({ failpoint });
    try {
      const body = JSON.stringify(notification('checkout'));
      const answer = await world.post('/webhooks/argocd', body, bearer(TOKENS.WEBHOOK_NEW));
      const problem = await problemOf(answer);
      const id = problem.instance?.replace('urn:uuid:', '');
      expect(problem).toEqual({
        type: 'urn:lynceus:problem:internal',
        title: 'Something went wrong in Lynceus',
        status: 500,
        code: 'internal',
        detail: `look for ${id} in the log`,
        instance: `urn:uuid:${id}`,
      });
      expect(world.log.filter(({ level }) => level === 'error')).toMatchObject([
        { msg: 'request failed', instance: id, path: '/webhooks/argocd' },
      ]);
      expect(await world.events()).toBe(0);
      expect((await world.get('/healthz')).status).toBe(200);
    } finally {
      await world.stop(['request failed']);
    }
  });
});

describe('a store that cannot take anything', () => {
  it('is told without naming servers and disks', async () => {
    const failpoint = (name: string) => {
      if (name === 'receive.before') throw new StoreUnavailableError('PostgreSQL at db.internal:5432 cannot work');
    };
    const world = await startHttpWorld({ failpoint });
    try {
      const body = JSON.stringify(notification('checkout'));
      const answer = await world.post('/webhooks/argocd', body, bearer(TOKENS.WEBHOOK_NEW));
      expect(answer.headers.get('retry-after')).toBe('1');
      expect(await problemOf(answer)).toMatchObject({
        status: 503,
        code: 'unavailable',
        detail: expect.not.stringContaining('db.internal'),
      });
    } finally {
      await world.stop();
    }
  });

  it('is answered 503 with a short pause, and never with success', async () => {
    const world = await startHttpWorld();
    const rival = new DatabaseSync(path.join(world.dataDir, 'lynceus.db'));
    const send = () =>
      world.post('/webhooks/argocd', JSON.stringify(notification('checkout')), bearer(TOKENS.WEBHOOK_NEW));
    try {
      rival.exec('begin immediate');
      const answer = await send();
      // Waiting for the lock holds up the whole process: the request may be refused before it is read.
      expect(await problemOf(answer)).toMatchObject({
        status: 503,
        code: expect.stringMatching(/^(?:unavailable|overloaded)$/),
      });
      expect(answer.headers.get('retry-after')).toBe('1');
      const ready = await world.get('/readyz');
      expect(await problemOf(ready)).toMatchObject({ status: 503 });
      rival.exec('rollback');
      expect((await send()).status).toBe(202);
      expect(await world.events()).toBe(1);
    } finally {
      rival.close();
      await world.stop();
    }
  }, 60_000);
});

/** Sends some bytes and answers everything that comes back. */
function rawAnswer(url: string, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(bytes));
    socket.on('data', (chunk) => {
      text += String(chunk);
    });
    socket.on('end', () => resolve(text)).on('error', reject);
  });
}

/** Sends a start at once and then one byte every half second, until the other side has enough. */
function drip(url: string, start: string, rest: string): Promise<{ text: string; after: number }> {
  const began = Date.now();
  return new Promise((resolve) => {
    let [text, at] = ['', 0];
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(start));
    const timer = setInterval(() => socket.write(rest[at++] ?? 'x'), 500);
    const end = () => {
      clearInterval(timer);
      socket.destroy();
      resolve({ text, after: Date.now() - began });
    };
    socket.on('data', (chunk) => {
      text += String(chunk);
    });
    socket.on('error', () => undefined).on('close', end);
  });
}
