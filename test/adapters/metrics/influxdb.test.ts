import { describe, expect, it } from 'vitest';
import { influxdb } from '../../../src/adapters/metrics/influxdb.ts';
import { fillFlux, INFLUXQL } from '../../../src/adapters/metrics/influxdb-languages.ts';
import { fillPlaceholders } from '../../../src/adapters/metrics/placeholders.ts';
import { describeMetricsSource, query, SECRET, serve, tools } from '../../contracts/metrics-source.ts';

/** One table of annotated CSV, as `/api/v2/query` writes it. */
function csv(values: readonly (string | number)[], type = 'double', table = 0): string {
  return [
    `#datatype,string,long,dateTime:RFC3339,${type},string,string`,
    '#group,false,false,false,false,true,true',
    '#default,_result,,,,,',
    ',result,table,_time,_value,_field,_measurement',
    ...values.map((value, at) => `,,${table},2026-01-01T10:0${at}:00Z,${value},latency,requests`),
    '',
    '',
  ].join('\r\n');
}
const influxql = (...values: unknown[]) =>
  JSON.stringify({
    results: [
      {
        statement_id: 0,
        series: [{ name: 'requests', columns: ['time', 'mean'], values: values.map((one, at) => [at, one]) }],
      },
    ],
  });
const flux = (url: string) =>
  influxdb.create('main', { url, org: 'shop', token: { env: 'T' }, timeout: '500ms' }, tools);
const byInfluxql = (url: string) =>
  influxdb.create(
    'main',
    {
      url,
      language: 'influxql',
      database: 'telegraf',
      basicAuth: { username: 'user', password: { env: 'P' } },
      timeout: '500ms',
    },
    tools,
  );
const failed = `#datatype,string,string\r\n#group,true,true\r\n#default,,\r\n,error,reference\r\n,it broke,897\r\n\r\n`;

describeMetricsSource('InfluxDB (Flux)', {
  create: flux,
  bodies: {
    value: (value) => csv([value]),
    noData: '\r\n',
    notANumber: csv(['NaN']),
    severalValues: csv([1, 2]),
    series: (points) => csv(points.map((point) => point ?? '')),
    wrong: [',result,table,_value\r\n,,0,1\r\n', 'a,b\r\n1,2\r\n', '#datatype,"string\r\n'],
  },
});

describeMetricsSource('InfluxDB (InfluxQL)', {
  create: byInfluxql,
  bodies: {
    value: (value) => influxql(value),
    noData: JSON.stringify({ results: [{ statement_id: 0 }] }),
    severalValues: influxql(1, 2),
    series: (points) => influxql(...points),
    wrong: ['{"results":[]}', '{"results":[7]}', '{"results":[{"series":[{"columns":["time","a"],"values":[[1]]}]}]}'],
  },
});

