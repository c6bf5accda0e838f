import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningPrometheus, startPrometheus } from '../../../examples/sandbox/prometheus.ts';
import type { MetricsSource } from '../../../src/adapters/metrics/metrics-source.ts';
import { prometheus } from '../../../src/adapters/metrics/prometheus.ts';
import { tools } from '../../contracts/metrics-source.ts';
import { prometheusAvailable } from '../../support/prometheus.ts';

describe.skipIf(!prometheusAvailable)('a real Prometheus', () => {
  let scrapes = 0;
  let shown = true;
  const page = createServer((_request, response) => response.end(metricsOf(++scrapes, shown)));
  let running: RunningPrometheus;
  let source: MetricsSource;

  beforeAll(async () => {
    const port = await listen(page);
    running = await startPrometheus([`127.0.0.1:${port}`], {
      'service:errors:ratio': 'sum(requests_total{code="500"}) / sum(requests_total)',
    });
    source = prometheus.create('main', { url: running.url }, tools);
    await until(async () => (await running.query('resets(restarted_total[1m]) > 0')).length === 1);
  });
  afterAll(async () => {
    await running?.stop();
    page.closeAllConnections();
    page.close();
  });

  const ask = (promql: string, variables: Record<string, string> = {}) =>
    source.read({ query: promql, variables, ...lastMinute() });

  it('answers an error ratio', async () => {
    const ratio = 'sum(requests_total{service="$SERVICE",code=~"5.."}) / sum(requests_total{service="$SERVICE"})';
    expect(await ask(ratio, { SERVICE: 'cart' })).toEqual({ ok: true, value: 0.1 });
  });

  it('answers what a rule recorded', async () => {
    await until(async () => (await running.query('service:errors:ratio')).length === 1);
    expect(await ask('service:errors:ratio')).toEqual({ ok: true, value: 0.1 });
  });

  it('answers a percentile of a histogram', async () => {
    const percentile = 'histogram_quantile($Q, sum by (le) (rate(latency_seconds_bucket[$DURATION_SECONDS])))';
    // Of 100 requests in each scrape 80 took up to 0.1 s and 95 up to 0.2 s.
    const p95 = await ask(percentile, { Q: '0.95' });
    expect(p95).toEqual({ ok: true, value: expect.closeTo(0.2, 9) });
    const p90 = await ask(percentile, { Q: '0.90' });
    expect(p90).toEqual({ ok: true, value: expect.closeTo(0.1 + (0.1 * 10) / 15, 9) });
  });

  it('says that a percentile beyond the last bucket is not a number', async () => {
    expect(await ask('histogram_quantile(1.5, sum by (le) (rate(latency_seconds_bucket[1m])))')).toMatchObject({
      missing: 'not-a-number',
    });
  });

  it('counts on when a counter begins anew', async () => {
    const increase = await ask('increase(restarted_total[$DURATION_SECONDS])');
    expect(increase).toMatchObject({ ok: true, value: expect.toSatisfy((value: number) => value > 400) });
  });

  it('has no data of what is gone, and does not go on with the last value', async () => {
    expect(await ask('passing')).toEqual({ ok: true, value: 7 });
    shown = false;
    await until(async () => (await running.query('passing')).length === 0);
    expect(await ask('passing')).toMatchObject({ ok: false, missing: 'no-data' });
  });

  it('has no data for a service that it does not know', async () => {
    expect(await ask('sum(requests_total{service="$SERVICE"})', { SERVICE: 'nobody' })).toMatchObject({
      missing: 'no-data',
    });
  });

  it('chooses none of several series', async () => {
    expect(await ask('requests_total')).toMatchObject({ missing: 'several-values' });
  });

  it('says what it does not understand of a query', async () => {
    await expect(ask('sum(')).rejects.toMatchObject({
      reason: 'rejected',
      message: expect.stringContaining('parse error'),
    });
  });

  it('divides by zero into something that is not a number', async () => {
    expect(await ask('vector(0) / vector(0)')).toMatchObject({ missing: 'not-a-number' });
    expect(await ask('vector(1) / vector(0)')).toMatchObject({ missing: 'not-a-number' });
  });

  it('answers the points of the period, without those before the first sample', async () => {
    const end = new Date(Math.floor(Date.now() / 1000) * 1000);
    const start = new Date(end.getTime() - 3_600_000);
    const period = { variables: {}, start: start.toISOString(), end: end.toISOString() };
    const reading = await source.series?.({ query: 'requests_total{code="500"}', ...period, stepMs: 1_000 });
    if (!reading?.ok) throw new Error(JSON.stringify(reading));
    expect(reading.points.length).toBeGreaterThan(3);
    expect(reading.points.length).toBeLessThan(600);
    expect(new Set(reading.points)).toEqual(new Set([10]));
    const gone = { query: 'vector(0) / vector(0)', ...period, stepMs: 60_000 };
    expect(await source.series?.(gone)).toMatchObject({ missing: 'not-a-number' });
  });

  it.each([
    ['single quotes', "count({__name__='hidden', nothing!='$V'})", true],
    ['a negated equality', 'count({__name__="hidden", nothing!="$V"})', true],
    ['a negated regex', 'count({__name__="hidden", nothing!~"$V"})', true],
  ])('takes any text in %s as that text and nothing else', async (_where, promql, matches) => {
    for (const text of hostileTexts(80)) {
      // The label `nothing` is not there, which is the empty text: no other text equals it.
      const reading = await ask(promql, { V: text });
      expect({ text, reading }).toMatchObject({
        text,
        reading: matches ? { ok: true, value: 1 } : { missing: 'no-data' },
      });
    }
  });
});

