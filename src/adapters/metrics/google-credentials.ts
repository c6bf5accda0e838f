import { createPrivateKey, createSign } from 'node:crypto';
import Type from 'typebox';
import { AdapterError } from '../../base/adapter-error.ts';
import { isJsonObject } from '../../base/json.ts';
import { Secret } from '../../base/secret.ts';
import { type AdapterTools, SecretRef } from '../adapter-kind.ts';
import { createHttpClient, type HttpClient, type HttpRequest } from '../http-client.ts';
import type { ClientOptions } from '../http-settings.ts';
import { type Lease, type Renewed, renewed } from './renewed.ts';

const SCOPE = 'https://www.googleapis.com/auth/monitoring.read';
const LIFETIME_S = 3600;

export const credentialSettings = {
  token: Type.Optional(SecretRef),
  serviceAccount: Type.Optional(SecretRef),
  metadataServer: Type.Optional(
    Type.String({ format: 'uri', description: 'such as http://metadata.google.internal: tokens of the pod itself' }),
  ),
} as const;

interface CredentialSettings {
  token?: SecretRef;
  serviceAccount?: SecretRef;
  metadataServer?: string;
}

/**
 * Access tokens: a fixed one, those of a service account's key, or those of the metadata server (workload
 * identity); the latter two end and are renewed.
 *
 * @throws {AdapterError} `rejected` when there is not exactly one of them, or the key is none
 */
export function googleTokens(
  options: ClientOptions,
  { token, serviceAccount, metadataServer }: CredentialSettings,
  tools: AdapterTools,
): Renewed<Secret> {
  const given = [token, serviceAccount, metadataServer].filter((one) => one !== undefined).length;
  if (given !== 1) {
    throw new AdapterError('rejected', `${options.name}: take one of serviceAccount, metadataServer and token`);
  }
  if (serviceAccount !== undefined) return tokensOfAccount(options, tools.secret(serviceAccount));
  if (metadataServer !== undefined) return tokensOfMetadata(options, metadataServer);
  const fixed = tools.secret(token as SecretRef);
  return { get: async () => fixed, drop: () => {} };
}

/** https://cloud.google.com/compute/docs/access/authenticate-workloads#applications */
function tokensOfMetadata({ name, timeoutMs }: ClientOptions, metadataServer: string): Renewed<Secret> {
  const client = createHttpClient({
    name: `${name} (metadata server)`,
    baseUrl: metadataServer,
    // It answers at a link-local address, which is closed otherwise; the operator names it on purpose.
    addresses: 'any',
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
  const path = '/computeMetadata/v1/instance/service-accounts/default/token';
  return renewed(() => fetchToken(client, { method: 'GET', path, headers: { 'Metadata-Flavor': 'Google' } }, name));
}

interface AccountKey {
  email: string;
  key: Secret;
  tokenUri: URL;
}

/** https://developers.google.com/identity/protocols/oauth2/service-account#httprest */
function tokensOfAccount({ name, addresses, tls, timeoutMs }: ClientOptions, file: Secret): Renewed<Secret> {
  const account = readAccount(file, name);
  const { origin, pathname } = account.tokenUri;
  const client = createHttpClient({
    name: `${name} (OAuth)`,
    baseUrl: origin,
    addresses,
    tls,
    secrets: [account.key],
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
  return renewed(() => {
    const assertion = assertionOf(account);
    const form = { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion };
    return fetchToken(client, { method: 'POST', path: pathname, form, secrets: [new Secret(assertion)] }, name);
  });
}

async function fetchToken(client: HttpClient, request: HttpRequest, name: string): Promise<Lease<Secret>> {
  const { data } = await client.json(request);
  const { access_token: token, expires_in: lifetime } = isJsonObject(data) ? data : {};
  if (typeof token !== 'string' || token === '' || typeof lifetime !== 'number') {
    throw new AdapterError('bad-response', `${name} got no access token`);
  }
  return { value: new Secret(token), endsAt: Date.now() + lifetime * 1000 };
}

function readAccount(file: Secret, name: string): AccountKey {
  try {
    const content = JSON.parse(file.reveal()) as Record<string, string>;
    const { client_email: email = '', private_key: key = '', token_uri: uri = '' } = content;
    createPrivateKey(key);
    if (email !== '') return { email, key: new Secret(key), tokenUri: new URL(uri) };
  } catch {
    // Never with the parser's words: they quote the key.
  }
  throw new AdapterError('rejected', `${name}: serviceAccount is not the JSON key file of a service account`);
}

function assertionOf({ email, key, tokenUri }: AccountKey): string {
  const issued = Math.floor(Date.now() / 1000);
  const claims = { iss: email, scope: SCOPE, aud: tokenUri.href, iat: issued, exp: issued + LIFETIME_S };
  const text = [{ alg: 'RS256', typ: 'JWT' }, claims].map(encode).join('.');
  return `${text}.${createSign('RSA-SHA256').update(text).sign(key.reveal(), 'base64url')}`;
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}
