import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { STYLE } from '../../src/ui/assets.ts';
import { html, link } from '../../src/ui/html.ts';
import { bearer, type HttpWorld, startHttpWorld, story, TOKENS } from '../support/http-world.ts';
import { failedGate, promoted, reviewing, waitingForApproval } from '../support/journeys.ts';
import { triggered } from '../support/sequence.ts';

describe('HTML', () => {
  it('takes everything that is put in as text', () => {
    expect(html`<p title="${'"><b>'}">${"<i>&'"}</p>`.text).toBe(
      '<p title="&quot;&gt;&lt;b&gt;">&lt;i&gt;&amp;&#39;</p>',
    );
    expect(html`${[html`<b>1</b>`, '<b>']}${undefined}${null}${false}${0}`.text).toBe('<b>1</b>&lt;b&gt;0');
  });

  it.each([
    'javascript:alert(1)',
    'JavaScript:alert(1)',
    ' javascript:alert(1)',
    'java\nscript:alert(1)',
    'data:text/html,x',
    'vbscript:x',
    '//evil.example.com',
    '/\\evil.example.com',
    '/\t/evil.example.com',
    '',
  ])('links to no address like %j', (address) => {
    expect(link(address, 'text').text).toBe('text');
  });

  it.each(['https://git.example.com/pulls/1', 'http://git', '/changes?a=b'])('links to %s', (address) => {
    expect(link(address, 'text').text).toBe(`<a href="${address}">text</a>`);
  });
});

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

  it('allow nothing but their own style, and work without scripts', async () => {
    for (const path of ['/changes', '/changes/ctx-checkout', '/changes/nobody', STYLE.address, '/api/v1/changes']) {
      const answer = await world.get(path, { Accept: 'text/html' });
      expect(answer.headers.get('content-security-policy'), path).toBe(
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
      );
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
      expect(answer.headers.get('referrer-policy')).toBe('no-referrer');
      expect(await answer.text()).not.toMatch(/<script|\son\w+=/);
    }
  });

  it('show where every change is and what it waits for', async () => {
    const page = await text('/changes');
    expect(page).toMatch(/checkout<\/b>[\s\S]*dev: passed, 100[\s\S]*staging: waiting[\s\S]*1 of 2 approvals/);
    expect(page).toContain('dev: failed, 33.3');
  });

  it('say how to begin where there is nothing yet, and that a filter finds nothing', async () => {
    expect(await text('/changes?project=nobody')).toMatch(
      /No change here[\s\S]*project <b>nobody<\/b>[\s\S]*all changes/,
    );
    const empty = await startHttpWorld();
    const page = await (await empty.get('/changes')).text();
    await empty.stop();
    expect(page).toContain('No change yet');
    expect(page).toContain('lynceus.dev/project');
  });

  it('keep the filter from page to page', async () => {
    const first = await text('/changes?project=shop&limit=1');
    const next = /href="(\/changes\?[^"]+)" rel="next"/.exec(first)?.[1]?.replaceAll('&amp;', '&') ?? '';
    expect(next).toMatch(/^\/changes\?project=shop&cursor=/);
    expect(await text(next)).not.toContain('bank');
  });

  it('never reload by themselves: somebody may be reading, or typing a reason', async () => {
    for (const path of ['/changes/ctx-checkout', '/changes']) {
      expect(await text(path)).not.toContain('http-equiv="refresh"');
    }
  });

  it('show the evidence of a gate that failed', async () => {
    const page = await text('/changes/ctx-basket');
    expect(page).toMatch(/Score 33\.3 of 100 \(pass from 90, warning from 75\)/);
    expect(page).toMatch(/Errors per request<\/span> \(key\)[\s\S]*0\.0312[\s\S]*&lt;=0\.01 ✕[\s\S]*0 of 2/);
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
    }
    expect((await form('ctx-checkout', { verdict: 'approve', reason: 'r', revision }, TOKENS.OUTSIDER)).status).toBe(
      403,
    );
    expect((await form('ctx-nobody', { verdict: 'approve', reason: 'r', revision })).status).toBe(404);
  });
});
