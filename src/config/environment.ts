import { parseDuration } from '../base/duration.ts';
import { Secret } from '../base/secret.ts';

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
  const problems: string[] = [];
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
  const databaseUrl = secretFrom(env, 'DATABASE_URL', readFile, problems);
  const publicUrl = text('LYNCEUS_PUBLIC_URL').replace(/\/+$/, '');
  if (publicUrl !== '' && !/^https?:\/\/[^\s/]+/.test(publicUrl))
    problems.push(`LYNCEUS_PUBLIC_URL: "${publicUrl}" is not a URL (e.g. https://lynceus.example.com)`);
  const concurrency = Number(text('LYNCEUS_CONCURRENCY'));
  if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > 256)
    problems.push(`LYNCEUS_CONCURRENCY: "${text('LYNCEUS_CONCURRENCY')}" must be a whole number from 1 to 256`);
  if (!['debug', 'info', 'warn', 'error', 'silent'].includes(text('LYNCEUS_LOG_LEVEL')))
    problems.push(`LYNCEUS_LOG_LEVEL: "${text('LYNCEUS_LOG_LEVEL')}" must be one of debug, info, warn, error`);
  const value: Environment = {
    listen: listenOn(text('LYNCEUS_LISTEN'), problems),
    ...(publicUrl === '' ? {} : { publicUrl }),
    configFile: text('LYNCEUS_CONFIG'),
    ...(databaseUrl ? { databaseUrl } : {}),
    dataDir: text('LYNCEUS_DATA_DIR'),
    logLevel: text('LYNCEUS_LOG_LEVEL'),
    anonymousRead: yesNo('LYNCEUS_ANONYMOUS_READ'),
    allowLoopback: yesNo('LYNCEUS_ALLOW_LOOPBACK'),
    reconcileMs: duration('LYNCEUS_RECONCILE_EVERY'),
    leaseMs: duration('LYNCEUS_LEASE'),
    concurrency,
    ...(env['LYNCEUS_CRASH_AT'] ? { crashAt: env['LYNCEUS_CRASH_AT'] } : {}),
  };
  return problems.length > 0 ? { ok: false, problems } : { ok: true, value: Object.freeze(value) };
}

function secretFrom(
  env: Readonly<Record<string, string | undefined>>,
  name: string,
  readFile: (path: string) => string,
  problems: string[],
): Secret | undefined {
  const file = env[`${name}_FILE`];
  if (!file) return env[name] ? new Secret(env[name]) : undefined;
  if (env[name]) problems.push(`${name} and ${name}_FILE are both set: keep one`);
  try {
    return new Secret(readFile(file).trim());
  } catch {
    problems.push(`${name}_FILE: ${file} cannot be read`);
    return undefined;
  }
}

function listenOn(text: string, problems: string[]): { host: string; port: number } {
  const [, host, port] = /^(.*?):?(\d+)$/.exec(text) ?? [];
  if (port === undefined || Number(port) > 65_535)
    problems.push(`LYNCEUS_LISTEN: "${text}" is not an address (e.g. :8080 or 127.0.0.1:8080)`);
  return {
    host: host === undefined || host === '' ? '0.0.0.0' : host.replace(/^\[|\]$/g, ''),
    port: Number(port ?? 0),
  };
}
