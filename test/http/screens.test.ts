import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/base/json.ts';
import { fleetJob } from '../../src/runtime/fleet-job.ts';
import type { Document } from '../../src/store/store.ts';
import { bearer, type HttpWorld, problemOf, startHttpWorld, TOKENS } from '../support/http-world.ts';
import { eventually } from '../support/lynceus.ts';

const HOSTILE = '<script>alert("x")</script>';
const COUNT = 130;
const FIRST = Date.parse('2026-11-01T00:00:00.000Z');
const at = (nth: number) => new Date(FIRST + nth * 3_600_000).toISOString();

function evaluation(nth: number, change: { service?: string; project?: string } = {}): Document {
  const isBad = nth === COUNT;
  const { service = 'checkout', project = 'shop' } = change;
  const indicator = (sli: string) => ({
    ...{ sli, displayName: sli, keySli: false, weight: 1, value: nth, unit: 'ms', score: isBad ? 0 : 1 },
    status: isBad ? 'fail' : 'pass',
    passTargets: [{ criteria: '<=129', targetValue: 129, violated: isBad }],
    warningTargets: [],
  });
  return {
    ...{ kind: 'evaluation', id: `${project}-${service}-${nth}`, version: 1, project, stage: 'staging', service },
    ...{ context: `change-${nth}`, status: isBad ? 'fail' : 'pass', sort: Date.parse(at(nth)) },
    data: {
      ...{ revision: 'a'.repeat(40), version: `1.${nth}.0`, finishedAt: at(nth) },
      period: { start: at(nth - 1), end: at(nth) },
      evaluation: {
        ...{ result: isBad ? 'fail' : 'pass', score: isBad ? 0 : 100, thresholds: { pass: 90 } },
        ...{ message: isBad ? `p95 is ${nth}, must be <=129` : 'fine', compared: [`${project}-${service}-${nth - 1}`] },
        indicators: [indicator('p95'), indicator(HOSTILE)],
      },
    },
  };
}

function application(service: string, stage: string, cluster: string, version: string, team = 'payments'): Document {
  const ref = { system: 'main', namespace: 'argocd', name: `${service}-${cluster}`, uid: cluster, systemProject: 'p' };
  const runs = { images: [`ghcr.io/acme/${service}:${version}`], health: 'Healthy', sync: 'Synced', cluster, team };
  return {
    ...{ kind: 'application', id: `main/argocd/${ref.name}`, version: 1, project: 'shop', stage, service },
    ...{ context: `shop/${service}`, status: 'seen', sort: 1 },
    data: { ref, fingerprint: 'f', runs } as unknown as JsonObject,
  };
}

