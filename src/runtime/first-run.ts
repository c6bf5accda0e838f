import type { Clock } from '../base/clock.ts';
import { sha256 } from '../base/ids.ts';
import { randomSecret } from '../base/secret.ts';
import type { CredentialStore } from '../store/credentials.ts';
import type { Log } from './log.ts';

const KIND = 'first-run';
const PREFIX = 'lyn_once_';
const SHAPE = /^lyn_once_[\w-]{43}$/;
const LASTS_MS = 3_600_000;
const MANY = 1000;

/**
 * Where there is no way to sign in yet, one person may, with a password that is told once, in the log of one replica.
 * It is good for an hour and for one use.
 *
 * @param where the address of the page on which it is typed
 */
export async function offerFirstRun(
  { credentials, clock, log }: { credentials: CredentialStore; clock: Clock; log: Log },
  where: string,
): Promise<void> {
  const now = clock.now().getTime();
  // Sessions of tokens that are no longer configured open nothing.
  const [tokens, sessions] = await Promise.all([
    credentials.list('token', now, 1),
    credentials.list('session', now, MANY),
  ]);
  if (tokens.length > 0 || sessions.some(({ data }) => data['via'] === KIND)) return;
  const password = PREFIX + randomSecret();
  const credential = { kind: KIND, id: KIND, hash: sha256(password), createdAt: now, usedAt: now };
  const mine = await credentials.add({ ...credential, expiresAt: now + LASTS_MS, data: {} });
  if (!mine) return log.info({}, 'a password for the first sign-in was told less than an hour ago');
  log.warn({ signIn: where, password }, 'nobody can sign in yet: use this password there, once and within an hour');
}

/** Whether this is that password; it is none afterwards. */
export async function takeFirstRun(
  { credentials, clock }: { credentials: CredentialStore; clock: Clock },
  password: string,
): Promise<boolean> {
  if (!SHAPE.test(password)) return false;
  return (await credentials.take(KIND, sha256(password), clock.now().getTime())) !== undefined;
}
