import type { Octokit } from '@octokit/rest';
import { AdapterError } from '../../base/adapter-error.ts';
import type { Secret } from '../../base/secret.ts';
import type { AddressPolicy } from '../addresses.ts';
import { createHttpClient, type HttpAnswer, HttpFailure, type HttpRequest } from '../http-client.ts';
import { type ApiTime, systemTime } from './api-limits.ts';
import { createApiMemory, type Remembered } from './api-memory.ts';
import type { CallOptions } from './git-host.ts';
import { appCredentials, type GitHubApp } from './github-app.ts';
import { type Caller, type Credentials, createPaces, type Grant, tokenCredentials } from './github-credentials.ts';
import { adapterErrorIn, exhaustedFor, toGitHubFailure } from './github-failures.ts';
import { isSha } from './names.ts';

export type { Coordinates } from './github-credentials.ts';

/** A list of 50 pull requests with a body of 60 kB each, or a comparison with its patches, fits. */
const MAX_RESPONSE_BYTES = 20 * 1024 * 1024;
/** Comparisons of large repositories are slow; GitHub itself gives up after 10 s. */
const TIMEOUT_MS = 20_000;
/** When the token ends; absent where it does not. */
export const TOKEN_EXPIRY = 'github-authentication-token-expiration';
/** What callers read besides the body. */
const KEPT_HEADERS = [TOKEN_EXPIRY, 'link'];
/** What a full SHA names never changes. */
const IMMUTABLE =
  /\/(?:git\/(?:commits|trees)\/[0-9a-f]{40}(?:\?|$)|compare\/[0-9a-f]{40}\.\.\.[0-9a-f]{40}(?:\?|$)|contents\/[^?]*\?ref=[0-9a-f]{40}$)/;

export interface GitHubApiOptions {
  name: string;
  /** `https://api.github.com`, or `https://<server>/api/v3`. */
  baseUrl: string;
  /** `https://api.github.com`, or `https://<server>/api`: below it, `/graphql`. */
  graphqlUrl: string;
  login: { token: Secret } | { app: GitHubApp };
  addresses: AddressPolicy;
  /** Pause between requests that change something; GitHub asks for a second. */
  writeIntervalMs: number;
  time?: ApiTime;
}

/** What Octokit gets with every call: it builds and reads requests, our own client sends them. */
export type RequestOptions = { request: { fetch: typeof fetch } };

/**
 * Throws only AdapterError. On whose behalf: of ourselves in the repository that the path names, unless `caller` says
 * otherwise.
 */
export type GitHubApi = <T>(
  options: CallOptions | undefined,
  use: (octokit: Octokit, with_: RequestOptions) => Promise<T>,
  caller?: Caller,
) => Promise<T>;

/** A question or a change in GraphQL, for what REST does not have; answers `data`. */
export type GitHubGraphQl = (
  options: CallOptions | undefined,
  query: string,
  variables: Readonly<Record<string, string | null>>,
  caller: Caller,
) => Promise<unknown>;

export interface GitHubConnection {
  rest: GitHubApi;
  graphql: GitHubGraphQl;
  credentials: Credentials['kind'];
}

