import { describe, expect, it } from 'vitest';
import { datadog } from '../../../src/adapters/metrics/datadog.ts';
import { toQuestion } from '../../../src/adapters/metrics/datadog-query.ts';
import { describeMetricsSource, query, SECRET, serve, tools } from '../../contracts/metrics-source.ts';
import { recorded } from '../../support/recorded.ts';

const config = { apiKey: { env: 'A' }, applicationKey: { env: 'B' }, timeout: '500ms' };
const QUERY = 'avg:trace.http.request.duration{service:$SERVICE}';

/** Shapes after https://docs.datadoghq.com/api/latest/metrics/ (query scalar, query timeseries). */
const scalar = (columns: unknown) => JSON.stringify({ data: { type: 'scalar_response', attributes: { columns } } });
const numbers = (...values: (number | null)[]) => ({
  name: 'query',
  type: 'number',
  values,
  meta: {
    unit: [{ family: 'time', name: 'second', short_name: 's', plural: 'seconds', scale_factor: 1, id: 11 }, null],
  },
});
const groups = (...values: string[][]) => ({ name: 'env', type: 'group', values });
const timeseries = (values: unknown[]) =>
  JSON.stringify({
    data: {
      type: 'timeseries_response',
      attributes: {
        series: values.map((_, at) => ({ group_tags: [], query_index: at, unit: null })),
        times: [1],
        values,
      },
    },
  });

describeMetricsSource('Datadog', {
  create: (url) => datadog.create('main', { url, ...config }, tools),
  query: QUERY,
  bodies: {
    value: (value) => scalar([numbers(value)]),
    noData: scalar([numbers()]),
    severalValues: scalar([groups(['prod'], ['dev']), numbers(1, 2)]),
    series: (points) => timeseries([points]),
    wrong: [
      scalar([{ name: 'query', type: 'number', values: ['1'] }]),
      scalar([{ name: 'query', type: 'number' }]),
      scalar(undefined),
      timeseries([[1]]),
    ],
  },
});

describe('a question to Datadog', () => {
  it('carries its keys in headers, the period in milliseconds and the formula', async () => {
    const { url, requests } = await recorded(serve, scalar([numbers(1)]));
    await datadog
      .create('main', { ...config, url, headers: { 'X-Team': 'shop' } }, tools)
      .read(query({ query: QUERY }));
    expect(requests).toMatchObject([
      {
        method: 'POST',
        path: '/api/v2/query/scalar',
        headers: { 'dd-api-key': SECRET, 'dd-application-key': SECRET, 'x-team': 'shop' },
        body: {
          data: {
            type: 'scalar_request',
            attributes: {
              from: Date.parse('2026-01-01T10:00:00Z'),
              to: Date.parse('2026-01-01T10:05:00Z'),
              queries: [
                {
                  data_source: 'metrics',
                  name: 'query',
                  query: 'avg:trace.http.request.duration{service:cart}',
                  aggregator: 'avg',
                },
              ],
              formulas: [{ formula: 'query' }],
            },
          },
        },
      },
    ]);
  });

  it('for points names the step', async () => {
    const { url, requests } = await recorded(serve, timeseries([[1]]));
    await datadog.create('main', { ...config, url }, tools).series?.({ ...query({ query: QUERY }), stepMs: 60_000 });
    expect(requests).toMatchObject([
      {
        path: '/api/v2/query/timeseries',
        body: { data: { attributes: { interval: 60_000, queries: [{ name: 'query' }] } } },
      },
    ]);
  });

  it('goes to the API of the site', async () => {
    const source = datadog.create('main', { ...config, site: 'nowhere.invalid' }, tools);
    await expect(source.read(query({ query: QUERY }))).rejects.toMatchObject({ reason: 'unavailable' });
  });

  it('has no answer where Datadog says so, or where a group has none', async () => {
    const read = async (body: string) => {
      const url = await serve((_request, response) => response.end(body));
      return datadog.create('main', { ...config, url }, tools).read(query({ query: QUERY }));
    };
    await expect(read(JSON.stringify({ errors: `no such metric ${SECRET}` }))).rejects.toThrow(
      'Datadog main could not answer: no such metric <secret>',
    );
    expect(await read(scalar([numbers(null)]))).toMatchObject({ ok: false, missing: 'no-data' });
    expect(await read(scalar([]))).toMatchObject({ ok: false, missing: 'no-data' });
    expect(await read(scalar([groups(['prod']), numbers(3)]))).toEqual({ ok: true, value: 3 });
    expect(await read(scalar([groups(['prod'], ['dev']), numbers(1, 2)]))).toMatchObject({
      message: 'the query gives 2 values (prod, dev): leave out "by {...}", or add the groups up',
    });
  });
});

describe('the text of a question to Datadog', () => {
  it('names queries and ends with their formula', () => {
    const text = `
      errors = sum:trace.http.request.errors{service:$SERVICE}.as_count()
      hits = max; sum:trace.http.request.hits{service:$SERVICE}
      errors / hits`;
    expect(toQuestion(text, { SERVICE: 'cart' })).toEqual({
      queries: [
        {
          data_source: 'metrics',
          name: 'errors',
          query: 'sum:trace.http.request.errors{service:cart}.as_count()',
          aggregator: 'sum',
        },
        { data_source: 'metrics', name: 'hits', query: 'sum:trace.http.request.hits{service:cart}', aggregator: 'max' },
      ],
      formula: 'errors / hits',
    });
  });

  it.each([
    ['', 'the query is empty'],
    ['a = x\nb = y', 'the last line must be a formula'],
    ['x\na', '"x" is no line "name = query"'],
    ['middle; x', '"middle;" is no way to make one number: take avg'],
  ])('%j is refused', (text, message) => {
    expect(() => toQuestion(text, {})).toThrow(message);
  });

  it.each(['*', 'a}', 'a,env:prod', 'a b', '!a', '(a', 'a\nb = c', '', 'ä'])('takes no syntax: %j', (value) => {
    expect(() => toQuestion(QUERY, { SERVICE: value })).toThrow('the value of $SERVICE can only stand inside quotes');
  });
});