describe('a question to InfluxDB', () => {
  it('in Flux is asked with the end of the period as now, in the organisation', async () => {
    const seen: unknown[] = [];
    const url = await serve(async (request, response) => {
      const body = JSON.parse(Buffer.concat(await request.toArray()).toString());
      seen.push(request.url, request.headers.authorization, body.now, body.query);
      response.end(csv([1]));
    });
    const text = 'from(bucket: "b") |> range(start: -$DURATION_SECONDS) |> filter(fn: (r) => r.s == "$SERVICE")';
    await flux(url).read(query({ query: text }));
    expect(seen).toEqual([
      '/api/v2/query?org=shop',
      `Token ${SECRET}`,
      '2026-01-01T10:05:00.000Z',
      'from(bucket: "b") |> range(start: -300s) |> filter(fn: (r) => r.s == "cart")',
    ]);
  });

  it('in InfluxQL is asked of the database, by a method that changes nothing', async () => {
    const seen: unknown[] = [];
    const url = await serve((request, response) => {
      const asked = new URL(request.url ?? '', 'http://x');
      seen.push(request.method, asked.pathname, Object.fromEntries(asked.searchParams));
      response.end(influxql(1));
    });
    await byInfluxql(url).read(query({ query: `select mean(x) from y where s = '$SERVICE' and time >= '$START'` }));
    const q = `select mean(x) from y where s = 'cart' and time >= '2026-01-01T10:00:00.000Z'`;
    expect(seen).toEqual(['GET', '/query', { db: 'telegraf', epoch: 'ms', q }]);
  });

  it.each([
    ['a failure half way', flux, failed, { reason: 'rejected', message: 'InfluxDB main: it broke' }],
    [
      'a failed statement',
      byInfluxql,
      '{"results":[{"statement_id":0,"error":"database not found: telegraf"}]}',
      { reason: 'rejected', message: 'InfluxDB main: database not found: telegraf' },
    ],
    ['a part of the data', byInfluxql, '{"results":[{"partial":true,"series":[]}]}', { reason: 'unavailable' }],
  ])('that gives %s fails', async (_what, create, body, expected) => {
    const url = await serve((_request, response) => response.end(body));
    await expect(create(url).read(query())).rejects.toMatchObject(expected);
  });

  it.each([
    ['text', flux, csv(['a'], 'string'), 'not-numeric'],
    ['a truth', flux, csv(['true'], 'boolean'), 'not-numeric'],
    ['two tables', flux, csv([1]) + csv([2], 'double', 1), 'several-values'],
    ['no value', flux, csv(['']), 'no-data'],
    ['text', byInfluxql, influxql('a'), 'not-numeric'],
    ['null', byInfluxql, influxql(null), 'no-data'],
    [
      'two columns',
      byInfluxql,
      '{"results":[{"series":[{"columns":["time","a","b"],"values":[[0,1,2]]}]}]}',
      'several-values',
    ],
    [
      'two series',
      byInfluxql,
      '{"results":[{"series":[{"name":"a","tags":{"pod":"x"},"columns":[],"values":[]},{"name":"b"}]}]}',
      'several-values',
    ],
  ])('that gives %s is answered honestly', async (_what, create, body, missing) => {
    const url = await serve((_request, response) => response.end(body));
    expect(await create(url).read(query())).toMatchObject({ ok: false, missing });
  });

  it('cannot be asked without knowing where the data is', () => {
    expect(() => influxdb.create('a', { url: 'http://x' }, tools)).toThrow('needs "org"');
    expect(() => influxdb.create('a', { url: 'http://x', language: 'influxql' }, tools)).toThrow('needs "database"');
  });
});

describe('a placeholder in Flux', () => {
  const fill = (text: string, value: string) => fillFlux(text, { SERVICE: value });

  it.each([
    ['r.s == "$SERVICE"', 'a"b', 'r.s == "a\\x22b"'],
    ['r.s == "$SERVICE"', '\\', 'r.s == "\\x5c"'],
    ['r.s == "$SERVICE"', '\u0024{1}\n', 'r.s == "\\x24{1}\\x0a"'],
    ['r.s =~ /^$SERVICE$/', 'a.b/c', 'r.s =~ /^a\\.b\\/c$/'],
    ['regexp.matchRegexpString(r: /"$SERVICE/, v: "$SERVICE")', 'a b', 'regexp.matchRegexpString(r: /"a b/, v: "a b")'],
    ['r.a / r.b // "\n |> x("$SERVICE")', 'a b', 'r.a / r.b // "\n |> x("a b")'],
  ])('in %s with %j is that text', (text, value, expected) => {
    expect(fill(text, value)).toBe(expected);
  });

  it.each(['r.s == $SERVICE', 'r.s / $SERVICE / 2', '// "$SERVICE'])('in %s takes no syntax', (text) => {
    expect(() => fill(text, 'a) or (true')).toThrow('can only stand inside quotes');
  });

  it('is not filled where strings hold code', () => {
    expect(() => fill('"\u0024{"a"} $SERVICE"', 'x')).toThrow('put strings together with +');
  });
});

describe('a placeholder in InfluxQL', () => {
  const fill = (text: string, value: string) => fillPlaceholders(text, { SERVICE: value }, INFLUXQL);

  it.each([
    ["s = '$SERVICE'", "a' or 'a'='a", "s = 'a\\' or \\'a\\'=\\'a'"],
    ['select "$SERVICE" from x', 'a"b\\', 'select "a\\"b\\\\" from x'],
    ['s =~ /$SERVICE/', 'a|/b', 's =~ /a\\|\\/b/'],
    ["from /x'/ where a / 2 > 1 and s = '$SERVICE'", "'", "from /x'/ where a / 2 > 1 and s = '\\''"],
  ])('in %s with %j is that text', (text, value, expected) => {
    expect(fill(text, value)).toBe(expected);
  });

  it.each([
    ['select $SERVICE', 'a; drop'],
    ["s = '$SERVICE'", 'a\u0000b'],
    ["s = 1 -- '$SERVICE", 'a\nb'],
    ['s / $SERVICE / 2', 'a/b'],
  ])('in %s does not take %j', (text, value) => {
    expect(() => fill(text, value)).toThrow(/can only stand inside quotes|cannot be written there/);
  });
});
