import autocannon from 'autocannon';
import { describe, expect, it } from 'vitest';
import { figureOf, parseReport, readReport } from '../../../../src/adapters/metrics/reports/read-report.ts';
import { serve } from '../../../contracts/metrics-source.ts';

const json = (value: unknown) => JSON.stringify(value);

describe('a summary of k6', () => {
  const trend = { avg: 120.5, min: 80, med: 110, max: 900.25, 'p(90)': 200, 'p(95)': 250.75 };
  const fromHandleSummary = json({
    root_group: { name: '', groups: [], checks: [] },
    state: { testRunDurationMs: 60_000 },
    metrics: {
      http_req_duration: {
        type: 'trend',
        contains: 'time',
        values: trend,
        thresholds: { 'p(95)<200': { ok: false }, 'avg<500': { ok: true } },
      },
      'http_req_duration{group:::pay}': { type: 'trend', contains: 'time', values: { ...trend, 'p(95)': 400 } },
      http_req_failed: { type: 'rate', contains: 'default', values: { rate: 0.05, passes: 5, fails: 95 } },
      http_reqs: { type: 'counter', contains: 'default', values: { count: 100, rate: 1.6 } },
      checks: { type: 'rate', contains: 'default', values: { rate: 0.98, passes: 98, fails: 2 } },
      vus: { type: 'gauge', contains: 'default', values: { value: 10, min: 1, max: 10 } },
    },
  });
  const fromSummaryExport = json({
    root_group: { name: '', groups: {}, checks: {} },
    metrics: {
      http_req_duration: { ...trend, thresholds: { 'p(95)<200': true, 'avg<500': false } },
      http_req_failed: { value: 0.05, passes: 5, fails: 95 },
      http_reqs: { count: 100, rate: 1.6 },
    },
  });

  it.each([
    ['handleSummary', fromHandleSummary],
    ['--summary-export', fromSummaryExport],
  ])('of %s has times, errors and throughput', (_how, text) => {
    expect(readReport('auto', text)).toMatchObject({
      'http_req_duration.p(95)': 250.75,
      response_time_p95: 250.75,
      response_time_p50: 110,
      error_rate: 0.05,
      failures: 5,
      requests: 100,
      throughput: 1.6,
      thresholds_failed: 1,
    });
  });

  it('has k6’s own names, and a metric of one value by its name alone', () => {
    const figures = readReport('k6', fromHandleSummary);
    expect(figures).toMatchObject({
      'http_req_duration{group:::pay}.p(95)': 400,
      checks: 0.98,
      vus: 10,
      http_reqs: 100,
    });
    expect(figures).not.toHaveProperty(['http_req_duration']);
  });

  it('of the newer schema has times, errors and throughput, and no thresholds', () => {
    const text = json({
      version: '1.0.0',
      metadata: { k6_version: '2.3.0', generated_at: '2026-01-01T10:05:00Z' },
      config: { duration: 50, execution: 'local', script: 'load.js' },
      results: {
        checks: {
          metrics: [
            {
              name: 'checks_failed',
              type: 'rate',
              contains: 'default',
              values: { matches: 2, rate: 0.02, total: 100 },
            },
          ],
          results: [{ name: 'is up', passes: 98, fails: 2 }],
        },
        metrics: [
          { name: 'http_reqs', type: 'counter', contains: 'default', values: { count: 100 } },
          {
            name: 'http_req_failed',
            type: 'rate',
            contains: 'default',
            values: { matches: 5, rate: 0.05, total: 100 },
          },
          { name: 'http_req_duration', type: 'trend', contains: 'time', values: trend },
        ],
      },
    });
    const figures = readReport('auto', text);
    expect(figures).toMatchObject({ response_time_p95: 250.75, error_rate: 0.05, failures: 5, requests: 100 });
    expect(figures).toMatchObject({ throughput: 2, checks_failed: 0.02 });
    expect(figures).not.toHaveProperty('thresholds_failed');
  });

  it('has no figures of what was not measured, though a threshold made k6 write zeros', () => {
    const zero = { avg: 0, min: 0, med: 0, max: 0, 'p(90)': 0, 'p(95)': 0 };
    const text = json({
      metrics: {
        http_req_duration: { values: zero, thresholds: { 'p(95)<200': { ok: true } } },
        http_req_failed: { values: { rate: 0, passes: 0, fails: 0 } },
        checkout_time: { values: zero },
      },
    });
    expect(readReport('k6', text)).toEqual({ thresholds_failed: 0 });
  });
});

