import { Router } from 'express';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Access } from '../../src/http/access.ts';
import { createHttpApp } from '../../src/http/server.ts';
import { createLog } from '../../src/runtime/log.ts';
import { bearer, type HttpWorld, startHttpWorld, TOKENS } from '../support/http-world.ts';
import { documentedRoutes } from '../support/openapi.ts';

/** Who may use what. A route that is missing here, or differs, fails: think before changing this list. */
const ROUTES: Record<string, Access> = {
  'POST /webhooks/argocd': 'sender',
  'POST /webhooks/flux': 'sender',
  'POST /webhooks/github': 'sender',
  'POST /webhooks/gitlab': 'sender',
  'POST /webhooks/gitea': 'sender',
  'POST /webhooks/azure-devops': 'sender',
  'POST /webhooks/bitbucket': 'sender',
  'POST /api/v1/events': 'report',
  'GET /api/v1/events': 'read',
  'GET /api/v1/changes': 'read',
  'GET /api/v1/changes/:id': 'read',
  'POST /api/v1/changes/:id/decisions': 'decide',
  'GET /api/v1/stop-the-line': 'read',
  'POST /api/v1/stop-the-line': 'decide',
  'POST /api/v1/go-on': 'decide',
  'GET /api/v1/risk': 'read',
  'GET /api/v1/connections': 'read',
  'POST /api/v1/evaluations': 'report',
  'GET /api/v1/evaluations': 'read',
  'GET /api/v1/evaluations/:id': 'read',
  'POST /api/v1/evaluations/:id/invalidate': 'decide',
  'POST /api/v1/evaluations/:id/again': 'report',
  'POST /api/v1/gates/evaluate': 'report',
  'POST /api/v1/integrations/argo-rollouts/evaluate': 'report',
  'POST /api/v1/integrations/kargo/evaluate': 'report',
  'GET /api/v1/integrations/gitops-promoter/:app/:branch/:sha': 'report',
  'GET /api/v1/integrations/kayenta/canaryConfig': 'report',
  'POST /api/v1/integrations/kayenta/canary/:id': 'report',
  'GET /api/v1/integrations/kayenta/canary/:id': 'report',
  'POST /api/v1/integrations/kayenta/judge': 'report',
  'GET /api/v1/integrations/prometheus/api/v1/query': 'report',
  'POST /api/v1/integrations/flagger/:token/confirm-rollout': 'report',
  'POST /api/v1/integrations/flagger/:token/pre-rollout': 'report',
  'POST /api/v1/integrations/flagger/:token/rollout': 'report',
  'POST /api/v1/integrations/flagger/:token/confirm-traffic-increase': 'report',
  'POST /api/v1/integrations/flagger/:token/confirm-promotion': 'report',
  'POST /api/v1/integrations/flagger/:token/rollback': 'report',
  'POST /api/v1/integrations/flagger/:token/post-rollout': 'report',
  'POST /api/v1/integrations/flagger/:token/event': 'report',
  'POST /api/v1/integrations/flagger/:token/gate/approve': 'report',
  'POST /api/v1/integrations/flagger/:token/gate/halt': 'report',
  'POST /api/v1/integrations/flagger/:token/gate/check': 'report',
  'POST /api/v1/integrations/flagger/:token/rollback/check': 'report',
  'POST /api/v1/integrations/flagger/:token/gate/open': 'decide',
  'POST /api/v1/integrations/flagger/:token/gate/close': 'decide',
  'POST /api/v1/integrations/flagger/:token/rollback/open': 'decide',
  'POST /api/v1/integrations/flagger/:token/rollback/close': 'decide',
  'GET /api/v1/openapi.json': 'read',
  'GET /healthz': 'anyone',
  'GET /readyz': 'anyone',
  'GET /metrics': 'anyone',
  'GET /': 'read',
  'GET /assets/:name': 'anyone',
  'POST /theme': 'anyone',
  'GET /changes': 'read',
  'GET /changes/:id': 'read',
  'POST /changes/:id/decisions': 'decide',
};
/** For people: not part of the API's document. */
const PAGES = [
  'GET /',
  'GET /assets/:name',
  'POST /theme',
  'GET /changes',
  'GET /changes/:id',
  'POST /changes/:id/decisions',
];

/** What each token opens, and which webhook of them all it opens. */
const HOLDERS: Record<string, { token?: string; opens: readonly Access[]; webhook?: string; known: boolean }> = {
  nobody: { opens: ['anyone'], known: false },
  'a stranger': { token: 'token-of-a-stranger-0123456789', opens: ['anyone'], known: false },
  'a reader': { token: TOKENS.READER, opens: ['anyone', 'read'], known: true },
  'a reporter': { token: TOKENS.REPORTER, opens: ['anyone', 'report'], known: true },
  'an approver': { token: TOKENS.APPROVER, opens: ['anyone', 'read', 'decide'], known: true },
  'an Argo CD': { token: TOKENS.WEBHOOK_NEW, opens: ['anyone'], webhook: '/webhooks/argocd', known: false },
  'a Flux': { token: TOKENS.FLUX_WEBHOOK, opens: ['anyone'], webhook: '/webhooks/flux', known: false },
};

