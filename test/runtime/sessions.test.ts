import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { mailId } from '../../src/base/mail.ts';
import { rightsNamed } from '../../src/base/rights.ts';
import { Secret } from '../../src/base/secret.ts';
import { createApiTokens } from '../../src/runtime/api-tokens.ts';
import { createAttempts } from '../../src/runtime/attempts.ts';
import { offerFirstRun } from '../../src/runtime/first-run.ts';
import { createLog } from '../../src/runtime/log.ts';
import { createSessions, purgeCredentials } from '../../src/runtime/sessions.ts';
import { createSignIn, type GroupGrant } from '../../src/runtime/sign-in.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';

const HOUR = 3_600_000;
const TOKEN = 'token-of-lynceus-yaml-0123456789';
let folder: string;
let store: Store;
let at = Date.parse('2026-11-21T10:00:00Z');
const clock = { now: () => new Date(at) };
let lines: string[] = [];
const log = createLog({ level: 'info', secrets: [], stream: { write: (line) => void lines.push(line) } });

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lynceus-sessions-'));
  store = await openStore({ dataDir: folder, clock });
});
afterAll(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  lines = [];
});

function signInWith(grants: readonly GroupGrant[], options: { tokens?: boolean } = {}) {
  const { credentials } = store;
  const tokens = options.tokens
    ? [{ name: 'ada', token: new Secret(TOKEN), groups: ['payments'], rights: rightsNamed({ roles: ['operator'] }) }]
    : [];
  return createSignIn({
    ...{ credentials, clock, log, grants, tokens },
    apiTokens: createApiTokens(credentials, clock),
    sessions: createSessions(credentials, clock),
    isFirstRun: grants.length === 0 && tokens.length === 0,
  });
}

const ada = { name: 'ada@example.com', groups: ['qa', 'payments'], issuer: 'https://sso.example.com', subject: '1' };
const QA: GroupGrant[] = [{ group: 'qa', role: 'approver', stages: ['staging'] }];

describe('a session', () => {
  it('ends twelve hours after its last use', async () => {
    const signIn = signInWith(QA);
    const secret = (await signIn.withIdentity(ada)) ?? '';
    for (let uses = 0; uses < 3; uses++) {
      at += 11 * HOUR;
      expect(await signIn.bySession(secret)).toMatchObject({ name: ada.name, roles: ['viewer', 'approver'] });
    }
    // An open page that listens, and nobody there.
    for (let hours = 0; hours < 11; hours++) {
      at += HOUR;
      expect(await signIn.bySession(secret, false)).toBeDefined();
    }
    at += HOUR;
    expect(await signIn.bySession(secret, false)).toBeUndefined();
  });

  it('ends after seven days, however often it is used', async () => {
    const signIn = signInWith(QA);
    const secret = (await signIn.withIdentity(ada)) ?? '';
    for (let hours = 0; hours < 7 * 24; hours += 8) {
      expect(await signIn.bySession(secret), `after ${hours} h`).toBeDefined();
      at += 8 * HOUR;
    }
    expect(await signIn.bySession(secret)).toBeUndefined();
  });

  it('has the roles that the configuration gives its groups now', async () => {
    const secret = (await signInWith(QA).withIdentity(ada)) ?? '';
    const promoted = signInWith([{ group: 'payments', role: 'operator' }]);
    expect(await promoted.bySession(secret)).toMatchObject({
      roles: ['viewer', 'approver', 'operator'],
      stages: 'all',
    });
    expect(await signInWith([{ group: 'other', role: 'admin' }]).bySession(secret)).toBeUndefined();
    expect(await signInWith([{ group: '*', role: 'viewer' }]).bySession(secret)).toMatchObject({ may: ['read'] });
  });

  it('keeps nothing that opens it', async () => {
    const signIn = signInWith(QA);
    const secret = (await signIn.withIdentity(ada)) ?? '';
    const kept = JSON.stringify(await store.credentials.list('session', at, 100));
    expect(kept).toContain(ada.name);
    expect(kept).not.toContain(secret);
    expect(lines.join('')).not.toContain(secret);
  });

  it('knows its owner by a verified mail address, and keeps what stands for it only', async () => {
    const signIn = signInWith(QA);
    const secret = (await signIn.withIdentity({ ...ada, email: ' Ada.L@Example.com' })) ?? '';
    expect(await signIn.bySession(secret)).toMatchObject({ name: ada.name, mail: mailId('ada.l@example.com') });
    expect(JSON.stringify(await store.credentials.list('session', at, 100)).toLowerCase()).not.toContain('ada.l@');
    const odd = (await signIn.withIdentity({ ...ada, email: 'nobody' })) ?? '';
    expect(await signIn.bySession(odd)).not.toHaveProperty('mail');
  });

  it('of a token has its rights, and ends with it', async () => {
    const signIn = signInWith([], { tokens: true });
    const secret = (await signIn.withToken(TOKEN)) ?? '';
    expect(await signIn.bySession(secret)).toMatchObject({ name: 'ada', method: 'session', groups: ['payments'] });
    expect(await signInWith(QA).bySession(secret)).toBeUndefined();
  });

  it('is removed when it is over, with all else that has expired', async () => {
    const before = at;
    await signInWith(QA).withIdentity(ada);
    at += 8 * 24 * HOUR;
    await store.commit({ jobs: [{ queue: 'purge', key: 'credentials' }] });
    const [job] = await store.claim({ limit: 1, leaseMs: 60_000, queues: ['purge'] });
    if (!job) throw new Error('there is no work');
    await purgeCredentials({ store, clock }, job);
    expect(await store.credentials.list('session', before, 10)).toEqual([]);
    expect((await store.stats()).find(({ queue }) => queue === 'purge')).toMatchObject({ waiting: 1 });
  });
});

