import pg from 'pg';
import { AdapterError, type FailureReason } from '../../base/adapter-error.ts';
import type { Secret } from '../../base/secret.ts';

const MAX_WORDS = 300;
/** By SQLSTATE, the longest that fits (https://www.postgresql.org/docs/15/errcodes-appendix.html). */
const REASONS: readonly [string, FailureReason][] = [
  ['28', 'unauthenticated'],
  ['42501', 'forbidden'],
  ['3D000', 'not-found'],
  ['57014', 'timeout'],
  ['25P03', 'timeout'],
  ['55P03', 'timeout'],
  ['08', 'unavailable'],
  ['40', 'unavailable'],
  ['53', 'unavailable'],
  ['57', 'unavailable'],
  ['58', 'unavailable'],
  ['XX', 'unavailable'],
];

/** An error of the driver as one of the port. Only what the server said is repeated, without the password. */
export function toAdapterError(error: unknown, who: string, password: Secret | undefined): AdapterError {
  if (error instanceof AdapterError) return error;
  if (error instanceof pg.DatabaseError) {
    const code = error.code ?? '';
    const reason = REASONS.find(([start]) => code.startsWith(start))?.[1] ?? 'rejected';
    return new AdapterError(reason, `${who}: ${said(error.message, password)} (${code})`);
  }
  // Other errors of the driver may quote what they were given.
  const code = error instanceof Error && 'code' in error ? ` (${String(error.code).slice(0, 40)})` : '';
  return new AdapterError('unavailable', `${who} cannot be reached, or the connection broke${code}`);
}

function said(message: string, password: Secret | undefined): string {
  const secret = password?.reveal() ?? '';
  const line = (secret === '' ? message : message.replaceAll(secret, '<secret>')).replace(/\s+/g, ' ').trim();
  return line.length > MAX_WORDS ? `${line.slice(0, MAX_WORDS)}...` : line;
}
