import type { Octokit } from '@octokit/rest';
import { AdapterError, type FailureReason } from '../../base/adapter-error.ts';
import type { Secret } from '../../base/secret.ts';
import type { AddressPolicy } from '../addresses.ts';
import { createHttpClient, type HttpClient, HttpFailure, type HttpRequest } from '../http-client.ts';
import { type ApiLimits, createApiLimits } from './api-limits.ts';
import type { CallOptions } from './git-host.ts';
import { isSha } from './names.ts';

/** A list of 50 pull requests with a body of 60 kB each, or a comparison with its patches, fits. */
const MAX_RESPONSE_BYTES = 20 * 1024 * 1024;
/** Comparisons of large repositories are slow; GitHub itself gives up after 10 s. */
const TIMEOUT_MS = 20_000;
/** GitHub's advice when it names no time: https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api */
const DEFAULT_BACKOFF_MS = 60_000;
/** When the token ends; absent where it does not. */
export const TOKEN_EXPIRY = 'github-authentication-token-expiration';

export interface GitHubApiOptions {
  name: string;
  /** `https://api.github.com`, or `https://<server>/api/v3`. */
  baseUrl: string;
  token: Secret;
  addresses: AddressPolicy;
  /** Pause between requests that change something; GitHub asks for a second. */
  writeIntervalMs: number;
}

/** Who and what: the two names that GitHub's paths are made of. */
export interface Coordinates {
  owner: string;
  repo: string;
}

/** What Octokit gets with every call: it builds and reads requests, our own client sends them. */
export type RequestOptions = { request: { fetch: typeof fetch } };

/** Throws only AdapterError. */
export type GitHubApi = <T>(
  options: CallOptions | undefined,
  use: (octokit: Octokit, with_: RequestOptions) => Promise<T>,
) => Promise<T>;

/** Octokit for the vocabulary, the house's HTTP client for everything that touches the network. */
export function createGitHubApi(options: GitHubApiOptions): GitHubApi {
  const client = createHttpClient({
    name: options.name,
    baseUrl: options.baseUrl,
    token: options.token,
    addresses: options.addresses,
    timeoutMs: TIMEOUT_MS,
  });
  const limits = createApiLimits(options.name, options.writeIntervalMs);
  let octokit: Promise<Octokit> | undefined;

  return async (call, use) => {
    octokit ??= createOctokit(options.baseUrl);
    try {
      return await use(await octokit, { request: { fetch: boundFetch(client, options.baseUrl, limits, call) } });
    } catch (error) {
      throw limits.note(translate(options.name, error));
    }
  };
}

/** Loaded when it is first needed: who uses no GitHub does not pay for it. It never sees the token. */
async function createOctokit(baseUrl: string): Promise<Octokit> {
  const { Octokit } = await import('@octokit/rest');
  const silent = { debug() {}, info() {}, warn() {}, error() {} };
  return new Octokit({ baseUrl, log: silent });
}

function boundFetch(client: HttpClient, baseUrl: string, limits: ApiLimits, call: CallOptions = {}): typeof fetch {
  return async (input, init = {}) => {
    const method = methodOf(init.method);
    const request: HttpRequest = {
      method,
      path: pathBelow(String(input), baseUrl),
      headers: headersOf(init.headers),
      maxResponseBytes: MAX_RESPONSE_BYTES,
      ...(typeof init.body === 'string' ? { body: JSON.parse(init.body) as unknown } : {}),
      ...(call.signal === undefined ? {} : { signal: call.signal }),
      ...(method === 'GET' || call.guard === undefined ? {} : { guard: call.guard }),
    };
    await limits.turn(method !== 'GET', call.signal);
    const { status, data, headers } = await client.json(request);
    const body = status === 204 ? null : JSON.stringify(data ?? null);
    const expiry = headers[TOKEN_EXPIRY];
    const kept = { 'content-type': 'application/json', ...(expiry === undefined ? {} : { [TOKEN_EXPIRY]: expiry }) };
    return new Response(body, { status, headers: kept });
  };
}

/** @throws {AdapterError} `bad-response` for anything but a full SHA */
export function shaOf(value: unknown): string {
  if (typeof value === 'string' && isSha(value)) return value;
  throw new AdapterError('bad-response', 'GitHub answered without a commit SHA');
}

function translate(name: string, error: unknown): AdapterError {
  const known = adapterErrorIn(error);
  if (known === undefined) return new AdapterError('bad-response', `${name} answered something that makes no sense`);
  const failure = known.cause instanceof HttpFailure ? known.cause : undefined;
  if (failure === undefined) return known;
  const reason = reasonOf(failure) ?? known.reason;
  const details = detailsOf(failure.body);
  const message = details === '' ? known.message : `${known.message} (${details})`;
  const retryAfterMs = reason === 'rate-limited' ? waitOf(failure, known.retryAfterMs) : known.retryAfterMs;
  return new AdapterError(reason, message, { cause: failure, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
}

/** Octokit wraps what our transport throws. */
function adapterErrorIn(error: unknown): AdapterError | undefined {
  if (error instanceof AdapterError) return error;
  return error instanceof Error ? adapterErrorIn(error.cause) : undefined;
}

function reasonOf(failure: HttpFailure): FailureReason | undefined {
  const { status, headers, body } = failure;
  if (status === 429) return 'rate-limited';
  if (status === 405) return 'conflict';
  if (status !== 403) return undefined;
  const exhausted = headers['retry-after'] !== undefined || headers['x-ratelimit-remaining'] === '0';
  return exhausted || /rate limit/i.test(messageOf(body)) ? 'rate-limited' : undefined;
}

function waitOf(failure: HttpFailure, retryAfterMs: number | undefined): number {
  if (retryAfterMs !== undefined) return retryAfterMs;
  const resetAt = Number(failure.headers['x-ratelimit-reset']) * 1000;
  if (failure.headers['x-ratelimit-remaining'] !== '0' || !Number.isFinite(resetAt)) return DEFAULT_BACKOFF_MS;
  return Math.max(1_000, resetAt - Date.now());
}

function messageOf(body: unknown): string {
  const message = typeof body === 'object' && body !== null && 'message' in body ? body.message : body;
  return typeof message === 'string' ? message : '';
}

/** `Validation Failed` says little; the list below it says which one. */
function detailsOf(body: unknown): string {
  const errors = typeof body === 'object' && body !== null && 'errors' in body ? body.errors : undefined;
  if (!Array.isArray(errors)) return '';
  return errors.slice(0, 3).map(messageOf).filter(Boolean).join('; ').replace(/\s+/g, ' ').slice(0, 200);
}

function pathBelow(url: string, baseUrl: string): string {
  if (url.startsWith(`${baseUrl}/`)) return url.slice(baseUrl.length);
  throw new AdapterError('rejected', 'a request left the configured GitHub server');
}

function methodOf(method: string | undefined): HttpRequest['method'] {
  const known = (['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const).find((name) => name === method);
  if (known === undefined) throw new AdapterError('rejected', `${String(method)} is not a method we use`);
  return known;
}

function headersOf(headers: unknown): Record<string, string> {
  const given = typeof headers === 'object' && headers !== null ? (headers as Record<string, unknown>) : {};
  return {
    Accept: String(given['accept'] ?? 'application/vnd.github+json'),
    'X-GitHub-Api-Version': '2022-11-28',
  };
}
