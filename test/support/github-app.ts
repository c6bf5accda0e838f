import { createVerify, generateKeyPairSync } from 'node:crypto';
import { type Handlers, notFound, ok } from './github-answers.ts';
import type { Account, Accounts } from './github-people.ts';

/** How long an installation token is valid. */
const HOUR_MS = 3_600_000;
const GRANTED: Readonly<Record<string, string>> = {
  contents: 'write',
  pull_requests: 'write',
  statuses: 'write',
  metadata: 'read',
  members: 'read',
};

export interface FakeApp {
  id: number;
  /** PEM. */
  privateKey: string;
  /** Tokens that were made, with what they may do where. */
  tokens: { token: string; repositories: string[]; permissions: Record<string, string>; endsAt: number }[];
  installed: boolean;
  permissions: Record<string, string>;
  /** Milliseconds since 1970, by GitHub's clock. */
  wall(): number;
}

/** An RSA key takes a while to make: once for all. */
const keys = () => {
  pair ??= generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  });
  return pair;
};
let pair: { publicKey: string; privateKey: string } | undefined;

export function createFakeApp(): FakeApp {
  const { privateKey } = keys();
  return { id: 4711, privateKey, tokens: [], installed: true, permissions: { ...GRANTED }, wall: () => Date.now() };
}

/** Who a token belongs to: `app` for the App itself, its account for a token of an installation. */
export function appCaller(app: FakeApp, accounts: Accounts, token: string): 'app' | Account | undefined {
  if (isJwtOf(app, token)) return 'app';
  const made = app.tokens.find((one) => one.token === token);
  return made !== undefined && made.endsAt > app.wall() ? botOf(accounts) : undefined;
}

export function botOf(accounts: Accounts): Account {
  return accounts.find('lynceus[bot]') ?? accounts.add('lynceus[bot]', 'write', 'Bot');
}

export function createAppHandlers(app: FakeApp): Handlers {
  return {
    'get /app': () => ok({ id: app.id, slug: 'lynceus', permissions: app.permissions }),
    'get /app/installations': () => ok(app.installed ? [installation(app)] : []),
    'get /repos/{owner}/{repo}/installation': () => (app.installed ? ok(installation(app)) : notFound()),
    'post /app/installations/{installation_id}/access_tokens': ({ params, body }) => {
      if (!app.installed || params['installation_id'] !== '99') return notFound();
      const permissions = (body['permissions'] ?? app.permissions) as Record<string, string>;
      const excess = Object.entries(permissions).filter(
        ([right, level]) =>
          app.permissions[right] === undefined || (app.permissions[right] === 'read' && level !== 'read'),
      );
      if (excess.length > 0) {
        const message = 'The permissions requested are not granted to this installation.';
        return { status: 422, body: { message } };
      }
      const endsAt = Math.floor((app.wall() + HOUR_MS) / 1000) * 1000;
      const token = `ghs_${app.tokens.length + 1}`;
      app.tokens.push({ token, repositories: (body['repositories'] ?? []) as string[], permissions, endsAt });
      return {
        status: 201,
        body: { token, expires_at: new Date(endsAt).toISOString().replace('.000', ''), permissions },
      };
    },
  };
}

function installation(app: FakeApp) {
  return { id: 99, app_id: app.id, permissions: app.permissions };
}

function isJwtOf(app: FakeApp, token: string): boolean {
  const [head = '', claims = '', signature = ''] = token.split('.');
  if (signature === '') return false;
  const verify = createVerify('RSA-SHA256').update(`${head}.${claims}`);
  if (!verify.verify(keys().publicKey, Buffer.from(signature, 'base64url'))) return false;
  const { iat, exp, iss } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<string, number | string>;
  const now = app.wall() / 1000;
  return String(iss) === String(app.id) && Number(iat) <= now && Number(exp) > now && Number(exp) - now <= 600;
}
