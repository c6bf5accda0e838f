import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../../examples/sandbox/free-port.ts';
import { type HttpWorld, startHttpWorld } from '../support/http-world.ts';
import { type LyingIssuer, startLyingIssuer } from '../support/lying-issuer.ts';
import { CLIENT, signInAtProvider, startOidcProvider, type TestProvider } from '../support/oidc-provider.ts';
import { createVisitor, csrfOf, type Page, type Visitor } from '../support/sign-in.ts';

const signIn = (issuer: string) => `signIn:
  oidc:
    name: Example SSO
    issuer: ${issuer}
    clientId: ${CLIENT.id}
    clientSecret: {env: OIDC_SECRET}
    scopes: [openid, email, groups]
    timeout: 2s
    roles:
      - {group: platform, role: operator}
      - {group: qa, role: approver, stages: [staging]}
`;

async function startWorld(issuer: (publicUrl: string) => Promise<string>, env = {}): Promise<HttpWorld> {
  const port = await freePort();
  const publicUrl = `http://127.0.0.1:${port}`;
  return startHttpWorld({
    env: {
      LYNCEUS_LISTEN: `127.0.0.1:${port}`,
      LYNCEUS_PUBLIC_URL: publicUrl,
      LYNCEUS_ANONYMOUS_READ: 'false',
      OIDC_SECRET: CLIENT.secret,
      ...env,
    },
    connections: signIn(await issuer(publicUrl)),
  });
}

