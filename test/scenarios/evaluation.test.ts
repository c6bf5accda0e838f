import { describe, expect, it } from 'vitest';
import { startPrometheus } from '../../examples/sandbox/prometheus.ts';
import type { JsonObject } from '../../src/base/json.ts';
import type { Evaluation } from '../../src/slo/evaluation.ts';
import type { StageView } from '../../src/views/change.ts';
import type { EvaluationView } from '../../src/views/evaluation-document.ts';
import { type FakePrometheus, startFakePrometheus } from '../support/fake-prometheus.ts';
import { createTestWorld, eventually, PERSON_TOKEN, untilSeen } from '../support/lynceus.ts';
import { prometheusAvailable } from '../support/prometheus.ts';
import { deliveryWith, expectUntouched, isOver, last, type Story, story, waitsAt } from '../support/story.ts';

const LIMIT = { timeout: 90_000 };
const headers = { Authorization: `Bearer ${PERSON_TOKEN}`, 'Content-Type': 'application/json' };

const slo = (...objectives: string[]) =>
  `spec_version: "1.0"\nobjectives:\n${objectives.map((one) => `  - ${one}\n`).join('')}total_score: {pass: "90%"}\n`;
const sli = (...indicators: string[]) =>
  `spec_version: "1.0"\nindicators:\n${indicators.map((one) => `  ${one}\n`).join('')}`;
const latency = '{sli: latency, pass: [{criteria: ["<=300"]}]}';
const dev = (evaluation: string) =>
  deliveryWith('dev', `sync: automatic\n      evaluation: ${evaluation}\n      promotion: {onPass: automatic}`);

/** A story with metrics sources whose answers the test sets. */
async function measured(
  options: { evaluation: string; files: Record<string, string>; sources?: readonly string[] },
  tell: (told: Story, sources: Record<string, FakePrometheus>) => Promise<void>,
): Promise<void> {
  const names = options.sources ?? ['main'];
  const started = await Promise.all(names.map(async (name) => [name, await startFakePrometheus()] as const));
  const metrics = started.map(([name, { url }]) => `  - {name: ${name}, kind: prometheus, url: "${url}"}\n`).join('');
  try {
    await story(
      { delivery: dev(options.evaluation), files: options.files, connections: `metrics:\n${metrics}` },
      (told) => tell(told, Object.fromEntries(started)),
    );
  } finally {
    for (const [, source] of started) await source.close();
  }
}

function evaluationOf(view: StageView): { evaluation: Evaluation; task: string; data: JsonObject } {
  const task = view.tasks.find(({ name }) => name === 'evaluation');
  return {
    evaluation: task?.data['evaluation'] as unknown as Evaluation,
    task: task?.task ?? '',
    data: task?.data ?? {},
  };
}

describe.concurrent('an evaluation with several sources', () => {
  const files = {
    'slo.yaml': slo(latency, '{sli: findings, pass: [{criteria: ["<=5"]}], key_sli: true}'),
    'sli.yaml': sli('latency: "p95"'),
    'security.yaml': sli(
      'findings: {sources: [{provider: trivy, query: f}, {provider: grype, query: f}], aggregate: sum, unit: findings, better: lower}',
    ),
  };
  const evaluation = '{slo: slo.yaml, sli: [sli.yaml, security.yaml], provider: main}';
  const sources = ['main', 'trivy', 'grype'];

  it('adds up what several scanners found, and shows whose part is which', LIMIT, async () => {
    await measured({ evaluation, files, sources }, async (told, { main, trivy, grype }) => {
      Object.assign(main!.state, { value: 120 });
      Object.assign(trivy!.state, { value: 2 });
      Object.assign(grype!.state, { value: 4 });
      const over = await told.stage(told.release(1), 'dev', isOver, 'fails');
      expect(over).toMatchObject({ result: 'fail' });
      expect(evaluationOf(over).evaluation.indicators[1]).toMatchObject({
        value: 6,
        unit: 'findings',
        sources: [
          { provider: 'trivy', value: 2 },
          { provider: 'grype', value: 4 },
        ],
      });
    });
  });

  it('tells its sources which image runs', LIMIT, async () => {
    const named = {
      'slo.yaml': slo(latency),
      'sli.yaml': sli(`latency: 'p95{image="$IMAGE"}'`),
      'deployment.yaml': 'image: registry.example/shop/cart:1.2.3\n',
    };
    await measured({ evaluation: '{slo: slo.yaml, sli: sli.yaml}', files: named }, async (told, { main }) => {
      expect(await told.stage(told.release(1), 'dev', isOver, 'passes')).toMatchObject({ result: 'pass' });
      expect(main!.state.queries).toContain('p95{image="registry.example/shop/cart:1.2.3"}');
    });
  });

  it('waits while one of them is down, says so, and goes on when it is back', LIMIT, async () => {
    await measured({ evaluation, files, sources }, async (told, { main, trivy, grype }) => {
      Object.assign(main!.state, { value: 120 });
      Object.assign(trivy!.state, { value: 0 });
      Object.assign(grype!.state, { value: 0, down: true });
      const commit = told.release(1);
      const held = await told.stage(commit, 'dev', waitsAt('evaluation'), 'waits for the source');
      expect(last(held).waitingFor).toMatchObject({ kind: 'unreachable' });
      await expectUntouched(told, commit, 'staging');
      grype!.state.down = false;
      expect(await told.stage(commit, 'dev', isOver, 'goes on')).toMatchObject({ result: 'pass' });
    });
  });
});

