import { readFile, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import Type from 'typebox';
import { AdapterError } from '../../base/adapter-error.ts';
import { parseDuration } from '../../base/duration.ts';
import type { AdapterTools } from '../adapter-kind.ts';
import { createHttpClient } from '../http-client.ts';
import { type HttpSettings, httpSettings, type LoginSettings, toClientOptions, withLogin } from '../http-settings.ts';
import type { MetricQuery } from './metrics-source.ts';
import { fillPlaceholders, periodOf, type QueryLanguage } from './placeholders.ts';
import { MAX_REPORT_BYTES } from './reports/read-report.ts';

/** Where reports are, in the configuration of every source that reads them. */
export const reportSettings = {
  ...httpSettings,
  url: Type.Optional(Type.String({ format: 'uri', description: 'where reports can be downloaded' })),
  folder: Type.Optional(Type.String({ minLength: 1, description: 'folder with reports on this machine' })),
  file: Type.String({ minLength: 1, description: 'the report below it, such as $SERVICE/$STAGE/summary.json' }),
  maxAge: Type.Optional(
    Type.Union([Type.Literal('any'), Type.String({ format: 'duration-text' })], {
      description: 'how long before the period a report may have been written, such as 1d, or any',
    }),
  ),
} as const;

export interface ReportSettings extends Omit<HttpSettings, 'url'>, LoginSettings {
  url?: string;
  folder?: string;
  file: string;
  /** A duration, or `any`. */
  maxAge: string;
}

interface Found {
  text: string;
  /** When it was written, where that is known. */
  writtenMs: number | undefined;
}

type Fetch = (segments: readonly string[], signal: AbortSignal | undefined) => Promise<Found>;

/** Answers the text of the report that belongs to a query. */
export type ReportFiles = (query: MetricQuery, signal: AbortSignal | undefined) => Promise<string>;

/**
 * Finds reports in a folder or below a URL. One that was written more than `maxAge` before the period is
 * of an earlier run: it counts as not there yet.
 *
 * @throws {AdapterError} `rejected` when the settings name neither or both
 */
export function createReportFiles(who: string, config: ReportSettings, tools: AdapterTools): ReportFiles {
  const maxAgeMs = parseDuration(config.maxAge);
  const fetch = fetcher(who, config, tools);
  return async (query, signal) => {
    const { startMs, variables } = periodOf(query);
    const name = fillPlaceholders(config.file, variables, FILE_NAME);
    const segments = name.split('/').filter((segment) => segment !== '');
    if (segments.some((segment) => segment === '.' || segment === '..')) {
      throw new AdapterError(
        'rejected',
        `${who}: the file ${JSON.stringify(name.slice(0, 100))} is not below its folder`,
      );
    }
    const { text, writtenMs } = await fetch(segments, signal);
    if (maxAgeMs !== undefined) checkAge(`${who}: the report ${segments.join('/')}`, writtenMs, startMs - maxAgeMs);
    return text;
  };
}

/** A value is one part of a path: it neither leads elsewhere nor names a folder. */
const FILE_NAME: QueryLanguage = {
  quotes: [],
  bare(value, name) {
    if (value !== '' && value !== '.' && value !== '..' && !/[/\\\p{Cc}]/u.test(value)) return value;
    throw new AdapterError('rejected', `the value of $${name} cannot be part of the name of a file`);
  },
};

function checkAge(what: string, writtenMs: number | undefined, oldestMs: number): void {
  if (writtenMs === undefined) {
    throw new AdapterError('bad-response', `${what} does not say when it was written, which maxAge asks for`);
  }
  if (writtenMs >= oldestMs) return;
  const written = new Date(writtenMs).toISOString();
  throw new AdapterError('not-found', `${what} is of an earlier run: it was written at ${written} (see maxAge)`);
}

function fetcher(who: string, config: ReportSettings, tools: AdapterTools): Fetch {
  const { url, folder } = config;
  if (url !== undefined && folder === undefined) return fromUrl(who, { ...config, url }, tools);
  if (folder !== undefined && url === undefined) return fromFolder(who, folder);
  throw new AdapterError('rejected', `${who}: name either a folder or a url`);
}

function fromUrl(who: string, config: ReportSettings & HttpSettings, tools: AdapterTools): Fetch {
  const client = createHttpClient(withLogin(toClientOptions(who, config, tools), config, tools));
  return async (segments, signal) => {
    const { data, headers } = await client.text({
      method: 'GET',
      path: `/${segments.map(encodeURIComponent).join('/')}`,
      headers: { Accept: '*/*' },
      maxResponseBytes: MAX_REPORT_BYTES,
      ...(signal ? { signal } : {}),
    });
    const written = Date.parse(headers['last-modified'] ?? '');
    return { text: data, writtenMs: Number.isNaN(written) ? undefined : written };
  };
}

function fromFolder(who: string, folder: string): Fetch {
  return async (segments, signal) => {
    const name = segments.join('/');
    try {
      signal?.throwIfAborted();
      const root = await realpath(folder);
      const file = await realpath(path.join(root, ...segments));
      if (!file.startsWith(root + path.sep))
        throw new AdapterError('rejected', `${who}: ${name} leads out of its folder`);
      return await readWhole(`${who}: ${name}`, file, signal);
    } catch (error) {
      throw toAdapterError(`${who}: ${name}`, error, signal);
    }
  };
}

async function readWhole(what: string, file: string, signal: AbortSignal | undefined): Promise<Found> {
  const found = await stat(file);
  if (!found.isFile()) throw new AdapterError('rejected', `${what} is not a file`);
  if (found.size > MAX_REPORT_BYTES) throw new AdapterError('bad-response', `${what} is larger than what we read`);
  const text = await readFile(file, { encoding: 'utf8', ...(signal ? { signal } : {}) });
  return { text, writtenMs: found.mtimeMs };
}

function toAdapterError(what: string, error: unknown, signal: AbortSignal | undefined): AdapterError {
  if (error instanceof AdapterError) return error;
  if (signal?.aborted) return new AdapterError('cancelled', `${what}: reading was given up`);
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ENOENT' || code === 'ENOTDIR') return new AdapterError('not-found', `${what} is not there`);
  if (code === 'EACCES') return new AdapterError('forbidden', `${what} cannot be read: no permission`);
  return new AdapterError('unavailable', `${what} cannot be read (${code})`);
}
