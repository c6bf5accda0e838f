import { describe, expect, it } from 'vitest';
import { httpJson } from '../../../src/adapters/metrics/http-json.ts';
import { compileNumberPath } from '../../../src/adapters/metrics/json-path.ts';
import { describeMetricsSource, query, serve, tools } from '../../contracts/metrics-source.ts';

describeMetricsSource('HTTP JSON', {
  create: (url) => httpJson.create('main', { url, token: { env: 'T' }, timeout: '500ms' }, tools),
  bodies: {
    value: (value) => JSON.stringify({ cart: { rate: value } }),
    noData: '{"cart":{"rate":null}}',
    notANumber: '{"cart":{"rate":"NaN"}}',
    right: [
      'null',
      '[]',
      '{}',
      '"text"',
      '{"status":"success"}',
      '{"status":"error"}',
      '{"status":"success","data":{"resultType":"vector","result":[{}]}}',
      '{"status":"success","data":{"resultType":"vector","result":[7]}}',
      '{"status":"success","data":{"resultType":"vector","result":"x"}}',
    ],
    wrong: ['{"cart":{"rate":1}} trailing', '{"cart":'],
  },
  query: "$['$SERVICE'].rate",
  unknownPlaceholder: '$["$NOBODY"]',
});

describe('a question by HTTP', () => {
  const asked = async (config: object, text: string, variables: Record<string, string> = { SERVICE: 'cart' }) => {
    const seen: unknown[] = [];
    const url = await serve(async (request, response) => {
      const body = Buffer.concat(await request.toArray()).toString();
      seen.push(`${request.method} ${request.url}`, ...(body === '' ? [] : [JSON.parse(body)]));
      response.end('{"a":1}');
    });
    const reading = await httpJson
      .create('main', { url: `${url}/api`, ...config }, tools)
      .read(query({ query: text, variables }));
    expect(reading).toEqual({ ok: true, value: 1 });
    return seen;
  };

  it('asks the path of the query, with encoded values', async () => {
    const variables = { SERVICE: 'a/b?c=d&e#f', STAGE: 'é' };
    expect(await asked({}, '/of/$SERVICE/$STAGE?window=$DURATION_SECONDS&s=$SERVICE $.a', variables)).toEqual([
      'GET /api/of/a%2Fb%3Fc%3Dd%26e%23f/%C3%A9?window=300s&s=a%2Fb%3Fc%3Dd%26e%23f',
    ]);
  });

  it('asks the configured path by POST, with values in the texts of its body', async () => {
    const body = { filter: { service: '$SERVICE', from: '$START' }, list: ['x-$SERVICE', 1, null, true] };
    expect(await asked({ method: 'POST', path: '/query', body }, '$.a', { SERVICE: '"},{"' })).toEqual([
      'POST /api/query',
      { filter: { service: '"},{"', from: '2026-01-01T10:00:00.000Z' }, list: ['x-"},{"', 1, null, true] },
    ]);
  });

  it.each([
    ['/../admin $.a', 'cart'],
    ['/x/%2e%2E/y $.a', 'cart'],
    ['/x/$SERVICE/y $.a', '..'],
    ['/$SERVICE $.a', ''],
    ['//evil.example.com/$SERVICE $.a', 'cart'],
    ['/x#y $.a', 'cart'],
    ['/x\\y $.a', 'cart'],
  ])('does not leave its URL by %s with %j', async (text, value) => {
    const source = httpJson.create('main', { url: 'http://127.0.0.1:1/api' }, tools);
    const reading = source.read(query({ query: text, variables: { SERVICE: value } }));
    await expect(reading).rejects.toMatchObject({ reason: 'rejected' });
  });

  it.each(['a.b', '', 'x/y $.a', '$SERVICE'])('is refused when it is %j', async (text) => {
    const source = httpJson.create('main', { url: 'http://127.0.0.1:1' }, tools);
    await expect(source.read(query({ query: text }))).rejects.toMatchObject({ reason: 'rejected' });
  });

  it('has a body by POST only', () => {
    expect(() => httpJson.create('main', { url: 'http://x', body: {} }, tools)).toThrow('method: POST only');
  });
});

describe('a JSONPath', () => {
  const document = {
    data: [
      { name: 'cart', rate: 0.5, text: '0.5', up: true },
      { name: 'it\'s "', rate: 2 },
    ],
    deep: { rate: 7 },
  };
  const pick = (path: string, variables: Record<string, string> = {}) => compileNumberPath(path, variables)(document);

  it.each([
    ['$.data[0].rate', 0.5],
    ['$.data[-1].rate', 2],
    ["$.data[?@.name == 'cart'].rate", 0.5],
    ['$.data[?@.rate > 1].rate', 2],
    ['$..deep.rate', 7],
  ])('%s picks a number', (path, value) => {
    expect(pick(path)).toEqual({ ok: true, value });
  });

  it.each([
    ['$.data[*].rate', 'several-values'],
    ['$..rate', 'several-values'],
    ['$.nothing', 'no-data'],
    ['$.data[0].text', 'not-numeric'],
    ['$.data[0].up', 'not-numeric'],
    ['$.data', 'not-numeric'],
  ])('%s is answered honestly', (path, missing) => {
    expect(pick(path)).toMatchObject({ ok: false, missing });
  });

  it.each(["$.data[?@.name == '$NAME'].rate", '$.data[?@.name == "$NAME"].rate'])('takes any text in %s', (path) => {
    expect(pick(path, { NAME: 'it\'s "' })).toEqual({ ok: true, value: 2 });
    for (const hostile of ["' || 'a' == 'a", '" || "a" == "a', '\\', "\\'", ']', '\u2028', '😀']) {
      expect(pick(path, { NAME: hostile })).toMatchObject({ missing: 'no-data' });
    }
    for (const control of ['\n', '\u0000', '\u0085']) {
      expect(() => pick(path, { NAME: control })).toThrow('the value of $NAME');
    }
  });

  it.each(['$.a[', 'a.b', '$.a[?match(@.b, "(a+)+")]', '$.a[?nonsense(@)]'])('%s is refused', (path) => {
    expect(() => pick(path)).toThrow(/is not a JSONPath|could look at too much/);
  });

  it.each(['$..a..b', '$[*,*][*,*]', '$..a[?@..b]', '$.a[?$.b == 1]', '$.a[?count(@..*) > 1]'])(
    '%s could look at too much',
    (path) => {
      expect(() => pick(path)).toThrow('could look at too much');
    },
  );

  it('ends on a document that is nested without end', () => {
    const nested = JSON.parse(`${'['.repeat(5000)}1${']'.repeat(5000)}`);
    expect(() => compileNumberPath('$..rate', {})(nested)).toThrow('nested too deeply');
  });
});
