import Type from 'typebox';
import { AdapterError } from '../base/adapter-error.ts';
import { parseDuration } from '../base/duration.ts';
import { Secret } from '../base/secret.ts';
import { type AdapterTools, SecretRef } from './adapter-kind.ts';
import type { HttpClientOptions } from './http-client.ts';
import { tlsFiles } from './tls-files.ts';

/** As RFC 9110 has it. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Written by the client itself: a second one would contradict it. */
const OWN_HEADERS = ['content-length', 'content-type', 'host', 'transfer-encoding', 'connection', 'user-agent'];

/** What every adapter that is called over HTTP lets the operator set, under the same names. */
export const httpSettings = {
  url: Type.String({ format: 'uri', description: 'where it answers, such as https://argocd.example.com' }),
  ca: Type.Optional(Type.String({ minLength: 1, description: 'file with the PEM certificates to trust' })),
  clientCertificate: Type.Optional(
    Type.String({ minLength: 1, description: 'file with the PEM certificate that we show (mTLS)' }),
  ),
  clientKey: Type.Optional(Type.String({ minLength: 1, description: 'file with its PEM key' })),
  headers: Type.Optional(
    Type.Record(Type.String(), Type.Union([Type.String(), SecretRef]), {
      description: 'sent along: texts, or secrets as {env: NAME} or {file: PATH}',
    }),
  ),
  timeout: Type.Optional(
    Type.String({ format: 'duration-text', default: '15s', description: 'time limit of one request, e.g. 15s' }),
  ),
} as const;

/** For services that take a bearer token or a login; one of them, or none. */
export const loginSettings = {
  token: Type.Optional(SecretRef),
  basicAuth: Type.Optional(
    Type.Object({ username: Type.String({ minLength: 1 }), password: SecretRef }, { additionalProperties: false }),
  ),
} as const;

export interface LoginSettings {
  token?: SecretRef;
  basicAuth?: { username: string; password: SecretRef };
}

export interface HttpSettings {
  url: string;
  ca?: string;
  clientCertificate?: string;
  clientKey?: string;
  headers?: Record<string, string | SecretRef>;
  timeout?: string;
}

/** What an adapter makes its client of. */
export type ClientOptions = Required<
  Pick<HttpClientOptions, 'name' | 'baseUrl' | 'addresses' | 'tls' | 'headers' | 'secrets'>
> &
  Pick<HttpClientOptions, 'timeoutMs'>;

/**
 * The client options that follow from the settings. An adapter that adds headers or secrets of its own
 * adds them to these.
 *
 * @throws {AdapterError} `rejected` when certificates cannot be read, a header is none, or the timeout is not
 *   a duration
 */
export function toClientOptions(name: string, settings: HttpSettings, tools: AdapterTools): ClientOptions {
  const { timeout } = settings;
  const timeoutMs = timeout === undefined ? undefined : parseDuration(timeout);
  if (timeout !== undefined && !timeoutMs) {
    throw new AdapterError('rejected', `${name}: timeout "${timeout}" is not a duration (e.g. 15s)`);
  }
  return {
    name,
    baseUrl: settings.url,
    addresses: tools.addresses,
    tls: tlsFiles(name, settings),
    ...readHeaders(name, settings.headers ?? {}, tools),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
}

/**
 * The client options with what logs us in. A server that repeats what it was sent shows neither the
 * password nor the header that holds it.
 *
 * @throws {AdapterError} `rejected` when there is both a token and a login
 */
export function withLogin(
  options: ClientOptions,
  { token, basicAuth }: LoginSettings,
  tools: AdapterTools,
): ClientOptions & Pick<HttpClientOptions, 'token'> {
  if (token && basicAuth) throw new AdapterError('rejected', `${options.name}: take either token or basicAuth`);
  if (token) return { ...options, token: tools.secret(token) };
  if (!basicAuth) return options;
  const password = tools.secret(basicAuth.password);
  const encoded = Buffer.from(`${basicAuth.username}:${password.reveal()}`).toString('base64');
  return {
    ...options,
    headers: { ...options.headers, Authorization: `Basic ${encoded}` },
    secrets: [...options.secrets, password, new Secret(encoded)],
  };
}

function readHeaders(
  name: string,
  configured: Record<string, string | SecretRef>,
  tools: AdapterTools,
): { headers: Record<string, string>; secrets: Secret[] } {
  const headers: Record<string, string> = {};
  const secrets: Secret[] = [];
  for (const [header, value] of Object.entries(configured)) {
    if (!HEADER_NAME.test(header) || OWN_HEADERS.includes(header.toLowerCase())) {
      throw new AdapterError('rejected', `${name}: ${JSON.stringify(header.slice(0, 60))} cannot be set as a header`);
    }
    const secret = typeof value === 'string' ? undefined : tools.secret(value);
    const text = secret === undefined ? String(value) : secret.reveal();
    if (!isHeaderValue(text)) {
      throw new AdapterError(
        'rejected',
        `${name}: the value of the header ${header} has characters that no header has`,
      );
    }
    headers[header] = text;
    if (secret !== undefined) secrets.push(secret);
  }
  return { headers, secrets };
}

/** Visible Latin-1 and spaces: whatever else would end the header, or not arrive as it was written. */
function isHeaderValue(text: string): boolean {
  return /^[\t\x20-\x7e\xa0-\xff]*$/.test(text);
}
