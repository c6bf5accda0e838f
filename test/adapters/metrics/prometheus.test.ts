import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningPrometheus, startPrometheus } from '../../../examples/sandbox/prometheus.ts';
import type { MetricsSource } from '../../../src/adapters/metrics/metrics-source.ts';
import { prometheus } from '../../../src/adapters/metrics/prometheus.ts';
import { describeMetricsSource, query, SECRET, serve, tools } from '../../contracts/metrics-source.ts';
import { prometheusAvailable } from '../../support/prometheus.ts';

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
    const config = { url: `${url}/prometheus/`, token: { env: 'TOKEN' }, headers: { 'X-Scope-OrgID': 'shop' } };
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

describe.skipIf(!prometheusAvailable)('a real Prometheus', () => {
  const page = createServer((_request, response) =>
    response.end(
      'requests_total{service="cart",code="200"} 90\nrequests_total{service="cart",code="500"} 10\nhidden 1\n',
    ),
  );
  let running: RunningPrometheus;
  let source: MetricsSource;

  beforeAll(async () => {
    const port = await listen(page);
    running = await startPrometheus([`127.0.0.1:${port}`]);
    source = prometheus.create('main', { url: running.url }, tools);
    await until(async () => (await running.query('hidden')).length === 1);
  });
  afterAll(async () => {
    await running?.stop();
    page.closeAllConnections();
    page.close();
  });

  const ask = (promql: string, variables: Record<string, string> = {}) => {
    const end = new Date();
    const start = new Date(end.getTime() - 60_000);
    return source.read({ query: promql, variables, start: start.toISOString(), end: end.toISOString() });
  };

  it('answers an error ratio', async () => {
    const ratio = 'sum(requests_total{service="$SERVICE",code=~"5.."}) / sum(requests_total{service="$SERVICE"})';
    expect(await ask(ratio, { SERVICE: 'cart' })).toEqual({ ok: true, value: 0.1 });
  });

  it('has no data for a service that it does not know', async () => {
    expect(await ask('sum(requests_total{service="$SERVICE"})', { SERVICE: 'nobody' })).toMatchObject({
      missing: 'no-data',
    });
  });

  it('says what it does not understand of a query', async () => {
    await expect(ask('sum(')).rejects.toMatchObject({
      reason: 'rejected',
      message: expect.stringContaining('parse error'),
    });
  });

  it('divides by zero into something that is not a number', async () => {
    expect(await ask('vector(0) / vector(0)')).toMatchObject({ missing: 'not-a-number' });
  });

  it.each([
    ['an equality', 'count({__name__="hidden", nothing!="$V"})', true],
    ['single quotes', "count({__name__='hidden', nothing!='$V'})", true],
    ['a regex', 'count({__name__="hidden", nothing!~"$V"})', true],
    ['a negated equality', 'count({__name__="hidden", nothing="$V"})', false],
    ['a negated regex', 'count({__name__="hidden", nothing=~"$V"})', false],
  ])('takes any text in %s as that text and nothing else', { timeout: 60_000 }, async (_where, promql, matches) => {
    const nasty = fc.constantFrom(
      '"',
      "'",
      '\\',
      '}',
      '{',
      '.*',
      '|',
      ') or vector(1) #',
      '"} or hidden{a!="',
      '`',
      '\n',
      '$V',
      '(',
      '[',
    );
    const hostile = fc.array(fc.oneof(nasty, fc.string({ unit: 'binary', maxLength: 5 })), {
      minLength: 1,
      maxLength: 6,
    });
    const texts = fc.sample(
      hostile.map((parts) => parts.join('')).filter((text) => text !== '' && text.isWellFormed()),
      80,
    );
    for (const text of [...texts, '.*', '"} or hidden{a!="', '\\', '\\"', "'", '\u0000', '\u2028']) {
      // The label `nothing` is not there, which is the empty text: no other text equals it.
      const reading = await ask(promql, { V: text });
      expect({ text, reading }).toMatchObject({
        text,
        reading: matches ? { ok: true, value: 1 } : { missing: 'no-data' },
      });
    }
  });
});

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('it did not happen in time');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
