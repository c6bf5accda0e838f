import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EvaluationView } from '../../src/views/evaluation-document.ts';
import { type FakePrometheus, startFakePrometheus } from '../support/fake-prometheus.ts';
import { bearer, type HttpWorld, problemOf, startHttpWorld, TOKENS } from '../support/http-world.ts';
import { eventually } from '../support/lynceus.ts';

const PLACE = { project: 'shop', stage: 'staging', service: 'checkout' };
const SLO = `spec_version: "1.0"
objectives:
  - {sli: error_rate, pass: [{criteria: ["<=0.01"]}]}
total_score: {pass: "90%"}
`;
const SLI = 'spec_version: "1.0"\nindicators: {error_rate: "errors{service=\\"$SERVICE\\",team=\\"$LABEL.team\\"}"}\n';

describe('an evaluation on demand', () => {
  let world: HttpWorld;
  let prometheus: FakePrometheus;
  beforeAll(async () => {
    prometheus = await startFakePrometheus();
    world = await startHttpWorld({
      connections: `metrics:\n  - {name: main, kind: prometheus, url: "${prometheus.url}"}\n`,
    });
  });
  afterAll(async () => {
    await world.stop();
    await prometheus.close();
  });

  const post = (path: string, body: object, headers: Record<string, string> = bearer(TOKENS.REPORTER)) =>
    world.post(path, JSON.stringify(body), { 'Content-Type': 'application/json', ...headers });
  const ask = (body: object, query = '?wait=20s', headers?: Record<string, string>) =>
    post(
      `/api/v1/evaluations${query}`,
      { ...PLACE, slo: SLO, ...body },
      headers ?? bearer('sli' in body ? TOKENS.QUERIER : TOKENS.REPORTER),
    );
  const view = async (answer: Response) => (await answer.json()) as EvaluationView;
  const judged = async (value: number, changes: object = {}) =>
    view(await ask({ values: { error_rate: value }, ...changes }));
  const events = async (id: string) => {
    const answer = await world.get(`/api/v1/events?stream=evaluation/${id}`);
    return ((await answer.json()) as { events: { type: string; data: Record<string, unknown> }[] }).events;
  };

  it('answers with its verdict when somebody waits for it, and is in the log', async () => {
    const answer = await ask({ values: { error_rate: 0.5 }, timeframe: '10m', revision: 'a'.repeat(40) });
    expect(answer.status).toBe(200);
    const found = await view(answer);
    expect(found).toMatchObject({
      ...PLACE,
      state: 'finished',
      status: 'succeeded',
      result: 'fail',
      score: 0,
      requestedBy: 'reporter',
      revision: 'a'.repeat(40),
      evaluation: { indicators: [{ sli: 'error_rate', value: 0.5, status: 'fail' }] },
    });
    const { start = '', end = '' } = found.period ?? {};
    expect(Date.parse(end) - Date.parse(start)).toBe(600_000);
    expect(answer.headers.get('location')).toBe(`/api/v1/evaluations/${found.id}`);
    expect(await view(await world.get(`/api/v1/evaluations/${found.id}`))).toEqual(found);
    expect((await events(found.id)).map(({ type }) => type)).toEqual([
      'dev.lynceus.evaluation.triggered.v1',
      'dev.lynceus.evaluation.finished.v1',
    ]);
  });

  it('answers where to look when nobody waits', async () => {
    const answer = await ask({ values: { error_rate: 0 } }, '');
    const { id } = await view(answer);
    expect(answer.status).toBe(202);
    await eventually(async () => (await view(await world.get(`/api/v1/evaluations/${id}`))).result === 'pass', {
      within: 5_000,
      what: 'the verdict',
    });
  });

  it('asks the metrics source about the place, with the labels that came along', async () => {
    prometheus.state.queries.length = 0;
    const answer = await ask({ sli: SLI, labels: { team: 'payments' } });
    expect(await view(answer)).toMatchObject({ result: 'pass', score: 100, labels: { team: 'payments' } });
    expect(prometheus.state.queries).toEqual(['errors{service="checkout",team="payments"}']);
  });

  it('asks no more than eight queries at once', async () => {
    const names = Array.from({ length: 40 }, (_, at) => `i${at}`);
    const slo = `spec_version: "1.0"\nobjectives:\n${names.map((name) => `  - {sli: ${name}, pass: [{criteria: ["<=1"]}]}\n`).join('')}total_score: {pass: "90%"}\n`;
    const sli = `spec_version: "1.0"\nindicators:\n${names.map((name) => `  ${name}: "q_${name}"\n`).join('')}`;
    Object.assign(prometheus.state, { mostAtOnce: 0, queries: [] });
    expect(await view(await ask({ slo, sli }))).toMatchObject({ result: 'pass' });
    expect(prometheus.state.queries.toSorted()).toEqual(names.map((name) => `q_${name}`).toSorted());
    expect(prometheus.state.mostAtOnce).toBe(8);
  });

  it('waits while a source is down, says so, and never passes', async () => {
    prometheus.state.down = true;
    const answer = await ask({ sli: SLI, labels: { team: 'payments' } }, '?wait=2s');
    expect(answer.status).toBe(202);
    const { id } = await view(answer);
    const waiting = await view(await world.get(`/api/v1/evaluations/${id}`));
    expect(waiting).toMatchObject({ state: 'running', waitingFor: { kind: 'unreachable' } });
    expect(waiting.result).toBeUndefined();
    prometheus.state.down = false;
    expect(await view(await world.get(`/api/v1/evaluations/${id}?wait=30s`))).toMatchObject({ result: 'pass' });
  });

  it('fails when an indicator has no value', async () => {
    expect(await view(await ask({}))).toMatchObject({
      result: 'fail',
      evaluation: { indicators: [{ status: 'fail', message: 'neither sli.yaml nor a test provides it' }] },
    });
  });

  it('is one and the same under one key, however often it is asked for', async () => {
    const headers = { ...bearer(TOKENS.REPORTER), 'Idempotency-Key': 'gate-42' };
    const answers = await Promise.all([1, 2, 3].map(() => ask({ values: { error_rate: 0 } }, '?wait=10s', headers)));
    const ids = await Promise.all(answers.map(async (answer) => (await view(answer)).id));
    expect(new Set(ids).size).toBe(1);
    expect(await events(ids[0] ?? '')).toHaveLength(2);
  });

  it.each([{ values: { error_rate: 1 } }, { revision: 'b'.repeat(40) }, { timeframe: '1h' }])(
    'answers %o with no verdict on something else that the key stands for',
    async (changes) => {
      const headers = { ...bearer(TOKENS.REPORTER), 'Idempotency-Key': 'build-42' };
      const first = await view(await ask({ values: { error_rate: 0 } }, '?wait=10s', headers));
      expect(first.result).toBe('pass');
      const other = await problemOf(await ask({ values: { error_rate: 0 }, ...changes }, '?wait=10s', headers));
      expect(other).toMatchObject({ status: 422, code: 'key-reused' });
      expect(await events(first.id)).toHaveLength(2);
    },
  );

  it('is not found by the key of another token', async () => {
    const keyed = (token: string) => ({ ...bearer(token), 'Idempotency-Key': 'release-1' });
    const one = await view(await ask({ values: { error_rate: 0 } }, '?wait=10s', keyed(TOKENS.REPORTER)));
    const other = await view(await ask({ values: { error_rate: 1 } }, '?wait=10s', keyed(TOKENS.QUERIER)));
    expect([one.result, other.result]).toEqual(['pass', 'fail']);
  });

  it('waits for a period that has not ended yet', async () => {
    const end = new Date(Date.now() + 1_500).toISOString();
    const answer = await ask({ values: { error_rate: 0 }, end, timeframe: '1m' }, '?wait=10s');
    const found = await view(answer);
    expect(found).toMatchObject({ result: 'pass', period: { end } });
    expect(Date.parse(found.finishedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(end));
  });

  describe('with earlier ones', () => {
    const relative = SLO.replace('<=0.01', '<=+10%');
    const place = (service: string) => ({ service, slo: relative });

    it('is compared with them, but not with one that was invalidated', async () => {
      const first = await judged(1, place('basket'));
      const wrong = await judged(100, { ...place('basket'), slo: SLO.replace('<=0.01', '>0') });
      expect(await judged(50, place('basket'))).toMatchObject({ result: 'pass' });
      const answer = await post(
        `/api/v1/evaluations/${wrong.id}/invalidate`,
        { reason: 'the load test ran against the wrong host' },
        bearer(TOKENS.APPROVER),
      );
      expect(answer.status).toBe(200);
      expect(await view(answer)).toMatchObject({
        result: 'pass',
        invalidated: { actor: 'approver', reason: 'the load test ran against the wrong host' },
      });
      const pinned = await judged(50, { ...place('basket'), compareWith: { evaluation: wrong.id } });
      expect(pinned).toMatchObject({ status: 'errored', result: 'fail' });
      expect(pinned.message).toContain('was invalidated');
      expect(await judged(1.05, { ...place('basket'), compareWith: { evaluation: first.id } })).toMatchObject({
        result: 'pass',
        evaluation: { compared: [first.id] },
      });
    });

    it('is compared with those that passed only, when told so', async () => {
      const passed = await judged(1, { service: 'search', slo: SLO.replace('<=0.01', '<=2') });
      await judged(100, { service: 'search', slo: SLO.replace('<=0.01', '<=2') });
      expect(await judged(50, { ...place('search'), compareWith: { lastPassed: 1 } })).toMatchObject({
        result: 'fail',
        evaluation: { compared: [passed.id] },
      });
      expect(await judged(50, { ...place('search'), compareWith: { previous: 1 } })).toMatchObject({ result: 'pass' });
    });

    it('is compared with the commit that ran before, or with another stage', async () => {
      const before = await judged(1, { service: 'cart', revision: 'a'.repeat(40), slo: SLO.replace('<=0.01', '<=2') });
      await judged(5, { service: 'cart', revision: 'b'.repeat(40), slo: SLO.replace('<=0.01', '<=9') });
      const again = await judged(5, { ...place('cart'), revision: 'b'.repeat(40), compareWith: { deployed: true } });
      expect(again).toMatchObject({ result: 'fail', evaluation: { compared: [before.id] } });
      const other = await judged(5, { ...place('cart'), stage: 'production', compareWith: { stage: 'staging' } });
      expect(other.evaluation?.compared).toHaveLength(1);
      expect(other.evaluation?.compared).not.toEqual([before.id]);
    });

    it('is never compared with a baseline of another project, or one that is not there', async () => {
      const elsewhere = await judged(1, { project: 'bank' });
      for (const evaluation of [elsewhere.id, 'nothing'])
        expect(await judged(1, { compareWith: { evaluation } })).toMatchObject({ status: 'errored', result: 'fail' });
    });
  });

  it('is done again over the same period, and linked to the one before', async () => {
    const first = await judged(1);
    const answer = await post(`/api/v1/evaluations/${first.id}/again?wait=10s`, {});
    expect(answer.status).toBe(200);
    expect(await view(answer)).toMatchObject({ again: first.id, period: first.period, result: 'fail' });
    expect(await view(await world.get(`/api/v1/evaluations/${first.id}`))).toEqual(first);
  });

  it('is invalidated once, with who said so and why', async () => {
    const { id } = await judged(1);
    const say = (reason: string) => post(`/api/v1/evaluations/${id}/invalidate`, { reason }, bearer(TOKENS.APPROVER));
    await say('first');
    expect((await view(await say('second'))).invalidated?.reason).toBe('first');
    expect((await events(id)).map(({ type }) => type).at(-1)).toBe('dev.lynceus.evaluation.invalidated.v1');
    expect(await events(id)).toHaveLength(3);
  });

  it('is listed by place, the newest first, in pages', async () => {
    const ids = [];
    for (const value of [1, 2, 3]) ids.push((await judged(value, { service: 'listed' })).id);
    const list = async (query: string) =>
      (await (await world.get(`/api/v1/evaluations?service=listed&${query}`)).json()) as {
        evaluations: EvaluationView[];
        next?: string;
      };
    const first = await list('limit=2');
    const second = await list(`limit=2&cursor=${encodeURIComponent(first.next ?? '')}`);
    expect([...first.evaluations, ...second.evaluations].map(({ id }) => id)).toEqual(ids.reverse());
    expect((await list('stage=production')).evaluations).toEqual([]);
  });

  it.each([
    ['no service', { service: undefined }, 'service: is missing'],
    ['a field that there is not', { slos: SLO }, 'slos: is not a field of this request'],
    ['a value that is no number', { values: { a: '1' } }, 'values.a: must be number'],
    ['a time that is none', { start: 'yesterday' }, 'start: must be a time such as'],
    ['an end before the start', { start: '2026-01-02T00:00:00Z', end: '2026-01-01T00:00:00Z' }, 'end: must be after'],
    ['a period too long', { start: '2025-01-02T00:00:00Z', end: '2026-01-01T00:00:00Z' }, 'start: at most 31 days'],
    ['an end far ahead', { end: '2999-01-01T00:00:00Z' }, 'end: at most one day ahead'],
    ['a timeframe that is none', { timeframe: '5 minutes' }, 'timeframe: must be a duration such as'],
    [
      'a period said twice',
      { start: '2026-01-01T00:00:00Z', end: '2026-01-02T00:00:00Z', timeframe: '1d' },
      'timeframe',
    ],
    ['two comparisons', { compareWith: { previous: 1, deployed: true } }, 'compareWith: must have exactly one'],
    ['indicators without objectives', { slo: undefined, sli: SLI }, 'sli: needs slo beside it'],
    ['a commit that is none', { revision: 'main' }, 'revision:'],
    ['an unknown compatibility', { compatibility: 'lighthouse' }, 'compatibility:'],
  ])('is refused for %s', async (_what, changes, detail) => {
    const problem = await problemOf(await ask(changes));
    expect(problem).toMatchObject({ status: 400, code: 'invalid-request' });
    expect(problem.detail).toContain(detail);
    expect((problem as { errors?: { path: string }[] }).errors?.[0]?.path).toBe(detail.split(':')[0]);
  });

  it('is refused with queries of its own when the token may only report', async () => {
    const problem = await problemOf(await ask({ sli: SLI }, '', bearer(TOKENS.REPORTER)));
    expect(problem).toMatchObject({ status: 403, code: 'forbidden' });
    expect(problem.detail).toContain('may not query');
  });

  it('is refused for mistakes in its texts, each with line and column', async () => {
    const slo = SLO.replace('"<=0.01"', '"less than 5"').replace('"90%"', '"900%"');
    const problem = (await problemOf(await ask({ slo, sli: 'indicators: []\n' }))) as unknown as {
      errors: { path: string; line: number; column: number }[];
      detail: string;
    };
    expect(problem).toMatchObject({ status: 400, code: 'invalid-request' });
    expect(problem.errors.map(({ path, line }) => [path.split(':')[0], line])).toEqual([
      ['slo', 3],
      ['slo', 4],
      ['sli', 1],
    ]);
    expect(problem.errors.every(({ column }) => column > 0)).toBe(true);
    expect(problem.detail).toContain('3:');
  });

  it('is refused for a place that nothing was delivered to, unless it brings its objectives along', async () => {
    const problem = await problemOf(await ask({ slo: undefined, service: 'nobody' }));
    expect(problem).toMatchObject({ status: 404, code: 'not-found' });
    expect(problem.detail).toContain('shop/staging/nobody');
  });

  it.each(['5m', '61s', '-1', 'soon'])('is not waited for %s', async (wait) => {
    expect(await problemOf(await ask({}, `?wait=${wait}`))).toMatchObject({ status: 400, code: 'invalid-request' });
  });

  it('is refused when the body is no JSON, or not said to be', async () => {
    const headers = { 'Content-Type': 'application/json', ...bearer(TOKENS.REPORTER) };
    expect(await problemOf(await world.post('/api/v1/evaluations', '{"project":', headers))).toMatchObject({
      code: 'invalid-json',
    });
    const plain = { 'Content-Type': 'text/plain', ...bearer(TOKENS.REPORTER) };
    expect(await problemOf(await world.post('/api/v1/evaluations', '{}', plain))).toMatchObject({ status: 415 });
  });

  it('that there is not can neither be read, invalidated nor done again', async () => {
    expect((await problemOf(await world.get('/api/v1/evaluations/nothing'))).code).toBe('not-found');
    expect((await problemOf(await post('/api/v1/evaluations/nothing/again', {}))).code).toBe('not-found');
    const invalid = await post('/api/v1/evaluations/nothing/invalidate', { reason: 'r' }, bearer(TOKENS.APPROVER));
    expect((await problemOf(invalid)).code).toBe('not-found');
  });

  it('is invalidated by those who may decide, with a reason, when it is over', async () => {
    const { id } = await judged(1);
    const path = `/api/v1/evaluations/${id}/invalidate`;
    expect(await problemOf(await post(path, { reason: 'r' }))).toMatchObject({ status: 403, code: 'forbidden' });
    for (const body of [{}, { reason: ' ' }, { reason: 'x'.repeat(2001) }])
      expect(await problemOf(await post(path, body, bearer(TOKENS.APPROVER)))).toMatchObject({ status: 400 });
    const open = await view(await ask({ end: new Date(Date.now() + 3_600_000).toISOString() }, ''));
    const early = await post(`/api/v1/evaluations/${open.id}/invalidate`, { reason: 'r' }, bearer(TOKENS.APPROVER));
    expect(await problemOf(early)).toMatchObject({ status: 409, code: 'over' });
  });

  it('is compared with again when that is taken back, as often as people change their minds', async () => {
    const { id } = await judged(1);
    const say = async (what: string, body: object = {}) =>
      view(await post(`/api/v1/evaluations/${id}/${what}`, body, bearer(TOKENS.APPROVER)));
    expect((await say('restore')).invalidated).toBeUndefined();
    expect((await say('invalidate', { reason: 'first' })).invalidated).toMatchObject({ reason: 'first' });
    expect((await say('restore')).invalidated).toBeUndefined();
    expect((await say('restore')).invalidated).toBeUndefined();
    expect((await say('invalidate', { reason: 'second' })).invalidated).toMatchObject({ reason: 'second' });
    const denied = await post(`/api/v1/evaluations/${id}/restore`, {});
    expect(await problemOf(denied)).toMatchObject({ status: 403, code: 'forbidden' });
    const unknown = await post('/api/v1/evaluations/nothing/restore', {}, bearer(TOKENS.APPROVER));
    expect(await problemOf(unknown)).toMatchObject({ status: 404, code: 'not-found' });
  });

  describe('by an event', () => {
    const send = (event: object) =>
      world.post('/api/v1/events', JSON.stringify({ specversion: '1.0', source: 'https://ci.example.com', ...event }), {
        'Content-Type': 'application/cloudevents+json',
        ...bearer(TOKENS.REPORTER),
      });
    const pushed = (id: string, data: object) =>
      send({ id, type: 'dev.lynceus.indicators.pushed.v1', data: { ...PLACE, service: 'scanned', ...data } });

    it('uses numbers that were pushed for the commit', async () => {
      const revision = 'c'.repeat(40);
      expect((await pushed('p1', { revision, indicators: { findings: 3, other: 1 } })).status).toBe(202);
      expect((await pushed('p2', { revision: 'd'.repeat(40), indicators: { findings: 0 } })).status).toBe(202);
      const slo = SLO.replace('error_rate', 'findings').replace('<=0.01', '<=2');
      const sli = 'spec_version: "1.0"\nindicators: {findings: {pushed: true, unit: findings, better: lower}}\n';
      await eventually(
        async () => {
          const found = await view(await ask({ service: 'scanned', slo, sli, revision }));
          return found.evaluation?.indicators[0]?.value === 3 && found.result === 'fail';
        },
        { within: 5_000, what: 'the pushed number is judged' },
      );
    });

    it('is asked for as Keptn did, and found by its context', async () => {
      const sent = await send({
        id: 'k1',
        type: 'sh.keptn.event.staging.evaluation.triggered',
        shkeptncontext: 'ctx-of-keptn',
        data: { ...PLACE, service: 'unknown-to-git', evaluation: { timeframe: '5m' } },
      });
      expect(sent.status).toBe(202);
      await eventually(async () => world.log.some(({ msg }) => msg.includes('an event asked for was refused')), {
        within: 5_000,
        what: 'the refusal in the log: nothing was delivered there',
      });
    });

    it.each([
      ['no place', { project: undefined, indicators: { a: 1 } }, 'data.project'],
      ['no numbers', { indicators: {} }, 'data.indicators'],
      ['a number that is none', { indicators: { a: '1' } }, 'data.indicators.a'],
      ['a commit that is none', { revision: 'main', indicators: { a: 1 } }, 'data.revision'],
    ])('is refused with %s', async (_what, data, path) => {
      const problem = await problemOf(await pushed(`bad-${path}`, data));
      expect(problem).toMatchObject({ status: 400, code: 'invalid-event' });
      expect(problem.detail).toContain(path);
    });
  });
});

describe('an evaluation on demand that ends unexpectedly', () => {
  it('is done once more, and has one verdict', async () => {
    let times = 0;
    const world = await startHttpWorld({
      failpoint: (place) => {
        if (place === 'evaluation.ran' && ++times < 3) throw new Error('the process had a bad moment');
      },
    });
    try {
      const body = JSON.stringify({ ...PLACE, slo: SLO, values: { error_rate: 0 } });
      const headers = { 'Content-Type': 'application/json', ...bearer(TOKENS.REPORTER) };
      const answer = await world.post('/api/v1/evaluations?wait=30s', body, headers);
      const { id, result } = (await answer.json()) as EvaluationView;
      expect([result, times]).toEqual(['pass', 3]);
      const log = await (await world.get(`/api/v1/events?stream=evaluation/${id}`)).json();
      expect((log as { events: unknown[] }).events).toHaveLength(2);
    } finally {
      await world.stop(['work will be tried again']);
    }
  });
});
