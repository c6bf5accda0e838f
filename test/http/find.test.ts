import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SequenceEvent } from '../../src/events/types.ts';
import { bearer, type HttpWorld, problemOf, startHttpWorld, story, TOKENS, YEARS } from '../support/http-world.ts';
import { COMMIT, planned, START, step, taskFinished, taskTriggered } from '../support/sequence.ts';

const OTHER = `${COMMIT.slice(0, 10)}${'e'.repeat(30)}`;
const DIGEST = `sha256:${'9c'.repeat(32)}`;
const HTML = { Accept: 'text/html' };

/** One that was deployed and promoted by a merge request, seen running an image. */
function delivered(id: string): SequenceEvent[] {
  const promotion = `${id}.3-promotion`;
  return story(
    id,
    [
      ...planned(step('sync'), step('rollout'), step('promotion')),
      taskTriggered(1, 'sync', YEARS),
      taskFinished('sync', 'pass'),
      taskTriggered(2, 'rollout', YEARS),
      taskFinished('rollout', 'pass', { data: { images: [`registry.example.com/acme/${id}:1.8.2@${DIGEST}`] } }),
      taskTriggered(3, 'promotion', YEARS),
    ],
    {
      application: { system: 'main', namespace: 'argocd', name: `${id}-staging`, uid: 'u1', systemProject: 'default' },
    },
  ).concat({
    name: 'task.waiting',
    at: START,
    data: {
      task: promotion,
      blocker: { kind: 'review', sentence: 'waits for a review' },
      memo: { pullRequest: 12, url: 'https://gitlab.example.com/Acme/pay/deploy/-/merge_requests/12' },
    },
  });
}

const flux = story('ledger', planned(step('sync')), {
  revision: OTHER,
  application: { system: 'eu', namespace: 'flux-system', name: 'kustomization/ledger', uid: 'u2', systemProject: '' },
});

describe('addresses by what others know a change by', () => {
  let world: HttpWorld;
  beforeAll(async () => {
    world = await startHttpWorld({ sequences: [delivered('cart'), flux], env: { LYNCEUS_ANONYMOUS_READ: 'true' } });
  });
  afterAll(() => world.stop());

  it.each([
    [`/find/commit/${COMMIT}`, '/changes/ctx-cart'],
    [`/find/commit/${COMMIT.toUpperCase()}`, '/changes/ctx-cart'],
    [`/find/commit/${COMMIT.slice(0, 12)}`, '/changes/ctx-cart'],
    [`/find/commit/${COMMIT.slice(0, 8)}`, `/changes?q=${COMMIT.slice(0, 8)}`],
    [`/find/image/${DIGEST}`, '/changes/ctx-cart'],
    [`/find/image/${DIGEST.slice(7, 20)}`, '/changes/ctx-cart'],
    ['/find/pr/gitlab.example.com/acme/pay/deploy/12', '/changes/ctx-cart'],
    ['/find/argocd/argocd/cart-staging', '/changes/ctx-cart'],
    ['/find/flux/Kustomization/flux-system/ledger', '/changes/ctx-ledger'],
  ])('%s leads to %s', async (address, where) => {
    const answer = await world.get(address);
    expect([answer.status, answer.headers.get('location')]).toEqual([302, where]);
  });

  it.each([
    [`/find/commit/${'f'.repeat(40)}`, 404],
    ['/find/commit/xyz', 400],
    ['/find/commit/abc', 400],
    ['/find/image/latest', 400],
    ['/find/pr/github.com/acme/12', 400],
    ['/find/pr/github.com/acme/deploy/twelve', 400],
    ['/find/pr/github.com/acme/deploy/13', 404],
    ['/find/argocd/argocd/%3Cscript%3E', 404],
    ['/find/flux/kustomization/flux-system/cart', 404],
  ])('%s is answered %i', async (address, status) => {
    const problem = await problemOf(await world.get(address));
    expect(problem.status).toBe(status);
  });

  it('say in a browser what may have been meant', async () => {
    const answer = await world.get('/find/argocd/elsewhere/cart', HTML);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([404, expect.stringContaining('text/html')]);
    expect(await answer.text()).toContain('href="/changes/ctx-cart"');
    const hostile = await (await world.get('/find/argocd/a/%3Cscript%3Ealert(1)', HTML)).text();
    expect(hostile).not.toContain('<script>alert');
  });

  it('answer programs that ask for an application at once', async () => {
    const answer = await world.get('/api/v1/find/argocd/argocd/cart-staging');
    expect(await answer.json()).toMatchObject({ row: { id: 'ctx-cart', blocker: { kind: 'review' } } });
    expect((await problemOf(await world.get('/api/v1/find/argocd/argocd/nobody'))).status).toBe(404);
  });

  it('draw a badge of the newest change in a stage', async () => {
    const answer = await world.get('/badge/cart/staging.svg?project=shop');
    expect(answer.headers.get('content-type')).toContain('image/svg+xml');
    const svg = await answer.text();
    expect(svg).toContain('<title>cart staging: 1.8.2 ');
    expect(svg).not.toMatch(/style|<script/);
    const tag = answer.headers.get('etag') ?? '';
    const again = await world.get('/badge/cart/staging.svg?project=shop', { 'If-None-Match': tag });
    expect([again.status, await again.text()]).toEqual([304, '']);
    expect(await (await world.get('/badge/cart/production.svg')).text()).toContain('cart production: not started');
    const hostile = await (await world.get('/badge/%3Cscript%3E/%22onload=%22.svg')).text();
    expect(hostile).not.toMatch(/<script|"onload/);
    expect((await world.get('/badge/cart/staging.png')).status).toBe(404);
  });

  it('answer the list with its counts and a change with row and steps', async () => {
    const list = (await (await world.get('/api/v1/changes?q=cart')).json()) as { rows: object[]; total: number };
    expect(list).toMatchObject({ total: 1, rows: [{ id: 'ctx-cart', version: '1.8.2', blocker: { kind: 'review' } }] });
    expect(list).not.toHaveProperty('changes');
    expect(list).toHaveProperty('cursorSeq', expect.stringMatching(/^\d+\.[0-9a-f]{8}\.\d+$/));
    const { row, steps } = (await (await world.get('/api/v1/changes/ctx-cart')).json()) as {
      row: object;
      steps: { key: string; state: string }[];
    };
    expect(row).toMatchObject({
      id: 'ctx-cart',
      cells: [{ stage: 'staging' }, { stage: 'production', state: 'waiting' }],
    });
    expect(steps.map(({ key, state }) => `${key}:${state}`)).toEqual([
      'sync:passed',
      'rollout:passed',
      'promotion:waiting',
    ]);
  });

  it('have the rows made again by whoever may operate', async () => {
    expect((await world.post('/api/v1/rebuild', null, bearer(TOKENS.REPORTER))).status).toBe(403);
    expect((await world.post('/api/v1/rebuild', null, bearer(TOKENS.APPROVER))).status).toBe(202);
    const read = async () => (await (await world.get('/api/v1/rebuild')).json()) as { state: string };
    for (let attempt = 0; attempt < 100 && (await read()).state !== 'done'; attempt++)
      await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await read()).toMatchObject({ state: 'done', sequences: 2, left: 0 });
    expect((await world.get(`/find/commit/${OTHER}`)).headers.get('location')).toBe('/changes/ctx-ledger');
  });
});
