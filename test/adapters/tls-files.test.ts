import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createHttpClient, type HttpClient } from '../../src/adapters/http-client.ts';
import { type HttpSettings, toClientOptions, withLogin } from '../../src/adapters/http-settings.ts';
import { Secret } from '../../src/base/secret.ts';
import { type CertificateFiles, certificateFor } from '../support/certificates.ts';

const tools = {
  secret: () => new Secret('a secret of some length'),
  addresses: 'any',
  cacheDir: '/nowhere',
} as const;
const options = (settings: Partial<HttpSettings>) =>
  toClientOptions('Prometheus main', { url: 'https://localhost:1', ...settings }, tools);

describe('mutual TLS', () => {
  let server: CertificateFiles;
  let first: CertificateFiles;
  let second: CertificateFiles;
  let stranger: CertificateFiles;
  beforeAll(() => {
    [server, first, second, stranger] = [
      certificateFor('localhost'),
      certificateFor('first'),
      certificateFor('second'),
      certificateFor('stranger'),
    ];
  });

  async function start(): Promise<{ url: string; server: Server }> {
    const listening = createServer(
      {
        key: readFileSync(server.key),
        cert: readFileSync(server.cert),
        ca: [readFileSync(first.cert), readFileSync(second.cert)],
        requestCert: true,
        rejectUnauthorized: true,
      },
      (request, response) => {
        const { CN } = (request.socket as TLSSocket).getPeerCertificate().subject;
        response.end(JSON.stringify({ caller: CN }));
      },
    );
    await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      listening.closeAllConnections();
      listening.close();
    });
    return { url: `https://localhost:${(listening.address() as AddressInfo).port}`, server: listening };
  }

  const clientFor = (url: string, { cert, key }: Pick<CertificateFiles, 'cert' | 'key'>) =>
    createHttpClient(options({ url, ca: server.cert, clientCertificate: cert, clientKey: key, timeout: '2s' }));
  const caller = async (client: HttpClient) => (await client.json({ method: 'GET', path: '/' })).data;

  it('shows the certificate', async () => {
    const { url } = await start();
    expect(await caller(clientFor(url, first))).toEqual({ caller: 'first' });
  });

  it('is refused by the server without a certificate, or with that of a stranger', async () => {
    const { url } = await start();
    const without = createHttpClient(options({ url, ca: server.cert }));
    await expect(caller(without)).rejects.toMatchObject({ reason: 'unavailable' });
    await expect(caller(clientFor(url, stranger))).rejects.toMatchObject({ reason: 'unavailable' });
  });

  it('trusts only the certificates that it was told to trust', async () => {
    const { url } = await start();
    const client = createHttpClient(
      options({ url, ca: first.cert, clientCertificate: first.cert, clientKey: first.key }),
    );
    await expect(caller(client)).rejects.toMatchObject({ reason: 'unavailable' });
  });

  it('shows the new certificate once it was rotated, and the old one while the files do not fit together', async () => {
    const { url } = await start();
    const [cert, key] = [join(first.folder, 'rotating.pem'), join(first.folder, 'rotating.key')];
    copyFileSync(first.cert, cert);
    copyFileSync(first.key, key);
    const client = clientFor(url, { cert, key });
    expect(await caller(client)).toEqual({ caller: 'first' });
    copyFileSync(second.cert, cert);
    expect(await caller(client)).toEqual({ caller: 'first' });
    copyFileSync(second.key, key);
    expect(await caller(client)).toEqual({ caller: 'second' });
  });

  it('is refused at the start when it cannot work', () => {
    expect(() => options({ clientCertificate: first.cert })).toThrow('only work together');
    expect(() => options({ clientCertificate: first.cert, clientKey: second.key })).toThrow('its own unencrypted key');
    expect(() => options({ clientCertificate: '/nowhere', clientKey: first.key })).toThrow(
      'Prometheus main: the client certificate in /nowhere cannot be read',
    );
    const garbage = join(first.folder, 'garbage.pem');
    writeFileSync(garbage, 'not a key: hunter2');
    expect(() => options({ clientCertificate: first.cert, clientKey: garbage })).not.toThrow(/hunter2/);
  });
});

describe('configured headers', () => {
  it('are texts or secrets, and secrets are masked', () => {
    const { headers, secrets } = options({ headers: { 'X-Tenant': 'shop', 'X-Key': { env: 'KEY' } } });
    expect(headers).toEqual({ 'X-Tenant': 'shop', 'X-Key': 'a secret of some length' });
    expect(secrets.map((secret) => secret.reveal())).toEqual(['a secret of some length']);
  });

  it.each([
    [{ 'X A': 'b' }, '"X A" cannot be set as a header'],
    [{ Host: 'b' }, '"Host" cannot be set as a header'],
    [{ 'X-A': 'b\r\nX-B: c' }, 'the value of the header X-A has characters'],
  ])('%j are refused', (headers, message) => {
    expect(() => options({ headers })).toThrow(message);
  });
});

it('takes either a token or a login', () => {
  const basicAuth = { username: 'user', password: { env: 'P' } };
  expect(() => withLogin(options({}), { token: { env: 'T' }, basicAuth }, tools)).toThrow('either token or basicAuth');
});