describe('an attempt to sign in', () => {
  it('counts once', async () => {
    const signIn = signInWith(QA);
    expect(await signIn.isFirstUse('state-1')).toBe(true);
    expect(await signIn.isFirstUse('state-1')).toBe(false);
    expect(await signIn.isFirstUse('state-2')).toBe(true);
  });
});

describe('the first sign-in', () => {
  const offer = () => offerFirstRun({ credentials: store.credentials, clock, log }, 'http://127.0.0.1/sign-in');
  const told = () => /lyn_once_[\w-]+/.exec(lines.join(''))?.[0];

  it('is with a password that one replica tells, for one use within an hour', async () => {
    at += 30 * 24 * HOUR;
    await Promise.all([offer(), offer(), offer()]);
    expect(lines.filter((line) => line.includes('lyn_once_'))).toHaveLength(1);
    const password = told() ?? '';
    expect(JSON.stringify(await store.credentials.list('first-run', at, 10))).not.toContain(password);
    const signIn = signInWith([]);
    expect(await signIn.withToken(`lyn_once_${'x'.repeat(43)}`)).toBeUndefined();
    const opened = await Promise.all([signIn.withToken(password), signIn.withToken(password)]);
    const [secret = '', ...more] = opened.filter((one) => one !== undefined);
    expect(more).toEqual([]);
    expect(await signIn.bySession(secret)).toMatchObject({
      name: 'first admin',
      may: expect.arrayContaining(['administer']),
    });
    // Nothing is offered while somebody is signed in, and nothing remains of it once sign-in is configured.
    lines = [];
    await offer();
    expect(told()).toBeUndefined();
    expect(await signInWith(QA).bySession(secret)).toBeUndefined();
  });

  it('is offered again when nobody came in time', async () => {
    at += 30 * 24 * HOUR;
    await offer();
    const late = told() ?? '';
    at += HOUR;
    expect(await signInWith([]).withToken(late)).toBeUndefined();
    lines = [];
    await offer();
    expect(told()).toBeDefined();
    expect(told()).not.toBe(late);
  });

  it('is over for good where tokens are configured', async () => {
    at += 30 * 24 * HOUR;
    await offer();
    expect(await signInWith([], { tokens: true }).withToken(told() ?? '')).toBeUndefined();
  });
});

describe('an API token', () => {
  it('ends when its time is over, and notes each day of use once', async () => {
    const tokens = createApiTokens(store.credentials, clock);
    const made = await tokens.create({ name: 'ci', roles: ['viewer'], lastsMs: 48 * HOUR }, 'root');
    const token = made?.token ?? '';
    expect((await tokens.list())[0]).not.toHaveProperty('lastUsed');
    expect(await tokens.find(token)).toMatchObject({ name: 'ci', method: 'token', may: ['read'] });
    const [used] = await tokens.list();
    expect(used?.lastUsed).toBe(new Date(at).toISOString().slice(0, 10));
    at += 48 * HOUR;
    expect(await tokens.find(token)).toBeUndefined();
    // Its name is free again.
    expect(await tokens.create({ name: 'ci', roles: ['viewer'], lastsMs: HOUR }, 'root')).toBeDefined();
  });
});

describe('failed attempts', () => {
  const fail = (attempts: ReturnType<typeof createAttempts>, address: string, times: number) => {
    for (let nth = 0; nth < times; nth++) attempts.failed(address);
  };

  it('make their address wait until five minutes are over', () => {
    let now = 0;
    const attempts = createAttempts(() => now);
    fail(attempts, '198.51.100.1', 9);
    expect(attempts.pauseFor('198.51.100.1')).toBe(0);
    fail(attempts, '198.51.100.1', 1);
    expect(attempts.pauseFor('198.51.100.1')).toBe(300);
    expect(attempts.pauseFor('198.51.100.2')).toBe(0);
    now = 300_000;
    expect(attempts.pauseFor('198.51.100.1')).toBe(0);
  });

  it('count together for all addresses of one subscriber', () => {
    const attempts = createAttempts(() => 0);
    for (let nth = 0; nth < 10; nth++) attempts.failed(`2001:db8:1:2::${nth + 1}`);
    expect(attempts.pauseFor('2001:db8:1:2:ffff::9')).toBe(300);
    expect(attempts.pauseFor('2001:db8:1:3::1')).toBe(0);
  });

  it('of many addresses neither free one nor fill the memory', () => {
    const attempts = createAttempts(() => 0, 100);
    fail(attempts, '198.51.100.1', 10);
    for (let nth = 0; nth < 5_000; nth++) attempts.failed(`203.0.${Math.floor(nth / 250)}.${nth % 250}`);
    expect(attempts.pauseFor('198.51.100.1')).toBe(300);
    expect(attempts.pauseFor('192.0.2.77')).toBe(300);
  });
});
