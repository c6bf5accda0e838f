import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bearer, type HttpWorld, problemOf, startHttpWorld, story, TOKENS, YEARS } from '../support/http-world.ts';
import { COMMIT, planned, step, taskTriggered } from '../support/sequence.ts';
import { createVisitor, csrfOf, signInWithToken, type Visitor } from '../support/sign-in.ts';

const ADMIN = 'token-of-admin-6f7a8b9c0d1e';
const STAGE = 'token-of-stage-7a8b9c0d1e2f';

/** Waits for a person of one of these groups. */
const waiting = (groups: string[]) => [
  ...planned(step('approval', { always: true, groups }), step('sync')),
  taskTriggered(1, 'approval', YEARS),
];

let world: HttpWorld;
beforeAll(async () => {
  world = await startHttpWorld({
    sequences: [
      story('one', waiting(['payments'])),
      story('two', waiting([]), { place: { project: 'shop', stage: 'production', service: 'two' } }),
      story('three', [...planned(step('promotion')), taskTriggered(1, 'promotion', YEARS)]),
      story('four', waiting(['marketing'])),
    ],
    env: {
      LYNCEUS_ANONYMOUS_READ: 'false',
      ADMIN,
      STAGE,
    },
    connections: `  - {name: root, token: {env: ADMIN}, roles: [admin]}
  - {name: tess, token: {env: STAGE}, roles: [approver], stages: [staging], groups: [payments]}
`,
  });
});
afterAll(() => world.stop());

async function signedIn(token: string = TOKENS.APPROVER): Promise<Visitor> {
  const visitor = createVisitor(world.url);
  expect((await signInWithToken(visitor, token)).status).toBe(303);
  return visitor;
}

describe('signing in with a token', () => {
  it('opens a session with the rights of the token, and goes to where one was', async () => {
    const visitor = createVisitor(world.url);
    const sent = await visitor.follow(await visitor.get('/changes?state=waiting'));
    expect(sent.status).toBe(200);
    expect(sent.text).toContain('<h1>Sign in</h1>');
    const entered = await visitor.post(sent.form?.action ?? '', { ...sent.form?.fields, token: TOKENS.READER });
    expect(entered.location).toBe(`${world.url}/changes?state=waiting`);
    const page = await visitor.follow(entered);
    expect(page.status).toBe(200);
    expect(page.text).toContain('reader');
    expect(page.text).toContain('Sign out');
  });

  it('gives a cookie that is for this host, no script and no other site', async () => {
    const visitor = await signedIn();
    const session = visitor.given.find((line) => line.startsWith('lynceus=')) ?? '';
    // On loopback without TLS there is no other way; test/http/sign-in-https.test.ts has the usual one.
    expect(session).toMatch(/^lynceus=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/);
  });

  it.each([
    ['a token that nobody has', 'token-of-a-stranger-0123456789'],
    ['a webhook’s secret', TOKENS.WEBHOOK_NEW],
    ['nothing', ''],
  ])('refuses %s', async (_what, token) => {
    const visitor = createVisitor(world.url);
    const page = await signInWithToken(visitor, token);
    expect(page.status).toBe(401);
    expect(page.text).toContain('This token is not known');
    expect(visitor.cookie('lynceus')).toBeUndefined();
    expect(page.text).not.toContain(TOKENS.WEBHOOK_NEW);
  });

  it('takes no form of another site, so that nobody is signed in as somebody else', async () => {
    const visitor = createVisitor(world.url);
    const { form } = await visitor.get('/sign-in');
    const fields = { ...form?.fields, token: TOKENS.APPROVER };
    expect((await visitor.post('/sign-in', fields, { 'Sec-Fetch-Site': 'cross-site' })).status).toBe(403);
    expect((await visitor.post('/sign-in', { ...fields, csrf: 'x'.repeat(43) })).status).toBe(400);
    expect((await visitor.post('/sign-in', { token: TOKENS.APPROVER })).status).toBe(400);
    // Another browser's form.
    expect((await createVisitor(world.url).post('/sign-in', fields)).status).toBe(400);
    expect(visitor.cookie('lynceus')).toBeUndefined();
  });

  it('takes no session that somebody else put into the browser', async () => {
    const planted = 'A'.repeat(43);
    const visitor = createVisitor(world.url);
    visitor.setCookie('lynceus', planted);
    expect((await visitor.get('/changes')).status).toBe(302);
    await signInWithToken(visitor, TOKENS.READER);
    expect(visitor.cookie('lynceus')).not.toBe(planted);
    const thief = createVisitor(world.url);
    thief.setCookie('lynceus', planted);
    expect((await thief.get('/changes')).status).toBe(302);
  });

  it('begins a new session with each sign-in, and ends the one before', async () => {
    const visitor = await signedIn(TOKENS.READER);
    const before = visitor.cookie('lynceus') ?? '';
    await signInWithToken(visitor, TOKENS.APPROVER);
    expect(visitor.cookie('lynceus')).not.toBe(before);
    const thief = createVisitor(world.url);
    thief.setCookie('lynceus', before);
    expect((await thief.get('/changes')).status).toBe(302);
  });

  it.each([
    '//evil.example.com/',
    'https://evil.example.com/',
    '/\\evil.example.com',
    '/\t/evil.example.com',
    '/.//evil.example.com',
    '/changes/..//evil.example.com',
    '/%2e//evil.example.com',
    'javascript:alert(1)',
    '/sign-out',
    '/api/v1/tokens',
    '/sign-in?to=/sign-in',
    '@evil.example.com',
    `/${'a'.repeat(3000)}`,
  ])('sends nobody elsewhere afterwards: %s', async (to) => {
    const visitor = createVisitor(world.url);
    const page = await visitor.get(`/sign-in?to=${encodeURIComponent(to)}`);
    const entered = await visitor.post('/sign-in', { ...page.form?.fields, to, token: TOKENS.READER });
    expect(entered.location).toBe(`${world.url}/`);
  });
});

