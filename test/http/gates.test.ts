import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import ajvFormats from 'ajv-formats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GateAnswer } from '../../src/views/gate.ts';
import {
  argoRollouts,
  argoRolloutsWeb,
  flagger,
  kargo,
  kargoStep,
  kayenta,
  promoter,
} from '../support/gate-consumers.ts';
import { type GateWorld, placeOf, STATES, type State, startGateWorld, VALUES } from '../support/gate-world.ts';
import { bearer, problemOf, TOKENS } from '../support/http-world.ts';

const FOLDER = join(import.meta.dirname, '../../../shared/conformance/gates');
const available = existsSync(FOLDER);
if (!available) {
  if (process.env['CI'] === 'true') throw new Error('CI needs the conformance data beside the project');
  console.warn('Skipped: the tables of conformance/gates, because they are not beside the project');
}
// biome-ignore lint/suspicious/noExplicitAny: each file has a form of its own
const recorded = (file: string): any => (available ? JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) : undefined);

const JSON_TYPE = { 'Content-Type': 'application/json' };
const REPORTER = { ...JSON_TYPE, ...bearer(TOKENS.REPORTER) };
const verdicts = ['pass', 'warning', 'fail'] as const;

describe.skipIf(!available)('the rules of the consumers, as they are recorded', () => {
  const condition = (text: string | null) => (text === null ? undefined : text === 'error' ? 'error' : text === 'true');

  it('of Argo Rollouts', () => {
    const { cases } = recorded('argo-rollouts-evaluate-result.json');
    for (const { success, failure, expected } of cases)
      expect(argoRollouts(condition(success), condition(failure)), `${success} ${failure}`).toBe(expected);
  });

  it('of Kargo', () => {
    const { cases } = recorded('kargo-http-step-outcomes.json');
    for (const { name, status, success, failure, expected } of cases)
      expect(kargo(status, success ?? undefined, failure ?? undefined), name).toBe(expected);
  });

  it('of Flagger', () => {
    const { conformance } = recorded('flagger-webhook-contract.json');
    for (const { serverStatus, flaggerTreatsAs } of conformance)
      expect(flaggerTreatsAs).toContain(flagger(serverStatus));
  });
});

