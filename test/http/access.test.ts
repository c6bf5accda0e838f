import { Router } from 'express';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mailId } from '../../src/base/mail.ts';
import { MAY } from '../../src/base/rights.ts';
import type { SequenceEvent } from '../../src/events/types.ts';
import type { Access } from '../../src/http/access.ts';
import { createHttpApp } from '../../src/http/server.ts';
import { createLog } from '../../src/runtime/log.ts';
import { evaluationRow, foldEvaluation } from '../../src/views/evaluation-document.ts';
import { bearer, type HttpWorld, startHttpWorld, story, TOKENS } from '../support/http-world.ts';
import { documentedRoutes } from '../support/openapi.ts';
import { planned, step, taskTriggered } from '../support/sequence.ts';
import { createVisitor, csrfOf, signInWithToken } from '../support/sign-in.ts';

/** What programs use, and what is told to them; everything else is for people. */
const API = /^\/(?:api\/|events$|webhooks\/|healthz$|readyz$|metrics$)/;
/** Tokens of each role, and of single permissions. */
const ROLE_TOKENS = {
  VIEWER: 'token-of-role-viewer-0a1b2c3d',
  STAGE_APPROVER: 'token-of-role-approver-1b2c3d',
  OPERATOR: 'token-of-role-operator-2c3d4e',
  ADMIN: 'token-of-role-admin-3d4e5f6a7b',
  SHOP_REPORTER: 'token-of-shops-reporter-4e5f6a7b',
  SHOP: 'token-of-shops-operator-5f6a7b8c',
};
const ROLE_LINES = `  - {name: role viewer, token: {env: VIEWER}, roles: [viewer]}
  - {name: role approver, token: {env: STAGE_APPROVER}, roles: [approver], stages: [staging]}
  - {name: role operator, token: {env: OPERATOR}, roles: [operator]}
  - {name: role admin, token: {env: ADMIN}, roles: [admin]}
  - {name: shops CI, token: {env: SHOP_REPORTER}, may: [report], projects: [shop]}
  - {name: shops operator, token: {env: SHOP}, roles: [operator], projects: [shop]}
`;

/** What each token opens, and which webhook of them all it opens. */
const HOLDERS: Record<string, { token?: string; opens: readonly Access[]; webhook?: string; known: boolean }> = {
  nobody: { opens: [], known: false },
  'a stranger': { token: 'token-of-a-stranger-0123456789', opens: [], known: false },
  'a reader': { token: TOKENS.READER, opens: ['read'], known: true },
  'a reporter': { token: TOKENS.REPORTER, opens: ['report'], known: true },
  'whoever decided before there were roles': { token: TOKENS.APPROVER, opens: MAY.operator, known: true },
  'a viewer': { token: ROLE_TOKENS.VIEWER, opens: MAY.viewer, known: true },
  'an approver': { token: ROLE_TOKENS.STAGE_APPROVER, opens: MAY.approver, known: true },
  'an operator': { token: ROLE_TOKENS.OPERATOR, opens: MAY.operator, known: true },
  'a reporter of one project': { token: ROLE_TOKENS.SHOP_REPORTER, opens: ['report'], known: true },
  'an admin': { token: ROLE_TOKENS.ADMIN, opens: MAY.admin, known: true },
  'an Argo CD': { token: TOKENS.WEBHOOK_NEW, opens: [], webhook: '/webhooks/argocd', known: false },
  'a Flux': { token: TOKENS.FLUX_WEBHOOK, opens: [], webhook: '/webhooks/flux', known: false },
};
/** What the document may say of a route; of what is signed there are several ways. */
function securityOf(access: Access, method: string, path: string, anonymousRead: boolean): object[][] {
  if (access === 'anyone' || path.includes(':token')) return [[]];
  if (access === 'sender') return [[{ webhookToken: [] }], [{ webhookToken: [] }, {}], [{}]];
  const session = { session: [access], ...(method === 'GET' ? {} : { csrf: [access] }) };
  const all = [{ token: [access] }, { password: [access] }, session];
  return [access === 'read' && anonymousRead ? [...all, {}] : all];
}

