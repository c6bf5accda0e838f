import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connectionCheck } from '../../src/adapters/connection-check.ts';
import { github } from '../../src/adapters/git-hosts/github.ts';
import { Secret } from '../../src/base/secret.ts';

const TOKEN = 'github-token-7d20c1f5b3';
const tools = { secret: () => new Secret(TOKEN), addresses: 'any', cacheDir: tmpdir() } as const;

let server: Server;
let answer: RequestListener;
let asked: string[] = [];
const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.authorization ?? 'nobody'}`);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => void server.close());
beforeEach(() => {
  asked = [];
});

const says =
  (status: number, body: unknown, headers: Record<string, string> = {}): RequestListener =>
  (_request, response) =>
    void response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify(body));

describe('a metrics source without a check of its own', () => {
  const check = (address: string) =>
    connectionCheck('metrics', { kind: 'prometheus', name: 'prom', url: address, token: { env: 'X' } }, {}, tools);

  it.each([200, 302, 401, 404, 503])('is there when it answers %d, and is shown no credentials', async (status) => {
    answer = says(status, {});
    expect(await check(url()).diagnose?.()).toMatchObject([{ level: 'ok', check: 'address' }]);
    expect(asked).toEqual(['GET / nobody']);
  });

  it('is a problem when nobody answers', async () => {
    const findings = await check('http://127.0.0.1:1').diagnose?.();
    expect(findings).toMatchObject([{ level: 'problem', check: 'address', remedy: expect.stringMatching(/it runs/) }]);
  });

  it('is left unchecked where it has no address, as a database or files have none', () => {
    expect(connectionCheck('metrics', { kind: 'test-report', name: 'reports' }, {}, tools)).toEqual({
      section: 'metrics',
      kind: 'test-report',
      name: 'reports',
      hasWebhook: false,
    });
  });
});

describe('the diagnosis of GitHub', () => {
  const diagnose = () =>
    github.create('github', { url: url(), token: { env: 'X' } }, tools).diagnose?.() ?? Promise.resolve([]);
  const limits = (remaining: number) => ({ resources: { core: { limit: 5000, remaining, reset: 1, used: 1 } } });
  const inDays = (days: number) =>
    new Date(Date.now() + days * 86_400_000).toISOString().replace('T', ' ').replace(/\..*/, ' UTC');

  it('says how many requests are left, and uses none of them', async () => {
    answer = says(200, limits(4711), { 'github-authentication-token-expiration': inDays(90) });
    expect(await diagnose()).toEqual([
      { level: 'ok', check: 'token', sentence: 'GitHub takes the token, 4711 of 5000 requests are left this hour' },
    ]);
    expect(asked).toEqual([expect.stringMatching(/^GET \/api\/v3\/rate_limit /)]);
  });

  it('warns of a token that expires soon, and of few requests', async () => {
    answer = says(200, limits(12), { 'github-authentication-token-expiration': inDays(3) });
    const warnings = (await diagnose()).filter(({ level }) => level === 'warning');
    expect(warnings.map(({ check }) => check)).toEqual(['token-expiry', 'rate-limit']);
  });

  it('takes a server that limits nothing for what it is', async () => {
    answer = says(404, { message: 'Rate limiting is not enabled.' });
    expect(await diagnose()).toMatchObject([{ level: 'ok', check: 'token' }]);
  });

  it.each([
    [401, { message: 'Bad credentials' }, /make a new token/],
    [404, { message: 'Not Found' }, /correct the address/],
    [500, { message: 'Oops' }, /its log/],
    [200, { nothing: true }, /./],
  ])('finds a problem in an answer of %d %j', async (status, body, remedy) => {
    answer = says(status, body);
    const findings = await diagnose();
    expect(findings).toMatchObject([{ level: 'problem', check: 'token' }]);
    expect(findings[0]?.remedy).toMatch(remedy);
    expect(JSON.stringify(findings)).not.toContain(TOKEN);
  });
});
