import { readFile } from 'node:fs/promises';
import Type, { type Static } from 'typebox';
import { AdapterError } from '../../base/adapter-error.ts';
import { isJsonObject } from '../../base/json.ts';
import { Secret } from '../../base/secret.ts';
import { type AdapterTools, SecretRef } from '../adapter-kind.ts';
import { createHttpClient } from '../http-client.ts';
import type { ClientOptions } from '../http-settings.ts';
import { type Lease, type Renewed, renewed } from './renewed.ts';

export interface AwsCredentials {
  accessKeyId: string;
  secretAccessKey: Secret;
  sessionToken?: Secret;
}

export const credentialSettings = {
  accessKeyId: Type.Optional(SecretRef),
  secretAccessKey: Type.Optional(SecretRef),
  sessionToken: Type.Optional(SecretRef),
  webIdentity: Type.Optional(
    Type.Object(
      {
        roleArn: Type.String({ pattern: '^arn:[a-z-]+:iam::[0-9]{12}:role/.+$' }),
        tokenFile: Type.String({ minLength: 1 }),
        url: Type.Optional(Type.String({ format: 'uri' })),
      },
      { additionalProperties: false, description: 'a role that the service account of the pod may take (IRSA)' },
    ),
  ),
} as const;

type WebIdentity = Static<typeof credentialSettings.webIdentity>;

interface CredentialSettings {
  region: string;
  accessKeyId?: SecretRef;
  secretAccessKey?: SecretRef;
  sessionToken?: SecretRef;
  webIdentity?: WebIdentity;
}

/**
 * Fixed keys, or those of a role for which the pod's service account is exchanged; these end and are renewed.
 *
 * @throws {AdapterError} `rejected` when there is neither, or both
 */
export function awsCredentials(
  options: ClientOptions,
  settings: CredentialSettings,
  tools: AdapterTools,
): Renewed<AwsCredentials> {
  const { accessKeyId, secretAccessKey, sessionToken, webIdentity, region } = settings;
  if (webIdentity !== undefined && accessKeyId === undefined && secretAccessKey === undefined) {
    return renewed(() => assumeRole(options, webIdentity, region));
  }
  if (webIdentity !== undefined || accessKeyId === undefined || secretAccessKey === undefined) {
    throw new AdapterError('rejected', `${options.name}: take either accessKeyId and secretAccessKey, or webIdentity`);
  }
  const fixed: AwsCredentials = {
    accessKeyId: tools.secret(accessKeyId).reveal(),
    secretAccessKey: tools.secret(secretAccessKey),
    ...(sessionToken === undefined ? {} : { sessionToken: tools.secret(sessionToken) }),
  };
  return { get: async () => fixed, drop: () => {} };
}

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html */
async function assumeRole(
  { name, addresses, tls, timeoutMs }: ClientOptions,
  { roleArn, tokenFile, url }: WebIdentity,
  region: string,
): Promise<Lease<AwsCredentials>> {
  const token = await readFile(tokenFile, 'utf8').catch(() => {
    throw new AdapterError('unauthenticated', `${name}: the token in ${tokenFile} cannot be read`);
  });
  const sts = createHttpClient({
    name: `${name} (STS)`,
    baseUrl: url ?? `https://sts.${region}.amazonaws.com`,
    addresses,
    tls,
    secrets: [new Secret(token.trim())],
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
  const { data } = await sts.text({
    method: 'POST',
    path: '/',
    form: {
      Action: 'AssumeRoleWithWebIdentity',
      Version: '2011-06-15',
      RoleArn: roleArn,
      RoleSessionName: 'lynceus',
      WebIdentityToken: token.trim(),
    },
  });
  return readCredentials(data, name);
}

/** STS answers JSON to who accepts it; some compatible services answer XML all the same. */
function readCredentials(text: string, name: string): Lease<AwsCredentials> {
  const read = text.trimStart().startsWith('<') ? fromXml(text) : fromJson(text);
  const [accessKeyId, secretAccessKey, sessionToken] = ['AccessKeyId', 'SecretAccessKey', 'SessionToken'].map(read);
  const expiration = read('Expiration');
  const endsAt = typeof expiration === 'number' ? expiration * 1000 : Date.parse(String(expiration));
  if (typeof accessKeyId !== 'string' || typeof secretAccessKey !== 'string' || typeof sessionToken !== 'string') {
    throw new AdapterError('bad-response', `${name} (STS) answered no credentials`);
  }
  if (!Number.isFinite(endsAt)) throw new AdapterError('bad-response', `${name} (STS) did not say how long they last`);
  const value = { accessKeyId, secretAccessKey: new Secret(secretAccessKey), sessionToken: new Secret(sessionToken) };
  return { value, endsAt };
}

function fromXml(text: string): (key: string) => unknown {
  return (key) => new RegExp(`<${key}>([^<]*)</${key}>`).exec(text)?.[1];
}

function fromJson(text: string): (key: string) => unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return () => undefined;
  }
  for (const key of ['AssumeRoleWithWebIdentityResponse', 'AssumeRoleWithWebIdentityResult', 'Credentials']) {
    value = isJsonObject(value) ? value[key] : undefined;
  }
  return (key) => (isJsonObject(value) ? value[key] : undefined);
}