/** Octokit for the vocabulary, the house's HTTP client for everything that touches the network. */
export function createGitHubApi(options: GitHubApiOptions): GitHubConnection {
  const { name, baseUrl, login, addresses } = options;
  const time = options.time ?? systemTime;
  const secrets = 'token' in login ? [login.token] : [login.app.privateKey];
  const client = createHttpClient({ name, baseUrl, secrets, addresses, timeoutMs: TIMEOUT_MS });
  const graphqlClient = createHttpClient({
    name,
    baseUrl: options.graphqlUrl,
    secrets,
    addresses,
    timeoutMs: TIMEOUT_MS,
  });
  const paces = createPaces(name, options.writeIntervalMs, time);
  const credentials =
    'token' in login
      ? tokenCredentials(login.token, paces('token'), paces)
      : appCredentials(name, login.app, (request, grant) => send(request, grant), paces, time);
  const memory = createApiMemory();
  let octokit: Promise<Octokit> | undefined;

  /** Every request passes here: with its token, at its pace, its refusals understood. */
  async function send(request: HttpRequest, grant: Grant, changes = false, by = client): Promise<HttpAnswer<unknown>> {
    const { token, limits } = grant;
    const full: HttpRequest = {
      ...request,
      headers: { ...VERSION, ...request.headers, Authorization: `Bearer ${token.reveal()}` },
      secrets: [token],
      maxResponseBytes: MAX_RESPONSE_BYTES,
    };
    return limits.send(changes, request.signal, async () => {
      try {
        const answer = await by.json(full);
        const restMs = exhaustedFor(answer.headers, time.wall());
        if (restMs !== undefined) limits.stayAway(restMs);
        return answer;
      } catch (error) {
        throw error instanceof AdapterError ? limits.note(toGitHubFailure(error, time.wall())) : error;
      }
    });
  }

  /** The same on somebody's behalf. An App's token that GitHub no longer knows is not used again. */
  async function sendFor(caller: Caller, request: HttpRequest, changes: boolean, by = client) {
    const grant = await credentials.grant(caller);
    try {
      return await send(request, grant, changes, by);
    } catch (error) {
      if (error instanceof AdapterError && error.reason === 'unauthenticated') credentials.drop(caller);
      throw error;
    }
  }

  /** What has not changed is not sent again: GitHub then answers 304, which it does not count. */
  async function read(caller: Caller, request: HttpRequest): Promise<Remembered> {
    const key = 'person' in caller ? undefined : `${'app' in caller ? 'app' : ''} ${request.path}`;
    const known = key === undefined ? undefined : memory.find(key);
    if (known !== undefined && IMMUTABLE.test(request.path)) return known;
    try {
      const headers = { ...request.headers, ...(known?.etag === undefined ? {} : { 'If-None-Match': known.etag }) };
      const answer = await sendFor(caller, { ...request, headers }, false);
      const fresh = {
        text: JSON.stringify(answer.data ?? null),
        headers: answer.headers,
        etag: answer.headers['etag'],
      };
      if (key !== undefined && (fresh.etag !== undefined || IMMUTABLE.test(request.path))) memory.keep(key, fresh);
      return fresh;
    } catch (error) {
      const same = error instanceof AdapterError && error.cause instanceof HttpFailure && error.cause.status === 304;
      if (!same || known === undefined) throw error;
      return known;
    }
  }

  function boundFetch(call: CallOptions = {}, caller: Caller | undefined): typeof fetch {
    return async (input, init = {}) => {
      const method = methodOf(init.method);
      const path = pathBelow(String(input), baseUrl);
      const by = caller ?? { in: coordinatesIn(path) };
      const signal = call.signal === undefined ? {} : { signal: call.signal };
      if (method === 'GET') {
        const { text, headers } = await read(by, { method, path, headers: acceptOf(init.headers), ...signal });
        return new Response(text, { status: 200, headers: keptOf(headers) });
      }
      const { status, data, headers } = await sendFor(
        by,
        {
          method,
          path,
          headers: acceptOf(init.headers),
          ...(typeof init.body === 'string' ? { body: JSON.parse(init.body) as unknown } : {}),
          ...signal,
          ...(call.guard === undefined ? {} : { guard: call.guard }),
        },
        true,
      );
      const body = status === 204 ? null : JSON.stringify(data ?? null);
      return new Response(body, { status, headers: keptOf(headers) });
    };
  }

  return {
    credentials: credentials.kind,
    async rest(call, use, caller) {
      octokit ??= createOctokit(baseUrl);
      try {
        return await use(await octokit, { request: { fetch: boundFetch(call, caller) } });
      } catch (error) {
        throw (
          adapterErrorIn(error) ?? new AdapterError('bad-response', `${name} answered something that makes no sense`)
        );
      }
    },
    async graphql(call, query, variables, caller) {
      const { data } = await sendFor(
        caller,
        { method: 'POST', path: '/graphql', body: { query, variables }, ...call },
        true,
        graphqlClient,
      );
      return dataOf(name, data, (words) => graphqlClient.quote(words));
    },
  };
}

const VERSION = { Accept: 'application/vnd.github+json', 'X-GitHub-Api-Version': '2022-11-28' };

/** Loaded when it is first needed: who uses no GitHub does not pay for it. It never sees the token. */
async function createOctokit(baseUrl: string): Promise<Octokit> {
  const { Octokit } = await import('@octokit/rest');
  const silent = { debug() {}, info() {}, warn() {}, error() {} };
  return new Octokit({ baseUrl, log: silent });
}

/** GraphQL says no with status 200. */
function dataOf(name: string, answer: unknown, quote: (words: string) => string): unknown {
  const { data, errors } = (answer ?? {}) as { data?: unknown; errors?: { type?: unknown; message?: unknown }[] };
  if (!Array.isArray(errors) || errors.length === 0) return data;
  const words = quote(String(errors[0]?.message ?? ''));
  throw new AdapterError(REASONS[String(errors[0]?.type)] ?? 'conflict', `${name} refused: ${words}`);
}

const REASONS: Readonly<Record<string, AdapterError['reason']>> = {
  NOT_FOUND: 'not-found',
  FORBIDDEN: 'forbidden',
  INSUFFICIENT_SCOPES: 'forbidden',
  RATE_LIMITED: 'rate-limited',
};

/** @throws {AdapterError} `bad-response` for anything but a full SHA */
export function shaOf(value: unknown): string {
  if (typeof value === 'string' && isSha(value)) return value;
  throw new AdapterError('bad-response', 'GitHub answered without a commit SHA');
}

function coordinatesIn(path: string): { owner: string; repo: string } | undefined {
  const [, owner, repo] = /^\/repos\/([^/?]+)\/([^/?]+)/.exec(path) ?? [];
  return owner === undefined || repo === undefined ? undefined : { owner, repo };
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

function acceptOf(headers: unknown): Record<string, string> {
  const given = typeof headers === 'object' && headers !== null ? (headers as Record<string, unknown>) : {};
  return typeof given['accept'] === 'string' ? { Accept: given['accept'] } : {};
}

function keptOf(headers: Readonly<Record<string, string>>): Record<string, string> {
  const kept = KEPT_HEADERS.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]] as const]));
  return { 'content-type': 'application/json', ...Object.fromEntries(kept) };
}