describe.concurrent('an evaluation by a real Prometheus', () => {
  it.skipIf(!prometheusAvailable)('and by the figures of the tests, in one verdict', LIMIT, async () => {
    const prometheus = await startPrometheus([]);
    try {
      const demands =
        'sync: automatic\n      tests: [{http: {path: /, requests: 20}}]\n      evaluation: {slo: slo.yaml, sli: sli.yaml}';
      const files = {
        'slo.yaml': slo(
          '{sli: error_rate, pass: [{criteria: ["<=0"]}]}',
          '{sli: share, pass: [{criteria: ["<=0.2"]}]}',
        ),
        'sli.yaml': sli('share: "vector(0.125)"'),
      };
      const connections = `metrics:\n  - {name: main, kind: prometheus, url: "${prometheus.url}"}\n`;
      await story({ delivery: deliveryWith('dev', demands), files, connections }, async (told) => {
        const over = await told.stage(told.release(1), 'dev', isOver, 'passes');
        expect(evaluationOf(over).evaluation.indicators.map(({ value }) => value)).toEqual([0, 0.125]);
        expect(over).toMatchObject({ result: 'pass', score: 100 });
      });
    } finally {
      await prometheus.stop();
    }
  });
});

describe.concurrent('an evaluation with a delay', () => {
  it('asks nothing before the metrics are there, and knows the labels of the application', LIMIT, async () => {
    const files = { 'slo.yaml': slo(latency), 'sli.yaml': sli('latency: "p95{s=\\"$LABEL.lynceus.dev/service\\"}"') };
    await measured({ evaluation: '{slo: slo.yaml, sli: sli.yaml, delay: 10m}', files }, async (told, { main }) => {
      const commit = told.release(1);
      const held = await told.stage(commit, 'dev', waitsAt('evaluation'), 'waits for its metrics');
      const { sentence, until = '' } = last(held).waitingFor ?? {};
      expect(sentence).toBe('waiting for the metrics to arrive');
      expect(Date.parse(until) - Date.parse(last(held).triggeredAt)).toBe(600_000);
      expect(main!.state.queries).toEqual([]);
      await told.pass('11m');
      await told.stage(commit, 'dev', isOver, 'is judged');
      expect(main!.state.queries).toEqual(['p95{s="checkout"}']);
    });
  });
});

describe.concurrent('an evaluation that a Keptn event asks for', () => {
  it('is done by the files of what was deployed, and found by its context', LIMIT, async () => {
    const files = { 'slo.yaml': slo(latency), 'sli.yaml': sli('latency: "p95"') };
    await measured({ evaluation: '{slo: slo.yaml, sli: sli.yaml}', files }, async (told, { main }) => {
      main!.state.value = 100;
      const commit = told.release(1);
      await told.stage(commit, 'dev', isOver, 'is deployed');
      const event = {
        specversion: '1.0',
        id: 'keptn-1',
        source: 'https://ci.example.com',
        type: 'sh.keptn.event.dev.evaluation.triggered',
        shkeptncontext: 'a-context-of-keptn',
        data: { project: 'shop', stage: 'dev', service: 'checkout', evaluation: { timeframe: '5m' } },
      };
      const init = {
        method: 'POST',
        headers: { ...headers, 'Content-Type': 'application/cloudevents+json' },
        body: JSON.stringify(event),
      };
      expect((await told.world.ask('/api/v1/events', init)).status).toBe(202);
      // A sender that is not sure sends it once more.
      expect((await told.world.ask('/api/v1/events', init)).status).toBe(202);
      const found = async () => {
        const answer = await told.world.ask('/api/v1/evaluations?context=a-context-of-keptn');
        return ((await answer.json()) as { evaluations: EvaluationView[] }).evaluations;
      };
      await eventually(async () => (await found())[0]?.state === 'finished', { within: 20_000, what: 'the verdict' });
      expect(await found()).toMatchObject([
        { requestedBy: 'https://ci.example.com', revision: commit, result: 'pass', context: 'a-context-of-keptn' },
      ]);
    });
  });
});