describe('results of JMeter', () => {
  const header = 'timeStamp,elapsed,label,responseCode,responseMessage,threadName,success,bytes';
  const jtl = (...lines: string[]) => [header, ...lines, ''].join('\n');
  const hundred = Array.from(
    { length: 100 },
    (_, at) => `${1_760_000_000_000 + at * 100},${at + 1},${at % 2 ? 'Pay' : 'Home'},200,OK,main 1-1,${at !== 7},512`,
  );

  it('have percentiles by the nearest rank, errors and throughput', () => {
    // 1..100 ms: the 95th of 100 is 95. From the first start to the last end: 99 * 100 + 100 ms.
    expect(readReport('auto', jtl(...hundred))).toMatchObject({
      response_time_p50: 50,
      response_time_p95: 95,
      response_time_p99: 99,
      response_time_avg: 50.5,
      response_time_min: 1,
      response_time_max: 100,
      requests: 100,
      failures: 1,
      error_rate: 0.01,
      throughput: 10,
    });
  });

  it('have the figures of each sampler behind its label', () => {
    expect(readReport('jmeter', jtl(...hundred))).toMatchObject({
      'Pay/requests': 50,
      'Pay/failures': 1,
      'Home/error_rate': 0,
    });
  });

  it('count a request in a transaction once', () => {
    const transaction =
      '1760000000000,300,Checkout,200,"Number of samples in transaction : 1, number of failing samples : 0",main 1-1,true,0';
    const figures = readReport('jmeter', jtl('1760000000000,300,Pay,200,OK,main 1-1,true,0', transaction));
    expect(figures).toMatchObject({ requests: 1, 'Checkout/response_time_p95': 300 });
  });

  it('are read with semicolons, Windows line ends, quotes and line breaks in a message', () => {
    const text = `\ufeff${header.replaceAll(',', ';')}\r\n1760000000000;12;"a ""b"";\nc";500;x;t;FALSE;1\r\n`;
    expect(readReport('jmeter', text)).toMatchObject({ requests: 1, failures: 1, response_time_p99: 12 });
  });

  it.each([
    ['cut off in a line', jtl('1,2,Pay,200,OK,main 1-1,true,1', '1,2,Pay,200'), 'cut off at record 3'],
    ['cut off in quotes', `${jtl('1,2,Pay,200,OK,main 1-1,true,1')}1,2,"Pay,200`, 'broken at record 3'],
    ['without a header', '1760000000000,12,Home,200,OK,main 1-1,true,1\n', 'no header with "elapsed" and "success"'],
    ['with a word for a time', jtl('1,soon,Pay,200,OK,main 1-1,true,1'), '"elapsed" of record 2'],
    ['with an empty time', jtl('1,,Pay,200,OK,main 1-1,true,1'), '"elapsed" of record 2'],
    ['with a number for a success', jtl('1,1,Pay,200,OK,main 1-1,1,1'), '"success" of record 2'],
    ['without a sample', jtl(), 'nothing was tested'],
  ])('%s are refused', (_how, text, message) => {
    expect(() => readReport('jmeter', text)).toThrow(message);
  });
});