describe('the gate', () => {
  let world: GateWorld;
  beforeAll(async () => {
    world = await startGateWorld();
  });
  afterAll(() => world.stop());

  /** An evaluation of its own: under a key that nobody else uses. */
  let asked = 0;
  const judged = async (value: number | undefined, path = '/api/v1/gates/evaluate', body: object = {}) => {
    world.errors('good', value);
    return world.ask({ kind: 'evaluation', app: 'good-app', key: `own-${asked++}`, ...body }, path);
  };

  describe('about a change', () => {
    it.each(Object.entries(STATES))('that is %s', async (state, { result }) => {
      expect(await world.ask({ app: `${state}-app` })).toMatchObject({ result, complete: result !== 'running' });
      expect(await world.ask(placeOf(state))).toMatchObject({ result });
    });

    it.each([
      ['waiting', 'staging: waiting for an approval'],
      ['paused', 'staging: paused by ada: the database is being moved'],
      ['bad', 'staging: it ended as fail'],
    ])('%s says what decides', async (state, reason) => {
      expect((await world.ask({ app: `${state}-app` })).reason).toBe(reason);
    });

    it.each<[State, string]>([
      ['waiting', 'running'],
      ['paused', 'running'],
      ['deployed', 'pass'],
      ['good', 'pass'],
      ['bad', 'fail'],
      ['aborted', 'fail'],
    ])('until it may be deployed: %s', async (state, result) => {
      const { revision } = world;
      expect((await world.ask({ app: `${state}-app`, until: 'deploy', revision })).result).toBe(result);
    });

    it('is bound to the commit that is asked for', async () => {
      const answer = await world.ask({ app: 'good-app', revision: 'b'.repeat(40) });
      expect(answer).toMatchObject({ result: 'error', phase: 'pending', complete: false });
      expect(answer.reason).toBe('Commit bbbbbbbbbbbb was not seen in shop/staging/good yet');
    });
  });

  describe('about an evaluation', () => {
    it.each(verdicts)('that ends as %s', async (verdict) => {
      const answer = await judged(VALUES[verdict]);
      expect(answer).toMatchObject({ result: verdict, complete: true });
      expect(answer.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/api\/v1\/evaluations\/[\w-]+$/);
    });

    it('is one and the same under one key, for good', async () => {
      const first = await judged(VALUES.fail, undefined, { key: 'run-1' });
      const again = await judged(VALUES.pass, undefined, { key: 'run-1' });
      expect(again).toEqual(first);
      expect((await judged(VALUES.pass, undefined, { key: 'run-2' })).result).toBe('pass');
    });

    it('is not told of another commit that the key stands for', async () => {
      expect((await judged(VALUES.pass, undefined, { key: 'run-3', revision: world.revision })).result).toBe('pass');
      const other = await judged(VALUES.pass, undefined, { key: 'run-3', revision: 'c'.repeat(40) });
      expect(other).toMatchObject({ result: 'error', phase: 'failure', complete: true });
      expect(other.reason).toMatch(/^the key stands for another question already /);
    });

    it('is nobody else’s to decide beforehand, by a verdict that was reported under the same key', async () => {
      const forged = await world.post(
        '/api/v1/evaluations?wait=10s',
        JSON.stringify({ ...placeOf('good'), values: { error_rate: 0, other: 0 } }),
        { ...REPORTER, 'Idempotency-Key': 'gate/run-4' },
      );
      expect(((await forged.json()) as { result: string }).result).toBe('pass');
      expect((await judged(VALUES.fail, undefined, { key: 'run-4' })).result).toBe('fail');
    });

    it('never passes without a value', async () => {
      expect((await judged(undefined)).result).toBe('fail');
    });

    it('runs while the metrics cannot be reached', async () => {
      world.prometheus.state.down = true;
      const answer = await judged(VALUES.pass, '/api/v1/integrations/argo-rollouts/evaluate');
      world.prometheus.state.down = false;
      expect(answer).toMatchObject({ result: 'running', phase: 'pending', complete: false });
    });

    it('that could not be judged is tried anew, five times at most, and never passes', async () => {
      const answers = [];
      for (let at = 0; at < 7; at++)
        answers.push(await judged(VALUES.pass, undefined, { revision: world.emptyCommit, key: 'empty' }));
      for (const answer of answers) expect(answer).toMatchObject({ result: 'error', phase: 'failure', complete: true });
      expect(answers[0]?.reason).toMatch(/^there is no delivery.yaml at /);
      expect(new Set(answers.map(({ url }) => url)).size).toBe(5);
    });
  });

  describe('asked badly', () => {
    it.each([
      ['no names', {}, 'name project, stage and service, or app: whom is the question about?'],
      ['a field that there is not', { app: 'a', wait: 1 }, 'wait: is not a field of a question'],
      [
        'a revision that is a branch',
        { app: 'a', revision: 'main' },
        'revision: must be a commit id of 7 to 64 hexadecimal digits',
      ],
      ['a kind that there is not', { app: 'a', kind: 'vote' }, 'kind: must be "evaluation" or "change"'],
      ['no duration', { app: 'a', timeframe: 'soon' }, 'timeframe: must be a duration such as 90s, 15m or 1h30m'],
      [
        'no commit that is to be deployed',
        { project: 'shop', stage: 'staging', service: 'good', until: 'deploy' },
        'revision: name the commit that is to be deployed, or an older one answers; or app: the one whose sync asks',
      ],
      ['nothing of a timeframe', { app: 'a', timeframe: '0s' }, 'timeframe: must be from 1 s to 744 h'],
    ])('with %s', async (_what, body, detail) => {
      const answer = await world.post('/api/v1/gates/evaluate', JSON.stringify(body), REPORTER);
      expect(answer.status).toBe(400);
      expect((await problemOf(answer)).detail).toBe(detail);
    });

    it.each([
      [{ app: 'nowhere' }, 'No application is known of app nowhere: check the names'],
      [{ ...placeOf('good'), app: 'bad-app' }, /^No application is known of project shop, /],
      [{ stage: 'staging' }, /^10 places fit stage staging \(shop\/staging\/.*\): name project, stage and service$/],
    ])('about %o is understood, but no pass', async (body, reason) => {
      const answer = await world.ask(body);
      expect(answer).toMatchObject({ result: 'error', phase: 'pending', complete: false });
      expect(answer.reason).toMatch(reason);
    });
  });

  it.skipIf(!available)('has the recorded form in every state', async () => {
    const check = ajvFormats.default(new Ajv2020({ strict: false })).compile(recorded('gate_answer.schema.json'));
    const bodies = [...Object.keys(STATES).map((state) => ({ app: `${state}-app` })), { app: 'nowhere' }];
    const answers = await Promise.all(bodies.map((body) => world.ask(body)));
    for (const verdict of verdicts) answers.push(await judged(VALUES[verdict]));
    for (const answer of answers) expect(check(answer) ? [] : check.errors).toEqual([]);
  });

  describe('as the consumers read it', () => {
    it.each([
      ['pass', 'Successful', 'Succeeded', 'success'],
      ['warning', 'Inconclusive', 'Succeeded', 'success'],
      ['fail', 'Failed', 'Failed-terminal', 'failure'],
    ] as const)('an evaluation that ends as %s', async (verdict, forArgo, forKargo, forPromoter) => {
      world.errors('good', VALUES[verdict]);
      const argo = await judged(VALUES[verdict], '/api/v1/integrations/argo-rollouts/evaluate');
      expect(argoRolloutsWeb(200, argo)).toBe(forArgo);
      const body = { project: 'shop', stage: 'staging', service: 'good', promotion: `p-${verdict}`, freight: 'f' };
      const step = await world.ask(body, '/api/v1/integrations/kargo/evaluate');
      expect(kargoStep(200, step)).toBe(forKargo);
      const sha = { pass: 'a', warning: 'b', fail: 'c' }[verdict].repeat(40);
      const path = `/api/v1/integrations/gitops-promoter/good-app/${encodeURIComponent('environment/staging')}/${sha}`;
      const answers = [await world.get(path, bearer(TOKENS.REPORTER))];
      world.errors('good', VALUES.pass);
      answers.push(await world.get(path, bearer(TOKENS.REPORTER)));
      for (const answer of answers)
        expect(promoter(answer.status, (await answer.json()) as GateAnswer)).toBe(forPromoter);
    });

    it.each([
      ['waiting', 'Inconclusive', 'Running', 'pending'],
      ['aborted', 'Failed', 'Failed-terminal', 'failure'],
    ])('a change that is %s', async (state, forArgo, forKargo, forPromoter) => {
      const answer = await world.ask(
        { kind: 'change', app: `${state}-app` },
        '/api/v1/integrations/argo-rollouts/evaluate',
      );
      expect(argoRolloutsWeb(200, answer)).toBe(forArgo);
      expect(kargoStep(200, answer)).toBe(forKargo);
      expect(promoter(200, answer)).toBe(forPromoter);
    });

    it('nobody, with an unknown name or a wrong token, reads a pass', async () => {
      const unknown = await world.ask({ app: 'nowhere' });
      expect(argoRolloutsWeb(200, unknown)).toBe('Inconclusive');
      expect(kargoStep(200, unknown)).toBe('Running');
      expect(promoter(200, unknown)).toBe('pending');
      const refused = await world.post('/api/v1/gates/evaluate', '{}', {
        ...JSON_TYPE,
        ...bearer('wrong-token-012345'),
      });
      expect(argoRolloutsWeb(refused.status, {})).toBe('Error');
      expect(kargoStep(refused.status, {})).toBe('Running');
      expect(promoter(refused.status, {})).toBe('pending');
    });

    it('GitOps Promoter asks about its own application and commit, whatever stands behind', async () => {
      const ask = async (app: string, sha: string, query: string) => {
        const path = `/api/v1/integrations/gitops-promoter/${app}/main/${sha}?kind=change&until=deploy${query}`;
        return ((await (await world.get(path, bearer(TOKENS.REPORTER))).json()) as GateAnswer).result;
      };
      const { revision } = world;
      expect(await ask('good-app', revision, '')).toBe('pass');
      expect(await ask('bad-app', revision, '&app=good-app')).toBe('fail');
      expect(await ask('good-app', 'b'.repeat(40), `&revision=${revision}`)).toBe('error');
    });

    it('GitOps Promoter must send a whole commit', async () => {
      const answer = await world.get('/api/v1/integrations/gitops-promoter/a/b/HEAD', bearer(TOKENS.REPORTER));
      expect(answer.status).toBe(400);
    });
  });

  describe('as a Kayenta', () => {
    const ROOT = '/api/v1/integrations/kayenta';
    const thresholds = { pass: 97, marginal: 75 };
    const configs = async () => {
      const answer = await world.get(`${ROOT}/canaryConfig?application=good-app&configurationAccountName=x`, REPORTER);
      return (await answer.json()) as { id: string; name: string }[];
    };
    const start = async (changes: object = {}) => {
      const id = (await configs()).find(({ name }) => name === 'good-app-slo')?.id;
      const now = Date.now() - asked++ * 1000;
      const scope = { start: new Date(now - 300_000).toISOString(), end: new Date(now).toISOString(), step: 60 };
      const body = { thresholds, scopes: { default: { controlScope: scope, experimentScope: scope } }, ...changes };
      return world.post(`${ROOT}/canary/${id}?application=good-app`, JSON.stringify(body), REPORTER);
    };
    const poll = async (execution: string) => {
      for (;;) {
        const answer = await world.get(`${ROOT}/canary/${execution}`, REPORTER);
        const body = (await answer.json()) as { complete: boolean };
        if (body.complete) return body;
      }
    };

    it.each([
      ['pass', 'Successful'],
      // 95 points reach neither the 96 that pass nor the consumer's own 97.
      ['warning', 'Inconclusive'],
      // 90 points, but a key objective failed: above the marginal 75, and yet a failure.
      ['fail', 'Failed'],
    ] as const)('scores an evaluation that ends as %s', async (verdict, outcome) => {
      world.errors('good', VALUES[verdict]);
      const started = await start();
      expect(started.status).toBe(200);
      const { canaryExecutionId } = (await started.json()) as { canaryExecutionId: string };
      expect(kayenta(await poll(canaryExecutionId), thresholds)).toBe(outcome);
    });

    it('never lets a warning pass, whatever the thresholds', async () => {
      world.errors('good', VALUES.warning);
      const lenient = { pass: 60, marginal: 50 };
      const { canaryExecutionId } = (await (await start({ thresholds: lenient })).json()) as {
        canaryExecutionId: string;
      };
      expect(kayenta(await poll(canaryExecutionId), lenient)).toBe('Inconclusive');
    });

    it('refuses thresholds that a failure would reach', async () => {
      for (const wrong of [{ pass: 0, marginal: 0 }, { pass: 90 }, { pass: 50, marginal: 60 }, undefined])
        expect((await start({ thresholds: wrong })).status).toBe(400);
    });

    it.each([
      ['end', '9999-12-31T23:59:59Z', 'end: at most one day ahead'],
      ['start', '0001-01-01T00:00:00Z', 'start: at most 31 days before end'],
      ['end', '5', 'scopes: start and end must be ISO 8601 times'],
    ])('takes no period that nobody can judge: %s %s', async (field, time, detail) => {
      const experimentScope = { start: '', end: '', [field]: time };
      const answer = await start({ scopes: { default: { experimentScope } } });
      expect((await problemOf(answer)).detail).toBe(detail);
    });

    it.each(['nothing', 'e30', Buffer.from('["shop","staging"]').toString('base64url')])(
      'knows no configuration %s',
      async (id) => {
        const answer = await world.post(`${ROOT}/canary/${id}`, JSON.stringify({ thresholds }), REPORTER);
        expect(answer.status).toBe(404);
      },
    );

    it('has no configuration of an unknown application', async () => {
      const answer = await world.get(`${ROOT}/canaryConfig?application=nowhere`, REPORTER);
      expect(await answer.json()).toEqual([]);
    });

    it('judges two groups for another Kayenta', async () => {
      const metric = (name: string, canary: object = {}) => ({
        name,
        groups: ['all'],
        analysisConfigurations: { canary },
      });
      const pair = (name: string, experiment: unknown[]) => ({
        name,
        id: `id-${name}`,
        tags: {},
        values: { control: [1, 2.2, 1.1, 2.5, 3, 'NaN'], experiment },
        scopes: {},
      });
      const body = {
        canaryConfig: {
          metrics: [metric('latency', { direction: 'increase' }), metric('errors')],
          classifier: { groupWeights: { all: 100 } },
        },
        scoreThresholds: { pass: 95, marginal: 75 },
        metricSetPairList: [pair('latency', [20, 22, 21, 25, 30]), pair('errors', [3, 2.5, 1.1, 2.2, 1])],
      };
      const answer = await world.post(`${ROOT}/judge`, JSON.stringify(body), REPORTER);
      expect(await answer.json()).toMatchObject({
        results: [
          { name: 'latency', classification: 'High' },
          { name: 'errors', classification: 'Pass' },
        ],
        groupScores: [{ name: 'all', score: 50 }],
        score: { score: 50, classification: 'Fail' },
      });
    });

    it.each([
      [{}, 'scoreThresholds: must be an object'],
      [{ scoreThresholds: { pass: 9, marginal: 5 } }, 'metricSetPairList: must be a list'],
      [
        { scoreThresholds: { pass: 0, marginal: 0 }, metricSetPairList: [], canaryConfig: { metrics: [] } },
        'scoreThresholds: must be 0 < marginal <= pass <= 100, or a failure would pass',
      ],
      [
        {
          scoreThresholds: { pass: 9, marginal: 5 },
          metricSetPairList: [],
          canaryConfig: { metrics: [{ name: 'a', analysisConfigurations: { canary: { direction: 'up' } } }] },
        },
        'canaryConfig.metrics[0].analysisConfigurations.canary.direction: must be one of increase, decrease, either',
      ],
    ])('says what is wrong with a request to judge', async (body, detail) => {
      const answer = await world.post(`${ROOT}/judge`, JSON.stringify(body), REPORTER);
      expect((await problemOf(answer)).detail).toBe(detail);
    });
  });

  describe('as a Prometheus', () => {
    const query = async (text: string, token: string = TOKENS.REPORTER) =>
      world.get(`/api/v1/integrations/prometheus/api/v1/query?query=${encodeURIComponent(text)}`, bearer(token));
    const figureOf = async (answer: Response) => {
      const { data } = (await answer.json()) as { data: { result: { value: [number, string] }[] } };
      return data.result[0]?.value[1];
    };

    it('is online', async () => {
      expect(await figureOf(await query('vector(1)'))).toBe('1');
      expect((await query('vector(1)', 'wrong-token-0123456789')).status).toBe(401);
    });

    it.each([
      ['pass', '100'],
      ['warning', '95'],
      ['fail', '0'],
    ] as const)('has a score for what ends as %s', async (verdict, score) => {
      world.errors('good', VALUES[verdict]);
      expect(await figureOf(await query(`slo_gate_score{app="good-app", key="prometheus-${verdict}"}`))).toBe(score);
    });

    it.each(['slo_gate_score{app="waiting-app",kind="change"}', 'slo_gate_score{app="nowhere"}'])(
      'has no value without a verdict: %s',
      async (text) => {
        expect(await figureOf(await query(text))).toBeUndefined();
      },
    );

    it.each([
      '',
      'up',
      'slo_gate_score',
      'slo_gate_score{app=~".*"}',
      'slo_gate_score{app="a"} > 1',
      'slo_gate_score{job="a"}',
      'slo_gate_score{app="bad-app",app="good-app"}',
    ])('refuses to guess what is meant by "%s"', async (text) => {
      const answer = await query(text);
      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject({ status: 'error', errorType: 'bad_data' });
    });
  });
});