describe('signing in at a certified provider', () => {
  let provider: TestProvider;
  let world: HttpWorld;
  beforeAll(async () => {
    world = await startWorld(async (publicUrl) => {
      provider = await startOidcProvider(publicUrl, {
        ada: { email: 'ada@example.com', groups: ['platform', 'payments'] },
        tess: { email: 'tess@example.com', groups: ['qa'] },
        bob: { email: 'bob@example.com', groups: ['sales <b>'] },
        eve: { email: 'ada@example.com', email_verified: false, groups: ['platform'] },
      });
      return provider.issuer;
    });
  });
  afterAll(async () => {
    await provider.stop();
    await world.stop();
  });

  async function callbackFor(visitor: Visitor, name: string, to = '/changes'): Promise<string> {
    const begun = await visitor.get(`/sign-in/provider?to=${encodeURIComponent(to)}`);
    return signInAtProvider(visitor, begun, name, world.url);
  }
  const enter = async (visitor: Visitor, name: string) => visitor.get(await callbackFor(visitor, name));

  it('offers a button, and goes there with code, PKCE, state and nonce', async () => {
    const visitor = createVisitor(world.url);
    const page = await visitor.follow(await visitor.get('/changes'));
    expect(page.text).toContain('Sign in with Example SSO');
    const { location = '' } = await visitor.get('/sign-in/provider');
    const asked = Object.fromEntries(new URL(location).searchParams);
    expect(location.startsWith(`${provider.issuer}/auth?`)).toBe(true);
    expect(asked).toMatchObject({
      response_type: 'code',
      client_id: 'lynceus',
      redirect_uri: `${world.url}/sign-in/callback`,
      scope: 'openid email groups',
      code_challenge_method: 'S256',
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      state: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
    });
    const again = new URL((await visitor.get('/sign-in/provider')).location ?? '').searchParams;
    for (const what of ['state', 'nonce', 'code_challenge']) expect(again.get(what)).not.toBe(asked[what]);
  });

  it('gives the roles of the groups, and comes back to where one was', async () => {
    const visitor = createVisitor(world.url);
    const entered = await visitor.get(await callbackFor(visitor, 'ada', '/changes?state=waiting'));
    expect(entered.location).toBe(`${world.url}/changes?state=waiting`);
    const page = await visitor.follow(entered);
    expect(page.text).toContain('ada@example.com');
    expect(page.text).toContain('viewer, approver, operator');
    const stop = { 'X-CSRF-Token': await csrfOf(visitor), Cookie: `lynceus=${visitor.cookie('lynceus')}` };
    const stopped = await world.post('/api/v1/stop-the-line', '{"reason":"a test", "stage": "nowhere"}', {
      'Content-Type': 'application/json',
      ...stop,
    });
    expect(stopped.status).toBe(201);
    const log = (await (await world.get('/api/v1/events?limit=1000', { Cookie: stop.Cookie })).json()) as {
      events: { type: string; data: object }[];
    };
    expect(log.events.find(({ type }) => type === 'dev.lynceus.line.stopped.v1')?.data).toMatchObject({
      actor: 'ada@example.com',
      method: 'session',
      identity: { issuer: provider.issuer, subject: 'ada' },
    });
  });

  it('gives an approver no more than that', async () => {
    const visitor = createVisitor(world.url);
    await enter(visitor, 'tess');
    const answer = await world.post('/api/v1/stop-the-line', '{"reason":"a test"}', {
      'Content-Type': 'application/json',
      'X-CSRF-Token': await csrfOf(visitor),
      Cookie: `lynceus=${visitor.cookie('lynceus')}`,
    });
    expect(answer.status).toBe(403);
  });

  it('lets nobody in whose groups have no role, and says which they are', async () => {
    const visitor = createVisitor(world.url);
    const page = await enter(visitor, 'bob');
    expect(page.status).toBe(403);
    expect(page.main).toContain('none of your groups has a role here. Groups: sales &lt;b&gt;.');
    expect(visitor.cookie('lynceus')).toBeUndefined();
  });

  it('takes no address that the provider has not verified', async () => {
    const page = await enter(createVisitor(world.url), 'eve');
    expect(page.status).toBe(403);
    expect(page.main).toContain('the provider has not verified the email address');
  });

  it('takes the answer of an attempt once', async () => {
    const visitor = createVisitor(world.url);
    const begun = await visitor.get('/sign-in/provider');
    const attempt = visitor.cookie('lynceus-sign-in') ?? '';
    const callback = await signInAtProvider(visitor, begun, 'ada', world.url);
    expect((await visitor.get(callback)).status).toBe(303);
    // The cookie of the attempt is gone; who kept it is refused by the provider.
    expect((await visitor.get(callback)).status).toBe(400);
    visitor.setCookie('lynceus-sign-in', attempt);
    const replayed = await visitor.get(callback);
    expect(replayed.status).toBe(403);
    expect(replayed.main).toContain('invalid_grant');
  });

  it('takes no answer to the attempt of somebody else', async () => {
    const [ada, victim] = [createVisitor(world.url), createVisitor(world.url)];
    const callback = await callbackFor(ada, 'ada');
    expect((await victim.get(callback)).status).toBe(400);
    await victim.get('/sign-in/provider');
    expect((await victim.get(callback)).status).toBe(400);
    expect(victim.cookie('lynceus')).toBeUndefined();
    // Her code, in an attempt of his: the provider knows whose it is.
    const his = new URL((await victim.get('/sign-in/provider')).location ?? '').searchParams.get('state');
    const mixed = new URL(callback);
    mixed.searchParams.set('state', his ?? '');
    expect((await victim.get(mixed.href)).status).toBe(403);
    expect(victim.cookie('lynceus')).toBeUndefined();
  });

  it('says what the provider says when somebody refuses there', async () => {
    const visitor = createVisitor(world.url);
    const state = new URL((await visitor.get('/sign-in/provider')).location ?? '').searchParams.get('state');
    const query = new URLSearchParams({
      error: 'access_denied',
      error_description: '<script>alert(1)</script>',
      state: state ?? '',
      iss: provider.issuer,
    });
    const page = await visitor.get(`/sign-in/callback?${query}`);
    expect(page.status).toBe(403);
    expect(page.main).toContain('access was denied');
    expect(page.text).not.toContain('<script>alert');
  });

  it('shows the way out of the provider as well', async () => {
    const visitor = createVisitor(world.url);
    await enter(visitor, 'ada');
    const page = await visitor.follow(await visitor.post('/sign-out', { csrf: await csrfOf(visitor) }));
    expect(page.main).toContain('Example SSO may still know you');
    const way = /href="([^"]*session\/end[^"]*)"/.exec(page.text)?.[1]?.replaceAll('&amp;', '&') ?? '';
    expect(Object.fromEntries(new URL(way).searchParams)).toEqual({
      client_id: 'lynceus',
      post_logout_redirect_uri: `${world.url}/sign-in`,
    });
    expect((await visitor.get(way)).status).toBe(200);
  });

  it('has neither codes nor secrets in the log', () => {
    expect(world.logText()).toContain('"via":"provider"');
    expect(world.logText()).not.toContain(CLIENT.secret);
    expect(world.logText()).not.toMatch(/id_token|access_token|[?&]code=|eyJ/);
  });
});

