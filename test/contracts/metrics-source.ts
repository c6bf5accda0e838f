import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { AdapterTools } from '../../src/adapters/adapter-kind.ts';
import type { MetricQuery, MetricsSource } from '../../src/adapters/metrics/metrics-source.ts';
import { AdapterError, type FailureReason } from '../../src/base/adapter-error.ts';
import { Secret } from '../../src/base/secret.ts';

export const SECRET = 'hunter2-very-secret';

export interface MetricsSourceContract {
  /** Creates the source for a server at this URL; it authenticates with `SECRET`. */
  create(url: string): MetricsSource;
  /** The source's own body for one value, and for none. */
  bodies: { value: (value: number) => string; noData: string };
}

/** What every metrics source promises, tried against a real HTTP server that misbehaves on purpose. */
export function describeMetricsSource(name: string, { create, bodies }: MetricsSourceContract): void {
  const failure = async (listener: RequestListener, signal?: AbortSignal) => {
    const source = create(await serve(listener));
    const error = await source.read(query(), signal ? { signal } : {}).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(AdapterError);
    expect(String(error)).not.toContain(SECRET);
    expect(String(error)).not.toContain(Buffer.from(`user:${SECRET}`).toString('base64'));
    return error as AdapterError;
  };

  describe(`the ${name} metrics source, as any metrics source`, () => {
    it('reads a number', async () => {
      const source = create(await serve((_request, response) => response.end(bodies.value(0.25))));
      expect(await source.read(query())).toEqual({ ok: true, value: 0.25 });
    });

    it('never turns missing data into zero', async () => {
      const source = create(await serve((_request, response) => response.end(bodies.noData)));
      expect(await source.read(query())).toMatchObject({ ok: false, missing: 'no-data' });
    });

    it('says once what it was not told: one read is one request', async () => {
      let requests = 0;
      const source = create(
        await serve((_request, response) => {
          requests++;
          response.writeHead(503).end();
        }),
      );
      await source.read(query()).catch(() => {});
      expect(requests).toBe(1);
    });

    const statuses: [number, FailureReason][] = [
      [400, 'rejected'],
      [401, 'unauthenticated'],
      [403, 'forbidden'],
      [404, 'not-found'],
      [422, 'rejected'],
      [429, 'rate-limited'],
      [500, 'unavailable'],
      [503, 'unavailable'],
      [504, 'timeout'],
      [302, 'bad-response'],
    ];
    it.each(statuses)('takes status %i as %s', async (status, reason) => {
      const error = await failure((request, response) => {
        // A server that repeats what it was sent, as debugging proxies do.
        response.writeHead(status, { location: 'http://127.0.0.1:1/' });
        response.end(JSON.stringify({ error: `you sent ${request.headers.authorization} (${SECRET})` }));
      });
      expect(error.reason).toBe(reason);
    });

    it.each([
      '',
      'null',
      '[]',
      '{}',
      '"text"',
      '<html></html>',
      '{"status":"success"}',
      '{"status":"error"}',
      '\u0000\ufffd',
      '{"status":"success","data":{"resultType":"vector","result":[{}]}}',
      '{"status":"success","data":{"resultType":"vector","result":[7]}}',
      '{"status":"success","data":{"resultType":"vector","result":"x"}}',
    ])('takes the body %j as a bad response', async (body) => {
      expect((await failure((_request, response) => response.end(body))).reason).toBe('bad-response');
    });

    it('stops reading a body that never ends', async () => {
      const error = await failure((_request, response) => {
        const pump = () => {
          while (!response.destroyed && response.write(Buffer.alloc(1024 * 1024, 'x')));
          if (!response.destroyed) response.once('drain', pump);
        };
        pump();
      });
      expect(error.reason).toBe('bad-response');
    });

    it('gives up a server that does not answer in time', async () => {
      expect((await failure(() => {})).reason).toBe('timeout');
    });

    it('stops when it is aborted', async () => {
      const stop = new AbortController();
      const error = await failure(() => stop.abort(), stop.signal);
      expect(error.reason).toBe('cancelled');
    });

    it('says that a server cannot be reached', async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as AddressInfo;
      await new Promise((resolve) => server.close(resolve));
      await expect(create(`http://127.0.0.1:${port}`).read(query())).rejects.toMatchObject({ reason: 'unavailable' });
    });

    it('refuses a placeholder that it does not know, before anything is asked', async () => {
      let requests = 0;
      const source = create(
        await serve((_request, response) => {
          requests++;
          response.end(bodies.value(1));
        }),
      );
      const reading = source.read({ ...query(), query: 'x{a="$NOBODY"}' });
      await expect(reading).rejects.toMatchObject({ reason: 'rejected', message: expect.stringContaining('$NOBODY') });
      expect(requests).toBe(0);
    });

    it.each([
      ['2026-01-01T00:00:00Z', 'yesterday'],
      ['2026-01-02T00:00:00Z', '2026-01-01T00:00:00Z'],
    ])('refuses the period from %s to %s', async (start, end) => {
      await expect(create('http://127.0.0.1:1').read({ ...query(), start, end })).rejects.toMatchObject({
        reason: 'rejected',
      });
    });
  });
}

export function query(changes: Partial<MetricQuery> = {}): MetricQuery {
  return {
    query: 'up{service="$SERVICE"}',
    variables: { SERVICE: 'cart' },
    start: '2026-01-01T10:00:00.000Z',
    end: '2026-01-01T10:05:00.000Z',
    ...changes,
  };
}

export const tools: AdapterTools = {
  secret: () => new Secret(SECRET),
  addresses: 'any',
  cacheDir: '/nowhere',
};

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
