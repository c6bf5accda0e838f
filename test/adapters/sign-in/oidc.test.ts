import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AddressPolicy } from '../../../src/adapters/addresses.ts';
import { createOidcProvider } from '../../../src/adapters/sign-in/oidc.ts';
import { verifiedEmailIn } from '../../../src/adapters/sign-in/oidc-claims.ts';
import { Secret } from '../../../src/base/secret.ts';

let server: Server;
let issuer: string;
let metadata: (usual: object) => object;
let asked: string[] = [];
beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(request.url ?? '');
    if (request.url === '/elsewhere/.well-known/openid-configuration')
      return void response.writeHead(302, { Location: '/.well-known/openid-configuration' }).end();
    const usual = { issuer, authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token` };
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(metadata(usual)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());
beforeEach(() => {
  metadata = (usual) => usual;
  asked = [];
});

function provider(of = issuer, addresses: AddressPolicy = 'any') {
  const tools = { secret: () => new Secret('secret-of-the-client'), addresses, cacheDir: '/nowhere' };
  return createOidcProvider({ issuer: of, clientId: 'lynceus', clientSecret: { env: 'S' }, timeout: '2s' }, tools);
}
const attempt = { state: 's', nonce: 'n', verifier: 'v'.repeat(43), redirectUri: 'http://127.0.0.1/sign-in/callback' };

describe('a sign-in provider', () => {
  it('is asked nothing before somebody wants to sign in, and then once for all', async () => {
    const one = provider();
    expect(asked).toEqual([]);
    await Promise.all([one.start(attempt), one.start(attempt)]);
    await one.start(attempt);
    expect(asked).toEqual(['/.well-known/openid-configuration']);
  });

  it('is asked for the groups where it offers them', async () => {
    const scope = async () => new URL(await provider().start(attempt)).searchParams.get('scope');
    expect(await scope()).toBe('openid profile email');
    metadata = (usual) => ({ ...usual, scopes_supported: ['openid', 'email', 'groups'] });
    expect(await scope()).toBe('openid email groups');
  });

  it('is well when it answers', async () => {
    expect(await provider().diagnose()).toMatchObject([{ level: 'ok', check: 'address' }]);
  });

  it.each([
    ['calls itself otherwise', () => ({ issuer: 'https://evil.example.com' }), 'was not accepted'],
    ['does not take PKCE', () => ({ code_challenge_methods_supported: ['plain'] }), 'does not take PKCE with S256'],
    ['knows no codes', () => ({ response_types_supported: ['id_token'] }), 'authorization code flow'],
  ] as [string, () => object, string][])('has a problem when it %s', async (_what, more, words) => {
    metadata = (usual) => ({ ...usual, ...more() });
    const [finding] = await provider().diagnose();
    expect(finding).toMatchObject({ level: 'problem', remedy: expect.stringMatching(/./) });
    expect(finding?.sentence).toContain(words);
  });

  it('is not followed to another address', async () => {
    const [finding] = await provider(`${issuer}/elsewhere`).diagnose();
    expect(finding?.level).toBe('problem');
    expect(asked).toEqual(['/elsewhere/.well-known/openid-configuration']);
  });

  it('is not asked at the address of the cloud’s metadata', async () => {
    const [finding] = await provider('https://169.254.169.254', 'operator').diagnose();
    expect(finding?.sentence).toContain('169.254.169.254 is not allowed');
  });

  it('must be https, but for this machine', () => {
    expect(() => provider('http://sso.example.com', 'operator')).toThrow('the issuer must be https://');
  });
});

it.each([
  ['that is verified', { email: 'ada@example.com', email_verified: true }, 'ada@example.com'],
  ['as some write it', { email: 'ada@example.com', email_verified: 'true' }, 'ada@example.com'],
  ['that is not', { email: 'ada@example.com', email_verified: false }, undefined],
  ['of which nothing is said', { email: 'ada@example.com' }, undefined],
  ['that is none', { email: ['ada@example.com'], email_verified: true }, undefined],
])('takes a mail address %s', (_what, claims, email) => {
  expect(verifiedEmailIn(claims)).toBe(email);
});