/** A request about another project, where one can name it; else about all of them at once. */
const OF_BANK = { project: 'bank', stage: 'staging', service: 'vault' };
const EVENT = { specversion: '1.0', id: 'one', source: 'ci', type: 'dev.lynceus.indicators.pushed.v1' };
const REPORT = { kind: 'build', state: 'finished', service: 'vault', commit: 'c'.repeat(40) };
const PERIOD = { start: '2026-03-02T10:00:00Z', end: '2026-03-02T10:05:00Z' };
const CANARY = { name: 'vault', namespace: 'bank', phase: 'Progressing', checksum: '1', metadata: {} };
const BANK_ID = Buffer.from(JSON.stringify(['bank', 'staging', 'vault'])).toString('base64url');
const SCORE = 'slo_gate_score{project="bank",stage="staging",service="vault"}';
const ELSEWHERE: Record<string, { path?: string; body?: object; type?: string }> = {
  'POST /api/v1/events': {
    body: { ...EVENT, data: { ...OF_BANK, indicators: { findings: 3 } } },
    type: 'cloudevents+json',
  },
  'POST /api/v1/reports/check': { body: { ...REPORT, project: 'bank' } },
  'POST /api/v1/changes/:id/decisions': { body: { verdict: 'abort', reason: 'r', revision: 'c' } },
  'POST /changes/:id/decisions': { body: { verdict: 'abort', reason: 'r', revision: 'c' }, type: 'form' },
  'POST /api/v1/evaluations': { body: { ...OF_BANK, ...PERIOD } },
  'POST /api/v1/evaluations/:id/invalidate': { body: { reason: 'r' } },
  'POST /api/v1/evaluations/:id/restore': {},
  'POST /api/v1/evaluations/:id/again': {},
  'POST /evaluations/:id/ignore': { body: { reason: 'r' }, type: 'form' },
  'POST /evaluations/:id/restore': { body: {}, type: 'form' },
  'POST /api/v1/gates/evaluate': { body: { ...OF_BANK, revision: 'c'.repeat(40) } },
  'POST /api/v1/integrations/argo-rollouts/evaluate': { body: OF_BANK },
  'POST /api/v1/integrations/kargo/evaluate': { body: { ...OF_BANK, promotion: 'p' } },
  'GET /api/v1/integrations/gitops-promoter/:app/:branch/:sha': {
    path: `/api/v1/integrations/gitops-promoter/vault/main/${'c'.repeat(40)}`,
  },
  'GET /api/v1/integrations/prometheus/api/v1/query': {
    path: `/api/v1/integrations/prometheus/api/v1/query?query=${encodeURIComponent(SCORE)}`,
  },
  'POST /api/v1/integrations/kayenta/canary/:id': {
    path: `/api/v1/integrations/kayenta/canary/${BANK_ID}`,
    body: { thresholds: { pass: 90, marginal: 75 } },
  },
  'GET /api/v1/integrations/kayenta/canary/:id': { path: '/api/v1/integrations/kayenta/canary/judged~90' },
  'POST /api/v1/stop-the-line': { body: { reason: 'r', project: 'bank' } },
  'POST /api/v1/go-on': { body: { reason: 'r' } },
  'POST /api/v1/rebuild': {},
  'POST /connections/:source/test': { body: {}, type: 'form' },
};
/** They answer of no project, or only of the token's own. */
const OF_NO_PROJECT = [
  'GET /api/v1/integrations/kayenta/canaryConfig',
  'POST /api/v1/integrations/kayenta/judge',
  'POST /api/v1/integrations/flagger/:token/gate/approve',
  'POST /api/v1/integrations/flagger/:token/gate/halt',
];

const OPERATOR_WITHOUT_REPORT = ['whoever decided before there were roles'];

