import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { AddressPolicy } from '../../../src/adapters/addresses.ts';
import { parseChallenge } from '../../../src/adapters/registries/challenge.ts';
import { oci } from '../../../src/adapters/registries/oci.ts';
import { sha256 } from '../../../src/base/ids.ts';
import { Secret } from '../../../src/base/secret.ts';
import { registryContract } from '../../contracts/image-registry.ts';
import { certificateFor } from '../../support/certificates.ts';
import {
  REGISTRY_PASSWORD,
  REGISTRY_USER,
  type RealRegistry,
  registryAvailable,
  startRegistry,
} from '../../support/docker-registry.ts';

const create = (config: object, password = REGISTRY_PASSWORD, addresses: AddressPolicy = 'any') =>
  oci.create('main', config as never, { secret: () => new Secret(password), addresses, cacheDir: tmpdir() });
const basicAuth = { username: REGISTRY_USER, password: { env: 'P' } };

function world(registry: RealRegistry) {
  const config = {
    url: registry.url,
    basicAuth,
    ...(registry.tokenServer ? { tokenServer: registry.tokenServer } : {}),
  };
  return {
    registry: create(config),
    host: registry.host,
    push: registry.push,
    stranger: create(config, 'wrong-password'),
    unreachable: create({ url: 'http://127.0.0.1:1', basicAuth }),
    secret: 'wrong-password',
    close: registry.stop,
  };
}

if (registryAvailable) {
  registryContract('Docker distribution with a login', async () => world(await startRegistry('basic')));
  registryContract('Docker distribution with tokens', async () =>
    world(await startRegistry({ token: certificateFor('tokens') })),
  );
}

/** Only for what the real one cannot be brought to do. */
async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const ask = (url: string, config: object = {}) =>
  create({ url, ...config }).digest(`${new URL(url).host}/acme/shop`, '1.0');

describe('a registry', () => {
  it('gets no login of ours to another address than was allowed', async () => {
    const seen: (string | undefined)[] = [];
    const elsewhere = await serve((request, response) => {
      seen.push(request.headers.authorization);
      response.end('{"token":"t"}');
    });
    const url = await serve((request, response) => {
      if (request.headers.authorization === 'Bearer t')
        return response.writeHead(200, { 'Docker-Content-Digest': `sha256:${'a'.repeat(64)}` }).end();
      return response.writeHead(401, { 'WWW-Authenticate': `Bearer realm="${elsewhere}/t",service="s"` }).end();
    });
    await expect(ask(url, { basicAuth })).rejects.toMatchObject({
      reason: 'rejected',
      message: `registry main wants our login to go to ${elsewhere}: set that as its tokenServer`,
    });
    expect(seen).toEqual([]);
    expect(await ask(url)).toBe(`sha256:${'a'.repeat(64)}`);
    expect(seen).toEqual([undefined]);
    await ask(url, { basicAuth, tokenServer: `${elsewhere}/any` });
    expect(seen.at(-1)).toMatch(/^Basic /);
  });

  it('does not get what is configured for it sent to its token server', async () => {
    const seen: unknown[] = [];
    const elsewhere = await serve((request, response) => {
      seen.push(request.headers['x-key']);
      response.end('{"access_token":"t"}');
    });
    const url = await serve((request, response) => {
      seen.push(request.headers['x-key']);
      response.writeHead(401, { 'WWW-Authenticate': `Bearer realm="${elsewhere}/t"` }).end();
    });
    await expect(ask(url, { headers: { 'X-Key': 'k' } })).rejects.toMatchObject({ reason: 'unauthenticated' });
    expect(seen).toEqual(['k', undefined, 'k']);
  });

  it('that does not name the digest has that of the bytes of its manifest', async () => {
    const manifest = '{"schemaVersion":2, "x":"ü"}';
    const url = await serve((request, response) => response.end(request.method === 'HEAD' ? '' : manifest));
    expect(await ask(url)).toBe(`sha256:${sha256(manifest)}`);
  });

  it.each([
    ['no digest', { 'Docker-Content-Digest': 'sha256:zz' }],
    ['an old digest', { 'Docker-Content-Digest': `sha1:${'a'.repeat(40)}` }],
  ])('that answers %s is not believed', async (_, headers) => {
    const url = await serve((_request, response) => response.writeHead(200, headers).end());
    await expect(ask(url)).rejects.toMatchObject({ reason: 'bad-response' });
  });

  it.each(['{}', '[]', '{"token":7}', '{"token":""}', '{"token":"a b"}'])(
    'whose token server answers %s gets none',
    async (body) => {
      const tokens = await serve((_request, response) => response.end(body));
      const url = await serve((_request, response) =>
        response.writeHead(401, { 'WWW-Authenticate': `Bearer realm="${tokens}"` }).end(),
      );
      await expect(ask(url)).rejects.toMatchObject({ reason: 'bad-response' });
    },
  );

  it('cannot send us to the metadata service of a cloud', async () => {
    const url = await serve((_request, response) =>
      response.writeHead(401, { 'WWW-Authenticate': 'Bearer realm="http://169.254.169.254/latest"' }).end(),
    );
    const registry = create({ url }, REGISTRY_PASSWORD, 'operator');
    await expect(registry.digest(`${new URL(url).host}/acme/shop`, '1.0')).rejects.toMatchObject({
      message: expect.stringContaining('is not allowed'),
    });
  });

  it('of Docker Hub has the images without a host, and is known by its usual names', () => {
    const hub = create({ url: 'https://registry-1.docker.io' });
    expect(['nginx', 'acme/shop', 'docker.io/acme/shop', 'index.docker.io/nginx'].map(hub.serves)).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(['ghcr.io/nginx', 'localhost/nginx', 'registry:5000/x'].map(hub.serves)).toEqual([false, false, false]);
    expect(create({ url: 'https://mirror.example.com', hosts: ['ghcr.io'] }).serves('ghcr.io/a')).toBe(true);
  });
});

describe('a challenge', () => {
  it.each([
    ['Basic realm="x"', { scheme: 'basic' }],
    [
      'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push"',
      {
        scheme: 'bearer',
        realm: 'https://auth.docker.io/token',
        service: 'registry.docker.io',
        scope: 'repository:a/b:pull,push',
      },
    ],
    ['bearer realm=https://x/t', { scheme: 'bearer', realm: 'https://x/t' }],
    ['Bearer service="x"', undefined],
    ['Bearer realm="not a url"', undefined],
    ['Negotiate', undefined],
    ['', undefined],
  ])('%s', (header, wanted) => {
    expect(parseChallenge(header)).toEqual(wanted);
  });
});
