import http from 'node:http';
import https from 'node:https';
import { isIP, type Socket } from 'node:net';
import type { Readable } from 'node:stream';
import axios, { type AxiosResponse, isAxiosError } from 'axios';
import { AdapterError, type FailureReason } from '../base/adapter-error.ts';
import type { Guard } from '../base/guard.ts';
import type { Secret } from '../base/secret.ts';
import { type AddressPolicy, refusedAddress } from './addresses.ts';
import type { TlsMaterial } from './tls-files.ts';

/** Largest answer we read: a metrics answer of 11,000 points or a large Application stays below. */
const MAX_RESPONSE_BYTES = 5 * 1024 * 1024;
/** Lists of applications are larger: 5,000 applications of 20 kB each. */
export const MAX_LIST_BYTES = 256 * 1024 * 1024;
const DEFAULT_TIMEOUT_MS = 15_000;
/** More of a foreign error text than this helps nobody and may carry what it should not. */
const MAX_QUOTED = 300;
const FORM = 'application/x-www-form-urlencoded';

export interface HttpClientOptions {
  /** Who is asked, for messages: `Argo CD main`. */
  name: string;
  /** Every request stays below this URL; credentials never leave its origin. */
  baseUrl: string;
  headers?: Record<string, string>;
  /** Sent as `Authorization: Bearer`, and masked wherever it turns up in a message. */
  token?: Secret;
  /** Further secrets that requests carry: masked as the token is. */
  secrets?: readonly Secret[];
  /** Asked before each request; the same object means that nothing changed. `ca` replaces the system's certificates. */
  tls?: () => TlsMaterial;
  addresses: AddressPolicy;
  timeoutMs?: number;
}

export interface HttpRequest {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below the base URL; build it with `path` so that every segment is encoded. */
  path: string;
  query?: Record<string, string | string[] | undefined>;
  /** Sent as JSON with exactly `application/json`, unless a header says another type. */
  body?: unknown;
  /** Sent as an HTML form instead of `body`. */
  form?: Record<string, string>;
  headers?: Record<string, string>;
  /** Secrets that only this request carries, such as a token that is renewed: masked as well. */
  secrets?: readonly Secret[];
  timeoutMs?: number;
  maxResponseBytes?: number;
  signal?: AbortSignal;
  guard?: Guard;
}

export interface HttpAnswer<T> {
  status: number;
  headers: Record<string, string>;
  data: T;
}

export interface HttpClient {
  /**
   * Answers any status from 200 to 299 with parsed JSON (`undefined` when empty).
   *
   * @throws {AdapterError} with the other side's own words, shortened and masked; the raw answer is
   *   its `cause` (an `HttpFailure`), for adapters that know more of it
   */
  json<T = unknown>(request: HttpRequest): Promise<HttpAnswer<T>>;
  /** The same for answers that are not JSON: the body as text. */
  text(request: HttpRequest): Promise<HttpAnswer<string>>;
  /** Words of the other side as a message may repeat them: on one line, shortened, without our secrets. */
  quote(words: string): string;
  /** The body as it comes; the caller ends it. Only the wait for the headers has a time limit. */
  stream(request: HttpRequest): Promise<HttpAnswer<Readable>>;
}

/** An answer outside 2xx, for adapters that tell apart what the status does not. */
export class HttpFailure extends Error {
  override name = 'HttpFailure';
  readonly status: number;
  readonly body: unknown;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}) {
    super(`HTTP ${status}`);
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}

/** Encodes each segment: `path\`/applications/${name}/sync\``. */
export function path(parts: TemplateStringsArray, ...segments: readonly string[]): string {
  return parts.reduce((whole, part, at) => whole + encodeSegment(segments[at - 1] ?? '') + part);
}

function encodeSegment(segment: string): string {
  // "." and ".." survive encoding and would change the path that is reached.
  if (segment === '.' || segment === '..') throw new AdapterError('rejected', `"${segment}" is not a name`);
  return encodeURIComponent(segment);
}

