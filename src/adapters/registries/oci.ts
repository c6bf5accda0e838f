import type { Static } from 'typebox';
import Type from 'typebox';
import { AdapterError } from '../../base/adapter-error.ts';
import { sha256 } from '../../base/ids.ts';
import { isJsonObject } from '../../base/json.ts';
import { Secret } from '../../base/secret.ts';
import { type AdapterTools, defineAdapter } from '../adapter-kind.ts';
import { failed } from '../failed-connection.ts';
import { createHttpClient, type HttpAnswer, HttpFailure, type HttpRequest } from '../http-client.ts';
import { httpSettings, loginSettings, toClientOptions } from '../http-settings.ts';
import type { TlsMaterial } from '../tls-files.ts';
import { type Challenge, parseChallenge } from './challenge.ts';
import { imageHost, requireImage, splitImage } from './image-name.ts';
import type { Registry } from './image-registry.ts';

const schema = Type.Object(
  {
    ...httpSettings,
    basicAuth: loginSettings.basicAuth,
    hosts: Type.Optional(
      Type.Array(
        Type.String({ pattern: '^[a-zA-Z0-9.-]{1,253}(:[0-9]{1,5})?$', description: 'a host, or host:port' }),
        {
          minItems: 1,
          maxItems: 50,
          description: 'how manifests name it, where that is not the host of its url',
        },
      ),
    ),
    tokenServer: Type.Optional(
      Type.String({
        format: 'uri',
        description: 'another address that may be given the login, such as https://auth.docker.io',
      }),
    ),
  },
  { additionalProperties: false },
);

/** A registry that speaks OCI's distribution API, as all of them do. */
export const oci = defineAdapter<Registry, typeof schema>({ kind: 'oci', schema, create: createOci });

/** An index or list stands for all platforms; what is asked for must not be converted to something older. */
const MANIFESTS = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');
/** As much as a registry has to take. */
const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;
const MAX_TOKEN_BYTES = 64 * 1024;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

function createOci(name: string, config: Static<typeof schema>, tools: AdapterTools): Registry {
  const who = `registry ${name}`;
  const options = toClientOptions(who, config, tools);
  const client = createHttpClient(options);
  const url = new URL(config.url);
  const hosts = (config.hosts ?? [url.host]).map(imageHost);
  const login = basicLogin(config.basicAuth, tools);
  const trusted = [url.origin, ...(config.tokenServer === undefined ? [] : [new URL(config.tokenServer).origin])];

  /** Asks as a stranger first: only the registry's answer says which login it wants, and for what. */
  async function ask(request: HttpRequest): Promise<HttpAnswer<string>> {
    try {
      return await client.text(request);
    } catch (error) {
      const challenge = challengeIn(error);
      if (!challenge) throw error;
      const { header, secrets } = await answerTo(challenge, request.signal);
      return client.text({ ...request, headers: { ...request.headers, Authorization: header }, secrets });
    }
  }

  async function answerTo(challenge: Challenge, signal?: AbortSignal): Promise<{ header: string; secrets: Secret[] }> {
    if (challenge.scheme === 'basic') {
      if (!login) throw new AdapterError('unauthenticated', `${who} wants a login: set basicAuth`);
      return login;
    }
    const token = await fetchToken(challenge, signal);
    return { header: `Bearer ${token.reveal()}`, secrets: [token] };
  }

  async function fetchToken(
    { realm, service, scope }: Extract<Challenge, { scheme: 'bearer' }>,
    signal?: AbortSignal,
  ): Promise<Secret> {
    const address = new URL(realm);
    requireTokenServer(address);
    const { headers: _, ...rest } = options;
    const server = createHttpClient({
      ...rest,
      // Headers and client certificates are for the registry alone.
      ...(address.origin === url.origin ? { headers: options.headers } : { tls: () => withoutKey(options.tls()) }),
      name: `the token server of ${who}`,
      baseUrl: address.origin,
    });
    const query = {
      ...Object.fromEntries(address.searchParams),
      ...(service ? { service } : {}),
      ...(scope ? { scope } : {}),
    };
    const { data } = await server.json<unknown>({
      method: 'GET',
      path: address.pathname,
      query,
      maxResponseBytes: MAX_TOKEN_BYTES,
      ...(login && trusted.includes(address.origin)
        ? { headers: { Authorization: login.header }, secrets: login.secrets }
        : {}),
      ...(signal ? { signal } : {}),
    });
    const token = isJsonObject(data) ? (data['token'] ?? data['access_token']) : undefined;
    if (typeof token === 'string' && /^[\x21-\x7e]{1,16384}$/.test(token)) return new Secret(token);
    throw new AdapterError('bad-response', `the token server of ${who} answered no token`);
  }

  /** The registry names it, so it is somebody else's word: our login does not go just anywhere. */
  function requireTokenServer({ origin, protocol }: URL): void {
    if (protocol !== 'https:' && url.protocol === 'https:')
      throw new AdapterError('rejected', `${who} sends us to ${origin} for a token, which is not encrypted`);
    if (login && !trusted.includes(origin))
      throw new AdapterError('rejected', `${who} wants our login to go to ${origin}: set that as its tokenServer`);
  }

  async function digest(image: string, tag: string, signal?: AbortSignal): Promise<string | undefined> {
    const { repository } = splitImage(image);
    requireImage(repository, tag);
    const request: HttpRequest = {
      method: 'HEAD',
      path: `/v2/${repository}/manifests/${tag}`,
      headers: { Accept: MANIFESTS },
      maxResponseBytes: MAX_MANIFEST_BYTES,
      ...(signal ? { signal } : {}),
    };
    try {
      const said = (await ask(request)).headers['docker-content-digest'];
      // A registry need not name it: then it is that of the manifest's bytes.
      const found = said ?? `sha256:${sha256((await ask({ ...request, method: 'GET' })).data)}`;
      if (DIGEST.test(found)) return found;
      throw new AdapterError('bad-response', `${who} answered something that is no SHA-256 digest`);
    } catch (error) {
      if (error instanceof AdapterError && error.reason === 'not-found') return undefined;
      throw error;
    }
  }

  return {
    kind: 'oci',
    name,
    serves: (image) => hosts.includes(splitImage(image).host),
    digest: (image, tag, { signal } = {}) => digest(image, tag, signal),
    async diagnose({ signal } = {}) {
      try {
        await ask({ method: 'GET', path: '/v2/', ...(signal ? { signal } : {}) });
        return [{ level: 'ok', check: 'address', sentence: `${who} answers${login ? ' and takes our login' : ''}` }];
      } catch (error) {
        return [failed('address', error)];
      }
    },
  };
}

function basicLogin(config: Static<typeof schema>['basicAuth'], tools: AdapterTools) {
  if (!config) return undefined;
  const password = tools.secret(config.password);
  const encoded = Buffer.from(`${config.username}:${password.reveal()}`).toString('base64');
  return { header: `Basic ${encoded}`, secrets: [password, new Secret(encoded)] };
}

function withoutKey({ ca }: TlsMaterial): TlsMaterial {
  return ca === undefined ? {} : { ca };
}

function challengeIn(error: unknown): Challenge | undefined {
  if (!(error instanceof AdapterError) || !(error.cause instanceof HttpFailure) || error.cause.status !== 401)
    return undefined;
  return parseChallenge(error.cause.headers['www-authenticate'] ?? '');
}
