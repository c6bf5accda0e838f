import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { flagger } from '../support/gate-consumers.ts';
import { type GateWorld, type State, startGateWorld, VALUES } from '../support/gate-world.ts';
import { bearer, TOKENS } from '../support/http-world.ts';
import { eventually } from '../support/lynceus.ts';

describe('a canary of a commit that was not seen yet', () => {
  it('does not begin because of the commit before', async () => {
    const world = await startGateWorld({ gitPollMs: 500 });
    try {
      const confirm = async () => {
        const path = `/api/v1/integrations/flagger/${TOKENS.REPORTER}/confirm-rollout`;
        const body = JSON.stringify({ name: 'good', namespace: 'test' });
        const answer = await world.post(path, body, { 'Content-Type': 'application/json' });
        return { status: answer.status, text: await answer.text() };
      };
      expect((await confirm()).status).toBe(200);
      const commit = world.push();
      await eventually(async () => (await confirm()).status === 403, { within: 10_000, what: 'the gate to close' });
      expect((await confirm()).text).toBe(`Commit ${commit.slice(0, 12)} of good-app was not seen yet\n`);
      await world.argocd.close();
      const blind = await confirm();
      expect(blind.status).toBe(403);
      expect(blind.text).toMatch(/^Whether there is a newer commit is not known: /);
    } finally {
      await world.stop();
    }
  }, 30_000);
});

