import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { testReport } from '../../../src/adapters/metrics/test-report.ts';
import { vulnerabilityReport } from '../../../src/adapters/metrics/vulnerability-report.ts';
import { describeMetricsSource, query, SECRET, serve, tools } from '../../contracts/metrics-source.ts';

const k6 = (metrics: Record<string, number>) =>
  JSON.stringify({ metrics: Object.fromEntries(Object.entries(metrics).map(([name, value]) => [name, { value }])) });
const trivy = (count: number, changes: object = {}) =>
  JSON.stringify({
    SchemaVersion: 2,
    ArtifactName: 'shop/cart:1.2.3',
    Results: [{ Class: 'os-pkgs', Vulnerabilities: Array(count).fill({ Severity: 'HIGH', FixedVersion: '2' }) }],
    ...changes,
  });
const sarif = JSON.stringify({ version: '2.1.0', runs: [{ results: [] }] });

describeMetricsSource('test report', {
  create: (url) =>
    testReport.create(
      'load',
      { url, token: { env: 'T' }, file: '$SERVICE/k6.json', maxAge: 'any', timeout: '2s' },
      tools,
    ),
  bodies: {
    value: (value) => k6({ 'errors-cart': value }),
    noData: k6({ vus: 1 }),
    wrong: ['{"metrics":{"a":1}}', '<testsuite>', 'timeStamp,elapsed,success\n1,2'],
  },
  query: 'errors-$SERVICE',
  unknownPlaceholder: '$NOBODY',
});

describeMetricsSource('vulnerability report', {
  create: (url) => {
    const basicAuth = { username: 'user', password: { env: 'P' } };
    return vulnerabilityReport.create('scan', { url, basicAuth, file: '$SERVICE.json', timeout: '2s' }, tools);
  },
  bodies: { value: (value) => trivy(value), noData: sarif, wrong: [trivy(1, { Results: [] })] },
  values: [0, 1, 250],
  query: 'fixable critical+high',
  unknownPlaceholder: '$NOBODY',
});

describe('a report in a folder', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'lynceus-reports-'));
    mkdirSync(path.join(folder, 'in', 'cart'), { recursive: true });
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const write = (name: string, text: string, written = '2026-01-01T10:05:01Z') => {
    const file = path.join(folder, 'in', name);
    writeFileSync(file, text);
    utimesSync(file, new Date(written), new Date(written));
  };
  const source = (config: { file?: string; maxAge?: string } = {}) =>
    testReport.create('load', { folder: path.join(folder, 'in'), file: '$SERVICE/k6.json', ...config }, tools);
  const ask = (config: { file?: string; maxAge?: string } = {}, variables: Record<string, string> = {}) =>
    source(config).read(query({ query: 'p95', variables: { SERVICE: 'cart', ...variables } }));
  const measured = JSON.stringify({
    metrics: { http_reqs: { count: 1, rate: 1 }, http_req_duration: { avg: 1, 'p(95)': 12.5 } },
  });

  it('answers one of its figures', async () => {
    write('cart/k6.json', measured);
    expect(await ask()).toEqual({ ok: true, value: 12.5 });
  });

  it('names figures that it has, when asked for another', async () => {
    write('cart/k6.json', k6({ vus: 1, checks: 1 }));
    expect(await ask()).toMatchObject({
      missing: 'no-data',
      message: 'the report has no "p95"; it has vus, checks, thresholds_failed',
    });
  });

  it('of an earlier run is not taken for this one', async () => {
    write('cart/k6.json', measured, '2026-01-01T09:59:59Z');
    await expect(ask()).rejects.toMatchObject({
      reason: 'not-found',
      message: expect.stringContaining('written at 2026-01-01T09:59:59.000Z'),
    });
    expect(await ask({ maxAge: '1h' })).toEqual({ ok: true, value: 12.5 });
    expect(await ask({ maxAge: 'any' })).toEqual({ ok: true, value: 12.5 });
  });

  it('that is not there yet is waited for', async () => {
    await expect(ask()).rejects.toMatchObject({ reason: 'not-found', retryable: true });
  });

  it.each(['..', '.', '', '../../secret', '/etc/passwd', 'a\\b', 'a\u0000b', 'cart/../..'])(
    'is not looked for elsewhere by a value such as %j',
    async (value) => {
      write('cart/k6.json', measured);
      await expect(ask({}, { SERVICE: value })).rejects.toMatchObject({
        reason: 'rejected',
        message: expect.stringContaining('$SERVICE cannot be part of the name of a file'),
      });
    },
  );

  it.each(['../k6.json', 'cart/../../k6.json', './k6.json'])('is not looked for above it: %s', async (file) => {
    await expect(ask({ file })).rejects.toMatchObject({ reason: 'rejected' });
  });

  it('is not followed out of it by a link', async () => {
    writeFileSync(path.join(folder, 'secret.json'), measured);
    symlinkSync(path.join(folder, 'secret.json'), path.join(folder, 'in', 'cart', 'k6.json'));
    await expect(ask()).rejects.toMatchObject({ reason: 'rejected', message: expect.stringContaining('leads out') });
  });

  it('that is no file, or too large, is refused', async () => {
    mkdirSync(path.join(folder, 'in', 'cart', 'k6.json'));
    await expect(ask()).rejects.toMatchObject({ reason: 'rejected', message: expect.stringContaining('not a file') });
    write('cart/large.json', '');
    truncateSync(path.join(folder, 'in', 'cart', 'large.json'), 33 * 1024 * 1024);
    await expect(ask({ file: 'cart/large.json', maxAge: 'any' })).rejects.toMatchObject({ reason: 'bad-response' });
  });

  it('is not looked for without knowing where', () => {
    expect(() => testReport.create('load', { file: 'a' }, tools)).toThrow('name either a folder or a url');
    expect(() => testReport.create('load', { file: 'a', folder: 'b', url: 'http://c' }, tools)).toThrow('name either');
  });
});

