import { describe, expect, it } from 'vitest';
import { splunk } from '../../../src/adapters/metrics/splunk.ts';
import { describeMetricsSource, query, serve, tools } from '../../contracts/metrics-source.ts';

const answer = (results: unknown, changes: object = {}) =>
  JSON.stringify({
    preview: false,
    init_offset: 0,
    messages: [],
    fields: [{ name: 'rate' }],
    results,
    highlighted: {},
    ...changes,
  });
const search = 'index=web service="$SERVICE" | stats avg(ms) as rate';
const source = (url: string, changes: object = {}) =>
  splunk.create('main', { url, timeout: '500ms', ...changes }, tools);

describeMetricsSource('Splunk', {
  create: (url) => source(url, { token: { env: 'T' } }),
  bodies: {
    value: (value) => answer([{ rate: String(value) }]),
    noData: answer([]),
    notANumber: answer([{ rate: 'NaN' }]),
    severalValues: answer([{ rate: '1' }, { rate: '2' }]),
    wrong: ['{"results":7}', '{"results":[7]}'],
  },
  query: search,
  unknownPlaceholder: 'index="$NOBODY"',
});

describe('a search in Splunk', () => {
  const sent = async (text: string, value = 'cart', config: object = {}) => {
    const seen: unknown[] = [];
    const url = await serve(async (request, response) => {
      const form = new URLSearchParams(Buffer.concat(await request.toArray()).toString());
      seen.push(request.url, request.headers['content-type'], Object.fromEntries(form));
      response.end(answer([{ rate: '1' }]));
    });
    await source(url, config).read(query({ query: text, variables: { SERVICE: value } }));
    return seen;
  };

  it('is run once for the period', async () => {
    expect(await sent(search)).toEqual([
      '/services/search/jobs',
      'application/x-www-form-urlencoded',
      {
        search: 'search index=web service="cart" | stats avg(ms) as rate',
        earliest_time: '1767261600.000',
        latest_time: '1767261900.000',
        exec_mode: 'oneshot',
        output_mode: 'json',
        count: '4',
      },
    ]);
    expect((await sent('| tstats count where index=web', 'x', { app: 'shop' })).slice(0, 1)).toEqual([
      '/servicesNS/nobody/shop/search/jobs',
    ]);
  });

  it('takes a value in quotes as that text', async () => {
    const [, , form] = await sent(search, 'a" OR index="secret\\');
    expect(form).toMatchObject({
      search: 'search index=web service="a\\" OR index=\\"secret\\\\" | stats avg(ms) as rate',
    });
  });

  it.each([
    [search, '*'],
    [search, 'a`b`'],
    [search, 'a\nb'],
    [search, ''],
    ['index=$SERVICE', 'a | delete'],
    ["where 'x.$SERVICE' > 1", "a' OR 'b"],
    ['index=web | where match(service, "^$SERVICE$")', 'a.b'],
    ['index=web | rex "(?<a>$SERVICE)"', '.*'],
    ['index=web ```$SERVICE```', '``` | delete'],
  ])('%s does not take the value %j', async (text, value) => {
    const reading = source('http://127.0.0.1:1').read(query({ query: text, variables: { SERVICE: value } }));
    await expect(reading).rejects.toMatchObject({ reason: 'rejected', message: expect.stringContaining('$SERVICE') });
  });

  const read = async (body: string, config: object = {}) => {
    const url = await serve((_request, response) => response.end(body));
    return source(url, config).read(query({ query: search }));
  };

  it.each([
    ['two fields', answer([{ rate: '1', count: '2' }]), 'several-values'],
    ['several values in a field', answer([{ rate: ['1', '2'] }]), 'several-values'],
    ['a word', answer([{ rate: 'high' }]), 'not-numeric'],
    ['an empty field', answer([{ rate: '' }]), 'no-data'],
    ['only fields of Splunk itself', answer([{ _time: '1' }]), 'no-data'],
  ])('that gives %s is answered honestly', async (_what, body, missing) => {
    expect(await read(body)).toMatchObject({ ok: false, missing });
  });

  it('that Splunk warns of is doubtful', async () => {
    const text = 'Search results might be incomplete: peer idx2 is down';
    const body = answer([{ rate: '1' }], { messages: [{ type: 'WARN', text }] });
    expect(await read(body)).toEqual({ ok: false, missing: 'doubtful', message: text });
    expect(await read(body, { acceptWarnings: true })).toEqual({ ok: true, value: 1 });
    expect(await read(answer([{ rate: '1' }], { messages: [{ type: 'INFO', text }] }))).toEqual({ ok: true, value: 1 });
  });

  it.each([
    ['an error', answer([], { messages: [{ type: 'ERROR', text: 'Unknown index' }] }), 'rejected', 'Unknown index'],
    [
      'results of a search that goes on',
      answer([{ rate: '1' }], { preview: true }),
      'unavailable',
      'before its search',
    ],
  ])('that gives %s fails', async (_what, body, reason, message) => {
    await expect(read(body)).rejects.toMatchObject({ reason, message: expect.stringContaining(message) });
  });

  it('that is refused says why', async () => {
    const body = { messages: [{ type: 'FATAL', text: "Unknown search command 'stast'." }] };
    const url = await serve((_request, response) => response.writeHead(400).end(JSON.stringify(body)));
    await expect(source(url).read(query({ query: search }))).rejects.toThrow("Unknown search command 'stast'.");
  });
});
