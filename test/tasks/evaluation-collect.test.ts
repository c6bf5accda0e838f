import { describe, expect, it } from 'vitest';
import type { MetricQuery, MetricsSource, Reading, SeriesReading } from '../../src/adapters/metrics/metrics-source.ts';
import { AdapterError } from '../../src/base/adapter-error.ts';
import type { Objective } from '../../src/slo/evaluation.ts';
import type { Indicator } from '../../src/slo/indicator.ts';
import { collectIndicators, missingPushes } from '../../src/tasks/evaluation-collect.ts';
import type { EvaluationQuestion } from '../../src/tasks/evaluation-question.ts';

const PERIOD = { start: '2026-03-02T10:00:00.000Z', end: '2026-03-02T10:05:00.000Z' };
const NOTHING: Reading = { ok: false, missing: 'no-data', message: 'the query gives no data' };

/** A source that answers by query, and remembers what it was asked. */
function source(name: string, answers: Record<string, number | Reading | SeriesReading | AdapterError>) {
  const asked: MetricQuery[] = [];
  const answer = (query: MetricQuery) => {
    asked.push(query);
    const key = query.variables['track'] === undefined ? query.query : `${query.query}:${query.variables['track']}`;
    const found = answers[key] ?? answers[query.query] ?? NOTHING;
    if (found instanceof AdapterError) throw found;
    return typeof found === 'number' ? ({ ok: true, value: found } as const) : found;
  };
  const metrics: MetricsSource = {
    kind: 'fake',
    name,
    read: async (query) => answer(query) as Reading,
    series: async (query) => answer(query) as SeriesReading,
  };
  return { metrics, asked };
}

function objective(sli: string, changes: Partial<Objective> = {}): Objective {
  return { sli, pass: [['<=1']], warning: [], weight: 1, keySli: false, ...changes };
}

function question(
  sli: Record<string, string | Partial<Indicator>>,
  changes: Partial<EvaluationQuestion> & { objectives?: Objective[] } = {},
): EvaluationQuestion {
  const { objectives = Object.keys(sli).map((name) => objective(name)), ...rest } = changes;
  return {
    definitions: {
      slo: {
        comparison: { count: 1, include: 'all', aggregate: 'avg' },
        objectives,
        totalScore: { pass: 90 },
        filter: {},
      },
      sli: Object.fromEntries(
        Object.entries(sli).map(([name, one]) => [
          name,
          typeof one === 'string' ? one : { sources: [], aggregation: 'sum', ...one },
        ]),
      ),
    },
    place: { project: 'shop', stage: 'staging', service: 'checkout' },
    context: 'ctx',
    period: PERIOD,
    figures: new Map(),
    labels: {},
    signal: new AbortController().signal,
    ...rest,
  };
}

function collect(asked: EvaluationQuestion, ...sources: { metrics: MetricsSource }[]) {
  const byName = (name?: string) => sources.find(({ metrics }) => name === undefined || metrics.name === name)?.metrics;
  return collectIndicators(asked, { metricsSource: byName });
}

const scanners: Partial<Indicator> = {
  sources: [
    { provider: 'trivy', query: 'a' },
    { provider: 'grype', query: 'b' },
    { provider: 'audit', query: 'c' },
  ],
  unit: 'findings',
  better: 'lower',
};

