import type { Readable } from 'node:stream';
import { AdapterError, type FailureReason } from '../../base/adapter-error.ts';
import type { Secret } from '../../base/secret.ts';
import {
  createHttpClient,
  type HttpAnswer,
  type HttpClientOptions,
  HttpFailure,
  type HttpRequest,
} from '../http-client.ts';
import { type ApiLimits, createApiLimits } from './api-limits.ts';
import type { CallOptions } from './git-host.ts';
import { isSha } from './names.ts';

/** Lists of pull requests with a text of 60 kB each fit. */
const MAX_RESPONSE_BYTES = 20 * 1024 * 1024;
const TIMEOUT_MS = 20_000;
/** When a host says "too many" and not for how long. */
const DEFAULT_BACKOFF_MS = 60_000;

export interface RestApiOptions {
  /** Without credentials: `login` has them. */
  client: HttpClientOptions;
  /** Headers that log in with a token, and what of them must be masked besides the token. */
  login(token: Secret): { headers: Record<string, string>; secrets?: readonly Secret[] };
  token: Secret;
  /** Pause between requests that change something. */
  writeIntervalMs: number;
  /** What a failed answer means where its status alone does not say. */
  reasonOf?(failure: HttpFailure): FailureReason | undefined;
  /** How many milliseconds a good answer asks us to stay away; anything but a number above 0 means that it does not. */
  pauseOf?(headers: Readonly<Record<string, string>>): number;
}

export type RestRequest = Pick<HttpRequest, 'method' | 'path' | 'query' | 'body' | 'headers'>;

/** A host's REST API: paced, bounded, masked. Throws only AdapterError. */
export interface RestApi {
  send<T>(request: RestRequest, options?: CallOptions): Promise<HttpAnswer<T>>;
  /** The answer's body. */
  get<T>(path: string, options?: CallOptions, query?: RestRequest['query']): Promise<T>;
  /** `undefined` where the host says that there is no such thing. */
  find<T>(path: string, options?: CallOptions, query?: RestRequest['query']): Promise<T | undefined>;
  /** All pages of a list, as far as `most` entries; says whether there were more. */
  list<T>(
    path: string,
    options: CallOptions | undefined,
    query: RestRequest['query'],
    most: number,
  ): Promise<{ items: T[]; more: boolean }>;
  /** An answer that is no JSON, byte by byte; `rejected` when it has more than `most`. */
  bytes(path: string, most: number, options?: CallOptions): Promise<Buffer>;
  /** The same API with somebody else's token, which is not kept. */
  as(token: Secret): RestApi;
}

/** @see RestApi */
export function createRestApi(options: RestApiOptions): RestApi {
  const limits = createApiLimits(options.client.name, options.writeIntervalMs);
  return withToken(options, limits, options.token);
}

function withToken(options: RestApiOptions, limits: ApiLimits, token: Secret): RestApi {
  const { client: settings } = options;
  const { headers, secrets = [] } = options.login(token);
  const client = createHttpClient({
    timeoutMs: TIMEOUT_MS,
    ...settings,
    headers: { ...settings.headers, ...headers },
    secrets: [...(settings.secrets ?? []), token, ...secrets],
  });

  async function send<T>(request: RestRequest, call: CallOptions = {}): Promise<HttpAnswer<T>> {
    const changes = request.method !== 'GET';
    const whole: HttpRequest = {
      ...request,
      maxResponseBytes: MAX_RESPONSE_BYTES,
      ...(call.signal === undefined ? {} : { signal: call.signal }),
      ...(changes && call.guard !== undefined ? { guard: call.guard } : {}),
    };
    try {
      const answer = await limits.send(changes, call.signal, () => client.json<T>(whole));
      if (answer.headers['ratelimit-remaining'] === '0') limits.stayAway(untilReset(answer.headers) ?? 0);
      const pause = options.pauseOf?.(answer.headers) ?? 0;
      if (pause > 0) limits.stayAway(pause);
      return answer;
    } catch (error) {
      throw limits.note(translate(options, error));
    }
  }

  async function bytes(path: string, most: number, call: CallOptions = {}): Promise<Buffer> {
    const signal = AbortSignal.any([
      AbortSignal.timeout(TIMEOUT_MS),
      ...(call.signal === undefined ? [] : [call.signal]),
    ]);
    const request: HttpRequest = { method: 'GET', path, signal };
    try {
      const { data } = await limits.send(false, call.signal, () => client.stream(request));
      return await readAll(data, path, most);
    } catch (error) {
      throw limits.note(translate(options, error));
    }
  }

  const get = async <T>(path: string, call?: CallOptions, query?: RestRequest['query']) =>
    (await send<T>({ method: 'GET', path, ...(query === undefined ? {} : { query }) }, call)).data;

  return {
    send,
    get,
    async find<T>(path: string, call?: CallOptions, query?: RestRequest['query']) {
      try {
        return await get<T>(path, call, query);
      } catch (error) {
        if (error instanceof AdapterError && error.reason === 'not-found') return undefined;
        throw error;
      }
    },
    async list<T>(path: string, call: CallOptions | undefined, query: RestRequest['query'], most: number) {
      const items: T[] = [];
      for (let page = 1; ; page += 1) {
        const answer = await send<T[]>({ method: 'GET', path, query: { ...query, page: String(page) } }, call);
        if (!Array.isArray(answer.data))
          throw new AdapterError('bad-response', `${settings.name} answered something that is no list`);
        items.push(...answer.data);
        const more = /rel="?next"?/.test(answer.headers['link'] ?? '');
        if (!more || answer.data.length === 0 || items.length >= most) {
          return { items: items.slice(0, most), more: more || items.length > most };
        }
      }
    },
    bytes,
    as: (other) => withToken(options, limits, other),
  };
}

async function readAll(stream: Readable, path: string, most: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  // Ending early closes the connection.
  for await (const chunk of stream) {
    chunks.push(chunk as Buffer);
    length += (chunk as Buffer).length;
    if (length > most) throw new AdapterError('rejected', `${path} has more than ${most} bytes`);
  }
  return Buffer.concat(chunks);
}

/** @throws {AdapterError} `bad-response` for anything but a full SHA */
export function requireAnsweredSha(name: string, value: unknown): string {
  if (typeof value === 'string' && isSha(value)) return value;
  throw new AdapterError('bad-response', `${name} answered without a commit SHA`);
}

function translate(options: RestApiOptions, error: unknown): AdapterError {
  if (!(error instanceof AdapterError)) {
    return new AdapterError('bad-response', `${options.client.name} answered something that makes no sense`);
  }
  const failure = error.cause instanceof HttpFailure ? error.cause : undefined;
  if (failure === undefined) return error;
  const reason = failure.status === 429 ? 'rate-limited' : (options.reasonOf?.(failure) ?? error.reason);
  const wait = error.retryAfterMs ?? untilReset(failure.headers);
  const retryAfterMs = reason === 'rate-limited' ? (wait ?? DEFAULT_BACKOFF_MS) : wait;
  return new AdapterError(reason, error.message, {
    cause: failure,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/** `RateLimit-Reset` as hosts write it: seconds since 1970 (GitLab), or seconds from now (the IETF draft). */
function untilReset(headers: Readonly<Record<string, string>>): number | undefined {
  const seconds = Number(headers['ratelimit-reset'] ?? Number.NaN);
  if (!Number.isFinite(seconds) || seconds < 0) return undefined;
  const ms = seconds * 1000;
  return ms < 86_400_000 ? ms : Math.max(1_000, ms - Date.now());
}