describe('a report behind a URL', () => {
  it('is asked for by its encoded name, with credentials', async () => {
    const seen: unknown[] = [];
    const url = await serve((request, response) => {
      seen.push([request.url, request.headers.authorization]);
      response.end(k6({ vus: 1 }));
    });
    const config = { url: `${url}/artifacts/`, token: { env: 'T' }, file: 'of $SERVICE/k6.json', maxAge: 'any' };
    await testReport.create('load', config, tools).read(query({ query: 'vus', variables: { SERVICE: 'a?b#c%' } }));
    expect(seen).toEqual([['/artifacts/of%20a%3Fb%23c%25/k6.json', `Bearer ${SECRET}`]]);
  });

  it.each([
    ['Thu, 01 Jan 2026 09:00:00 GMT', 'of an earlier run'],
    [undefined, 'does not say when it was written'],
  ])('written at %s is not taken for one of this run', async (written, message) => {
    const url = await serve((_request, response) => {
      if (written !== undefined) response.setHeader('Last-Modified', written);
      response.end(k6({ vus: 1 }));
    });
    const reading = testReport.create('load', { url, file: 'k6.json' }, tools).read(query({ query: 'vus' }));
    await expect(reading).rejects.toThrow(message);
  });
});

describe('a vulnerability report', () => {
  const ask = async (text: string, wanted: string, image?: string, config: { checkImage?: boolean } = {}) => {
    const url = await serve((_request, response) => response.end(text));
    const variables = { SERVICE: 'cart', ...(image === undefined ? {} : { IMAGE: image }) };
    const source = vulnerabilityReport.create('scan', { url, file: '$SERVICE.json', ...config }, tools);
    return source.read(query({ query: wanted, variables }));
  };

  it('about the expected image is counted', async () => {
    expect(await ask(trivy(2), 'critical+high', 'docker.io/shop/cart:1.2.3')).toEqual({ ok: true, value: 2 });
  });

  it('about another image is not taken for this one', async () => {
    await expect(ask(trivy(0), 'high', 'shop/cart:1.2.4')).rejects.toMatchObject({
      reason: 'not-found',
      message: expect.stringContaining('is about shop/cart:1.2.3, not about shop/cart:1.2.4'),
    });
    await expect(ask(sarif, 'high', 'shop/cart:1.2.4')).rejects.toThrow('does not say what it is about');
    expect(await ask(sarif, 'high', 'shop/cart:1.2.4', { checkImage: false })).toEqual({ ok: true, value: 0 });
  });

  it.each(['severe', 'critical+', '', 'fixable', 'critical,high', 'critical high'])(
    'is not asked for %j',
    async (wanted) => {
      await expect(ask(trivy(0), wanted)).rejects.toMatchObject({
        reason: 'rejected',
        message: expect.stringContaining('known: critical, high, medium, low, negligible, unknown, total'),
      });
    },
  );
});