describe.concurrent('watching', () => {
  const files = { 'slo.yaml': slo(latency), 'sli.yaml': sli('latency: "p95"') };
  const evaluation = '{slo: slo.yaml, sli: sli.yaml, watch: {for: 15m, every: 3m}}';

  it('says how far it is, and fails early', LIMIT, async () => {
    await measured({ evaluation, files }, async (told, { main }) => {
      main!.state.value = 100;
      const commit = told.release(1);
      const begun = await told.stage(commit, 'dev', waitsAt('evaluation'), 'is watched');
      expect(last(begun).waitingFor).toMatchObject({ kind: 'evaluation', sentence: 'watching, step 1 of 5' });
      await told.pass('3m');
      const sentence = 'watching, step 2 of 5, so far pass';
      await told.stage(commit, 'dev', (view) => last(view).waitingFor?.sentence === sentence, sentence);
      main!.state.value = 900;
      await told.pass('3m');
      const over = await told.stage(commit, 'dev', isOver, 'fails early');
      expect(over).toMatchObject({ result: 'fail', message: expect.stringContaining('step 2 of 5 failed') });
      await expectUntouched(told, commit, 'staging');
    });
  });

  it('gives its verdict over the whole time', LIMIT, async () => {
    await measured({ evaluation, files }, async (told, { main }) => {
      main!.state.value = 100;
      const commit = told.release(1);
      await told.stage(commit, 'dev', waitsAt('evaluation'), 'is watched');
      // All steps at once, as after a long outage.
      await told.pass('20m');
      const over = await told.stage(commit, 'dev', isOver, 'passes');
      const { data } = evaluationOf(over);
      const { start, end } = data['period'] as { start: string; end: string };
      expect(Date.parse(end) - Date.parse(start)).toBe(15 * 60_000);
      expect(data['steps']).toHaveLength(5);
      expect(over).toMatchObject({ result: 'pass' });
    });
  });

  it('goes on after a crash where it was', LIMIT, async () => {
    const main = await startFakePrometheus();
    main.state.value = 100;
    const world = await createTestWorld({
      delivery: dev('{slo: slo.yaml, sli: sli.yaml, watch: {for: 6s, every: 2s}}'),
      files,
      connections: `metrics:\n  - {name: main, kind: prometheus, url: "${main.url}"}\n`,
    });
    try {
      const process = await world.start();
      await untilSeen(world);
      const commit = world.release(1);
      const stage = async () =>
        (await world.changes()).find(({ revision }) => revision === commit)?.stages.find((one) => one.stage === 'dev');
      const judged = async () => {
        const view = await stage();
        return view && /step [23] of 3/.test(view.tasks.at(-1)?.waitingFor?.sentence ?? '');
      };
      await eventually(judged, { within: 30_000, what: 'the first step is judged', otherwise: stage });
      process.kill('SIGKILL');
      await process.ended;
      await world.start();
      const over = await eventually(
        async () => {
          const view = await stage();
          return view && isOver(view) ? view : undefined;
        },
        { within: 30_000, what: 'the verdict', otherwise: stage },
      );
      expect(over).toMatchObject({ result: 'pass' });
      const steps = evaluationOf(over).data['steps'] as unknown as { start: string; end: string }[];
      expect(steps).toHaveLength(3);
      expect(steps.slice(1).map(({ start }) => start)).toEqual(steps.slice(0, -1).map(({ end }) => end));
    } finally {
      await world.stop();
      await main.close();
    }
  });
});

describe.concurrent('a number that is pushed', () => {
  it('is waited for, and judged when it comes', LIMIT, async () => {
    const files = {
      'slo.yaml': slo('{sli: findings, pass: [{criteria: ["<=0"]}]}'),
      'sli.yaml': sli('findings: {pushed: true, unit: findings}'),
    };
    await measured({ evaluation: '{slo: slo.yaml, sli: sli.yaml}', files }, async (told) => {
      const commit = told.release(1);
      const held = await told.stage(commit, 'dev', waitsAt('evaluation'), 'waits for the number');
      expect(last(held).waitingFor).toMatchObject({ kind: 'data', sentence: 'waiting until "findings" is pushed' });
      const push = (revision: string, findings: number) =>
        told.world.ask('/api/v1/events', {
          method: 'POST',
          headers: { ...headers, 'Content-Type': 'application/cloudevents+json' },
          body: JSON.stringify({
            specversion: '1.0',
            id: revision,
            source: 'https://ci.example.com',
            type: 'dev.lynceus.indicators.pushed.v1',
            data: { project: 'shop', stage: 'dev', service: 'checkout', revision, indicators: { findings } },
          }),
        });
      expect((await push('f'.repeat(40), 0)).status).toBe(202);
      expect((await push(commit, 3)).status).toBe(202);
      expect(await told.stage(commit, 'dev', isOver, 'is judged')).toMatchObject({
        result: 'fail',
        message: expect.stringContaining('findings is 3'),
      });
    });
  });
});