/** Through the guard: what is said then depends on the request, which is empty here. */
const inside = (status: number) => status !== 401 && status !== 403;

describe.each([
  ['closed to strangers', 'false'],
  ['open for reading', 'true'],
])('a service that is %s', (_what, anonymousRead) => {
  let world: HttpWorld;
  beforeAll(async () => {
    world = await startHttpWorld({ env: { LYNCEUS_ANONYMOUS_READ: anonymousRead }, flux: 'unreachable' });
  });
  afterAll(() => world.stop());

  it('has exactly the routes that are listed, each with what it demands', () => {
    const routes = Object.fromEntries(
      world.app.routes.map(({ method, path, access }) => [`${method} ${path}`, access]),
    );
    expect(routes).toEqual(ROUTES);
  });

  it('describes every route of the API, and no other', () => {
    expect(documentedRoutes().sort()).toEqual(
      Object.keys(ROUTES)
        .filter((route) => !PAGES.includes(route))
        .sort(),
    );
  });

  describe.each(Object.entries(HOLDERS))('lets %s', (_name, { token, opens, webhook, known }) => {
    it.each(Object.entries(ROUTES))('use %s (%s) only if that is theirs', async (route, access) => {
      const [method = '', path = ''] = route.split(' ');
      const headers = token === undefined ? {} : bearer(token);
      const own = access === 'sender' && path === webhook;
      const open = own || opens.includes(access) || (access === 'read' && anonymousRead === 'true');
      for (const verb of method === 'GET' ? ['GET', 'HEAD'] : [method]) {
        const { status } = await world.fetch(path.replace(':id', 'nothing').replace(':token', token ?? 'nobody'), {
          method: verb,
          headers,
        });
        // What the gate that is always closed answers to those who may ask.
        const passed = inside(status) || route.endsWith('/gate/halt');
        expect(open ? passed : status, verb).toBe(open ? true : known && access !== 'sender' ? 403 : 401);
      }
    });
  });
});

describe('a route that does not say who may use it', () => {
  it('keeps the service from starting', () => {
    const forgotten = Router();
    forgotten.get('/api/v1/secrets', (_request, response) => void response.json({}));
    expect(() => createHttpApp([forgotten], createLog({ level: 'silent', secrets: [] }))).toThrow(
      'the route /api/v1/secrets does not say who may use it',
    );
  });
});

describe('a browser', () => {
  let world: HttpWorld;
  beforeAll(async () => {
    world = await startHttpWorld({ env: { LYNCEUS_ANONYMOUS_READ: 'false' } });
  });
  afterAll(() => world.stop());
  const basic = (token: string) => ({ Authorization: `Basic ${Buffer.from(`ada:${token}`).toString('base64')}` });
  const decide = (headers: Record<string, string>) =>
    world.post('/changes/nothing/decisions', 'verdict=approve&reason=r&revision=c', {
      'Content-Type': 'application/x-www-form-urlencoded',
      ...basic(TOKENS.APPROVER),
      ...headers,
    });

  it('is asked for the token, and takes it as a password', async () => {
    const refused = await world.get('/changes', { Accept: 'text/html' });
    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toMatch(/^Basic realm="Lynceus/);
    expect((await world.get('/changes', basic(TOKENS.READER))).status).toBe(200);
    expect((await world.get('/changes', basic('wrong-token-0123456789'))).status).toBe(401);
    expect((await world.get('/changes', { Authorization: 'Basic !!!' })).status).toBe(401);
  });

  it.each([
    ['another site', { 'Sec-Fetch-Site': 'cross-site' }],
    ['a sister site', { 'Sec-Fetch-Site': 'same-site' }],
    ['another origin', { Origin: 'https://evil.example.com' }],
    ['an opaque origin', { Origin: 'null' }],
  ] as [string, Record<string, string>][])('cannot decide from %s', async (_what, headers) => {
    const answer = await decide(headers);
    expect(answer.status).toBe(403);
    expect(((await answer.json()) as { code: string }).code).toBe('cross-site');
  });

  it('can decide from the page itself', async () => {
    for (const headers of [{ 'Sec-Fetch-Site': 'same-origin' }, { Origin: world.url }]) {
      // There is no such change: the guard let it pass.
      expect((await decide(headers as Record<string, string>)).status).toBe(404);
    }
  });
});
