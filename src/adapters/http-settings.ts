import { readFileSync } from 'node:fs';
import Type from 'typebox';
import { AdapterError } from '../base/adapter-error.ts';
import { parseDuration } from '../base/duration.ts';
import type { AdapterTools } from './adapter-kind.ts';
import type { HttpClientOptions } from './http-client.ts';

/** What every adapter that is called over HTTP lets the operator set, under the same names. */
export const httpSettings = {
  url: Type.String({ format: 'uri', description: 'where it answers, such as https://argocd.example.com' }),
  ca: Type.Optional(Type.String({ minLength: 1, description: 'file with the PEM certificates to trust' })),
  timeout: Type.Optional(
    Type.String({ format: 'duration-text', default: '15s', description: 'time limit of one request, e.g. 15s' }),
  ),
} as const;

export interface HttpSettings {
  url: string;
  ca?: string;
  timeout?: string;
}

/**
 * The client options that follow from the settings.
 *
 * @throws {AdapterError} `rejected` when the certificates cannot be read, or the timeout is not a duration
 */
export function toClientOptions(
  name: string,
  { url, ca, timeout }: HttpSettings,
  tools: AdapterTools,
): Pick<HttpClientOptions, 'name' | 'baseUrl' | 'addresses' | 'ca' | 'timeoutMs'> {
  const timeoutMs = timeout === undefined ? undefined : parseDuration(timeout);
  if (timeout !== undefined && !timeoutMs) {
    throw new AdapterError('rejected', `${name}: timeout "${timeout}" is not a duration (e.g. 15s)`);
  }
  return {
    name,
    baseUrl: url,
    addresses: tools.addresses,
    ...(ca === undefined ? {} : { ca: readCertificates(name, ca) }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
}

function readCertificates(name: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw new AdapterError('rejected', `${name}: the certificates in ${file} cannot be read`);
  }
}