describe.each([
  ['closed to strangers', 'false'],
  ['open for reading', 'true'],
])('a service that is %s', (_what, anonymousRead) => {
  let world: HttpWorld;
  beforeAll(async () => {
    world = await startHttpWorld({
      env: { ...ROLE_TOKENS, LYNCEUS_ANONYMOUS_READ: anonymousRead },
      connections: ROLE_LINES,
      flux: 'unreachable',
    });
  });
  afterAll(() => world.stop());

  /** Through the guard: what is said then depends on the request, which is empty here. */
  async function passes(
    method: string,
    path: string,
    token: string | undefined,
    headers: Record<string, string> = token === undefined ? {} : bearer(token),
  ): Promise<boolean | number> {
    const address = path.replace(':token', token ?? 'nobody').replaceAll(/:\w+/g, 'nothing');
    const answer = await fetch(world.url + address, { method, headers, redirect: 'manual' });
    await answer.body?.cancel();
    const refused = answer.status === 401 || answer.status === 403;
    // Other than a guard, the gate that is always closed answers those who may ask with a sentence.
    return refused && answer.headers.get('content-type')?.startsWith('application/problem') ? answer.status : true;
  }

  it('describes every route of the API, and no other', () => {
    const api = world.app.routes.filter(({ path }) => API.test(path)).map(({ method, path }) => `${method} ${path}`);
    expect(documentedRoutes().sort()).toEqual(api.sort());
  });

  it('says in its document what each of them takes, and of whom', async () => {
    const answer = await fetch(`${world.url}/api/v1/openapi.json`, { headers: bearer(TOKENS.READER) });
    const document = (await answer.json()) as {
      paths: Record<string, Record<string, { security?: object[] }>>;
      components: { securitySchemes: object };
    };
    const wrong: string[] = [];
    for (const { method, path, access } of world.app.routes.filter((route) => API.test(route.path))) {
      const template = path.replaceAll(/:(\w+)/g, '{$1}');
      const said = JSON.stringify(document.paths[template]?.[method.toLowerCase()]?.security);
      const expected = securityOf(access, method, path, anonymousRead === 'true').map((one) => JSON.stringify(one));
      if (!expected.includes(said)) wrong.push(`${method} ${path} (${access}): ${said}`);
      for (const [, name = ''] of said.matchAll(/"(\w+)":/g))
        if (!(name in document.components.securitySchemes)) wrong.push(`${path}: ${name} is no scheme`);
    }
    expect(wrong).toEqual([]);
  });

  it('declares what each of them takes, none of it by mistake', () => {
    const open = world.app.routes.filter(({ access }) => access === 'anyone').map(({ path }) => path);
    const writing = world.app.routes.filter(({ method, access }) => method !== 'GET' && access === 'read');
    expect(writing, 'routes that change something for whoever may only read').toEqual([]);
    expect(open.filter((path) => /^\/api\/|decision|token(?!s?\/)/.test(path))).toEqual([]);
  });

  // Open reading makes a difference to those who may not read, and to nobody else.
  const asked = Object.entries(HOLDERS).filter(([, { opens }]) => anonymousRead === 'false' || !opens.includes('read'));
  it.each(asked)('lets %s through the doors that are theirs, and no other', async (name, holder) => {
    const { token, opens, webhook, known } = holder;
    const mine = OPERATOR_WITHOUT_REPORT.includes(name) ? opens.filter((one) => one !== 'report') : opens;
    const wrong: string[] = [];
    for (const { method, path, access } of world.app.routes) {
      const open =
        access === 'anyone' ||
        (access === 'sender' && path === webhook) ||
        mine.includes(access) ||
        (access === 'read' && anonymousRead === 'true');
      const expected = open || (known && access !== 'sender' ? 403 : 401);
      for (const verb of method === 'GET' ? ['GET', 'HEAD'] : [method]) {
        const seen = await passes(verb, path, token);
        if (seen !== expected) wrong.push(`${verb} ${path} (${access}): ${seen} instead of ${expected}`);
      }
    }
    expect(wrong).toEqual([]);
  });
});

const MEL = mailId('mel@example.com') ?? '';
/** As the plan keeps who wrote the commit. */
const byMel = (history: SequenceEvent[]): SequenceEvent[] =>
  history.map((event) =>
    event.name === 'task.finished'
      ? { ...event, data: { ...event.data, data: { ...event.data.data, commit: { author: 'Mel', mail: MEL } } } }
      : event,
  );

