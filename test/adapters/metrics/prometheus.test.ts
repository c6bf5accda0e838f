import { describe, expect, it } from 'vitest';
import { prometheus } from '../../../src/adapters/metrics/prometheus.ts';
import { describeMetricsSource, query, SECRET, serve, tools } from '../../contracts/metrics-source.ts';

const bodies = {
  value: (value: number) => answer('vector', [{ metric: {}, value: [1, String(value)] }]),
  noData: answer('vector', []),
  notANumber: answer('vector', [{ metric: {}, value: [1, 'NaN'] }]),
  severalValues: answer('vector', [
    { metric: { pod: 'a' }, value: [1, '1'] },
    { metric: { pod: 'b' }, value: [1, '1'] },
  ]),
  series: (points: (number | null)[]) =>
    answer('matrix', [{ metric: {}, values: points.map((point, at) => [at, point === null ? 'NaN' : String(point)]) }]),
  wrong: [
    answer('vector', [{ metric: {}, value: [1, 5] }]),
    answer('vector', [{ metric: {}, value: [1, '0x10'] }]),
    answer('scalar', ['1']),
    answer('table', []),
  ],
};

function answer(resultType: string, result: unknown): string {
  return JSON.stringify({ status: 'success', data: { resultType, result } });
}

describeMetricsSource('Prometheus (with a token)', {
  create: (url) => prometheus.create('main', { url, token: { env: 'TOKEN' }, timeout: '500ms' }, tools),
  bodies,
});
describeMetricsSource('Prometheus (with a login)', {
  create: (url) =>
    prometheus.create(
      'main',
      { url, basicAuth: { username: 'user', password: { env: 'P' } }, timeout: '500ms' },
      tools,
    ),
  bodies,
});

describe('a question to Prometheus', () => {
  it('is asked at the end of the period, below the configured URL, with credentials and tenant', async () => {
    const seen: unknown[] = [];
    const url = await serve((request, response) => {
      const asked = new URL(request.url ?? '', 'http://x');
      const { authorization, 'x-scope-orgid': tenant } = request.headers;
      seen.push({
        method: request.method,
        path: asked.pathname,
        ...Object.fromEntries(asked.searchParams),
        authorization,
        tenant,
      });
      response.end(bodies.value(1));
    });
    const config = { url: `${url}/prometheus/`, token: { env: 'TOKEN' }, tenant: 'shop' };
    await prometheus
      .create('main', config, tools)
      .read(query({ query: 'rate(x{s="$SERVICE"}[$DURATION_SECONDS]) + 1 % 2' }));
    expect(seen).toEqual([
      {
        method: 'GET',
        path: '/prometheus/api/v1/query',
        query: 'rate(x{s="cart"}[300s]) + 1 % 2',
        time: '1767261900.000',
        authorization: `Bearer ${SECRET}`,
        tenant: 'shop',
      },
    ]);
  });

  it.each([
    ['a scalar', answer('scalar', [1, '2.5']), { ok: true, value: 2.5 }],
    ['an exponent', answer('vector', [{ metric: {}, value: [1, '1e+06'] }]), { ok: true, value: 1_000_000 }],
    ['NaN', answer('vector', [{ metric: {}, value: [1, 'NaN'] }]), { ok: false, missing: 'not-a-number' }],
    ['infinity', answer('vector', [{ metric: {}, value: [1, '+Inf'] }]), { ok: false, missing: 'not-a-number' }],
    ['too much', answer('scalar', [1, '1e999']), { ok: false, missing: 'not-a-number' }],
    ['a matrix', answer('matrix', []), { ok: false, missing: 'not-numeric' }],
    ['a string', answer('string', [1, 'x']), { ok: false, missing: 'not-numeric' }],
    ['a histogram', answer('vector', [{ metric: {}, histogram: [1, {}] }]), { ok: false, missing: 'not-numeric' }],
  ])('that gives %s is answered honestly', async (_what, body, expected) => {
    const source = prometheus.create('main', { url: await serve((_request, response) => response.end(body)) }, tools);
    expect(await source.read(query())).toMatchObject(expected);
  });

  it('that gives several series names three of them', async () => {
    const series = ['a', 'b', 'c', 'd'].map((pod) => ({ metric: { pod }, value: [1, '1'] }));
    const url = await serve((_request, response) => response.end(answer('vector', series)));
    const reading = await prometheus.create('main', { url }, tools).read(query());
    expect(reading).toEqual({
      ok: false,
      missing: 'several-values',
      message:
        'the query gives 4 series ({pod="a"}, {pod="b"}, {pod="c"}, ...): aggregate them, for example with sum()',
    });
  });
});

