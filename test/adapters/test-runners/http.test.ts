import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createHttpTestRunner, nearestRank } from '../../../src/adapters/test-runners/http.ts';
import type { HttpTest } from '../../../src/definitions/delivery.ts';
import { describeTestRunner, options, serve, serveRaw } from '../../contracts/test-runner.ts';

const spec = (changes: Partial<HttpTest> = {}): HttpTest => ({
  kind: 'http',
  path: '/',
  method: 'GET',
  headers: {},
  connections: 4,
  requests: 40,
  expect: { status: [200], latency: {}, errorRate: 0 },
  ...changes,
});

function timed(durationMs: number, changes: Partial<HttpTest> = {}): HttpTest {
  const { requests: _, ...rest } = spec(changes);
  return { ...rest, durationMs };
}

describeTestRunner('HTTP', {
  create: createHttpTestRunner,
  shortSpec: spec(),
  longSpec: timed(60_000),
});

const runner = createHttpTestRunner('any');

describe('an HTTP test', () => {
  it('sends exactly the requests that are asked for, with method, path and headers', async () => {
    const seen: string[] = [];
    const url = await serve((request, response) => {
      seen.push(`${request.method} ${request.url} ${request.headers['x-team']} ${request.headers.host}`);
      response.end('ok');
    });
    const test = spec({ path: '/cart?item=1', method: 'POST', headers: { 'X-Team': 'a' }, requests: 25 });
    const report = await runner.run(test, `${url}/shop/`, options());
    expect(report.indicators['requests']).toBe(25);
    expect(seen).toHaveLength(25);
    expect(new Set(seen)).toEqual(new Set([`POST /shop/cart?item=1 a ${new URL(url).host}`]));
  });

  it('keeps to the host of the application whatever the path looks like', async () => {
    const paths: (string | undefined)[] = [];
    const url = await serve((request, response) => {
      paths.push(request.url);
      response.end();
    });
    await runner.run(spec({ path: '//169.254.169.254/x', requests: 1 }), url, options());
    expect(paths).toEqual(['//169.254.169.254/x']);
  });

  it('opens no more connections than it has requests', async () => {
    const url = await serve((_request, response) => response.end());
    const report = await runner.run(spec({ requests: 2, connections: 50 }), url, options());
    expect(report).toMatchObject({ passed: true, indicators: { requests: 2 } });
  });

  it('runs for as long as it is asked to', async () => {
    const url = await serve((_request, response) => response.end());
    const report = await runner.run(timed(1_000), url, options());
    const tookMs = Date.parse(report.end) - Date.parse(report.start);
    expect(tookMs).toBeGreaterThanOrEqual(1_000);
    expect(tookMs).toBeLessThan(3_000);
    expect(report.passed).toBe(true);
    expect(report.indicators['throughput']).toBeGreaterThan(10);
  });

  it('measures exact percentiles of what it waited for', async () => {
    let requests = 0;
    const url = await serve((_request, response) => {
      // One in ten is slow: the 50th percentile is fast, the 95th is not.
      const delay = ++requests % 10 === 0 ? 300 : 0;
      setTimeout(() => response.end(), delay);
    });
    const report = await runner.run(spec({ requests: 100, connections: 1 }), url, options());
    expect(report.indicators['response_time_p50']).toBeLessThan(100);
    expect(report.indicators['response_time_p90']).toBeLessThan(250);
    expect(report.indicators['response_time_p95']).toBeGreaterThanOrEqual(295);
    expect(report.indicators['response_time_p99']).toBeGreaterThanOrEqual(295);
  });

  it('fails when a percentile is slower than expected, and says by how much', async () => {
    const url = await serve((_request, response) => setTimeout(() => response.end(), 80));
    const test = spec({ requests: 8, expect: { status: [200], latency: { p50: 20, p95: 5_000 }, errorRate: 0 } });
    const report = await runner.run(test, url, options());
    expect(report.passed).toBe(false);
    expect(report.failures).toEqual([expect.stringMatching(/^p50 was \d+ ms, at most 20 ms were expected$/)]);
  });

  it('accepts the statuses and the share of errors that are expected', async () => {
    let requests = 0;
    const url = await serve((_request, response) => response.writeHead(++requests % 4 === 0 ? 503 : 204).end());
    const tolerant = spec({ connections: 1, expect: { status: [200, 204], latency: {}, errorRate: 0.25 } });
    const report = await runner.run(tolerant, url, options());
    expect(report).toMatchObject({ passed: true, indicators: { error_rate: 0.25 } });
    requests = 0;
    const strict = await runner.run({ ...tolerant, expect: { ...tolerant.expect, errorRate: 0.24 } }, url, options());
    expect(strict.failures).toEqual(['10 of 40 requests failed, at most 24 % may (10 × status 503)']);
  });

  it('does not follow redirects', async () => {
    const url = await serve((_request, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end());
    const report = await runner.run(spec({ requests: 4 }), url, options());
    expect(report.failures[0]).toContain('4 × status 302');
  });
});

describe('a target that does not answer properly', () => {
  it('fails the test when it hangs', async () => {
    const url = await serve(() => {});
    const report = await runner.run(timed(1_000), url, options());
    expect(report).toMatchObject({ passed: false, indicators: { error_rate: 1 } });
    expect(report.failures[0]).toContain('no request was answered');
    expect(report.indicators).not.toHaveProperty('response_time_p95');
  });

  it('fails the test when every second connection hangs at the end of the time', async () => {
    let requests = 0;
    const url = await serve((_request, response) => {
      if (++requests > 4) return;
      response.end();
    });
    const report = await runner.run(timed(2_500), url, options());
    expect(report.passed).toBe(false);
    expect(report.failures[0]).toContain('no answer before the end');
  });

  it('counts connections that are closed without an answer as failures', async () => {
    const url = await serveRaw((socket, requests) => {
      if (requests % 2 === 0) socket.end();
      else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    });
    const report = await runner.run(spec({ connections: 1 }), url, options());
    expect(report.indicators['error_rate']).toBeGreaterThanOrEqual(0.45);
    expect(report.failures[0]).toContain('connection closed without an answer');
  });

  it('does not blame a server that announces the end of each connection', async () => {
    const url = await serve((_request, response) => {
      response.setHeader('Connection', 'close');
      response.end('ok');
    });
    const report = await runner.run(spec(), url, options());
    expect(report).toMatchObject({ passed: true, indicators: { error_rate: 0 } });
    expect(report.indicators['requests']).toBeGreaterThanOrEqual(20);
  });

  it.each([
    ['breaks off in the middle of an answer', 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc', true],
    ['does not speak HTTP', 'SSH-2.0-OpenSSH_9.9\r\n\r\n', true],
    ['answers nothing at all', '', true],
  ])('fails the test of a server that %s', async (_what, bytes, ends) => {
    const url = await serveRaw((socket) => {
      if (bytes !== '') socket.write(bytes);
      if (ends) socket.end();
    });
    const report = await runner.run(spec({ requests: 8 }), url, options());
    expect(report).toMatchObject({ passed: false, indicators: { error_rate: 1 } });
  });

  it('stops reading an answer that never ends', async () => {
    const chunk = Buffer.alloc(256 * 1024, 'x');
    const url = await serve((_request, response) => {
      const pump = () => {
        while (!response.destroyed && response.write(chunk));
        if (!response.destroyed) response.once('drain', pump);
      };
      pump();
    });
    const report = await runner.run(spec({ requests: 2, connections: 1 }), url, options());
    expect(report.passed).toBe(false);
    expect(report.failures[0]).toContain('answer larger than 5 MiB');
  });

  it('gives up soon when a target goes away in the middle of a long test', async () => {
    let requests = 0;
    const url = await serveRaw((socket) => {
      if (++requests <= 20) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
      else socket.resetAndDestroy();
    });
    const started = Date.now();
    const report = await runner.run(timed(60_000), url, options());
    expect(Date.now() - started).toBeLessThan(15_000);
    expect(report.passed).toBe(false);
  });
});

describe('an application behind https', () => {
  it('is refused when its certificate is not trusted', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lynceus-tls-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '2',
        '-subj',
        '/CN=localhost',
        '-keyout',
        key,
        '-out',
        cert,
      ],
      { stdio: 'ignore' },
    );
    let requests = 0;
    const server = createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, (_request, response) => {
      requests++;
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const url = `https://localhost:${(server.address() as AddressInfo).port}`;
    const running = runner.run(spec(), url, options());
    await expect(running).rejects.toMatchObject({
      reason: 'rejected',
      message: expect.stringContaining('not trusted'),
    });
    expect(requests).toBe(0);
  });
});

describe('a percentile', () => {
  it('is a value that was measured, and at least its share of all is not above it', () => {
    const values = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(values, fc.constantFrom(0.5, 0.9, 0.95, 0.99), (latencies, share) => {
        const sorted = latencies.toSorted((a, b) => a - b);
        const found = nearestRank(sorted, share);
        expect(latencies).toContain(found);
        expect(sorted.filter((each) => each <= found).length / sorted.length).toBeGreaterThanOrEqual(share);
        expect(sorted.filter((each) => each < found).length / sorted.length).toBeLessThan(share);
      }),
    );
  });
});