/**
 * The only way out by HTTP: no redirects (they would carry our tokens to another origin), addresses
 * checked at connect, sizes and times bounded, secrets masked.
 */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const base = new URL(options.baseUrl);
  if (base.protocol !== 'http:' && base.protocol !== 'https:') {
    throw new AdapterError('rejected', `${options.name}: the URL must start with http:// or https://`);
  }
  const root = base.origin + base.pathname.replace(/\/+$/, '');
  const agents = agentsFor(base.protocol, options.tls);
  const secrets = [...(options.token ? [options.token] : []), ...(options.secrets ?? [])];

  /** Masked first: what is left of a secret that was cut in two is not found any more. */
  function quote(words: string, request?: HttpRequest): string {
    return shorten(mask(words, [...secrets, ...(request?.secrets ?? [])]));
  }

  async function send<T>(request: HttpRequest, responseType: 'text' | 'stream'): Promise<HttpAnswer<T>> {
    const timeoutMs = request.timeoutMs ?? options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), timeoutMs);
    const signals = [deadline.signal, ...(request.signal ? [request.signal] : [])];
    const brakes: Brakes = { policy: options.addresses, guard: request.guard, refusal: undefined };
    try {
      request.signal?.throwIfAborted();
      request.guard?.();
      const agent = agents();
      const response = await axios.request<T>({
        method: request.method,
        url: root + request.path,
        params: request.query,
        paramsSerializer: { indexes: null },
        ...bodyOf(request),
        headers: {
          Accept: 'application/json',
          'User-Agent': 'lynceus',
          ...options.headers,
          // Argo CD compares the whole header value, also on a DELETE without a body.
          ...(request.method === 'GET' ? {} : { 'Content-Type': request.form ? FORM : 'application/json' }),
          ...(options.token ? { Authorization: `Bearer ${options.token.reveal()}` } : {}),
          ...request.headers,
        },
        responseType,
        transformResponse: (data: unknown) => data,
        maxRedirects: 0,
        // A limit on a stream (even an infinite one) makes axios wrap it so that destroying it no longer
        // closes the connection.
        maxContentLength: responseType === 'stream' ? -1 : (request.maxResponseBytes ?? MAX_RESPONSE_BYTES),
        maxBodyLength: MAX_RESPONSE_BYTES,
        signal: AbortSignal.any(signals),
        validateStatus: () => true,
        proxy: false,
        httpAgent: agent,
        httpsAgent: agent,
        transport: brakedTransport(base.protocol === 'https:' ? https : http, brakes),
      });
      if (response.status < 200 || response.status > 299) throw await failure(response, responseType, request);
      return { status: response.status, headers: plainHeaders(response), data: response.data };
    } catch (error) {
      throw brakes.refusal ?? translate(error, deadline.signal.aborted, request, timeoutMs);
    } finally {
      clearTimeout(timer);
    }
  }

  async function failure(
    response: AxiosResponse,
    responseType: 'text' | 'stream',
    request: HttpRequest,
  ): Promise<AdapterError> {
    const text = responseType === 'stream' ? await readSome(response.data as Readable) : String(response.data ?? '');
    const body = parseLoosely(text);
    const words = quote(wordsOf(body), request);
    const retryAfterMs = parseRetryAfter(String(response.headers['retry-after'] ?? ''));
    return new AdapterError(
      reasonOf(response.status),
      `${options.name} answered ${response.status}${words === '' ? '' : `: ${words}`}`,
      {
        cause: new HttpFailure(response.status, body, plainHeaders(response)),
        ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      },
    );
  }

  function translate(error: unknown, late: boolean, request: HttpRequest, timeoutMs: number): AdapterError {
    if (error instanceof AdapterError) return error;
    // Never with axios' error as the cause: it carries the whole request, credentials included.
    if (request.signal?.aborted) return new AdapterError('cancelled', `${options.name}: the request was given up`);
    if (late) return new AdapterError('timeout', `${options.name} did not answer within ${timeoutMs / 1000} s`);
    const code = isAxiosError(error) ? (error.code ?? '') : '';
    // A connection that breaks in the middle of an answer has the same code but is no bad answer.
    if (/maxContentLength/.test(String(error))) {
      return new AdapterError('bad-response', `${options.name} answered more than we read`);
    }
    return new AdapterError(
      'unavailable',
      `${options.name} cannot be reached (${quote(code || String(error), request)})`,
    );
  }

  return {
    async json<T>(request: HttpRequest) {
      const answer = await send<string>(request, 'text');
      if (answer.data === '' || answer.data === undefined) return { ...answer, data: undefined as T };
      try {
        return { ...answer, data: JSON.parse(answer.data) as T };
      } catch {
        throw new AdapterError('bad-response', `${options.name} answered something that is not JSON`);
      }
    },
    quote: (words) => quote(words),
    text: (request) => send<string>(request, 'text'),
    stream: (request) => send<Readable>(request, 'stream'),
  };
}

