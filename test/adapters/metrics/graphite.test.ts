import { describe, expect, it } from 'vitest';
import { graphite } from '../../../src/adapters/metrics/graphite.ts';
import { describeMetricsSource, query, serve, tools } from '../../contracts/metrics-source.ts';

/** One series whose points are a minute apart, from the beginning of the period of `query()`. */
const series = (points: readonly (number | null)[], target = 'stats.cart.latency', from = 1_767_261_600) => ({
  target,
  tags: { name: target },
  datapoints: points.map((point, at) => [point, from + at * 60]),
});
const answer = (...all: object[]) => JSON.stringify(all);
const target = 'stats.$SERVICE.latency';
const source = (url: string, reduce?: string) =>
  graphite.create('main', { url, ...(reduce === undefined ? {} : { reduce }) }, tools);

describeMetricsSource('Graphite', {
  create: (url) => graphite.create('main', { url, token: { env: 'T' }, timeout: '500ms' }, tools),
  bodies: {
    value: (value) => answer(series([7, value, null])),
    noData: answer(series([null, null])),
    severalValues: answer(series([1], 'a'), series([1], 'b')),
    series: (points) => answer(series(points)),
    wrong: ['[7]', '[{}]', '[{"datapoints":[1]}]', '[{"datapoints":[[1]]}]'],
    right: ['[]'],
  },
  query: target,
  unknownPlaceholder: 'stats.$NOBODY',
});

describe('a question to Graphite', () => {
  it('is asked for the whole period', async () => {
    const seen: unknown[] = [];
    const url = await serve((request, response) => {
      const asked = new URL(request.url ?? '', 'http://x');
      seen.push(asked.pathname, Object.fromEntries(asked.searchParams));
      response.end(answer(series([1])));
    });
    await source(`${url}/graphite`).read(query({ query: `summarize(${target}, "$DURATION_SECONDS", "max")` }));
    expect(seen).toEqual([
      '/graphite/render',
      {
        target: 'summarize(stats.cart.latency, "300s", "max")',
        from: '1767261600',
        until: '1767261900',
        format: 'json',
      },
    ]);
  });

  it('has no data when no series has this name', async () => {
    const url = await serve((_request, response) => response.end('[]'));
    expect(await source(url).read(query({ query: target }))).toMatchObject({ missing: 'no-data' });
  });

  it.each([
    [undefined, 4],
    ['last', 4],
    ['avg', 3],
    ['max', 4],
    ['min', 2],
    ['sum', 9],
  ])('makes one number of the points: %s', async (reduce, value) => {
    const url = await serve((_request, response) => response.end(answer(series([2, null, 3, 4, null]))));
    expect(await source(url, reduce).read(query({ query: target }))).toEqual({ ok: true, value });
  });

  it('does not judge by points outside of the period', async () => {
    const url = await serve((_request, response) => response.end(answer(series([9, 1], 'a', 1_767_261_540))));
    expect(await source(url, 'max').read(query({ query: target }))).toEqual({ ok: true, value: 1 });
  });

  it.each([
    [target, 'a.b'],
    [target, '*'],
    [target, 'a,b'],
    [target, 'a)b'],
    ['seriesByTag("name=x", "service=$SERVICE")', '~.*'],
    ['seriesByTag("name=x", "service=$SERVICE")', 'a","b'],
    ["alias(x, '$SERVICE')", "a'"],
    ["alias(x, '$SERVICE')", '\\'],
    ["alias(x, '$SERVICE')", ''],
  ])('%s does not take the value %j', async (text, value) => {
    const reading = source('http://127.0.0.1:1').read(query({ query: text, variables: { SERVICE: value } }));
    await expect(reading).rejects.toMatchObject({ reason: 'rejected', message: expect.stringContaining('$SERVICE') });
  });
});
