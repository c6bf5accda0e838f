import { lookup } from 'node:dns/promises';
import { connect as connectPlain, isIP, isIPv6, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { AdapterError } from '../../base/adapter-error.ts';
import { type AddressPolicy, refusedAddress } from '../addresses.ts';

const CONNECT_LIMIT_MS = 3_000;

/** Where requests go: the address that was checked, and the name that it is asked for. */
export interface HttpTarget {
  /** With the checked IP address as its host, so that a second look-up cannot lead elsewhere. */
  url: string;
  hostHeader: string;
  /** For TLS; absent when the URL names an IP address. */
  serverName?: string;
}

/**
 * Resolves and checks where a test's requests will go. Nothing that answers there is not an error: that
 * is what the test finds out.
 *
 * @throws {AdapterError} `rejected`: no such URL, a refused address or an untrusted certificate;
 *   `unavailable`: the name does not resolve; `cancelled`
 */
export async function findTarget(
  baseUrl: string,
  path: string,
  policy: AddressPolicy,
  signal: AbortSignal,
): Promise<HttpTarget> {
  const base = parseBase(baseUrl);
  const host = base.hostname.replace(/^\[|\]$/g, '');
  const addresses = isIP(host) === 0 ? await resolve(host) : [host];
  for (const address of addresses) {
    const why = refusedAddress(address, policy);
    if (why !== undefined) throw new AdapterError('rejected', `testing ${host} is not allowed: ${address} ${why}`);
  }
  const serverName = isIP(host) === 0 ? host : undefined;
  const address = await firstReachable(addresses, base, serverName, signal);
  // Put together as text: a path such as //other.host must not become another host.
  const origin = `${base.protocol}//${isIPv6(address) ? `[${address}]` : address}${base.port === '' ? '' : `:${base.port}`}`;
  return {
    url: origin + base.pathname.replace(/\/+$/, '') + path,
    hostHeader: base.host,
    ...(serverName === undefined ? {} : { serverName }),
  };
}

function parseBase(baseUrl: string): URL {
  const base = URL.parse(baseUrl);
  if (base === null || (base.protocol !== 'http:' && base.protocol !== 'https:')) {
    throw new AdapterError('rejected', 'the URL of the application must start with http:// or https://');
  }
  if (base.username !== '' || base.password !== '') {
    throw new AdapterError('rejected', 'the URL of the application must not contain credentials');
  }
  return base;
}

async function resolve(host: string): Promise<string[]> {
  try {
    const found = await lookup(host, { all: true });
    return found.map(({ address }) => address);
  } catch {
    throw new AdapterError('unavailable', `the name ${host} of the application does not resolve`);
  }
}

/** A name often has an IPv6 address on which nothing listens. */
async function firstReachable(
  addresses: readonly string[],
  base: URL,
  serverName: string | undefined,
  signal: AbortSignal,
): Promise<string> {
  for (const address of addresses) {
    if (signal.aborted) throw new AdapterError('cancelled', 'the test was given up');
    if (await reaches(address, base, serverName)) return address;
  }
  return addresses[0] ?? base.hostname;
}

/**
 * Connects once. For https this is also where the certificate is checked, because the load generator
 * does not check any.
 */
async function reaches(address: string, base: URL, serverName: string | undefined): Promise<boolean> {
  const secure = base.protocol === 'https:';
  const port = Number(base.port === '' ? (secure ? 443 : 80) : base.port);
  const name = serverName === undefined ? {} : { servername: serverName };
  const socket: Socket = secure ? connectTls({ host: address, port, ...name }) : connectPlain({ host: address, port });
  try {
    await connected(socket, secure ? 'secureConnect' : 'connect');
    return true;
  } catch (error) {
    if (isCertificateError(error)) {
      const code = (error as { code?: string }).code;
      throw new AdapterError(
        'rejected',
        `the certificate of ${base.host} is not trusted (${code}): add its authority with NODE_EXTRA_CA_CERTS`,
      );
    }
    return false;
  } finally {
    socket.destroy();
  }
}

function connected(socket: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once(event, resolve);
    // Stays on: a destroyed socket may still complain.
    socket.on('error', reject);
    socket.setTimeout(CONNECT_LIMIT_MS, () => reject(new Error('no connection in time')));
  });
}

/** Codes of OpenSSL's verification; what breaks before that is a connection like any other. */
function isCertificateError(error: unknown): boolean {
  const code = String((error as { code?: unknown }).code ?? '');
  return /CERT|SELF_SIGNED|ISSUER|CHAIN|ERR_TLS_CERT/.test(code);
}