/** One pool of connections, and a new one when the certificates changed. */
function agentsFor(protocol: string, tls: (() => TlsMaterial) | undefined): () => http.Agent {
  const settings = { keepAlive: true, maxSockets: 64 };
  if (protocol === 'http:') {
    const plain = new http.Agent(settings);
    return () => plain;
  }
  let made = tls?.();
  let agent = new https.Agent({ ...settings, ...made });
  return () => {
    const material = tls?.();
    if (material !== made) {
      made = material;
      // Requests under way keep their connections; idle ones end by themselves.
      agent = new https.Agent({ ...settings, ...material });
    }
    return agent;
  };
}

function bodyOf({ body, form }: HttpRequest): { data?: string } {
  if (form !== undefined) return { data: new URLSearchParams(form).toString() };
  return body === undefined ? {} : { data: JSON.stringify(body) };
}

interface Brakes {
  policy: AddressPolicy;
  guard: Guard | undefined;
  refusal: AdapterError | undefined;
}

/**
 * Checks the address that is really connected to, and asks the guard again once connected: connecting
 * takes time in which a lease can end, and bytes leave only after the last check.
 */
function brakedTransport(native: typeof http | typeof https, brakes: Brakes) {
  return {
    request(options: https.RequestOptions, onResponse: (response: http.IncomingMessage) => void): http.ClientRequest {
      const request = native.request(options, onResponse);
      const stop = (error: unknown) => {
        brakes.refusal = error instanceof AdapterError ? error : new AdapterError('cancelled', String(error));
        request.destroy(brakes.refusal);
      };
      const host = String(options.hostname ?? options.host ?? '').replace(/^\[|\]$/g, '');
      const check = (address: string) => {
        const why = refusedAddress(address, brakes.policy);
        if (why !== undefined) stop(new AdapterError('rejected', `connecting to ${address} is not allowed: it ${why}`));
      };
      if (isIP(host) !== 0) check(host);
      request.once('socket', (socket: Socket) => {
        if (!socket.connecting) return;
        socket.prependOnceListener('connect', () => {
          check(socket.remoteAddress ?? host);
          try {
            brakes.guard?.();
          } catch (error) {
            stop(error);
            socket.destroy();
          }
        });
      });
      return request;
    },
  };
}

function reasonOf(status: number): FailureReason {
  switch (status) {
    case 401:
      return 'unauthenticated';
    case 403:
      return 'forbidden';
    case 404:
      return 'not-found';
    case 408:
    case 504:
      return 'timeout';
    case 409:
    case 412:
      return 'conflict';
    case 429:
      return 'rate-limited';
    default:
      if (status >= 500) return 'unavailable';
      if (status >= 300 && status < 400) return 'bad-response';
      return 'rejected';
  }
}

function parseLoosely(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Where services put their words: `{message}`, `{error: {message}}`, `{errors: [...]}`, ... */
function wordsOf(body: unknown, depth = 0): string {
  if (typeof body === 'string') return /^\s*</.test(body) ? '' : body;
  if (typeof body !== 'object' || body === null || depth > 3) return '';
  if (Array.isArray(body)) return wordsOf(body[0], depth + 1);
  for (const key of ['message', 'Message', 'error', 'errors', 'messages', 'reason', 'text', 'detail', 'title']) {
    const words = wordsOf((body as Record<string, unknown>)[key], depth + 1);
    if (words !== '') return words;
  }
  return '';
}

function shorten(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > MAX_QUOTED ? `${line.slice(0, MAX_QUOTED)}...` : line;
}

/** The longest first: one secret may be part of another. */
function mask(text: string, secrets: readonly Secret[]): string {
  const values = secrets.map((secret) => secret.reveal()).filter((value) => value !== '');
  return values.sort((a, b) => b.length - a.length).reduce((masked, one) => masked.replaceAll(one, '<secret>'), text);
}

function parseRetryAfter(value: string): number | undefined {
  if (value === '') return undefined;
  const seconds = Number(value);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

async function readSome(stream: Readable): Promise<string> {
  let text = '';
  for await (const chunk of stream) {
    text += String(chunk);
    if (text.length > MAX_QUOTED * 4) break;
  }
  stream.destroy();
  return text;
}

function plainHeaders(response: AxiosResponse): Record<string, string> {
  return Object.fromEntries(
    Object.entries(response.headers).map(([name, value]) => [name.toLowerCase(), String(value)]),
  );
}
