import { describe, expect, it } from 'vitest';
import { dynatrace } from '../../../src/adapters/metrics/dynatrace.ts';
import { toQuestion } from '../../../src/adapters/metrics/dynatrace-query.ts';
import { describeMetricsSource, query, SECRET, serve, tools } from '../../contracts/metrics-source.ts';
import { recorded } from '../../support/recorded.ts';

const config = { token: { env: 'T' }, timeout: '500ms' };
const QUERY =
  'metricSelector=builtin:service.response.time:splitBy():percentile(95)&entitySelector=type(SERVICE),tag("service:$SERVICE")';

/** Shapes after https://docs.dynatrace.com/docs/dynatrace-api/environment-api/metric-v2/get-data-points. */
const metrics = (data: unknown, more: object = {}) =>
  JSON.stringify({
    totalCount: Array.isArray(data) ? data.length : 0,
    nextPageKey: null,
    resolution: 'Inf',
    result: [
      { metricId: 'builtin:service.response.time', dataPointCountRatio: 0.1, dimensionCountRatio: 0.1, data, ...more },
    ],
  });
const series = (values: unknown, dimensions: string[] = []) => ({
  dimensions,
  dimensionMap: {},
  timestamps: [1],
  values,
});

describeMetricsSource('Dynatrace', {
  create: (url) => dynatrace.create('main', { url, ...config }, tools),
  query: QUERY,
  bodies: {
    value: (value) => metrics([series([value])]),
    noData: metrics([]),
    severalValues: metrics([series([1], ['SERVICE-1']), series([2], ['SERVICE-2'])]),
    series: (points) => metrics([series(points)]),
    wrong: ['{"result":[{}]}', '{"result":[{"data":[7]}]}', metrics([series(['1'])]), metrics([series('1')])],
  },
});

const read = async (text: string, body: string) => {
  const { url, requests } = await recorded(serve, body);
  const reading = await dynatrace.create('main', { ...config, url }, tools).read(query({ query: text }));
  return { reading, request: requests[0] };
};

