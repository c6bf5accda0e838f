import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LineStop } from '../../src/engine/stop-the-line.ts';
import { lynceus } from '../support/cli.ts';
import { bearer, type HttpWorld, problemOf, startHttpWorld, TOKENS } from '../support/http-world.ts';

const JSON_BODY = { 'Content-Type': 'application/json' };

describe('the switch that stops the line', () => {
  let world: HttpWorld;
  beforeAll(async () => {
    world = await startHttpWorld();
  });
  afterAll(() => world.stop());

  const ask = (what: string, body: object, token: string = TOKENS.APPROVER) =>
    world.post(`/api/v1/${what}`, JSON.stringify(body), { ...bearer(token), ...JSON_BODY });
  const stops = async () =>
    ((await (await world.get('/api/v1/stop-the-line', bearer(TOKENS.READER))).json()) as { stops: LineStop[] }).stops;

  it('stops what it names, once, and lets exactly that go on', async () => {
    const scope = { project: 'shop', stage: 'production' };
    const first = await ask('stop-the-line', { ...scope, reason: 'INC-42' });
    expect(first.status).toBe(201);
    const again = (await (await ask('stop-the-line', { ...scope, reason: 'another reason' })).json()) as LineStop;
    expect(again).toMatchObject({ ...scope, reason: 'INC-42' });
    await ask('stop-the-line', { reason: 'INC-43' });
    expect((await stops()).map(({ reason }) => reason)).toEqual(['INC-42', 'INC-43']);
    const page = await (await world.get('/changes', bearer(TOKENS.READER))).text();
    expect(page).toMatch(/The line of shop to production is stopped/);
    expect((await ask('go-on', { stage: 'production', reason: 'solved' })).status).toBe(409);
    expect(await (await ask('go-on', { ...scope, reason: 'solved' })).json()).toMatchObject(scope);
    expect((await stops()).map(({ reason }) => reason)).toEqual(['INC-43']);
    await ask('go-on', { reason: 'solved' });
    expect(await stops()).toEqual([]);
    expect(await (await world.get('/changes', bearer(TOKENS.READER))).text()).not.toMatch(/is stopped/);
  });

  it('is in the log with name and reason', async () => {
    await ask('stop-the-line', { stage: 'qa', reason: 'INC-44' });
    await ask('go-on', { stage: 'qa', reason: 'it works again' });
    const [stop] = [...(await readLog())].filter(({ data }) => data['reason'] === 'INC-44');
    expect(stop).toMatchObject({
      type: 'dev.lynceus.line.stopped.v1',
      data: { actor: 'approver', method: 'token', stage: 'qa' },
    });
    const both = (await readLog()).filter(({ stream }) => stream === stop?.stream);
    expect(both.map(({ type }) => type)).toEqual(['dev.lynceus.line.stopped.v1', 'dev.lynceus.line.released.v1']);
  });

  async function readLog() {
    const answer = await world.get('/api/v1/events?limit=1000', bearer(TOKENS.READER));
    return ((await answer.json()) as { events: { type: string; stream: string; data: Record<string, unknown> }[] })
      .events;
  }

  it.each([
    ['without a reason', { stage: 'qa' }, 400, 'reason'],
    ['with an empty reason', { reason: ' ' }, 400, 'reason'],
    ['of a stage that is no name', { stage: '../qa', reason: 'x' }, 400, 'stage'],
    ['of a project that is no text', { project: 7, reason: 'x' }, 400, 'project'],
    ['with a reason as long as a book', { reason: 'x'.repeat(3000) }, 400, 'reason'],
  ])('refuses a wish %s', async (_, body, status, word) => {
    const answer = await ask('stop-the-line', body);
    expect(answer.status).toBe(status);
    expect((await problemOf(answer)).detail).toContain(word);
    expect(await stops()).toEqual([]);
  });

  it('is not for those who may only read', async () => {
    expect((await ask('stop-the-line', { reason: 'x' }, TOKENS.READER)).status).toBe(403);
    expect(await stops()).toEqual([]);
  });

  it('is on the command line', async () => {
    const env = { LYNCEUS_SERVER: world.url, LYNCEUS_TOKEN: TOKENS.APPROVER };
    const stopped = await lynceus(['stop-the-line', '--stage', 'production', '--reason', 'INC-45'], env);
    expect(stopped).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^The line to production is stopped by \w+ .*INC-45/),
    });
    const over = await lynceus(['go-on', '--stage', 'production', '--reason', 'solved'], env);
    expect(over).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^The line to production goes on; it was stopped/),
    });
    const nothing = await lynceus(['go-on', '--reason', 'solved'], env);
    expect(nothing).toMatchObject({ code: 1, err: expect.stringContaining('the line is not stopped') });
  });
});
