import { parseDuration } from '../base/duration.ts';
import { Secret } from '../base/secret.ts';
import { suggest } from '../definitions/suggest.ts';

/** What the process is told by its environment; everything about teams and tools is in lynceus.yaml and in Git. */
export interface Environment {
  listen: { host: string; port: number };
  publicUrl?: string;
  configFile: string;
  databaseUrl?: Secret;
  dataDir: string;
  logLevel: string;
  anonymousRead: boolean;
  allowLoopback: boolean;
  /** How many proxies in front of us say in X-Forwarded-For who asks. */
  trustedProxies: number;
  reconcileMs: number;
  leaseMs: number;
  concurrency: number;
  /** Only for tests: where to let the process die. */
  crashAt?: string;
}

export interface Setting {
  name: string;
  default: string;
  description: string;
}

/** All of them, for docs and `--help`; docs/configuration.md is checked against this list. */
export const SETTINGS: readonly Setting[] = [
  { name: 'LYNCEUS_LISTEN', default: ':8080', description: 'address and port to listen on' },
  { name: 'LYNCEUS_PUBLIC_URL', default: '', description: 'where people reach this service; used in links' },
  {
    name: 'LYNCEUS_CONFIG',
    default: 'lynceus.yaml',
    description: 'file that names delivery systems, Git hosts, metrics sources and tokens',
  },
  {
    name: 'DATABASE_URL',
    default: '',
    description: 'PostgreSQL 15 or newer; empty: the embedded store. Also DATABASE_URL_FILE',
  },
  { name: 'LYNCEUS_DATA_DIR', default: './data', description: 'folder of the embedded store and of caches' },
  { name: 'LYNCEUS_LOG_LEVEL', default: 'info', description: 'debug, info, warn or error' },
  { name: 'LYNCEUS_ANONYMOUS_READ', default: 'true', description: 'whether pages and API can be read without a token' },
  {
    name: 'LYNCEUS_ALLOW_LOOPBACK',
    default: 'false',
    description: 'whether tests may call applications on this machine (demo, development)',
  },
  {
    name: 'LYNCEUS_TRUSTED_PROXIES',
    default: '0',
    description: 'how many proxies in front each add an address to X-Forwarded-For',
  },
  {
    name: 'LYNCEUS_RECONCILE_EVERY',
    default: '30s',
    description: 'how often applications are listed to repair lost notifications',
  },
  {
    name: 'LYNCEUS_LEASE',
    default: '10s',
    description: 'how long a replica that died keeps its work before another takes it',
  },
  { name: 'LYNCEUS_CONCURRENCY', default: '16', description: 'how much work one replica does at a time' },
];

export type ParsedEnvironment = { ok: true; value: Environment } | { ok: false; problems: string[] };

