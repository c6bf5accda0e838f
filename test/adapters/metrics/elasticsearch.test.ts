import { describe, expect, it } from 'vitest';
import { elasticsearch } from '../../../src/adapters/metrics/elasticsearch.ts';
import { describeMetricsSource, query, SECRET, serve, tools } from '../../contracts/metrics-source.ts';

const found = (changes: object = {}) =>
  JSON.stringify({
    took: 3,
    timed_out: false,
    _shards: { total: 2, successful: 2, skipped: 0, failed: 0 },
    hits: { total: { value: 12, relation: 'eq' }, max_score: null, hits: [] },
    ...changes,
  });
const aggregated = (aggregations: object) => found({ aggregations });
const table = (columns: object[], values: unknown[], changes: object = {}) =>
  JSON.stringify({ columns, values, ...changes });
const search = JSON.stringify({
  query: { term: { service: { value: '$SERVICE' } } },
  aggs: { latency: { avg: { field: 'ms' } } },
});
const esql = 'FROM logs | WHERE service == "$SERVICE" | STATS rate = AVG(ms)';
const source = (url: string, changes: object = {}) =>
  elasticsearch.create('main', { url, index: 'logs-*', timeout: '500ms', ...changes }, tools);

describeMetricsSource('Elasticsearch (search)', {
  create: (url) => source(url, { apiKey: { env: 'K' } }),
  bodies: {
    value: (value) => aggregated({ latency: { value } }),
    noData: aggregated({ latency: { value: null } }),
    notANumber: aggregated({ latency: { value: 'NaN' } }),
    severalValues: aggregated({ a: { value: 1 }, b: { value: 2 } }),
    wrong: [found(), '{"_shards":7}', found({ aggregations: 7 })],
  },
  query: search,
  unknownPlaceholder: '{"query":{"term":{"a":"$NOBODY"}}}',
});

describeMetricsSource('Elasticsearch (ES|QL)', {
  create: (url) => source(url, { basicAuth: { username: 'user', password: { env: 'P' } } }),
  bodies: {
    value: (value) => table([{ name: 'rate', type: 'double' }], [[value]]),
    noData: table([{ name: 'rate', type: 'double' }], [[null]]),
    severalValues: table([{ name: 'rate', type: 'double' }], [[1], [2]]),
    wrong: ['{"columns":[7],"values":[]}', '{"columns":[],"values":[7]}', '{"columns":[{}],"values":[[]]}'],
  },
  query: esql,
  unknownPlaceholder: 'FROM x | WHERE a == "$NOBODY"',
});

describe('a question to Elasticsearch', () => {
  const asked = async (text: string, config: object = {}, variables: Record<string, string> = { SERVICE: 'cart' }) => {
    const seen: unknown[] = [];
    const url = await serve(async (request, response) => {
      seen.push(
        request.url,
        request.headers.authorization,
        JSON.parse(Buffer.concat(await request.toArray()).toString()),
      );
      response.end(
        text.startsWith('{')
          ? found({ aggregations: { a: { value: 1 } } })
          : table([{ name: 'a', type: 'long' }], [[1]]),
      );
    });
    await source(url, config).read(query({ query: text, variables }));
    return seen;
  };
  const range = { range: { '@timestamp': { gte: '2026-01-01T10:00:00.000Z', lt: '2026-01-01T10:05:00.000Z' } } };

  it('is a search of the period without documents', async () => {
    expect(await asked(search, { apiKey: { env: 'K' } })).toEqual([
      '/logs-*/_search?allow_partial_search_results=false',
      `ApiKey ${SECRET}`,
      {
        size: 0,
        track_total_hits: true,
        query: { bool: { filter: [range, { term: { service: { value: 'cart' } } }] } },
        aggs: { latency: { avg: { field: 'ms' } } },
      },
    ]);
  });

  it('is ES|QL with the period as its filter', async () => {
    expect(await asked(esql, { timeField: '' })).toEqual([
      '/_query',
      undefined,
      { query: 'FROM logs | WHERE service == "cart" | STATS rate = AVG(ms)' },
    ]);
    expect((await asked(esql))[2]).toMatchObject({ filter: range });
  });

  it('takes any value as text, also one that looks like a query', async () => {
    const hostile = '"}},"match_all":{}, \\ \n \u0000';
    const [, , body] = await asked(search, {}, { SERVICE: hostile });
    expect(body).toMatchObject({ query: { bool: { filter: [range, { term: { service: { value: hostile } } }] } } });
    const [, , sent] = await asked(esql, {}, { SERVICE: 'a" OR "b" == "b\\\n' });
    expect(sent).toMatchObject({
      query: 'FROM logs | WHERE service == "a\\" OR \\"b\\" == \\"b\\\\\\n" | STATS rate = AVG(ms)',
    });
  });

  it('gives values to a script as its params', async () => {
    const script = { source: 'doc.a.value == params.s', params: { s: '$SERVICE' } };
    const [, , body] = await asked(JSON.stringify({ query: { script: { script } } }), {}, { SERVICE: 'a;b' });
    expect(JSON.stringify(body)).toContain('"s":"a;b"');
  });

  it.each([
    ['{"query":{"query_string":{"query":"service:$SERVICE"}}}', 'cart OR *'],
    ['{"query":{"script":{"script":"doc.a == \'$SERVICE\'"}}}', "'"],
    ['{"query":{"wildcard":{"a":{"value":"$SERVICE*"}}}}', '*'],
    ['{"query":{"regexp":{"a":"$SERVICE"}}}', 'a.b'],
    ['{"aggs":{"a":{"terms":{"field":"x","include":"$SERVICE"}}}}', '.*'],
    ['{"index":"$SERVICE"}', '../_cluster'],
    ['{"index":"$SERVICE"}', '_all'],
    ['FROM x | WHERE a == $SERVICE', 'b OR true'],
    ['FROM x | WHERE a LIKE "$SERVICE"', '*'],
    ['FROM x | WHERE a RLIKE """$SERVICE"""', '.*'],
    ['FROM x | WHERE a == "$SERVICE"', '\u0000'],
    ['FROM x // "$SERVICE"\n', 'a\n| b'],
    ['{"query":', 'cart'],
    ['{"value":"rate"}', 'cart'],
    ['{"value":7}', 'cart'],
  ])('%s with %j is refused before it is sent', async (text, value) => {
    const reading = source('http://127.0.0.1:1').read(query({ query: text, variables: { SERVICE: value } }));
    await expect(reading).rejects.toMatchObject({ reason: 'rejected' });
  });

  it('needs an index', async () => {
    const reading = elasticsearch.create('main', { url: 'http://127.0.0.1:1' }, tools).read(query({ query: '{}' }));
    await expect(reading).rejects.toThrow('the search needs an "index"');
  });

  it('repeats why a query was refused', async () => {
    const body = {
      error: { root_cause: [{ type: 'x' }], type: 'parsing_exception', reason: 'unknown query [trem]' },
      status: 400,
    };
    const url = await serve((_request, response) => response.writeHead(400).end(JSON.stringify(body)));
    await expect(source(url).read(query({ query: search }))).rejects.toThrow('answered 400: unknown query [trem]');
  });
});

