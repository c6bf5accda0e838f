import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { AddressPolicy } from '../../src/adapters/addresses.ts';
import type { TestProgress, TestRunner, TestRunOptions } from '../../src/adapters/test-runners/test-runner.ts';
import { AdapterError } from '../../src/base/adapter-error.ts';

export interface TestRunnerContract<Spec> {
  create(addresses: AddressPolicy): TestRunner<Spec>;
  /** A short test that expects every request to succeed. */
  shortSpec: Spec;
  /** A test that would go on for a minute. */
  longSpec: Spec;
}

/** What every test runner promises to the rest of the house. */
export function describeTestRunner<Spec>(
  name: string,
  { create, shortSpec, longSpec }: TestRunnerContract<Spec>,
): void {
  describe(`the ${name} test runner, as any test runner`, () => {
    it('reports a test that passed, with its figures and the time it really ran', async () => {
      const url = await serve((_request, response) => response.end('ok'));
      const before = Date.now();
      const report = await create('any').run(shortSpec, url, options());
      expect(report).toMatchObject({ passed: true, failures: [] });
      expect(Object.keys(report.indicators).length).toBeGreaterThan(0);
      expect(Object.values(report.indicators).every(Number.isFinite)).toBe(true);
      expect(Date.parse(report.start)).toBeGreaterThanOrEqual(before - 1);
      expect(Date.parse(report.end)).toBeGreaterThanOrEqual(Date.parse(report.start));
      expect(Date.parse(report.end)).toBeLessThanOrEqual(Date.now() + 50);
    });

    it('reports a test that failed, and throws nothing', async () => {
      const url = await serve((_request, response) => response.writeHead(500).end());
      const report = await create('any').run(shortSpec, url, options());
      expect(report.passed).toBe(false);
      expect(report.failures).not.toEqual([]);
    });

    it('reports a failed test when nobody listens at the address', async () => {
      const report = await create('any').run(shortSpec, await deadUrl(), options());
      expect(report.passed).toBe(false);
      expect(report.failures[0]).toContain('ECONNREFUSED');
    });

    it('tells its progress at least once per second', async () => {
      const url = await serve((_request, response) => response.end('ok'));
      const seen: (TestProgress & { at: number })[] = [];
      const stop = new AbortController();
      const running = create('any').run(longSpec, url, {
        signal: stop.signal,
        onProgress: (progress) => {
          seen.push({ ...progress, at: Date.now() });
          if (seen.length === 4) stop.abort();
        },
      });
      await expect(running).rejects.toMatchObject({ reason: 'cancelled' });
      const gaps = seen.slice(1).map((each, index) => each.at - (seen[index]?.at ?? 0));
      expect(Math.max(...gaps)).toBeLessThanOrEqual(1_000);
      expect(seen.every(({ fraction, sentence }) => fraction >= 0 && fraction <= 1 && sentence !== '')).toBe(true);
    });

    it('really stops when it is aborted', async () => {
      let requests = 0;
      const url = await serve((_request, response) => {
        requests++;
        response.end('ok');
      });
      const stop = new AbortController();
      const running = create('any').run(longSpec, url, { signal: stop.signal, onProgress: () => stop.abort() });
      const error = await running.catch((failure: unknown) => failure);
      expect(error).toBeInstanceOf(AdapterError);
      expect(error).toMatchObject({ reason: 'cancelled' });
      // What was on the wire may still arrive.
      await new Promise((resolve) => setTimeout(resolve, 200));
      const atTheEnd = requests;
      expect(atTheEnd).toBeGreaterThan(0);
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(requests).toBe(atTheEnd);
    });

    it('does not start when it was aborted before', async () => {
      let requests = 0;
      const url = await serve((_request, response) => {
        requests++;
        response.end('ok');
      });
      const running = create('any').run(shortSpec, url, { signal: AbortSignal.abort(), onProgress: () => {} });
      await expect(running).rejects.toMatchObject({ reason: 'cancelled' });
      expect(requests).toBe(0);
    });

    it.each([
      'http://169.254.169.254/',
      'http://[::ffff:169.254.169.254]/',
      'http://127.0.0.1:1/',
      'http://localhost:1/',
      'http://[::1]:1/',
    ])('refuses %s when a team names it', async (url) => {
      const running = create('team').run(shortSpec, url, options());
      await expect(running).rejects.toMatchObject({
        reason: 'rejected',
        message: expect.stringContaining('not allowed'),
      });
    });

    it.each(['', 'nonsense', 'ftp://example.org/', 'file:///etc/passwd'])(
      'refuses %j, which is no URL to test',
      async (url) => {
        await expect(create('any').run(shortSpec, url, options())).rejects.toMatchObject({ reason: 'rejected' });
      },
    );

    it('refuses credentials in the URL without showing them', async () => {
      const error = await create('any')
        .run(shortSpec, 'http://user:hunter2@127.0.0.1:1/', options())
        .catch((failure: unknown) => failure);
      expect(error).toMatchObject({ reason: 'rejected' });
      expect(String(error)).not.toContain('hunter2');
    });

    it('says that a name does not resolve', async () => {
      const running = create('any').run(shortSpec, 'http://no-such-host.invalid/', options());
      await expect(running).rejects.toMatchObject({ reason: 'unavailable' });
    });
  });
}

export function options(): TestRunOptions {
  return { signal: new AbortController().signal, onProgress: () => {} };
}

/** A real HTTP server for one test; answers its URL. */
export async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A server that speaks what `onData` writes, for what no HTTP server would do. */
export async function serveRaw(onData: (socket: Socket, requests: number) => void): Promise<string> {
  let requests = 0;
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', () => onData(socket, ++requests));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function deadUrl(): Promise<string> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}