/** Reads the environment once; all mistakes are reported together. */
export function parseEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  readFile: (path: string) => string,
): ParsedEnvironment {
  const problems = misspelled(env);
  const text = (name: string) => env[name] || (SETTINGS.find((setting) => setting.name === name)?.default ?? '');
  const duration = (name: string) => {
    const ms = parseDuration(text(name));
    if (ms === undefined || ms < 100)
      problems.push(`${name}: "${text(name)}" is not a duration of at least 100ms (e.g. 30s)`);
    return ms ?? 0;
  };
  const yesNo = (name: string) => {
    if (text(name) !== 'true' && text(name) !== 'false')
      problems.push(`${name}: "${text(name)}" must be true or false`);
    return text(name) === 'true';
  };
  const database = databaseFrom(env, readFile, problems);
  const publicUrl = text('LYNCEUS_PUBLIC_URL').replace(/\/+$/, '');
  if (publicUrl !== '' && !(/^https?:\/\/[^\s/]+/.test(publicUrl) && URL.canParse(publicUrl)))
    problems.push(`LYNCEUS_PUBLIC_URL: "${publicUrl}" is not a URL (e.g. https://lynceus.example.com)`);
  const concurrency = Number(text('LYNCEUS_CONCURRENCY'));
  if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > 256)
    problems.push(`LYNCEUS_CONCURRENCY: "${text('LYNCEUS_CONCURRENCY')}" must be a whole number from 1 to 256`);
  const trustedProxies = Number(text('LYNCEUS_TRUSTED_PROXIES'));
  if (!Number.isInteger(trustedProxies) || trustedProxies < 0 || trustedProxies > 10)
    problems.push(`LYNCEUS_TRUSTED_PROXIES: "${text('LYNCEUS_TRUSTED_PROXIES')}" must be a whole number from 0 to 10`);
  if (!['debug', 'info', 'warn', 'error', 'silent'].includes(text('LYNCEUS_LOG_LEVEL')))
    problems.push(`LYNCEUS_LOG_LEVEL: "${text('LYNCEUS_LOG_LEVEL')}" must be one of debug, info, warn, error`);
  const value: Environment = {
    listen: listenOn(text('LYNCEUS_LISTEN'), problems),
    ...(publicUrl === '' ? {} : { publicUrl }),
    configFile: text('LYNCEUS_CONFIG'),
    ...(database ? { databaseUrl: database } : {}),
    dataDir: text('LYNCEUS_DATA_DIR'),
    logLevel: text('LYNCEUS_LOG_LEVEL'),
    anonymousRead: yesNo('LYNCEUS_ANONYMOUS_READ'),
    allowLoopback: yesNo('LYNCEUS_ALLOW_LOOPBACK'),
    trustedProxies,
    reconcileMs: duration('LYNCEUS_RECONCILE_EVERY'),
    leaseMs: duration('LYNCEUS_LEASE'),
    concurrency,
    ...(env['LYNCEUS_CRASH_AT'] ? { crashAt: env['LYNCEUS_CRASH_AT'] } : {}),
  };
  return problems.length > 0 ? { ok: false, problems } : { ok: true, value: Object.freeze(value) };
}

/** Only what is close to a name of ours: Kubernetes sets LYNCEUS_PORT and more of its own for a Service. */
function misspelled(env: Readonly<Record<string, string | undefined>>): string[] {
  const known = [...SETTINGS.map(({ name }) => name), ...OTHERS];
  return Object.keys(env).flatMap((name) => {
    const meant = /^(?:LYNCEUS|DATABASE)_/.test(name) && !known.includes(name) ? suggest(name, known) : undefined;
    return meant === undefined ? [] : [`${name} is not a setting, did you mean ${meant}?`];
  });
}

const OTHERS = ['DATABASE_URL_FILE', 'LYNCEUS_SERVER', 'LYNCEUS_TOKEN', 'LYNCEUS_CRASH_AT'];

function databaseFrom(
  env: Readonly<Record<string, string | undefined>>,
  readFile: (path: string) => string,
  problems: string[],
): Secret | undefined {
  const { DATABASE_URL: url, DATABASE_URL_FILE: file } = env;
  if (file && url) problems.push('DATABASE_URL and DATABASE_URL_FILE are both set: keep one');
  if (!file) return url ? databaseUrl('DATABASE_URL', url, problems) : undefined;
  try {
    return databaseUrl('DATABASE_URL_FILE', readFile(file).trim(), problems);
  } catch {
    problems.push(`DATABASE_URL_FILE: ${file} cannot be read: write the address there, readable for this process`);
    return undefined;
  }
}

/** Its value may hold a password, so it is never quoted. */
function databaseUrl(name: string, text: string, problems: string[]): Secret {
  if (!/^postgres(?:ql)?:\/\/./.test(text))
    problems.push(`${name} is not an address of PostgreSQL (e.g. postgres://user:password@host:5432/lynceus)`);
  return new Secret(text);
}

function listenOn(text: string, problems: string[]): { host: string; port: number } {
  const [, host = '', port] = /^(?:(\[[\da-f:.]+\]|[\w.-]*):)?(\d{1,5})$/i.exec(text) ?? [];
  if (port === undefined || Number(port) > 65_535)
    problems.push(`LYNCEUS_LISTEN: "${text}" is not an address (e.g. :8080, 127.0.0.1:8080 or [::1]:8080)`);
  return { host: host === '' ? '0.0.0.0' : host.replace(/^\[|\]$/g, ''), port: Number(port ?? 0) };
}
