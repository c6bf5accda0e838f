import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bearer, type HttpWorld, startHttpWorld, story, TOKENS } from '../support/http-world.ts';
import { failedGate, promoted, reviewing, waitingForApproval } from '../support/journeys.ts';
import { triggered } from '../support/sequence.ts';

describe('the pages', () => {
  let world: HttpWorld;
  beforeAll(async () => {
    world = await startHttpWorld({
      sequences: [
        ...waitingForApproval('checkout'),
        ...failedGate('basket'),
        ...promoted('search'),
        ...reviewing('payments'),
        story('hydrated', [triggered({ drySha: 'd'.repeat(40) })]),
        story('several', [triggered({ revision: '2.8.1', revisions: ['2.8.1', 'e'.repeat(40)] })]),
        story('other', [triggered()], { place: { project: 'bank', stage: 'dev', service: 'other' } }),
      ],
    });
  });
  afterAll(() => world.stop());
  const text = async (path: string, headers = {}) => (await world.get(path, headers)).text();
  const form = (id: string, fields: Record<string, string>, token: string = TOKENS.APPROVER) =>
    world.post(`/changes/${id}/decisions`, new URLSearchParams(fields).toString(), {
      'Content-Type': 'application/x-www-form-urlencoded',
      Accept: 'text/html',
      ...bearer(token),
    });

  it('name the commit that people wrote beside the hydrated one, and every source of several', async () => {
    expect(await text('/changes/ctx-hydrated')).toMatch(
      /commit <code[^>]*>dddddddd<\/code>, hydrated as <code[^>]*>8a3d1f0c</,
    );
    expect(await text('/changes/ctx-several')).toMatch(/revisions <code[^>]*>2\.8\.1<\/code> <code[^>]*>eeeeeeee</);
  });

  it('hold nothing inline, and are the same for a browser without scripts', async () => {
    for (const path of ['/changes', '/changes/ctx-checkout', '/changes/nobody', '/nowhere']) {
      const page = await (await world.get(path, { Accept: 'text/html' })).text();
      expect(page, path).not.toMatch(/<script(?![^>]* src="\/assets\/)|\son\w+=|\sstyle=|http-equiv="refresh"/);
    }
  });

  it('show where every change is, what it waits for, and who can let it go on', async () => {
    const page = await text('/changes');
    expect(page).toMatch(
      /checkout<\/b>[\s\S]*dev [\s\S]*Passed[\s\S]*staging [\s\S]*Waiting[\s\S]*Approval 1 of 2[\s\S]*payments or release managers/,
    );
    expect(page).toMatch(/SLO gate failed: Errors per request 0\.0312 &gt; 0\.01/);
    expect(page).toMatch(/1–\d of \d/);
  });

  it('lead home to the own changes of who is signed in', async () => {
    expect((await world.get('/')).headers.get('location')).toBe('/changes');
    const own = await world.get('/', bearer(TOKENS.READER));
    expect([own.status, own.headers.get('location')]).toEqual([302, '/changes?mine=1']);
  });

  it('say how to begin where there is nothing yet, and that a filter finds nothing', async () => {
    expect(await text('/changes?project=nobody')).toMatch(
      /No change matches\. \d without filters\.[\s\S]*Clear the filters/,
    );
    const empty = await startHttpWorld();
    const page = await (await empty.get('/changes')).text();
    await empty.stop();
    expect(page).toContain('No change yet');
    expect(page).toContain('lynceus.dev/project');
  });

  it('keep the filter from page to page, and say where one is', async () => {
    const first = await text('/changes?project=shop&limit=1&unknown=ignored');
    const next = /href="(\/changes\?[^"]+)" rel="next"/.exec(first)?.[1]?.replaceAll('&amp;', '&') ?? '';
    expect(next).toMatch(/^\/changes\?project=shop&cursor=.*&at=1$/);
    const second = await text(`${next}&limit=2`);
    expect(second).not.toContain('bank');
    expect(second).toMatch(/2–3 of 6/);
    expect(second).toContain('href="/changes?project=shop" rel="first"');
    const ids = [first, second].flatMap((page) => [...page.matchAll(/<tr id="row-([^"]+)"/g)].map(([, id]) => id));
    expect(new Set(ids).size).toBe(3);
  });

  it('refuse places and sizes that no page gave', async () => {
    for (const query of ['cursor=elsewhere', 'limit=0', 'limit=many'])
      expect((await world.get(`/changes?${query}`)).status, query).toBe(400);
  });

  it('open the one change that a search finds', async () => {
    const found = await world.get('/changes?q=payments');
    expect([found.status, found.headers.get('location')]).toEqual([302, '/changes/ctx-payments']);
    expect((await world.get('/changes?q=8a3d1f0c')).status).toBe(200);
  });

  it('are told apart by what they are: a page for people, a problem for programs', async () => {
    for (const path of ['/changes/nobody', '/nowhere', '/changes?limit=0']) {
      const page = await world.get(path, { Accept: 'text/html' });
      const problem = await world.get(path, { Accept: 'application/json' });
      expect(page.status, path).toBe(problem.status);
      expect(page.headers.get('content-type')).toMatch(/^text\/html/);
      expect(problem.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    }
    expect(await text('/changes/payment', { Accept: 'text/html' })).toMatch(
      /There is no change payment[\s\S]*Did you mean[\s\S]*href="\/changes\/ctx-payments"/,
    );
  });

  it('show the evidence of a gate that failed', async () => {
    const page = await text('/changes/ctx-basket');
    expect(page).toMatch(/Score <b>33\.3 of 100<\/b> \(pass from 90, warning from 75\)/);
    expect(page).toMatch(
      /Errors per request<\/span>[\s\S]*key[\s\S]*0\.0312[\s\S]*≤ 0\.01[\s\S]*missed[\s\S]*0 of 66\.7/,
    );
  });

  it('take a decision, and show the change afterwards', async () => {
    const { decide } = (await world.change('ctx-payments')).stages[0]!;
    const fields = {
      verdict: 'approve',
      reason: 'fine',
      stage: 'staging',
      revision: decide!.revision,
      evidence: decide!.evidence,
    };
    const answer = await form('ctx-payments', fields);
    expect(answer.status).toBe(303);
    expect(answer.headers.get('location')).toBe('/changes/ctx-payments');
    expect(await text('/changes/ctx-payments')).toContain('approver approved this');
  });

  it('say why nothing was decided, and leave the form where it was', async () => {
    const { revision } = (await world.change('ctx-checkout')).stages[1]!;
    const cases: [Record<string, string>, number, RegExp][] = [
      [{ verdict: 'approve', revision, stage: 'staging' }, 400, /Nothing was decided: reason: say why/],
      [
        { verdict: 'approve', reason: 'r', revision: 'old', stage: 'staging' },
        409,
        /Nothing was decided: this stage is delivering/,
      ],
      [
        { verdict: 'approve', reason: 'r', revision, evidence: 'old' },
        409,
        /the evidence changed while you were looking/,
      ],
    ];
    for (const [fields, status, message] of cases) {
      const answer = await form('ctx-checkout', fields);
      const page = await answer.text();
      expect(answer.status).toBe(status);
      expect(page).toMatch(message);
      expect(page).toContain('name="reason"');
      if (fields['reason']) expect(page).toContain(`${fields['reason']}</textarea>`);
    }
    expect((await form('ctx-checkout', { verdict: 'approve', reason: 'r', revision }, TOKENS.OUTSIDER)).status).toBe(
      403,
    );
    expect((await form('ctx-nobody', { verdict: 'approve', reason: 'r', revision })).status).toBe(404);
  });

  it('decide nothing on what changed meanwhile, and keep what was typed', async () => {
    const page = await text('/changes/ctx-checkout', bearer(TOKENS.APPROVER));
    const field = (name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(page)?.[1] ?? '';
    const fields = Object.fromEntries(
      ['stage', 'revision', 'evidence', 'rev', 'seen'].map((name) => [name, field(name)]),
    );
    const before = await world.events();
    const answer = await form('ctx-checkout', {
      ...fields,
      rev: String(Number(fields['rev']) - 1),
      verdict: 'approve',
      reason: 'I looked at <b>everything</b>',
    });
    expect(answer.status).toBe(409);
    const conflict = await answer.text();
    expect(conflict).toContain('<h1>This changed while you read</h1>');
    expect(conflict).toMatch(/You saw<\/dt><dd>staging: waiting[\s\S]*It is now<\/dt><dd>Approval 1 of 2/);
    expect(conflict).toContain('I looked at &lt;b&gt;everything&lt;/b&gt;</textarea>');
    expect(await world.events()).toBe(before);
    const program = await world.post(
      '/changes/ctx-checkout/decisions',
      new URLSearchParams({ ...fields, verdict: 'abort', reason: 'x', rev: '0' }).toString(),
      {
        'Content-Type': 'application/x-www-form-urlencoded',
        ...bearer(TOKENS.APPROVER),
      },
    );
    expect([program.status, program.headers.get('content-type')]).toEqual([
      409,
      expect.stringContaining('problem+json'),
    ]);
  });

  it('say who may not decide, and why, instead of taking the text and refusing it', async () => {
    const page = await text('/changes/ctx-checkout', { Accept: 'text/html', ...bearer(TOKENS.OUTSIDER) });
    expect(page).toMatch(/<button class="main"[^>]* disabled>Approve for staging/);
    expect(page).toContain('Not possible for you: you are not in payments or release managers');
    const mine = await text('/changes/ctx-checkout', bearer(TOKENS.APPROVER));
    expect(mine).not.toContain('Not possible for you: you are not in');
  });
});

describe('what pages refer to', () => {
  let world: HttpWorld;
  beforeAll(async () => {
    world = await startHttpWorld();
  });
  afterAll(() => world.stop());

  it('is named by its content, kept for a year, and never asked for again', async () => {
    const page = await (await world.get('/changes')).text();
    const addresses = [...page.matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)].map(([, address]) => address ?? '');
    expect(addresses.length).toBe(3);
    for (const address of addresses) {
      const answer = await world.get(address);
      expect(answer.status, address).toBe(200);
      expect(answer.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
      const again = await world.get(address, { 'If-None-Match': answer.headers.get('etag') ?? '' });
      expect(again.status).toBe(304);
      expect((await world.get(address.replace(/\.\w{12}\./, '.000000000000.'))).status).toBe(404);
    }
  });

  it('follows the colours that a reader chose, and sends nobody elsewhere', async () => {
    const choose = (fields: Record<string, string>, headers = {}) =>
      world.post('/theme', new URLSearchParams(fields).toString(), {
        ...{ 'Content-Type': 'application/x-www-form-urlencoded', ...headers },
      });
    const answer = await choose({ theme: 'dark', to: '/changes?q=x' });
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/changes?q=x']);
    const cookie = (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
    expect(await (await world.get('/changes', { Cookie: cookie })).text()).toContain(
      '<html lang="en" data-theme="dark">',
    );
    expect((await choose({ theme: 'system', to: '/' })).headers.get('set-cookie')).toContain('Max-Age=0');
    expect((await choose({ theme: 'light', to: '//evil.example.com' })).headers.get('location')).toBe('/changes');
    expect((await choose({ theme: 'url(x)' })).status).toBe(400);
    const elsewhere = await choose({ theme: 'dark' }, { 'Sec-Fetch-Site': 'cross-site' });
    expect([elsewhere.status, elsewhere.headers.get('set-cookie')]).toEqual([403, null]);
  });
});