describe("Flagger's webhooks", () => {
  let world: GateWorld;
  beforeAll(async () => {
    world = await startGateWorld();
  });
  afterAll(() => world.stop());

  let checksum = 0;
  const payload = (name: string, metadata: Record<string, string> = {}) => ({
    name,
    namespace: 'test',
    phase: 'Progressing',
    checksum: `own-${checksum++}`,
    metadata,
  });
  const call = async (hook: string, body: object, token: string = TOKENS.REPORTER) => {
    const path = `/api/v1/integrations/flagger/${token}/${hook}`;
    const answer = await world.post(path, JSON.stringify(body), { 'Content-Type': 'application/json' });
    return { status: answer.status, type: answer.headers.get('content-type') ?? '', text: await answer.text() };
  };

  it.each([
    ['pass', 'pass'],
    ['warning', 'pass'],
    ['fail', 'fail'],
  ] as const)('goes on or not with an analysis that ends as %s', async (verdict, outcome) => {
    world.errors('good', VALUES[verdict]);
    for (const hook of ['rollout', 'confirm-traffic-increase', 'confirm-promotion']) {
      const { status, type, text } = await call(hook, payload('good'));
      expect(flagger(status), hook).toBe(outcome);
      expect([200, 403]).toContain(status);
      expect(type).toMatch(/^text\/plain/);
      expect(text).toMatch(/^.{10,200}\n$/);
    }
  });

  it.each<[State, number]>([
    ['waiting', 403],
    ['paused', 403],
    ['deployed', 200],
    ['bad', 403],
    ['aborted', 403],
  ])('a canary whose change is %s may begin: %i', async (state, status) => {
    for (const hook of ['confirm-rollout', 'pre-rollout']) {
      expect((await call(hook, payload(state))).status, hook).toBe(status);
      expect((await call(hook, payload('podinfo', { app: `${state}-app`, test: 'all' }))).status).toBe(status);
    }
  });

  it.each<[State | 'nowhere', number]>([
    ['broken', 200],
    ['bad', 403],
    ['unjudged', 403],
    ['late', 403],
    ['aborted', 403],
    ['good', 403],
    ['doubtful', 403],
    ['waiting', 403],
    ['nowhere', 403],
  ])('rolls back only what was found bad once deployed: %s %i', async (state, status) => {
    expect((await call('rollback', payload(state))).status).toBe(status);
  });

  it('rolls back on an evaluation that fails, and not on one that had nothing to judge', async () => {
    const asked = { kind: 'evaluation', until: 'verdict' };
    world.errors('good', VALUES.fail);
    expect((await call('rollback', payload('good', asked))).status).toBe(200);
    world.errors('good', undefined);
    expect((await call('rollback', payload('good', asked))).status).toBe(403);
  });

  it('does not roll back because the metrics are away', async () => {
    world.prometheus.state.down = true;
    const { status } = await call('rollback', payload('good', { kind: 'evaluation' }));
    world.prometheus.state.down = false;
    expect(status).toBe(403);
  }, 20_000);

  it('is one evaluation for one question, and another for the next canary', async () => {
    world.errors('good', VALUES.fail);
    const one = payload('good');
    const first = await call('rollout', one);
    world.errors('good', VALUES.pass);
    expect((await call('rollout', payload('good'))).status).toBe(200);
    expect(first.status).toBe(403);
  });

  it.each([
    ['no JSON', '{', 400],
    ['no names', '{}', 400],
    ['a name that is none', '{"name": "../x", "namespace": "test"}', 400],
    ['an empty body', '', 400],
  ])('answers %s with a sentence', async (_what, body, status) => {
    const path = `/api/v1/integrations/flagger/${TOKENS.REPORTER}/rollout`;
    const answer = await world.post(path, body, { 'Content-Type': 'application/json' });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain/);
  });

  it('believes the token in the address, and no other', async () => {
    for (const hook of ['rollout', 'rollback', 'gate/approve', 'gate/check'])
      expect((await call(hook, payload('good'), 'wrong-token-0123456789')).status).toBe(401);
    const path = '/api/v1/integrations/flagger/wrong-token-0123456789/gate/approve';
    expect((await world.post(path, '{}', bearer(TOKENS.REPORTER))).status).toBe(401);
  });

  it('keeps the token out of log and answers', async () => {
    for (const hook of ['rollout', 'nothing', 'event'])
      expect((await call(hook, payload('nowhere'))).text).not.toContain(TOKENS.REPORTER);
    expect(world.logText()).not.toContain(TOKENS.REPORTER);
  });

  describe('in place of its load tester', () => {
    const canary = { name: 'podinfo', namespace: 'test' };

    it('approves and halts', async () => {
      expect(await call('gate/approve', canary)).toMatchObject({ status: 200, text: 'OK\n' });
      expect(await call('gate/halt', canary)).toMatchObject({ status: 403, text: 'Forbidden\n' });
    });

    it.each(['gate', 'rollback'])('has a %s that is closed until somebody opens it', async (what) => {
      const check = () => call(`${what}/check`, canary);
      expect(await check()).toMatchObject({ status: 403, text: 'Forbidden\n' });
      expect((await call(`${what}/open`, canary, TOKENS.APPROVER)).status).toBe(202);
      // The opener's token may decide, and need not be able to check; and the other way round.
      expect(await check()).toMatchObject({ status: 200, text: 'Approved\n' });
      expect((await call(`${what}/check`, { ...canary, namespace: 'other' })).status).toBe(403);
      expect((await call(`${what}/close`, canary, TOKENS.APPROVER)).status).toBe(202);
      expect((await check()).status).toBe(403);
    });

    it('lets nobody open who may not decide, and remembers who did', async () => {
      expect((await call('gate/open', canary)).status).toBe(403);
      expect((await call('gate/open', canary, TOKENS.APPROVER)).status).toBe(202);
      const answer = await world.get('/api/v1/events?stream=gate/podinfo.test', bearer(TOKENS.READER));
      const { events } = (await answer.json()) as { events: { type: string; data: object }[] };
      expect(events.at(-1)).toMatchObject({
        type: 'dev.lynceus.gate.opened.v1',
        data: { gate: 'podinfo.test', actor: 'approver' },
      });
    });

    it('keeps canaries apart whose names could be taken for each other', async () => {
      await call('gate/open', { name: 'rollback.other', namespace: 'test' }, TOKENS.APPROVER);
      expect((await call('rollback/check', { name: 'other', namespace: 'test' })).status).toBe(403);
      await call('gate/open', { name: 'a.b', namespace: 'c' }, TOKENS.APPROVER);
      expect((await call('gate/check', { name: 'a', namespace: 'b.c' })).status).toBe(400);
    });

    it('keeps both gates of a canary apart', async () => {
      const other = { name: 'apart', namespace: 'test' };
      await call('rollback/open', other, TOKENS.APPROVER);
      expect((await call('gate/check', other)).status).toBe(403);
      expect((await call('rollback/check', other)).status).toBe(200);
    });
  });

  it('keeps what is reported, once', async () => {
    const event = {
      ...payload('podinfo', { eventMessage: 'Starting', eventType: 'Normal', timestamp: '1753056000000' }),
    };
    // Others write into the log meanwhile: evaluations that were asked for before.
    const reported = async () => {
      const answer = await world.get('/api/v1/events?limit=1000&stream=inbox', bearer(TOKENS.READER));
      const { events } = (await answer.json()) as { events: { source: string }[] };
      return events.filter(({ source }) => source === 'flagger').length;
    };
    const before = await reported();
    for (let times = 0; times < 3; times++) expect(await call('event', event)).toMatchObject({ status: 200 });
    expect(await reported()).toBe(before + 1);
    expect((await call('post-rollout', payload('podinfo'))).status).toBe(200);
    expect(await reported()).toBe(before + 2);
  });
});