describe('an answer that comes with a warning', () => {
  const warned = (extra: object) => JSON.stringify({ ...(JSON.parse(bodies.value(1)) as object), ...extra });
  const read = async (body: string, config: { acceptWarnings?: boolean } = {}) => {
    const url = await serve((_request, response) => response.end(body));
    return prometheus.create('main', { url, ...config }, tools).read(query());
  };

  it.each([
    [{ warnings: ['No StoreAPIs matched for this query'] }, 'a part of the data only: No StoreAPIs matched'],
    [{ isPartial: true }, 'a part of the data only'],
  ])('%j is no answer yet', async (extra, message) => {
    await expect(read(warned(extra))).rejects.toMatchObject({
      reason: 'unavailable',
      message: expect.stringContaining(message),
    });
  });

  it('of the query engine is a doubtful one', async () => {
    const warning = 'PromQL warning: encountered a mix of histograms and floats for metric name "x"';
    expect(await read(warned({ warnings: [warning] }))).toEqual({ ok: false, missing: 'doubtful', message: warning });
  });

  it('is taken when the operator says so, and when it only informs', async () => {
    expect(await read(warned({ warnings: ['x'], isPartial: true }), { acceptWarnings: true })).toMatchObject({
      ok: true,
    });
    expect(await read(warned({ infos: ['PromQL info: metric might not be a counter'] }))).toMatchObject({ ok: true });
    expect(await read(warned({ isPartial: false, warnings: [] }))).toMatchObject({ ok: true });
  });
});

describe('points of Prometheus', () => {
  it('are asked for at the end of each step, and each looks at its own step', async () => {
    const seen: object[] = [];
    const url = await serve((request, response) => {
      const asked = new URL(request.url ?? '', 'http://x');
      seen.push({ path: asked.pathname, ...Object.fromEntries(asked.searchParams) });
      response.end(bodies.series([1]));
    });
    const source = prometheus.create('main', { url }, tools);
    await source.series?.({ ...query({ query: 'rate(x[$DURATION_SECONDS])' }), stepMs: 60_000 });
    expect(seen).toEqual([
      {
        path: '/api/v1/query_range',
        query: 'rate(x[60s])',
        start: '1767261660.000',
        end: '1767261900.000',
        step: '60.000',
      },
    ]);
  });

  it.each([
    ['several series', answer('matrix', [{ metric: { a: '1' } }, { metric: { a: '2' } }]), 'several-values'],
    ['infinity', answer('matrix', [{ metric: {}, values: [[1, '+Inf']] }]), 'not-a-number'],
    ['only NaN', answer('matrix', [{ metric: {}, values: [[1, 'NaN']] }]), 'not-a-number'],
    ['histograms', answer('matrix', [{ metric: {}, histograms: [[1, {}]] }]), 'not-numeric'],
  ])('are none where there is %s', async (_what, body, missing) => {
    const source = prometheus.create('main', { url: await serve((_request, response) => response.end(body)) }, tools);
    expect(await source.series?.({ ...query(), stepMs: 60_000 })).toMatchObject({ ok: false, missing });
  });

  it('are not more than Prometheus gives', async () => {
    const source = prometheus.create('main', { url: 'http://127.0.0.1:1' }, tools);
    await expect(source.series?.({ ...query(), stepMs: 1 })).rejects.toThrow('has 300000 of them, at most 11000');
  });
});