describe('a token of one project', () => {
  const at = Date.parse('2026-03-02T10:00:00Z');
  let world: HttpWorld;
  beforeAll(async () => {
    const vault = story('vault', [...byMel(planned(step('sync'))), taskTriggered(1, 'sync')], { place: OF_BANK });
    const ref = { system: 'main', namespace: 'argocd', name: 'vault', uid: 'u', systemProject: '' };
    const asked = { context: 'judged', delayMs: 0, labels: {}, requestedBy: 'ci' };
    const judged = { evaluation: 'judged', place: OF_BANK, period: PERIOD, ...asked };
    world = await startHttpWorld({
      env: { ...ROLE_TOKENS, LYNCEUS_ANONYMOUS_READ: 'false' },
      connections: ROLE_LINES,
      flux: 'unreachable',
      sequences: [vault],
      documents: [
        {
          kind: 'application',
          id: 'main/argocd/vault',
          version: 1,
          ...OF_BANK,
          status: 'seen',
          sort: at,
          data: { ref },
        },
        evaluationRow(foldEvaluation([{ name: 'evaluation.triggered', at: PERIOD.end, data: judged }]), 1),
      ].filter((row) => row !== undefined),
    });
  });
  afterAll(() => world.stop());

  async function ask(route: string, token: string) {
    const [method = '', pattern = ''] = route.split(' ');
    const { path = pattern, body, type = 'json' } = ELSEWHERE[route] ?? { body: CANARY };
    const id = pattern.includes('evaluations') ? 'judged' : 'ctx-vault';
    const isForm = type === 'form';
    const said = isForm ? new URLSearchParams({ ...body }).toString() : JSON.stringify(body);
    const answer = await fetch(
      world.url + path.replace(':token', token).replace(':id', id).replace(':source', 'main'),
      {
        method,
        headers: {
          ...(pattern.includes(':token') ? {} : bearer(token)),
          'Content-Type': isForm ? 'application/x-www-form-urlencoded' : `application/${type}`,
        },
        redirect: 'manual',
        ...(method === 'GET' || body === undefined ? {} : { body: said }),
      },
    );
    return { status: answer.status, text: await answer.text() };
  }

  it('is refused with the name of its project wherever it is about another one, or about all', async () => {
    const wrong: string[] = [];
    const acting = world.app.routes.filter(({ access }) => ['report', 'decide', 'operate'].includes(access));
    for (const { method, path } of acting) {
      const route = `${method} ${path}`;
      if (OF_NO_PROJECT.includes(route)) continue;
      if (ELSEWHERE[route] === undefined && !path.includes('/flagger/')) wrong.push(`${route}: not asked here`);
      const { status, text } = await ask(route, ROLE_TOKENS.SHOP);
      const isRefused = status === 403 && text.includes('shops operator is for the project shop only');
      if (!isRefused) wrong.push(`${route}: ${status} ${text.slice(0, 200)}`);
    }
    expect(wrong).toEqual([]);
    // What is refused left nothing behind.
    const log = await (await world.get('/api/v1/events?limit=1000', bearer(TOKENS.READER))).text();
    expect(log).not.toMatch(/"source":"(?:ci|flagger)"/);
  });

  it('reports of its own project, which it need not name', async () => {
    const check = async (body: object) => {
      const answer = await world.post('/api/v1/reports/check', JSON.stringify(body), {
        ...bearer(ROLE_TOKENS.SHOP_REPORTER),
        'Content-Type': 'application/json',
      });
      return { status: answer.status, ...((await answer.json()) as { changes?: string[] }) };
    };
    const ofBank = { ...REPORT, manifestCommit: 'a'.repeat(40) };
    expect(await check(ofBank)).toMatchObject({ status: 200, understood: true, changes: [] });
    expect(await check({ ...ofBank, project: 'shop' })).toMatchObject({ status: 200, changes: [] });
    expect(await check({ ...ofBank, project: 'bank' })).toMatchObject({ status: 403 });
  });

  it('reads what all read, but nobody by what an author is recognised', async () => {
    const log = await (await world.get('/api/v1/events?limit=1000', bearer(ROLE_TOKENS.SHOP))).text();
    expect(log).toContain('"author":"Mel"');
    expect(log).not.toContain(MEL);
    expect(await (await world.get('/api/v1/changes/ctx-vault', bearer(ROLE_TOKENS.SHOP))).text()).not.toContain(MEL);
  });

  it('reads what all read, and is offered nothing that it may not do', async () => {
    const page = await world.get('/changes/ctx-vault', { ...bearer(ROLE_TOKENS.SHOP), Accept: 'text/html' });
    expect(await page.text()).toContain('you may do that in the project shop only');
  });
});