describe('an indicator', () => {
  it('of three scanners is their sum, and says whose part is which', async () => {
    const values = await collect(
      question({ findings: scanners }),
      source('trivy', { a: 2 }),
      source('grype', { b: 3 }),
      source('audit', { c: 0 }),
    );
    expect(values).toEqual([
      {
        metric: 'findings',
        ok: true,
        value: 5,
        unit: 'findings',
        better: 'lower',
        sources: [
          { provider: 'trivy', value: 2 },
          { provider: 'grype', value: 3 },
          { provider: 'audit', value: 0 },
        ],
      },
    ]);
  });

  it.each([
    ['max', 3],
    ['min', 0],
    ['avg', 5 / 3],
    ['worst', 3],
  ] as const)('can be the %s of its sources', async (aggregation, value) => {
    const asked = question({ findings: { ...scanners, aggregation } });
    const sources = [source('trivy', { a: 2 }), source('grype', { b: 3 }), source('audit', { c: 0 })];
    expect(await collect(asked, ...sources)).toMatchObject([{ value }]);
  });

  it('has no value when one of its sources has none: the sum would be too low', async () => {
    const sources = [source('trivy', { a: 2 }), source('grype', {}), source('audit', { c: 0 })];
    expect(await collect(question({ findings: scanners }), ...sources)).toEqual([
      { metric: 'findings', ok: false, message: 'grype: the query gives no data' },
    ]);
  });

  it('is waited for when one of its sources is down', async () => {
    const down = source('grype', { b: new AdapterError('unavailable', 'grype is down') });
    const sources = [source('trivy', { a: 2 }), down, source('audit', { c: 0 })];
    await expect(collect(question({ findings: scanners }), ...sources)).rejects.toMatchObject({
      reason: 'unavailable',
      retryable: true,
    });
  });

  it('names the source that nobody has configured', async () => {
    await expect(collect(question({ findings: scanners }), source('trivy', { a: 2 }))).rejects.toThrow(
      'the metrics source grype is not configured',
    );
  });

  it('is asked of the source of the evaluation when it names none, once for several objectives', async () => {
    const [first, second] = [source('first', { q: 1 }), source('second', { q: 2 })];
    const objectives = [objective('a'), objective('a', { pass: [['>0']] })];
    const asked = question({ a: 'q' }, { objectives, provider: 'second' });
    expect(await collect(asked, first, second)).toEqual([{ metric: 'a', ok: true, value: 2 }]);
    expect([first.asked.length, second.asked.length]).toEqual([0, 1]);
  });

  it('with too few samples has no value', async () => {
    const p95: Partial<Indicator> = { sources: [{ query: 'p95' }], minimumSamples: { query: 'count', count: 100 } };
    const of = (count: number | Reading) => collect(question({ p95 }), source('main', { p95: 300, count }));
    expect(await of(100)).toEqual([{ metric: 'p95', ok: true, value: 300, samples: 100 }]);
    expect(await of(99)).toEqual([{ metric: 'p95', ok: false, message: 'it has 99 samples, and needs 100' }]);
    expect(await of(NOTHING)).toMatchObject([{ ok: false, message: expect.stringContaining('is not known') }]);
  });

  it('of the tests, or pushed, needs no source; what came with the question stands above all', async () => {
    const figures = new Map(Object.entries({ error_rate: 0.1, findings: 3, queried: 7 }));
    const objectives = ['error_rate', 'findings', 'queried', 'given', 'nowhere'].map((name) => objective(name));
    const asked = question(
      { findings: { unit: 'findings' }, queried: 'q', given: 'g' },
      { objectives, figures, given: new Map([['given', 1]]) },
    );
    const main = source('main', { q: 2, g: 9 });
    expect(await collect(asked, main)).toEqual([
      { metric: 'error_rate', ok: true, value: 0.1 },
      { metric: 'findings', ok: true, value: 3, unit: 'findings' },
      { metric: 'queried', ok: true, value: 2 },
      { metric: 'given', ok: true, value: 1 },
      { metric: 'nowhere', ok: false, message: 'neither sli.yaml nor a test provides it' },
    ]);
    expect(main.asked.map(({ query }) => query)).toEqual(['q']);
  });

  it('that must be pushed is missed until it is', () => {
    const objectives = [objective('findings'), objective('other')];
    expect(missingPushes(question({ findings: {}, unused: {} }, { objectives }))).toEqual(['findings']);
    expect(missingPushes(question({ findings: {} }, { figures: new Map([['findings', 0]]) }))).toEqual([]);
  });

  it('is asked with what is known of the change', async () => {
    const main = source('main', { q: 1 });
    const changes = { revision: 'abc1234', labels: { team: 'payments', SERVICE: 'not this' } };
    await collect(question({ a: 'q' }, changes), main);
    expect(main.asked[0]?.variables).toEqual({
      PROJECT: 'shop',
      STAGE: 'staging',
      SERVICE: 'checkout',
      CONTEXT: 'ctx',
      DEPLOYMENT: 'primary',
      DURATION_SECONDS: '300s',
      REVISION: 'abc1234',
      'LABEL.team': 'payments',
      'LABEL.SERVICE': 'not this',
    });
  });
});

describe('a control group', () => {
  const control = {
    failOn: 'increase',
    confidence: 0.98,
    effectSizeMeasure: 'meanRatio',
    critical: false,
    onNoData: 'fail',
  } as const;
  const objectives = [objective('latency', { pass: [], control }), objective('plain')];
  const compareWith = {
    control: { variables: { experiment: { track: 'canary' }, control: { track: 'stable' } }, stepMs: 60_000 },
  };
  const asked = (sli: Record<string, string | Partial<Indicator>>) =>
    question({ latency: 'l', plain: 'p', ...sli }, { objectives, compareWith });
  const points = (...values: number[]): SeriesReading => ({ ok: true, points: values });

  it('is measured over the same period as the experiment, with its own variables', async () => {
    const main = source('main', { 'l:canary': points(5, 1, 9, 3), 'l:stable': points(2, 4), p: 7 });
    expect(await collect(asked({}), main)).toEqual([
      { metric: 'latency', ok: true, value: 4, groups: { experiment: [5, 1, 9, 3], control: [2, 4] } },
      { metric: 'plain', ok: true, value: 7 },
    ]);
    expect(main.asked.map(({ query, variables, start, end }) => [query, variables['track'], start, end])).toEqual([
      ['l', 'canary', PERIOD.start, PERIOD.end],
      ['l', 'stable', PERIOD.start, PERIOD.end],
      ['p', 'canary', PERIOD.start, PERIOD.end],
    ]);
  });

  it('that is silent is no data, and a silent experiment no value', async () => {
    const silentControl = source('main', { 'l:canary': points(1), 'l:stable': NOTHING, p: 1 });
    expect((await collect(asked({}), silentControl))[0]).toMatchObject({ groups: { experiment: [1], control: [] } });
    const silentExperiment = source('main', { 'l:canary': NOTHING, 'l:stable': points(1), p: 1 });
    expect((await collect(asked({}), silentExperiment))[0]).toEqual({
      metric: 'latency',
      ok: false,
      message: 'experiment: the query gives no data',
    });
  });

  it('needs one source that gives series', async () => {
    const { series: _, ...numbersOnly } = source('main', { p: 1 }).metrics;
    expect((await collect(asked({}), { metrics: numbersOnly }))[0]).toMatchObject({
      ok: false,
      message: expect.stringContaining('the metrics source main gives no series'),
    });
    const two = { latency: { sources: [{ query: 'l' }, { query: 'm' }] } };
    expect((await collect(asked(two), source('main', { p: 1 })))[0]).toMatchObject({
      ok: false,
      message: 'with a control group it must have exactly one source',
    });
  });
});