describe('a question to Dynatrace', () => {
  it('asks for one point of the whole period', async () => {
    const { request } = await read(QUERY, metrics([series([1])]));
    expect(request).toMatchObject({
      method: 'GET',
      path: '/api/v2/metrics/query',
      headers: { authorization: `Api-Token ${SECRET}` },
      query: {
        metricSelector: 'builtin:service.response.time:splitBy():percentile(95)',
        entitySelector: 'type(SERVICE),tag("service:cart")',
        resolution: 'Inf',
        from: '2026-01-01T10:00:00.000Z',
        to: '2026-01-01T10:05:00.000Z',
      },
    });
  });

  it.each([
    ['MV2;MicroSecond;metricSelector=m', 250_000, 250],
    ['MV2;Byte;metricSelector=m', 2048, 2],
    ['MV2;Percent;m', 99.5, 99.5],
    ['metricSelector=m', 250_000, 250_000],
  ])('%s scales as its unit says', async (text, given, value) => {
    const { reading } = await read(text, metrics([series([given])]));
    expect(reading).toEqual({ ok: true, value });
  });

  it('about an SLO asks for it in the period, not in its own', async () => {
    const slo = (changes: object) =>
      JSON.stringify({ id: 'a-1', name: 'x', evaluatedPercentage: 99.9, errorBudget: 0.4, error: 'NONE', ...changes });
    const { reading, request } = await read('SLO;a-1', slo({}));
    expect(reading).toEqual({ ok: true, value: 99.9 });
    expect(request).toMatchObject({
      path: '/api/v2/slo/a-1',
      query: { timeFrame: 'GTF', from: '2026-01-01T10:00:00.000Z' },
    });
    const none = { ok: false, missing: 'no-data' };
    expect((await read('SLO;a-1', slo({ evaluatedPercentage: -1 }))).reading).toMatchObject(none);
    expect((await read('SLO;a-1', slo({ error: 'METRIC_NOT_FOUND' }))).reading).toMatchObject({
      ...none,
      message: 'Dynatrace could not evaluate the SLO: METRIC_NOT_FOUND',
    });
  });

  it('about problems counts them, and none is zero', async () => {
    const text = 'PV2;problemSelector=status("open")&entitySelector=type(SERVICE),entityName.equals("$SERVICE")';
    const { reading, request } = await read(text, JSON.stringify({ totalCount: 0, pageSize: 1, problems: [] }));
    expect(reading).toEqual({ ok: true, value: 0 });
    expect(request).toMatchObject({
      path: '/api/v2/problems',
      query: { problemSelector: 'status("open")', entitySelector: 'type(SERVICE),entityName.equals("cart")' },
    });
    const security = await read('SECPV2;securityProblemSelector=riskLevel("HIGH")', '{"totalCount":3}');
    expect(security).toMatchObject({ reading: { value: 3 }, request: { path: '/api/v2/securityProblems' } });
    await expect(read(text, '{"problems":[]}')).rejects.toMatchObject({ reason: 'bad-response' });
  });

  it('that gives more than one number is not answered', async () => {
    expect((await read('m', metrics([series([1, 2])]))).reading).toMatchObject({
      missing: 'several-values',
      message: expect.stringContaining('end the metric selector with :fold'),
    });
    const paged = JSON.stringify({ ...(JSON.parse(metrics([series([1])])) as object), nextPageKey: 'abc' });
    expect((await read('m', paged)).reading).toMatchObject({ missing: 'several-values' });
    expect((await read('m', metrics([series([null])]))).reading).toMatchObject({ missing: 'no-data' });
    expect((await read('m', metrics([], { warnings: ['the metric is unknown'] }))).reading).toMatchObject({
      message: 'the query gives no data: the metric is unknown',
    });
  });

  it('for points takes whole minutes of a metric', async () => {
    const { url, requests } = await recorded(serve, metrics([series([1])]));
    const source = dynatrace.create('main', { ...config, url }, tools);
    await source.series?.({ ...query({ query: QUERY }), stepMs: 120_000 });
    expect(requests).toMatchObject([{ query: { resolution: '2m' } }]);
    await expect(source.series?.({ ...query({ query: QUERY }), stepMs: 1_500 })).rejects.toThrow('whole minutes');
    await expect(source.series?.({ ...query({ query: 'SLO;x' }), stepMs: 60_000 })).rejects.toThrow('only metrics');
  });
});

describe('the text of a question to Dynatrace', () => {
  const asked = (value: string, text = QUERY) => {
    const question = toQuestion(text, { SERVICE: value });
    return 'parameters' in question ? question.parameters : question;
  };

  it('holds any text inside of its quotes', () => {
    const text = 'metricSelector=m:filter(eq("name","$SERVICE"))&resolution=Inf';
    expect(asked('a"),b("~&resolution=1m', text)).toEqual({
      metricSelector: 'm:filter(eq("name","a~"),b(~"~~&resolution=1m"))',
      resolution: 'Inf',
    });
  });

  it.each(['a:b', '[AWS]a', 'a\\'])('takes no syntax of a tag: %j', (value) => {
    expect(() => asked(value)).toThrow('characters that cannot be written there');
  });

  it.each(['a)', 'a,b', '"', 'a&b', ' '])('takes no syntax outside of quotes: %j', (value) => {
    expect(() => asked(value, 'metricSelector=m&entitySelector=type(SERVICE),tag(service:$SERVICE)')).toThrow(
      'can only stand inside quotes',
    );
  });

  it.each([
    ['USQL;x', '"USQL;" is no kind of query here'],
    ['entitySelector=x', 'no metricSelector'],
    ['metricSelector=x&scope=y', '"scope=y" is no parameter here'],
    ['metricSelector=x&metricSelector=y', 'twice'],
    ['metricSelector="x', 'a quote that does not end'],
    ['MV2;metricSelector=x', 'write MV2;<unit>'],
    ['SLO;../problems', 'write SLO;<id>'],
  ])('%j is refused', (text, message) => {
    expect(() => asked('cart', text)).toThrow(message);
  });
});
