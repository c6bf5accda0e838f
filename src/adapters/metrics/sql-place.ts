import type { ClientConfig } from 'pg';
import { AdapterError } from '../../base/adapter-error.ts';

const DEFAULT_PORT = 5432;

/**
 * Where a database is. The driver would read much more out of a URL: passwords, files, ways around TLS.
 *
 * @throws {AdapterError} `rejected`
 */
export function placeOf(who: string, url: string): Required<Pick<ClientConfig, 'user' | 'host' | 'port' | 'database'>> {
  const parsed = URL.parse(url);
  const user = decode(parsed?.username);
  const host = decode(parsed?.hostname).replace(/^\[|\]$/g, '');
  const database = decode(parsed?.pathname.slice(1));
  const isPlain = /^postgres(?:ql)?:$/.test(parsed?.protocol ?? '') && parsed?.password === '' && parsed.search === '';
  if (isPlain && user !== '' && host !== '' && database !== '') {
    return { user, host, database, port: Number(parsed?.port || DEFAULT_PORT) };
  }
  const right = 'postgresql://user@host:5432/database, with "password" and "tls" beside it';
  throw new AdapterError('rejected', `${who}: the URL must be ${right}`);
}

function decode(part: string | undefined): string {
  try {
    return decodeURIComponent(part ?? '');
  } catch {
    return '';
  }
}