describe('a session', () => {
  let world: HttpWorld;
  beforeAll(async () => {
    world = await startHttpWorld({
      env: { ...ROLE_TOKENS, LYNCEUS_ANONYMOUS_READ: 'false' },
      connections: ROLE_LINES,
      flux: 'unreachable',
    });
  });
  afterAll(() => world.stop());

  async function statusOf(method: string, path: string, headers: Record<string, string>): Promise<[number, string]> {
    const answer = await fetch(world.url + path.replaceAll(/:\w+/g, 'nothing'), {
      method,
      headers,
      redirect: 'manual',
    });
    const isProblem = answer.headers.get('content-type')?.startsWith('application/problem') === true;
    const { code = '' } = isProblem ? ((await answer.json()) as { code?: string }) : {};
    if (!isProblem) await answer.body?.cancel();
    return [answer.status, code];
  }

  it.each([
    ['viewer', ROLE_TOKENS.VIEWER],
    ['approver', ROLE_TOKENS.STAGE_APPROVER],
    ['operator', ROLE_TOKENS.OPERATOR],
    ['admin', ROLE_TOKENS.ADMIN],
  ] as const)(
    'of the role %s opens the doors of its role, and an admin’s changes nothing without what its forms carry',
    async (role, token) => {
      const visitor = createVisitor(world.url);
      await signInWithToken(visitor, token);
      const cookie = { Cookie: `lynceus=${visitor.cookie('lynceus')}` };
      const csrf = { 'X-CSRF-Token': await csrfOf(visitor) };
      const wrong: string[] = [];
      const say = (route: string, what: string, seen: [number, string]) =>
        wrong.push(`${route} ${what}: ${seen.join(' ')}`);
      for (const { method, path, access } of world.app.routes) {
        // Others are for everybody, for senders, or carry a token themselves.
        if (access === 'anyone' || access === 'sender' || path.includes(':token')) continue;
        const mine = MAY[role].includes(access);
        const route = `${method} ${path} (${access})`;
        const seen = await statusOf(method, path, { ...cookie, ...csrf });
        const refused = seen[0] === 401 || seen[1] === 'forbidden' || seen[1] === 'csrf' || seen[1] === 'cross-site';
        if (mine ? refused : seen[1] !== 'forbidden') say(route, 'with all it takes', seen);
        // All doors are an admin's: once for each is enough.
        if (role !== 'admin' || method === 'GET') continue;
        for (const [what, headers, code] of PROBES) {
          const probed = await statusOf(method, path, { ...cookie, ...csrf, ...headers });
          if (probed[1] !== code) say(route, what, probed);
        }
      }
      expect(wrong).toEqual([]);
    },
  );
});

/** What another site can have a browser send. */
const PROBES: [string, Record<string, string>, string][] = [
  ['without a value', { 'X-CSRF-Token': '' }, 'csrf'],
  ['with a guess', { 'X-CSRF-Token': 'x'.repeat(43) }, 'csrf'],
  ['from another site', { 'Sec-Fetch-Site': 'cross-site' }, 'cross-site'],
  ['from a sister site', { 'Sec-Fetch-Site': 'same-site' }, 'cross-site'],
  ['from another origin', { Origin: 'https://evil.example.com' }, 'cross-site'],
];

describe('the roles', () => {
  it('allow what docs/sign-in.md says', () => {
    expect(MAY).toEqual({
      viewer: ['read'],
      approver: ['read', 'decide'],
      operator: ['read', 'report', 'decide', 'operate'],
      admin: ['read', 'report', 'query', 'decide', 'operate', 'administer'],
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

  it('is sent to where one signs in, and a program told what to send', async () => {
    const sent = await world.get('/changes?state=waiting&q=a%26b', { Accept: 'text/html,*/*;q=0.8' });
    expect(sent.status).toBe(302);
    expect(sent.headers.get('location')).toBe('/sign-in?to=%2Fchanges%3Fstate%3Dwaiting%26q%3Da%2526b');
    expect(sent.headers.get('www-authenticate')).toBeNull();
    const refused = await world.get('/changes');
    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toMatch(/^Basic realm="Lynceus/);
  });

  it('may give the token as a password', async () => {
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
