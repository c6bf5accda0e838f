import { execFileSync, spawn } from 'node:child_process';
import { createHash, sign, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../examples/sandbox/free-port.ts';
import type { CertificateFiles } from './certificates.ts';
import { eventually } from './lynceus.ts';

export const REGISTRY_USER = 'lynceus';
export const REGISTRY_PASSWORD = 'registry-password-for-tests';
const BCRYPT = '$2b$04$LHStvC1YFPEW8p0ZXrcp6eAXUe2CT/vD2YOSO9HMx9w/BeVCPKzkG';

/** Whether a real registry can be started here; in CI its absence is a failure. */
export const registryAvailable = findRegistry();

function findRegistry(): boolean {
  try {
    execFileSync('docker-registry', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    if (process.env['CI'] === 'true')
      throw new Error('CI needs "docker-registry" on the PATH (Debian: apt install docker-registry)');
    console.warn('Skipped: tests against a real registry, because "docker-registry" is not on the PATH');
    return false;
  }
}

export interface RealRegistry {
  url: string;
  host: string;
  /** Where its tokens are, if it wants tokens. */
  tokenServer?: string;
  /** Who asked for a token: `Authorization` as it came, or nothing. */
  logins: (string | undefined)[];
  /** Pushes an image, and an index of it; answers their digests. */
  push(repository: string, tag: string): Promise<{ image: string; index: string }>;
  stop(): Promise<void>;
}

/** The registry of Debian, in memory, which lets in nobody without a login (or a token of a server of its own). */
export async function startRegistry(auth: 'basic' | { token: CertificateFiles }): Promise<RealRegistry> {
  const folder = mkdtempSync(join(tmpdir(), 'lynceus-registry-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const tokens = auth === 'basic' ? undefined : await startTokenServer(auth.token);
  const passwords = join(folder, 'htpasswd');
  writeFileSync(passwords, `${REGISTRY_USER}:${BCRYPT}\n`);
  const wanted = tokens
    ? { token: { realm: `${tokens.url}/token`, service: 'tests', issuer: 'tests', rootcertbundle: tokens.cert } }
    : { htpasswd: { realm: 'tests', path: passwords } };
  const config = join(folder, 'config.json');
  const http = { addr: `127.0.0.1:${port}`, secret: 'tests' };
  writeFileSync(
    config,
    JSON.stringify({ version: 0.1, log: { level: 'error' }, storage: { inmemory: {} }, http, auth: wanted }),
  );
  const child = spawn('docker-registry', ['serve', config], { stdio: 'ignore' });
  await eventually(async () => (await fetch(`${url}/v2/`)).status === 401 || undefined, {
    within: 20_000,
    what: 'a registry',
  });
  return {
    url,
    host: `127.0.0.1:${port}`,
    ...(tokens ? { tokenServer: tokens.url } : {}),
    logins: tokens?.logins ?? [],
    push: (repository, tag) => push(url, repository, tag, tokens),
    async stop() {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill();
      await ended;
      await tokens?.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const basic = `Basic ${Buffer.from(`${REGISTRY_USER}:${REGISTRY_PASSWORD}`).toString('base64')}`;
/** No two images are the same. */
let pushed = 0;
const digestOf = (data: string) => `sha256:${createHash('sha256').update(data).digest('hex')}`;

async function push(url: string, repository: string, tag: string, tokens: TokenServer | undefined) {
  const scope = { type: 'repository', name: repository, actions: ['pull', 'push'] };
  const headers = { Authorization: tokens ? `Bearer ${tokens.issue([scope])}` : basic };
  const send = async (address: string, init: RequestInit, type: string) => {
    const answer = await fetch(address, { ...init, headers: { ...headers, 'Content-Type': type } });
    if (!answer.ok) throw new Error(`${address}: ${answer.status} ${await answer.text()}`);
    return answer;
  };
  const config = JSON.stringify({
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: [] },
    pushed: pushed++,
  });
  const upload = await send(`${url}/v2/${repository}/blobs/uploads/`, { method: 'POST' }, 'application/octet-stream');
  const location = new URL(upload.headers.get('location') ?? '', url);
  location.searchParams.set('digest', digestOf(config));
  await send(location.href, { method: 'PUT', body: config }, 'application/octet-stream');
  const image = JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf(config), size: config.length },
    layers: [],
  });
  const put = (reference: string, body: string, type: string) =>
    send(`${url}/v2/${repository}/manifests/${reference}`, { method: 'PUT', body }, type);
  await put(`${tag}-amd64`, image, 'application/vnd.oci.image.manifest.v1+json');
  const index = JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [
      {
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        digest: digestOf(image),
        size: image.length,
        platform: { architecture: 'amd64', os: 'linux' },
      },
    ],
  });
  await put(tag, index, 'application/vnd.oci.image.index.v1+json');
  return { image: digestOf(image), index: digestOf(index) };
}

interface TokenServer {
  url: string;
  cert: string;
  logins: (string | undefined)[];
  issue(access: object[]): string;
  close(): Promise<void>;
}

/** Gives tokens for what is asked, as https://distribution.github.io/distribution/spec/auth/jwt/ has them. */
async function startTokenServer({ cert, key }: CertificateFiles): Promise<TokenServer> {
  const [pem, secret] = [readFileSync(cert, 'utf8'), readFileSync(key, 'utf8')];
  const x5c = [new X509Certificate(pem).raw.toString('base64')];
  const logins: (string | undefined)[] = [];
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const issue = (access: object[]) => {
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: 'tests',
      aud: 'tests',
      sub: '',
      iat: now,
      nbf: now - 60,
      exp: now + 300,
      jti: String(now),
      access,
    };
    const signed = `${encode({ typ: 'JWT', alg: 'ES256', x5c })}.${encode(claims)}`;
    const signature = sign('sha256', Buffer.from(signed), { key: secret, dsaEncoding: 'ieee-p1363' });
    return `${signed}.${signature.toString('base64url')}`;
  };
  const server = createServer((request, response) => {
    logins.push(request.headers.authorization);
    const [type, name, actions = ''] = (new URL(request.url ?? '', 'http://x').searchParams.get('scope') ?? '').split(
      ':',
    );
    if (request.headers.authorization !== basic) return response.writeHead(401).end('{"details":"who are you?"}');
    return response.end(
      JSON.stringify({ token: issue(type === undefined ? [] : [{ type, name, actions: actions.split(',') }]) }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cert,
    logins,
    issue,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
