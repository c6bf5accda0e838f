import { describe, expect, it } from 'vitest';
import { parseEnvironment } from '../../src/config/environment.ts';

const files: Record<string, string> = {
  '/run/db': 'postgres://lynceus:canary@db/lynceus\n',
  '/run/other': 'mysql://canary',
};
const readFile = (path: string) => {
  const found = files[path];
  if (found === undefined) throw new Error('ENOENT');
  return found;
};
const parse = (env: Record<string, string>) => parseEnvironment(env, readFile);
const problemsOf = (env: Record<string, string>) => {
  const parsed = parse(env);
  const said = parsed.ok ? [] : parsed.problems;
  expect(said.join('\n')).not.toContain('canary');
  return said;
};

describe('the environment', () => {
  it('may be empty', () => {
    expect(parse({})).toMatchObject({
      ok: true,
      value: {
        listen: { host: '0.0.0.0', port: 8080 },
        configFile: 'lynceus.yaml',
        dataDir: './data',
        anonymousRead: true,
        allowLoopback: false,
        reconcileMs: 30_000,
        concurrency: 16,
      },
    });
  });

  it.each([
    [':9090', '0.0.0.0', 9090],
    ['9090', '0.0.0.0', 9090],
    ['127.0.0.1:0', '127.0.0.1', 0],
    ['[::1]:8080', '::1', 8080],
    ['localhost:8080', 'localhost', 8080],
  ])('can say to listen on %s', (text, host, port) => {
    expect(parse({ LYNCEUS_LISTEN: text })).toMatchObject({ ok: true, value: { listen: { host, port } } });
  });

  it('can keep the address of the database in a file', () => {
    const parsed = parse({ DATABASE_URL_FILE: '/run/db' });
    expect(parsed.ok && parsed.value.databaseUrl?.reveal()).toBe('postgres://lynceus:canary@db/lynceus');
  });

  it.each([
    [
      { LYNCEUS_LISTEN: 'everywhere' },
      'LYNCEUS_LISTEN: "everywhere" is not an address (e.g. :8080, 127.0.0.1:8080 or [::1]:8080)',
    ],
    [
      { LYNCEUS_LISTEN: ':70000' },
      'LYNCEUS_LISTEN: ":70000" is not an address (e.g. :8080, 127.0.0.1:8080 or [::1]:8080)',
    ],
    [
      { LYNCEUS_PUBLIC_URL: 'lynceus.example.com' },
      'LYNCEUS_PUBLIC_URL: "lynceus.example.com" is not a URL (e.g. https://lynceus.example.com)',
    ],
    [{ LYNCEUS_ANONYMOUS_READ: 'no' }, 'LYNCEUS_ANONYMOUS_READ: "no" must be true or false'],
    [{ LYNCEUS_LEASE: '10' }, 'LYNCEUS_LEASE: "10" is not a duration of at least 100ms (e.g. 30s)'],
    [
      { LYNCEUS_RECONCILE_EVERY: '1ms' },
      'LYNCEUS_RECONCILE_EVERY: "1ms" is not a duration of at least 100ms (e.g. 30s)',
    ],
    [{ LYNCEUS_CONCURRENCY: '0' }, 'LYNCEUS_CONCURRENCY: "0" must be a whole number from 1 to 256'],
    [{ LYNCEUS_LOG_LEVEL: 'verbose' }, 'LYNCEUS_LOG_LEVEL: "verbose" must be one of debug, info, warn, error'],
    [{ LYNCEUS_LISTN: ':80' }, 'LYNCEUS_LISTN is not a setting, did you mean LYNCEUS_LISTEN?'],
    [{ DATABASE_URI: 'postgres://canary' }, 'DATABASE_URI is not a setting, did you mean DATABASE_URL?'],
    [
      { DATABASE_URL: 'canary@db' },
      'DATABASE_URL is not an address of PostgreSQL (e.g. postgres://user:password@host:5432/lynceus)',
    ],
    [
      { DATABASE_URL_FILE: '/run/other' },
      'DATABASE_URL_FILE is not an address of PostgreSQL (e.g. postgres://user:password@host:5432/lynceus)',
    ],
    [
      { DATABASE_URL_FILE: '/run/nothing' },
      'DATABASE_URL_FILE: /run/nothing cannot be read: write the address there, readable for this process',
    ],
    [
      { DATABASE_URL: 'postgres://canary', DATABASE_URL_FILE: '/run/db' },
      'DATABASE_URL and DATABASE_URL_FILE are both set: keep one',
    ],
  ] as [Record<string, string>, string][])('is refused with %j', (env, problem) => {
    expect(problemsOf(env)).toEqual([problem]);
  });

  it('tells all its mistakes at once', () => {
    expect(problemsOf({ LYNCEUS_LEASE: 'x', LYNCEUS_CONCURRENCY: 'x', LYNCEUS_LISTEN: 'x' })).toHaveLength(3);
  });

  it('is not confused by what Kubernetes sets for a Service of our name', () => {
    expect(
      problemsOf({
        LYNCEUS_PORT: 'tcp://10.0.0.1:80',
        LYNCEUS_SERVICE_HOST: '10.0.0.1',
        LYNCEUS_SERVICE_PORT: '80',
        LYNCEUS_PORT_80_TCP_ADDR: '10.0.0.1',
      }),
    ).toEqual([]);
  });
});
