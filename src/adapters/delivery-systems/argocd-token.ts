import { isJsonObject } from '../../base/json.ts';
import type { Finding } from '../../events/finding.ts';

const DAY_MS = 86_400_000;
/** Time for people to renew a token. */
const SOON_MS = 14 * DAY_MS;
const RENEW = 'make a new one: argocd account generate-token --account NAME (docs/connections.md)';

/** When a token of Argo CD, which is a JWT, ends; `undefined` when it never does, or is none. */
export function tokenExpiry(token: string): Date | undefined {
  const [, payload = ''] = token.split('.');
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    const seconds = isJsonObject(claims) ? claims['exp'] : undefined;
    // Outside of this, JavaScript has no date.
    return typeof seconds === 'number' && Math.abs(seconds) < 8.64e12 ? new Date(seconds * 1000) : undefined;
  } catch {
    return undefined;
  }
}

/** Who Argo CD takes us for, and how long it will. */
export function tokenFindings(userinfo: unknown, expiry: Date | undefined, now: Date): Finding[] {
  const info = isJsonObject(userinfo) ? userinfo : {};
  const day = expiry?.toISOString().slice(0, 10) ?? '';
  const ended = expiry !== undefined && expiry.getTime() <= now.getTime();
  if (info['loggedIn'] !== true) {
    const sentence = ended
      ? `the token expired on ${day}`
      : 'Argo CD does not take the token: it is none, was revoked, or is of another Argo CD';
    return [{ level: 'problem', check: 'token', sentence, remedy: RENEW }];
  }
  const username = typeof info['username'] === 'string' ? info['username'].slice(0, 100) : 'somebody';
  const until = expiry === undefined ? 'which does not expire' : `until ${day}`;
  const good: Finding = { level: 'ok', check: 'token', sentence: `Argo CD takes the token for ${username}, ${until}` };
  const soon: Finding[] =
    expiry !== undefined && expiry.getTime() - now.getTime() < SOON_MS
      ? [{ level: 'warning', check: 'token-expiry', sentence: `the token expires on ${day}`, remedy: RENEW }]
      : [];
  const admin: Finding[] =
    username === 'admin'
      ? [
          {
            level: 'warning',
            check: 'token-rights',
            sentence: 'the token is the one of admin, which may do everything',
            remedy: 'make an account of its own with the rights of docs/connections.md',
          },
        ]
      : [];
  return [good, ...soon, ...admin];
}