describe('the screens of a running service', () => {
  let world: HttpWorld;
  const read = async (path: string, token = TOKENS.READER as string) => {
    const answer = await world.get(path, bearer(token));
    return { status: answer.status, text: await answer.text() };
  };
  const form = (path: string, fields: Record<string, string>, token = TOKENS.APPROVER as string) =>
    world.post(path, new URLSearchParams(fields).toString(), {
      'Content-Type': 'application/x-www-form-urlencoded',
      ...bearer(token),
    });
  const json = async <T>(path: string) => JSON.parse((await read(path)).text) as T;

  beforeAll(async () => {
    world = await startHttpWorld({
      flux: 'unreachable',
      documents: [
        ...Array.from({ length: COUNT }, (_, nth) => evaluation(nth + 1)),
        evaluation(5, { service: 'twice', project: 'shop' }),
        evaluation(5, { service: 'twice', project: 'other' }),
        ...[
          application('checkout', 'staging', 'dev-1', '1.2.0'),
          application('checkout', 'prod', 'eu-1', '1.1.0'),
          application('checkout', 'prod', 'us-1', '1.0.0'),
          application('ledger', 'staging', 'dev-1', '5.0.0', HOSTILE),
          application('ledger', 'prod', 'eu-1', '5.0.0', HOSTILE),
        ],
      ],
      fill: async (store) => {
        const services = ['shop/checkout', 'shop/ledger', 'shop/twice', 'other/twice'].map((key) => key.split('/'));
        const jobs = services.map(([project = '', service = '']) => ({
          ...fleetJob({ project, service, stage: 'staging' }),
          delayMs: 0,
        }));
        await store.commit({ jobs });
      },
    });
    await eventually(async () => (await read('/evaluations')).text.includes('3 services'), {
      within: 15_000,
      what: 'a row of each service that was evaluated',
    });
  });
  afterAll(() => world.stop());

  describe('Fleet', () => {
    it('shows what differs, closes what is the same, and escapes what labels say', async () => {
      const { status, text } = await read('/fleet');
      expect(status).toBe(200);
      expect(text).toContain('Fleet: 2 services, 5 applications');
      expect(text).toMatch(/1\.1\.0[\s\S]*1\.0\.0/);
      expect(text).toContain('same everywhere');
      expect(text).not.toContain('ledger</a>');
      expect(text).not.toContain(HOSTILE);
    });

    it('opens a group that is asked for, by an address', async () => {
      const { text } = await read(`/fleet?in=${encodeURIComponent(HOSTILE)}`);
      expect(text).toContain('ledger</a>');
      expect(text).not.toContain(HOSTILE);
    });

    it('has columns by cluster and by ring, and ignores what it does not know', async () => {
      expect((await read('/fleet?by=cluster')).text).toContain('prod: us-1');
      expect((await read('/fleet?by=ring')).text).toContain('no ring');
      expect((await read('/fleet?by=x&sort=x&q[a]=b&cursor[]=1&cursor[]=2&unknown=1')).status).toBe(200);
    });

    it('tells programs the same', async () => {
      const fleet = await json<{ groups: { name: string; services: { cells: object[] }[] }[] }>(
        '/api/v1/fleet?q=check',
      );
      expect(fleet).toMatchObject({ matching: 1, total: 2, units: 5 });
      expect(fleet.groups[0]?.services[0]).toMatchObject({ service: 'checkout', differs: true });
      expect(fleet.groups[0]?.services[0]?.cells).toHaveLength(3);
    });
  });

  describe('Evaluations', () => {
    const board = '/evaluations/checkout/staging?project=shop';

    it('shows the newest sixty with the newest in detail, and the failed objective in a sentence on top', async () => {
      const { status, text } = await read(board);
      expect(status).toBe(200);
      expect(text).toContain('p95 is 130, must be &lt;=129');
      expect(text).toContain('aria-label="p95: 130 ms, failed, pass ≤ 129.');
      expect(text).toContain('60 evaluations');
      expect(text).not.toContain(HOSTILE);
      expect(text.match(/<th scope="col" class="c /g)).toHaveLength(60);
    });

    it('leads to the older ones, each once, until there are none', async () => {
      const seen: string[] = [];
      let path: string | undefined = board;
      for (let page = 0; path !== undefined && page < 5; page++) {
        const { text } = await read(path.replaceAll('&amp;', '&'));
        seen.push(...[...text.matchAll(/data-k="e-([^"]+)"/g)].map(([, id = '']) => id));
        path = /<a href="([^"]+)" rel="next"/.exec(text)?.[1];
      }
      expect(seen).toHaveLength(COUNT);
      expect(new Set(seen).size).toBe(COUNT);
    });

    it('shows the one that the address names, wherever it is, and refuses one of another place', async () => {
      const { text } = await read(`${board}&e=shop-checkout-3`);
      expect(text).toContain('1.3.0');
      expect(text).toContain('It is not among those above');
      for (const e of ['shop-twice-5', 'nothing', HOSTILE])
        expect((await read(`${board}&e=${encodeURIComponent(e)}`)).status).toBe(404);
    });

    it('says how many are newer than the one that is looked at', async () => {
      expect((await read(`${board}&e=shop-checkout-128`)).text).toContain('2 newer');
    });

    it('shares columns where more are asked for, and draws a line with a table of the same', async () => {
      const many = await read(`${board}&last=250`);
      expect(many.text).toContain('130 evaluations, up to 3 in a column');
      expect((many.text.match(/<th scope="col" class="c /g) ?? []).length).toBeLessThanOrEqual(60);
      const line = await read(`${board}&view=line&sli=sli-p95&last=250`);
      expect(line.text).toContain('p95 as a table');
      expect(line.text.match(/data-k="l-/g)).toHaveLength(COUNT);
    });

    it('finds the only project that has such a service there, and asks where several have', async () => {
      expect((await read('/evaluations/checkout/staging')).text).toContain('60 evaluations');
      const several = await read('/evaluations/twice/staging');
      expect(several.text).toContain('Several projects have one');
      expect(several.text.match(/project=(?:shop|other)/g)).toHaveLength(2);
      const none = await read(`/evaluations/${encodeURIComponent(HOSTILE)}/staging`);
      expect(none.status).toBe(404);
      expect(none.text).not.toContain(HOSTILE);
      expect((await read('/evaluations/checkout/staging?project=nobody')).text).toContain('No evaluation yet');
    });

    it.each(['before=nonsense', 'before=1~', 'from=yesterday', 'from=2026-99-99', 'last=-1', 'last=1e9', 'view[]=x'])(
      'ignores a query that means nothing: %s',
      async (query) => {
        expect((await read(`${board}&${query}`)).text).toContain('60 evaluations');
      },
    );

    it('lets an operator ignore one with a reason, and compare with it again', async () => {
      const id = 'shop-checkout-130';
      expect((await read(`${board}&e=${id}`)).text).toContain('An operator can have it ignored');
      const denied = await form(`/evaluations/${id}/ignore`, { reason: 'r' }, TOKENS.READER);
      expect(denied.status).toBe(403);
      const silent = await form(`/evaluations/${id}/ignore`, { reason: ' ' });
      expect(silent.status).toBe(400);
      const done = await form(`/evaluations/${id}/ignore`, { reason: HOSTILE });
      expect(done.status).toBe(303);
      const there = (done.headers.get('location') ?? '').split('#')[0] ?? '';
      const page = await read(there, TOKENS.APPROVER);
      expect(page.text).toContain('Ignored for comparison by approver');
      expect(page.text).not.toContain(HOSTILE);
      expect(page.text).toContain('Compare with it again');
      expect((await form(`/evaluations/${id}/restore`, {})).status).toBe(303);
      expect((await read(there)).text).not.toContain('Ignored for comparison by');
    });

    it('tells programs the same in columns', async () => {
      const place = 'project=shop&stage=staging&service=checkout';
      const map = await json<{ slis: { name: string }[]; columns: { id: string }[]; cells: [string, number][][] }>(
        `/api/v1/evaluations?view=heat&${place}&limit=3`,
      );
      expect(map.columns.map(({ id }) => id)).toEqual(['128', '129', '130'].map((nth) => `shop-checkout-${nth}`));
      expect(map.slis.map(({ name }) => name).sort()).toEqual([HOSTILE, 'p95']);
      expect(map.cells[1]).toEqual([
        ['pass', 128],
        ['pass', 129],
        ['fail', 130],
      ]);
      const where = await world.get('/api/v1/evaluations?view=heat&project=shop', bearer(TOKENS.READER));
      expect(await problemOf(where)).toMatchObject({ status: 400, code: 'invalid-request' });
    });

    it('are listed by service and stage, page by page', async () => {
      const { text } = await read('/evaluations?q=TWI');
      expect(text).toContain('2 services');
      expect(text).toContain('last 1 scores: 100');
      expect((await read(`/evaluations?q=${encodeURIComponent(HOSTILE)}`)).text).not.toContain(HOSTILE);
    });
  });

  describe('Connections', () => {
    it('never say that all is well of what nobody has looked at', async () => {
      const { text } = await read('/connections');
      expect(text).toContain('2 not looked at yet');
      expect(text).toMatch(/By queue/);
      for (const token of Object.values(TOKENS)) expect(text).not.toContain(token);
    });

    it.each([
      ['deliverySystems.main', 'service.webhook.lynceus'],
      ['deliverySystems.eu', 'generic-hmac'],
    ])('send a test event to %s, which comes all the way and changes nothing', async (key, snippet) => {
      const before = await read(`/connections/${key}`, TOKENS.APPROVER);
      expect(before.text).toContain(snippet);
      expect(before.text).toContain('No test event was received yet');
      const sent = await form(`/connections/${key}/test`, {});
      expect(sent.status).toBe(303);
      const page = await read((sent.headers.get('location') ?? '').split('#')[0] ?? '', TOKENS.APPROVER);
      expect(page.text).toMatch(/Received<\/span> <time[\s\S]*after approver sent it/);
      const { applications } = await json<{ applications: { name: string }[] }>('/api/v1/connections');
      expect(applications.some(({ name }) => name.includes('test-event'))).toBe(false);
    });

    it('send nothing for those who may not operate, nor to what does not call us', async () => {
      expect((await form('/connections/deliverySystems.main/test', {}, TOKENS.READER)).status).toBe(403);
      expect((await form('/connections/metrics.prom/test', {})).status).toBe(404);
      expect((await read('/connections/deliverySystems.main')).text).toContain('needs an operator');
      expect((await read(`/connections/${encodeURIComponent(HOSTILE)}`)).status).toBe(404);
      expect((await read('/connections/pipelines')).text).toContain('lynceus report image');
    });
  });
});
