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
  /** The source's own bodies. */
  bodies: {
    value: (value: number) => string;
    noData: string;
    /** For a source that can say so: NaN or infinity, and more than one value. */
    notANumber?: string;
    severalValues?: string;
    /** For a source that offers points; `null` is a gap. */
    series?: (points: (number | null)[]) => string;
    /** Bodies that look like answers and are none. */
    wrong?: string[];
    /** Bodies that are answers to this source, though to most they are none: `[]` of a list that is empty. */
    right?: string[];
  };
  /** A question in the source's language; the placeholder `$SERVICE` stands where it has one. */
  query?: string;
  /** Numbers that the source can have; default: of any kind. */
  values?: readonly number[];
  /** The same with the placeholder `$NOBODY`; default: a string in quotes. */
  unknownPlaceholder?: string;
}

/** What every metrics source promises, tried against a real HTTP server that misbehaves on purpose. */
export function describeMetricsSource(name: string, contract: MetricsSourceContract): void {
  const { create, bodies } = contract;
  const asked = () => query(contract.query === undefined ? {} : { query: contract.query });
  const failure = async (listener: RequestListener, signal?: AbortSignal) => {
    const source = create(await serve(listener));
    const error = await source.read(asked(), signal ? { signal } : {}).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(AdapterError);
    expect(String(error)).not.toContain(SECRET);
    expect(String(error)).not.toContain(Buffer.from(`user:${SECRET}`).toString('base64'));
    return error as AdapterError;
  };

  describe(`the ${name} metrics source, as any metrics source`, () => {
    it.each(contract.values ?? [0.25, 0, -1.5, 0.30000000000000004, 123_456_789.125])(
      'reads the number %d',
      async (value) => {
        const source = create(await serve((_request, response) => response.end(bodies.value(value))));
        expect(await source.read(asked())).toEqual({ ok: true, value });
      },
    );

    it('never turns missing data into zero', async () => {
      const source = create(await serve((_request, response) => response.end(bodies.noData)));
      expect(await source.read(asked())).toMatchObject({ ok: false, missing: 'no-data' });
    });

    const { notANumber, severalValues, series } = bodies;

    if (notANumber !== undefined) {
      it('takes no number for what is none', async () => {
        const source = create(await serve((_request, response) => response.end(notANumber)));
        expect(await source.read(asked())).toMatchObject({ ok: false, missing: 'not-a-number' });
      });
    }

    if (severalValues !== undefined) {
      it('chooses none of several values', async () => {
        const source = create(await serve((_request, response) => response.end(severalValues)));
        expect(await source.read(asked())).toMatchObject({ ok: false, missing: 'several-values' });
      });
    }

    it(series === undefined ? 'offers no points' : 'offers points', () => {
      expect(create('http://127.0.0.1:1').series === undefined).toBe(series === undefined);
    });

    if (series !== undefined) {
      const points = (url: string, stepMs = 60_000) => create(url).series?.({ ...asked(), stepMs });

      it('offers the points behind a number, without gaps', async () => {
        const url = await serve((_request, response) => response.end(series([1, null, 2.5, 0])));
        expect(await points(url)).toEqual({ ok: true, points: [1, 2.5, 0] });
      });

      it('has no points where there is no data', async () => {
        const url = await serve((_request, response) => response.end(bodies.noData));
        const reading = await points(url)?.catch((error: unknown) => error);
        // The answer to a question for a number may be no answer to one for points.
        expect(reading instanceof AdapterError ? reading.reason : reading).toSatisfy(
          (one) => one === 'bad-response' || one.missing === 'no-data',
        );
      });

      it.each([0, -1, Number.NaN, 86_400_000])('refuses a step of %d ms', async (stepMs) => {
        await expect(points('http://127.0.0.1:1', stepMs)).rejects.toMatchObject({ reason: 'rejected' });
      });
    }

    it('says once what it was not told: one read is one request', async () => {
      let requests = 0;
      const source = create(
        await serve((_request, response) => {
          requests++;
          response.writeHead(503).end();
        }),
      );
      await source.read(asked()).catch(() => {});
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
        const sent = `${request.headers.authorization} ${SECRET} ${request.rawHeaders.join(' ')} ${request.url}`;
        response.end(JSON.stringify({ error: `you sent ${sent}` }));
      });
      expect(error.reason).toBe(reason);
    });

    it('shows no part of a secret that is cut off with a long message', async () => {
      for (const length of [280, 285, 290, 295]) {
        const error = await failure((_request, response) => {
          response.writeHead(400).end(JSON.stringify({ message: 'x'.repeat(length) + SECRET }));
        });
        expect(error.message).not.toContain(SECRET.slice(0, 4));
      }
    });

    it('says when to come back', async () => {
      const error = await failure((_request, response) => response.writeHead(429, { 'retry-after': '7' }).end());
      expect(error).toMatchObject({ reason: 'rate-limited', retryAfterMs: 7000 });
    });

    it('repeats no page of a proxy', async () => {
      const error = await failure((_request, response) => response.writeHead(502).end('<html>Bad Gateway</html>'));
      expect(error.reason).toBe('unavailable');
      expect(error.message).not.toContain('<html>');
    });

    const wrong = [
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
      ...(bodies.wrong ?? []),
    ].filter((body) => !bodies.right?.includes(body));
    it.each(wrong)('takes the body %j as a bad response', async (body) => {
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

    it('gives up a server that begins to answer and never ends', async () => {
      const error = await failure((_request, response) => response.writeHead(200).write(bodies.value(1).slice(0, 5)));
      expect(error.reason).toBe('timeout');
    });

    it('takes no half answer for a whole one', async () => {
      const body = bodies.value(1);
      const error = await failure((_request, response) => {
        response.writeHead(200, { 'content-length': body.length + 10 });
        response.write(body, () => setTimeout(() => response.destroy(), 20));
      });
      expect(['unavailable', 'bad-response']).toContain(error.reason);
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
      await expect(create(`http://127.0.0.1:${port}`).read(asked())).rejects.toMatchObject({ reason: 'unavailable' });
    });

    it('refuses a placeholder that it does not know, before anything is asked', async () => {
      let requests = 0;
      const source = create(
        await serve((_request, response) => {
          requests++;
          response.end(bodies.value(1));
        }),
      );
      const reading = source.read(query({ query: contract.unknownPlaceholder ?? 'x{a="$NOBODY"}' }));
      await expect(reading).rejects.toMatchObject({ reason: 'rejected', message: expect.stringContaining('$NOBODY') });
      expect(requests).toBe(0);
    });

    it.each([
      ['2026-01-01T00:00:00Z', 'yesterday'],
      ['2026-01-02T00:00:00Z', '2026-01-01T00:00:00Z'],
    ])('refuses the period from %s to %s', async (start, end) => {
      await expect(create('http://127.0.0.1:1').read({ ...asked(), start, end })).rejects.toMatchObject({
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