describe('a session', () => {
  const body = { verdict: 'approve', reason: 'r', revision: 'c' };
  const decision = '/changes/nothing/decisions';

  it('decides by the forms of its own pages, and by nothing else', async () => {
    const visitor = await signedIn();
    const csrf = await csrfOf(visitor);
    const other = await csrfOf(await signedIn());
    expect(csrf).toMatch(/^[\w-]{43}$/);
    expect(other).not.toBe(csrf);
    // There is no such change: the guard let it pass.
    expect((await visitor.post(decision, { ...body, csrf })).status).toBe(404);
    for (const wrong of ['', csrf.slice(1), other, `${csrf}x`])
      expect((await visitor.post(decision, { ...body, csrf: wrong })).status, wrong).toBe(403);
    expect((await visitor.post(decision, body)).status).toBe(403);
    expect((await visitor.post(decision, { ...body, csrf }, { 'Sec-Fetch-Site': 'cross-site' })).status).toBe(403);
    expect((await visitor.post(decision, { ...body, csrf }, { 'Sec-Fetch-Site': 'same-site' })).status).toBe(403);
    const noFetchMetadata = { 'Sec-Fetch-Site': '', Origin: 'https://evil.example.com' };
    expect((await visitor.post(decision, { ...body, csrf }, noFetchMetadata)).status).toBe(403);
  });

  it('needs the header for JSON, which a token does not', async () => {
    const visitor = await signedIn();
    const cookie = `lynceus=${visitor.cookie('lynceus')}`;
    const ask = (headers: Record<string, string>) =>
      world.post('/api/v1/changes/nothing/decisions', JSON.stringify(body), {
        'Content-Type': 'application/json',
        ...headers,
      });
    expect((await problemOf(await ask({ Cookie: cookie }))).code).toBe('csrf');
    expect((await problemOf(await ask({ Cookie: cookie, 'X-CSRF-Token': 'x' }))).code).toBe('csrf');
    expect((await ask({ Cookie: cookie, 'X-CSRF-Token': await csrfOf(visitor) })).status).toBe(404);
    expect((await ask(bearer(TOKENS.APPROVER))).status).toBe(404);
    // Who shows a token acts with that alone.
    expect((await ask({ Cookie: cookie, ...bearer(TOKENS.READER) })).status).toBe(403);
    expect((await ask({ Cookie: cookie, Authorization: 'Bearer nonsense-0123456789' })).status).toBe(401);
  });

  it('is answered also where a form goes to what takes no forms', async () => {
    const visitor = await signedIn(ADMIN);
    const csrf = await csrfOf(visitor);
    for (const path of ['/api/v1/events', '/api/v1/reports/check']) {
      const { status } = await visitor.post(path, { ...body, csrf });
      expect(status, path).toBe(415);
    }
  });

  it('ends when its owner signs out, and not by the form of somebody else', async () => {
    const visitor = await signedIn();
    const cookie = visitor.cookie('lynceus') ?? '';
    expect((await visitor.post('/sign-out', {})).status).toBe(403);
    expect((await visitor.post('/sign-out', { csrf: await csrfOf(await signedIn()) })).status).toBe(403);
    expect((await visitor.get('/changes')).status).toBe(200);
    const out = await visitor.post('/sign-out', { csrf: await csrfOf(visitor) });
    expect(out.location).toBe(`${world.url}/sign-in?signed-out`);
    expect(visitor.cookie('lynceus')).toBeUndefined();
    expect((await visitor.follow(out)).text).toContain('You are signed out of Lynceus.');
    const thief = createVisitor(world.url);
    thief.setCookie('lynceus', cookie);
    expect((await thief.get('/changes')).status).toBe(302);
  });

  it('of an approver decides in its stages and groups, and is told so elsewhere', async () => {
    const visitor = await signedIn(STAGE);
    const csrf = await csrfOf(visitor);
    const decide = (id: string, verdict: string, stage: string) =>
      visitor.post(`/changes/ctx-${id}/decisions`, { csrf, verdict, stage, reason: 'a test', revision: COMMIT });
    const elsewhere = await decide('two', 'approve', 'production');
    expect(elsewhere.status).toBe(403);
    expect(elsewhere.text).toContain('tess may decide in staging, not in production');
    const promoting = await decide('three', 'reject', 'staging');
    expect(promoting.status).toBe(403);
    expect(promoting.text).toContain('tess may decide in staging, not in production');
    const aborting = await decide('one', 'abort', 'staging');
    expect(aborting.status).toBe(403);
    expect(aborting.text).toContain('that takes the role operator');
    const ofOthers = await decide('four', 'approve', 'staging');
    expect(ofOthers.status).toBe(403);
    expect(ofOthers.text).toContain('is in none of the groups that decide here: marketing');
    expect((await decide('one', 'approve', 'staging')).status).toBe(303);
    const change = await (await world.get('/api/v1/changes/ctx-one', bearer(TOKENS.READER))).text();
    expect(change).toMatch(/"decisions":\[\{"actor":"tess","verdict":"approve"/);
  });

  it('of an approver does not operate', async () => {
    const line = await world.post('/api/v1/stop-the-line', '{"reason":"r"}', {
      'Content-Type': 'application/json',
      ...bearer(STAGE),
    });
    expect((await problemOf(line)).detail).toBe('the token of tess may not operate');
  });

  it('is seen and ended by admins', async () => {
    const visitor = await signedIn(TOKENS.OUTSIDER);
    const listed = (await (await world.get('/api/v1/sessions', bearer(ADMIN))).json()) as {
      sessions: { id: string; name: string }[];
    };
    const mine = listed.sessions.find(({ name }) => name === 'outsider');
    expect(mine).toBeDefined();
    const end = () => world.fetch(`/api/v1/sessions/${mine?.id}`, { method: 'DELETE', headers: bearer(ADMIN) });
    expect((await end()).status).toBe(204);
    expect((await visitor.get('/changes')).status).toBe(302);
    expect((await end()).status).toBe(404);
  });
});

describe('API tokens that are made at runtime', () => {
  const make = (wish: object, headers = bearer(ADMIN)) =>
    world.post('/api/v1/tokens', JSON.stringify(wish), { 'Content-Type': 'application/json', ...headers });
  type Made = { id: string; token: string; expiresAt: string; createdAt: string };

  it('are told once, do what they are for, and nothing once they are revoked', async () => {
    const answer = await make({
      name: 'ci of checkout',
      roles: ['approver'],
      stages: ['staging'],
      groups: ['payments'],
    });
    expect(answer.status).toBe(201);
    const made = (await answer.json()) as Made;
    expect(made.token).toMatch(/^lyn_[\w-]{43}$/);
    expect(Date.parse(made.expiresAt) - Date.parse(made.createdAt)).toBe(90 * 86_400_000);
    expect((await world.get('/api/v1/changes', bearer(made.token))).status).toBe(200);
    expect((await problemOf(await make({ name: 'more', roles: ['admin'] }, bearer(made.token)))).code).toBe(
      'forbidden',
    );
    const listed = await (await world.get('/api/v1/tokens', bearer(ADMIN))).text();
    expect(listed).toContain('"ci of checkout"');
    expect(listed).toContain(`"lastUsed":"${new Date().toISOString().slice(0, 10)}"`);
    expect(listed).not.toContain(made.token);
    expect(world.logText()).toContain('API token made');
    expect(world.logText()).not.toContain(made.token);
    // A session of the token ends with it.
    const visitor = await signedIn(made.token);
    expect((await visitor.get('/changes')).status).toBe(200);
    const revoke = () => world.fetch(`/api/v1/tokens/${made.id}`, { method: 'DELETE', headers: bearer(ADMIN) });
    expect((await revoke()).status).toBe(204);
    expect((await world.get('/api/v1/changes', bearer(made.token))).status).toBe(401);
    expect((await visitor.get('/changes')).status).toBe(302);
    expect((await revoke()).status).toBe(404);
  });

  it('have names of their own', async () => {
    expect((await make({ name: 'twice', roles: ['viewer'] })).status).toBe(201);
    expect((await problemOf(await make({ name: 'twice', roles: ['viewer'] }))).code).toBe('name-taken');
    expect((await problemOf(await make({ name: 'approver', roles: ['viewer'] }))).code).toBe('name-taken');
  });

  it.each([
    [{ roles: ['viewer'] }, 'name: who acts with it, at most 100 characters'],
    [{ name: 'a', roles: ['root'] }, 'roles: must be some of viewer, approver, operator, admin'],
    [{ name: 'a' }, 'name what it allows: roles, may or both'],
    [{ name: 'a', roles: ['operator'], stages: ['prod'] }, 'stages: restricts nothing, for the role operator'],
    [{ name: 'a', roles: ['viewer'], expiresIn: '400d' }, 'expiresIn: a time such as 90d, from 1 min to 366d'],
    [{ name: 'a', roles: ['viewer'], expiresIn: 90 }, 'expiresIn: a time such as 90d'],
    [{ name: 'a', roles: ['viewer'], admin: true }, 'admin: is not known'],
    [{ name: 'a', roles: [] }, 'roles: must be a list of 1 to 100 names'],
  ])('are refused when they are not clear: %j', async (wish, words) => {
    const problem = await problemOf(await make(wish));
    expect(problem.status).toBe(400);
    expect(problem.detail).toContain(words);
  });
});

describe('too many failures', () => {
  it('make an address wait, other than those who know their token', async () => {
    const visitor = createVisitor(world.url);
    const good = await signedIn();
    const statuses: number[] = [];
    for (let nth = 0; nth < 12; nth++) statuses.push((await signInWithToken(visitor, `lyn_${'x'.repeat(43)}`)).status);
    expect(statuses).toContain(401);
    expect(statuses.at(-1)).toBe(429);
    expect((await good.get('/changes')).status).toBe(200);
    expect((await world.get('/api/v1/changes', bearer(TOKENS.READER))).status).toBe(200);
  });
});

describe('the log', () => {
  it('says who signed in and out, and has no secret', () => {
    const text = world.logText();
    expect(text).toContain('signed in');
    expect(text).toContain('signed out');
    for (const token of [...Object.values(TOKENS), ADMIN]) expect(text).not.toContain(token);
  });
});