describe.concurrent('an evaluation that is invalidated', () => {
  const files = {
    'slo.yaml': slo('{sli: latency, pass: [{criteria: ["<=+10%"]}]}'),
    'sli.yaml': sli('latency: "p95"'),
  };

  it('is not compared with any more, and the change says so; its verdict stays', LIMIT, async () => {
    await measured({ evaluation: '{slo: slo.yaml, sli: sli.yaml}', files }, async (told, { main }) => {
      main!.state.value = 100;
      const good = evaluationOf(await told.stage(told.release(1), 'dev', isOver, 'passes'));
      main!.state.value = 105;
      const doubtful = told.release(2);
      const second = evaluationOf(await told.stage(doubtful, 'dev', isOver, 'passes'));
      expect(second.evaluation.compared).toEqual([good.task]);
      const answer = await told.world.ask(`/api/v1/evaluations/${second.task}/invalidate`, {
        method: 'POST',
        headers,
        body: JSON.stringify({ reason: 'measured during an incident' }),
      });
      expect(answer.status).toBe(200);
      const marked = await told.stage(doubtful, 'dev', isOver, 'stays as it was');
      expect(marked).toMatchObject({ result: 'pass' });
      expect(marked.tasks.find(({ name }) => name === 'evaluation')?.invalidated).toMatchObject({
        actor: 'ada',
        reason: 'measured during an incident',
      });
      const { id } = (await told.change(doubtful)) ?? { id: '' };
      const page = await (await told.world.ask(`/changes/${id}`, { headers: { Accept: 'text/html' } })).text();
      expect(page).toContain('ada invalidated it');
      main!.state.value = 112;
      const third = evaluationOf(await told.stage(told.release(3), 'dev', isOver, 'fails against the first'));
      expect(third.evaluation).toMatchObject({ result: 'fail', compared: [good.task] });
    });
  });

  it('can be done again over its own period, by the files of the stage', LIMIT, async () => {
    await measured({ evaluation: '{slo: slo.yaml, sli: sli.yaml}', files }, async (told, { main }) => {
      main!.state.value = 100;
      const first = evaluationOf(await told.stage(told.release(1), 'dev', isOver, 'passes'));
      main!.state.value = 90;
      const answer = await told.world.ask(`/api/v1/evaluations/${first.task}/again`, { method: 'POST', headers });
      const address = answer.headers.get('location') ?? '';
      const read = async () => (await (await told.world.ask(address)).json()) as EvaluationView;
      await eventually(async () => (await read()).state === 'finished', { within: 20_000, what: 'the verdict' });
      expect(await read()).toMatchObject({
        again: first.task,
        period: first.data['period'],
        result: 'pass',
        files: [{ path: 'delivery.yaml' }, { path: 'slo.yaml' }, { path: 'sli.yaml' }],
        evaluation: { indicators: [{ value: 90 }], compared: [] },
      });
    });
  });
});

describe.concurrent('a control group', () => {
  const files = {
    'slo.yaml': slo('{sli: latency, control: {failOn: increase, critical: true}}'),
    'sli.yaml': sli('latency: "p95{track=\\"$track\\"}"'),
  };
  const control = 'control: {variables: {experiment: {track: canary}, control: {track: stable}}, step: 30s}';
  const evaluation = `{slo: slo.yaml, sli: sli.yaml, window: 10m, compareWith: {${control}}}`;
  const spread = (middle: number) => Array.from({ length: 20 }, (_, at) => middle + (at % 5));

  it.each([
    ['as well as', 100, 'pass'],
    ['worse than', 200, 'fail'],
  ] as const)('tells whether the change does %s what runs beside it', LIMIT, async (_what, middle, result) => {
    await measured({ evaluation, files }, async (told, { main }) => {
      main!.state.points = { 'p95{track="canary"}': spread(middle), 'p95{track="stable"}': spread(100) };
      const over = await told.stage(told.release(1), 'dev', isOver, result);
      expect(over).toMatchObject({ result });
      const [first] = evaluationOf(over).evaluation.indicators;
      expect(first?.control?.classification).toBe(result === 'pass' ? 'Pass' : 'High');
    });
  });

  it('that says nothing is no pass', LIMIT, async () => {
    await measured({ evaluation, files }, async (told, { main }) => {
      main!.state.points = { 'p95{track="canary"}': spread(100) };
      const over = await told.stage(told.release(1), 'dev', isOver, 'fails');
      expect(over).toMatchObject({ result: 'fail' });
      expect(evaluationOf(over).evaluation.indicators[0]?.control?.classification).toBe('Nodata');
    });
  });
});