describe('an answer of Elasticsearch', () => {
  const read = async (text: string, body: string) => {
    const url = await serve((_request, response) => response.end(body));
    return source(url).read(query({ query: text }));
  };
  const aggs = '{"aggs":{"a":{}}}';

  it.each([
    ['the number of documents', '{}', found(), 12],
    ['a filter', aggs, aggregated({ errors: { doc_count: 3 } }), 3],
    ['a metric in a filter', aggs, aggregated({ errors: { doc_count: 3, meta: {}, p: { value: 0.5 } } }), 0.5],
    ['one percentile', aggs, aggregated({ p: { values: { '95.0': 250.5 } } }), 250.5],
    [
      'what "value" picks',
      '{"aggs":{"a":{}},"value":"$.aggregations.b.value"}',
      aggregated({ a: { buckets: [] }, b: { value: 7 } }),
      7,
    ],
    ['a count of ES|QL', esql, table([{ name: 'n', type: 'long' }], [[0]]), 0],
    ['a large number of ES|QL', esql, table([{ name: 'n', type: 'unsigned_long' }], [['12']]), 12],
  ])('is %s', async (_what, text, body, value) => {
    expect(await read(text, body)).toEqual({ ok: true, value });
  });

  it.each([
    ['buckets', aggs, aggregated({ a: { buckets: [{ doc_count: 1 }] } }), 'several-values'],
    ['several percentiles', aggs, aggregated({ p: { values: { '95.0': 1, '99.0': 2 } } }), 'several-values'],
    ['statistics', aggs, aggregated({ s: { count: 1, min: 1 } }), 'not-numeric'],
    ['no rows', esql, table([{ name: 'n', type: 'long' }], []), 'no-data'],
    [
      'two columns',
      esql,
      table(
        [
          { name: 'a', type: 'long' },
          { name: 'b', type: 'long' },
        ],
        [[1, 2]],
      ),
      'several-values',
    ],
    ['a word', esql, table([{ name: 'a', type: 'keyword' }], [['1']]), 'not-numeric'],
  ])('with %s is answered honestly', async (_what, text, body, missing) => {
    expect(await read(text, body)).toMatchObject({ ok: false, missing });
  });

  it.each([
    ['a shard missing', '{}', found({ _shards: { total: 2, successful: 1, failed: 1 } })],
    ['a time-out', '{}', found({ timed_out: true })],
    ['a part of the rows', esql, table([{ name: 'n', type: 'long' }], [[1]], { is_partial: true })],
  ])('with %s is none', async (_what, text, body) => {
    await expect(read(text, body)).rejects.toMatchObject({ reason: 'unavailable' });
  });

  it('with a count that is not exact is none', async () => {
    const body = found({ hits: { total: { value: 10_000, relation: 'gte' } } });
    await expect(read('{}', body)).rejects.toMatchObject({ reason: 'bad-response' });
  });
});
