import { readFileSync, statSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { AdapterError } from '../base/adapter-error.ts';

/** What a TLS connection is made with, in PEM. */
export interface TlsMaterial {
  ca?: string;
  cert?: string;
  key?: string;
  /** The name that the server's certificate must bear, where it is not the one that is connected to. */
  servername?: string;
}

export interface TlsPaths {
  ca?: string;
  clientCertificate?: string;
  clientKey?: string;
}

/**
 * Reads certificates and the key from files, and again once a file has changed: what rotates them writes
 * new files, and nobody restarts us for it. The same object means that nothing changed. While the new
 * files do not fit together, as in the middle of a rotation, the old ones stay.
 *
 * @throws {AdapterError} `rejected` at the first reading, when a file cannot be read or makes no sense
 */
export function tlsFiles(name: string, paths: TlsPaths): () => TlsMaterial {
  if ((paths.clientCertificate === undefined) !== (paths.clientKey === undefined)) {
    throw new AdapterError('rejected', `${name}: clientCertificate and clientKey only work together`);
  }
  let material = read(name, paths);
  let seen = fingerprint(paths);
  return () => {
    const now = fingerprint(paths);
    if (now === seen) return material;
    try {
      material = read(name, paths);
      seen = now;
    } catch {
      // Looked at again with the next request.
    }
    return material;
  };
}

function read(name: string, paths: TlsPaths): TlsMaterial {
  const ca = readPem(name, 'certificates', paths.ca);
  const cert = readPem(name, 'client certificate', paths.clientCertificate);
  const key = readPem(name, 'client key', paths.clientKey);
  if (cert !== undefined && key !== undefined) checkPair(name, cert, key);
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}

function readPem(name: string, what: string, file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw new AdapterError('rejected', `${name}: the ${what} in ${file} cannot be read`);
  }
}

function checkPair(name: string, cert: string, key: string): void {
  try {
    createSecureContext({ cert, key });
  } catch {
    // Never with OpenSSL's words: they may quote the file.
    throw new AdapterError(
      'rejected',
      `${name}: clientCertificate and clientKey are not a PEM certificate and its own unencrypted key`,
    );
  }
}

/** Changes whenever a file is written or replaced, also behind the symbolic links of a mounted secret. */
function fingerprint({ ca, clientCertificate, clientKey }: TlsPaths): string {
  return [ca, clientCertificate, clientKey].map((file) => (file === undefined ? '' : fingerprintOf(file))).join(' ');
}

function fingerprintOf(file: string): string {
  const { ino, mtimeNs, size } = statSync(file, { bigint: true, throwIfNoEntry: false }) ?? {};
  return `${ino}/${mtimeNs}/${size}`;
}
