import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

export interface CertificateFiles {
  folder: string;
  cert: string;
  key: string;
}

/** A self-signed certificate for this common name, made by openssl; it goes with the test file. */
export function certificateFor(name: string): CertificateFiles {
  const folder = mkdtempSync(join(tmpdir(), 'lynceus-tls-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const made = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key, '-out', cert];
  const named = ['-days', '2', '-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`];
  execFileSync('openssl', ['req', '-x509', ...made, ...named], { stdio: 'ignore' });
  return { folder, cert, key };
}
