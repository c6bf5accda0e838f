import { describe, expect, it } from 'vitest';
import { newRelic } from '../../../src/adapters/metrics/new-relic.ts';
import { toNrql } from '../../../src/adapters/metrics/nrql.ts';
import { describeMetricsSource, query, SECRET, serve, tools } from '../../contracts/metrics-source.ts';
import { recorded } from '../../support/recorded.ts';

const config = { account: 42, apiKey: { env: 'A' }, timeout: '500ms' };
const QUERY = "SELECT percentile(duration, 95) FROM Transaction WHERE appName = '$SERVICE'";

/** Shapes after https://docs.newrelic.com/docs/apis/nerdgraph/examples/nerdgraph-nrql-tutorial/. */
const answer = (results: unknown) => JSON.stringify({ data: { actor: { account: { nrql: { results } } } } });
const refused = (message: string, errorClass: string) =>
  JSON.stringify({
    data: { actor: { account: { nrql: null } } },
    errors: [{ message, path: ['actor', 'account', 'nrql'], extensions: { errorClass } }],
  });

describeMetricsSource('New Relic', {
  create: (url) => newRelic.create('main', { url, ...config }, tools),
  query: QUERY,
  bodies: {
    value: (value) => answer([{ 'percentile.duration': { '95': value } }]),
    noData: answer([]),
    severalValues: answer([
      { facet: 'a', count: 1 },
      { facet: 'b', count: 1 },
    ]),
    series: (points) =>
      answer(
        points.map((point, at) => ({
          beginTimeSeconds: at * 60,
          endTimeSeconds: at * 60 + 60,
          'percentile.duration': { '95': point },
        })),
      ),
    wrong: [answer('x'), answer([7]), '{"data":null}', '{"data":{"actor":{"account":null}}}'],
  },
});

const read = async (body: string, text = QUERY) => {
  const { url, requests } = await recorded(serve, body);
  const reading = await newRelic.create('main', { ...config, url }, tools).read(query({ query: text }));
  return { reading, request: requests[0] };
};

describe('a question to New Relic', () => {
  it('travels as a variable, with its period', async () => {
    const { request } = await read(answer([{ count: 1 }]), "SELECT count(*) FROM Log WHERE app = '$SERVICE' -- all");
    const [from, to] = [Date.parse('2026-01-01T10:00:00Z'), Date.parse('2026-01-01T10:05:00Z')];
    expect(request).toMatchObject({
      method: 'POST',
      path: '/graphql',
      headers: { 'api-key': SECRET },
      body: {
        query: expect.not.stringContaining('Log'),
        variables: {
          account: 42,
          nrql: `SELECT count(*) FROM Log WHERE app = 'cart' -- all\nSINCE ${from} UNTIL ${to}`,
          timeout: 5,
        },
      },
    });
  });

  it.each([
    ['a count', [{ count: 0 }], { ok: true, value: 0 }],
    ['an apdex', [{ 'apdex.duration': { count: 9, f: 1, s: 8, score: 0.9, t: 0.5 } }], { ok: true, value: 0.9 }],
    ['an average of nothing', [{ 'average.duration': null }], { ok: false, missing: 'no-data' }],
    ['two percentiles', [{ 'percentile.duration': { '50': 1, '95': 2 } }], { ok: false, missing: 'several-values' }],
    ['a text', [{ 'latest.name': 'x' }], { ok: false, missing: 'not-numeric' }],
    ['a histogram', [{ 'histogram.duration': [1, 2] }], { ok: false, missing: 'not-numeric' }],
  ])('that gives %s is answered honestly', async (_what, results, expected) => {
    expect((await read(answer(results))).reading).toMatchObject(expected);
  });

  it.each([
    ['NRQL Syntax Error: Error at line 1', 'BAD_USER_INPUT', 'rejected'],
    ['Query timed out', 'TIMEOUT', 'timeout'],
    ['Access denied.', 'ACCESS_DENIED', 'forbidden'],
    ['Too many requests', 'TOO_MANY_REQUESTS', 'rate-limited'],
    ['An internal error', 'SERVER_ERROR', 'unavailable'],
  ])('that is refused with "%s" says why', async (message, errorClass, reason) => {
    await expect(read(refused(`${message} ${SECRET}`, errorClass))).rejects.toMatchObject({
      reason,
      message: `New Relic main could not answer: ${message} <secret>`,
    });
  });

  it('for points has a step, of which there are not too many', async () => {
    const { url, requests } = await recorded(serve, answer([]));
    const source = newRelic.create('main', { ...config, url }, tools);
    await source.series?.({ ...query({ query: QUERY }), stepMs: 60_000 });
    expect(requests).toMatchObject([
      { body: { variables: { nrql: expect.stringMatching(/TIMESERIES 60 seconds$/) } } },
    ]);
    await expect(source.series?.({ ...query({ query: QUERY }), stepMs: 1500 })).rejects.toThrow('whole seconds');
    const day = { start: '2026-01-01T00:00:00Z', end: '2026-01-02T00:00:00Z' };
    await expect(source.series?.({ ...query({ query: QUERY, ...day }), stepMs: 60_000 })).rejects.toThrow(
      'at most 366',
    );
  });
});

describe('the text of a question to New Relic', () => {
  const fill = (text: string, value = 'cart') =>
    toNrql(text, { V: value }, { startMs: 1, endMs: 2 }).split('\nSINCE')[0];

  it.each([
    ["a = '$V'", 'a "b" (c) -- ü', `a = 'a "b" (c) -- ü'`],
    ["a LIKE '%$V%'", 'cart-1', "a LIKE '%cart-1%'"],
    ["a RLIKE r'$V.*'", 'a.b', "a RLIKE r'a\\.b.*'"],
    ['SELECT $V FROM T', 'average', 'SELECT average FROM T'],
  ])('%s takes %j', (text, value, expected) => {
    expect(fill(text, value)).toBe(expected);
  });

  it.each([
    ["a = '$V'", "x' OR '1' = '1"],
    ["a = '$V'", '\\'],
    ["a = '$V'", '\n'],
    ["a LIKE '$V'", '%'],
    ["a LIKE '$V'", 'a_b'],
    ["a RLIKE '$V'", 'a.b'],
    ["a RLIKE r'$V'", "'"],
    ['a = $V', '1 OR 2'],
    ['`$V`', 'a`'],
    ['/* $V', '*/'],
  ])('%s does not take %j', (text, value) => {
    expect(() => fill(text, value)).toThrow(/cannot be written there|can only stand inside quotes/);
  });

  it.each(['SINCE 1 day ago', 'until now', 'TIMESERIES', 'COMPARE WITH 1 day ago'])('has no %s', (clause) => {
    expect(() => fill(`SELECT count(*) FROM T ${clause}`)).toThrow('the period of the evaluation is added');
  });

  it('may have such words in its texts', () => {
    expect(fill("SELECT count(*) FROM T WHERE `until` = 'since' -- since")).toContain('since');
  });
});