describe('a JUnit report', () => {
  it('counts tests in nested suites, each once', () => {
    const text = `<?xml version="1.0" encoding="UTF-8"?>
      <testsuites tests="5" failures="1" errors="1" time="3.5">
        <testsuite name="a" tests="5" failures="1" errors="1" skipped="1">
          <testsuite name="b" tests="2" failures="0" errors="0">
            <testcase name="one" time="1.5"/><testcase name="two" time="0.5"><system-out><![CDATA[<failure/>]]></system-out></testcase>
          </testsuite>
          <testcase name="three" time="1"><failure message="a &lt; b &#10;">at a.ts:1</failure></testcase>
          <testcase name="four" time="0.25"><error/></testcase>
          <testcase name="five"><skipped/></testcase>
        </testsuite>
      </testsuites>`;
    expect(readReport('auto', text)).toEqual({
      tests: 5,
      skipped: 1,
      failures: 1,
      errors: 1,
      passed: 2,
      error_rate: 0.5,
      duration: 3.25,
    });
  });

  it('counts a test that fails twice once, and a suite that could not be set up', () => {
    const text = `<testsuite tests="1" failures="1" errors="2"><error>no database</error>
      <testcase name="a"><failure/><error/></testcase></testsuite>`;
    expect(readReport('junit', text)).toMatchObject({ tests: 1, failures: 0, errors: 2, error_rate: 1 });
  });

  it.each([
    ['cut off', '<testsuites><testsuite><testcase name="a"/>', 'not well-formed XML in line 1'],
    ['of nothing', '<testsuites tests="0"/>', 'no test in it that ran'],
    [
      'of skipped tests only',
      '<testsuite><testcase name="a"><skipped/></testcase></testsuite>',
      'no test in it that ran',
    ],
    [
      'that hides its failures',
      '<testsuite tests="1" failures="1"><testcase name="a"/></testsuite>',
      'contradicts itself',
    ],
    [
      'that hides them in a suite',
      '<testsuites><testsuite tests="1" errors="1"><testcase name="a"/></testsuite></testsuites>',
      'contradicts itself',
    ],
    ['that lists no test', '<testsuite tests="3"/>', 'says 3 tests but shows none'],
    ['of another kind', '<html><body/></html>', 'begins with <html>'],
    [
      'with a document type',
      '<!DOCTYPE a [<!ENTITY b "bbbb">]><testsuite><testcase name="&b;"/></testsuite>',
      'document type',
    ],
    ['with an entity of its own', '<testsuite><testcase name="&boom;"/></testsuite>', 'not well-formed XML in line 1'],
    ['that nests too deeply', '<testsuite>'.repeat(100) + '</testsuite>'.repeat(100), 'nested too deeply'],
  ])('%s is refused', (_how, text, message) => {
    expect(() => readReport('junit', text)).toThrow(message);
  });
});

describe('a result of autocannon', () => {
  it('that it wrote itself has times, errors and throughput', async () => {
    let asked = 0;
    const url = await serve((_request, response) => response.writeHead(++asked % 4 === 0 ? 500 : 200).end('x'));
    const result = await autocannon({ url, amount: 20, connections: 2 });
    const figures = readReport('auto', json(result));
    expect(figures).toMatchObject({ requests: 20, failures: 5, error_rate: 0.25, timeouts: 0 });
    expect(figures['response_time_p99']).toBe(result.latency.p99);
    expect(figures['latency.p97_5']).toBe(result.latency.p97_5);
  });

  it('that got no answer has no times', () => {
    const text = json({ latency: { average: 0, p99: 0 }, requests: { total: 0 }, errors: 10, non2xx: 0, duration: 5 });
    expect(readReport('auto', text)).toEqual({
      'requests.total': 0,
      requests: 10,
      failures: 10,
      error_rate: 1,
      throughput: 0,
    });
  });

  it('that sent nothing is refused', () => {
    const text = json({ latency: {}, requests: { total: 0 }, errors: 0, non2xx: 0 });
    expect(() => readReport('auto', text)).toThrow('nothing was tested');
  });
});

describe('a report', () => {
  it.each([
    ['', 'format that is not known'],
    [
      '{"metrics":',
      'cut off, or has a format that is not known: k6, jmeter, junit, autocannon, trivy, grype, sarif are',
    ],
    ['[]', 'format that is not known'],
    ['{}', 'format that is not known'],
  ])('%j is of no known format', (text, message) => {
    expect(() => parseReport('auto', text)).toThrow(message);
  });

  it('of another format than was said is refused', () => {
    expect(() => parseReport('trivy', '{"metrics":{}}')).toThrow('not of schema version 2');
    expect(() => parseReport('k6', '<testsuite/>')).toThrow('the k6 report is not JSON');
  });

  it('answers one figure by its name, a short name or a sum', () => {
    const figures = { response_time_p95: 12, critical: 1, high: 2, 'fixable critical': 0, 'fixable high': 1, 'a+b': 9 };
    const ask = (name: string) => figureOf(figures, name);
    expect(['p95', 'critical+high', 'fixable critical + high', 'a+b'].map(ask)).toEqual([12, 3, 1, 9]);
    expect(['p99', 'critical+hihg', 'toString', '', '+'].map(ask)).toEqual(Array(5).fill(undefined));
  });
});