describe('a provider that is away', () => {
  it('does not keep the service from starting, and its return is noticed', async () => {
    let provider: TestProvider | undefined;
    const world = await startWorld(async (publicUrl) => {
      provider = await startOidcProvider(publicUrl, { ada: { email: 'ada@example.com', groups: ['platform'] } });
      await provider.stop();
      return provider.issuer;
    });
    const visitor = createVisitor(world.url);
    const page = await visitor.get('/sign-in/provider?to=/changes');
    expect(page.status).toBe(503);
    expect(page.main).toContain('The sign-in provider does not work at the moment');
    expect(page.main).toContain('cannot be reached (ECONNREFUSED)');
    expect((await visitor.get('/sign-in')).status).toBe(200);
    await provider?.start();
    const deadline = Date.now() + 10_000;
    let begun: Page = page;
    while (begun.location === undefined && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 250));
      begun = await visitor.get('/sign-in/provider');
    }
    expect(begun.location).toContain('/auth?');
    await provider?.stop();
    await world.stop();
  }, 30_000);
});

describe('a provider that lies', () => {
  let liar: LyingIssuer;
  let world: HttpWorld;
  beforeAll(async () => {
    liar = await startLyingIssuer(CLIENT);
    world = await startWorld(async () => liar.issuer, { LYNCEUS_TRUSTED_PROXIES: '1' });
  });
  afterAll(async () => {
    await liar.stop();
    await world.stop();
  });
  let visitor: Visitor;
  beforeEach(() => {
    liar.lie = {};
    visitor = createVisitor(world.url);
  });

  let address = 0;
  async function comeBack(): Promise<Page> {
    address += 1;
    const { location = '' } = await visitor.get('/sign-in/provider?to=/changes');
    const { searchParams } = new URL(location);
    liar.nonce = searchParams.get('nonce') ?? '';
    // Ten failures of one address are enough; whoever says to be somebody else first is not believed.
    const from = { 'X-Forwarded-For': `203.0.113.1, 198.51.100.${address}` };
    return visitor.get(`/sign-in/callback?code=c&state=${searchParams.get('state')}`, from);
  }

  it('is believed when it says the truth, with the verifier of the attempt', async () => {
    const page = await comeBack();
    expect(page.location).toBe(`${world.url}/changes`);
    expect(visitor.cookie('lynceus')).toBeDefined();
    expect(liar.asked.at(-1)?.get('code_verifier')).toMatch(/^[\w-]{43}$/);
  });

  const minutesAgo = (minutes: number) => Math.floor(Date.now() / 1000) - 60 * minutes;
  it.each([
    ['no signature', { header: { alg: 'none' }, signedBy: 'nobody' }, 'UNSUPPORTED'],
    ['the public key as a shared secret', { header: { alg: 'HS256' }, signedBy: 'public key' }, 'UNSUPPORTED'],
    ['the client secret as a shared secret', { header: { alg: 'HS256' }, signedBy: 'client secret' }, 'UNSUPPORTED'],
    ['the signature of a stranger', { signedBy: 'stranger' }, 'INVALID_RESPONSE'],
    ['a key that is not published', { header: { kid: 'k2' }, signedBy: 'stranger' }, 'KEY_SELECTION'],
    ['another audience', { claims: { aud: 'another-client' } }, 'claim aud'],
    ['several audiences, for another party', { claims: { aud: [CLIENT.id, 'other'], azp: 'other' } }, 'claim azp'],
    ['another issuer', { claims: { iss: 'https://evil.example.com' } }, 'claim iss'],
    ['another nonce', { claims: { nonce: 'x'.repeat(43) } }, 'claim nonce'],
    ['no nonce', { without: ['nonce'] }, 'INVALID_RESPONSE'],
    ['no subject', { without: ['sub'] }, 'INVALID_RESPONSE'],
    ['its time over', { claims: { iat: minutesAgo(10), exp: minutesAgo(5) } }, 'claim exp'],
    ['no end', { without: ['exp'] }, 'INVALID_RESPONSE'],
    ['a time to come', { claims: { nbf: minutesAgo(-10) } }, 'claim nbf'],
    ['no name', { without: ['email'] }, 'no claim &quot;email&quot;'],
    ['a name that hides something', { claims: { email: 'ada@example.com\u202e' } }, 'characters that are not seen'],
  ] as [string, LyingIssuer['lie'], string][])('is not believed an ID token with %s', async (_what, lie, why) => {
    liar.lie = lie;
    const page = await comeBack();
    expect(page.main).toContain('You are not signed in');
    expect(page.main).toContain(why);
    expect(page.status).toBe(403);
    expect(visitor.cookie('lynceus')).toBeUndefined();
  });

  it('may have a clock that is a little off', async () => {
    liar.lie = { claims: { iat: minutesAgo(0) + 20, exp: minutesAgo(0) - 10 } };
    expect((await comeBack()).location).toBe(`${world.url}/changes`);
  });
});