describe.skipIf(!prometheusAvailable)('10,000 hostile texts as label values of a real Prometheus', () => {
  const texts = hostileTexts(10_000);
  const page = createServer((_request, response) => response.end(texts.map(labelled).join('')));
  let running: RunningPrometheus;
  let source: MetricsSource;

  beforeAll(async () => {
    running = await startPrometheus([`127.0.0.1:${await listen(page)}`]);
    source = prometheus.create('main', { url: running.url }, tools);
    await until(async () => (await running.query('count(labelled)'))[0]?.value[1] === '10000');
  });
  afterAll(async () => {
    await running?.stop();
    page.closeAllConnections();
    page.close();
  });

  /** The value of a series is its number, so the sum says which were found and the count how many. */
  const found = async (numbers: readonly number[], operator: '=' | '=~') => {
    const terms = numbers.map((at) => {
      const selected = `labelled{value${operator}"$V${at}"}`;
      return `(sum(${selected}) + 100000 * count(${selected}))`;
    });
    const variables = Object.fromEntries(numbers.map((at) => [`V${at}`, texts[at] ?? '']));
    return source.read({ query: terms.join('+'), variables, ...lastMinute() });
  };
  const expected = (numbers: readonly number[]) => numbers.reduce((sum, at) => sum + at + 100_000, 0);

  it.each(['=', '=~'] as const)(
    'each finds its own series by %s and no other',
    { timeout: 120_000 },
    async (operator) => {
      const numbers = texts.map((_, at) => at);
      for (let at = 0; at < numbers.length; at += 100) {
        const batch = numbers.slice(at, at + 100);
        const reading = await found(batch, operator);
        if (reading.ok && reading.value === expected(batch)) continue;
        // One by one, to name the text.
        for (const one of batch) {
          expect({ text: texts[one], ...(await found([one], operator)) }).toMatchObject({ value: expected([one]) });
        }
        throw new Error(`the batch from ${at} gives ${JSON.stringify(reading)}`);
      }
    },
  );
});

/** What a service shows when it is scraped for the nth time. */
function metricsOf(scrape: number, shown: boolean): string {
  const restarted = scrape < 4 ? 1000 + scrape * 100 : (scrape - 4) * 100;
  return [
    'requests_total{service="cart",code="200"} 90',
    'requests_total{service="cart",code="500"} 10',
    'hidden 1',
    ...(shown ? ['passing 7'] : []),
    `restarted_total ${restarted + 400}`,
    ...[80, 95, 100, 100].map((count, at) => {
      const limit = ['0.1', '0.2', '0.4', '+Inf'][at];
      return `latency_seconds_bucket{le="${limit}"} ${count * scrape}`;
    }),
    '',
  ].join('\n');
}

/** Quotes, escapes, patterns, pieces of PromQL, control characters and any Unicode: all different, always the same. */
function hostileTexts(count: number): string[] {
  const pieces = ['"', "'", '\\', '}', '{', '.*', '.', '|', ') or vector(1) #', '"} or hidden{a!="', '`', '\n', '\r'];
  const more = ['\u0000', '\u2028', '$V', '$', '^', '(', '[', ']', '?', '+', '(?i)', '\\E', '\\Q', ',', 'cart', 'CART'];
  const text = fc
    .array(fc.oneof(fc.constantFrom(...pieces, ...more), fc.string({ unit: 'binary', maxLength: 5 })), {
      minLength: 1,
      maxLength: 6,
    })
    .map((parts) => parts.join(''))
    .filter((one) => one !== '' && one.isWellFormed());
  const single = [...pieces, ...more, 'a.b', 'aXb', '\\"', '\\\\', '.+'];
  return [...new Set([...single, ...fc.sample(text, { numRuns: count * 2, seed: 20_240_601 })])].slice(0, count);
}

/** As https://prometheus.io/docs/instrumenting/exposition_formats/ has it. */
function labelled(text: string, at: number): string {
  const value = text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
  return `labelled{value="${value}"} ${at}\n`;
}

function lastMinute(): { start: string; end: string } {
  const end = Date.now();
  return { start: new Date(end - 60_000).toISOString(), end: new Date(end).toISOString() };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('it did not happen in time');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
