import { createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { AdapterError } from '../../base/adapter-error.ts';
import { Secret } from '../../base/secret.ts';
import type { HttpAnswer, HttpRequest } from '../http-client.ts';
import type { ApiLimits, ApiTime } from './api-limits.ts';
import { type Caller, type Coordinates, type Credentials, type Grant, grantOfPerson } from './github-credentials.ts';

/** What we use of what the App was granted; a right that it was not granted cannot be asked for. */
const RIGHTS: Readonly<Record<string, string>> = {
  contents: 'write',
  pull_requests: 'write',
  issues: 'write',
  statuses: 'write',
  merge_queues: 'write',
  metadata: 'read',
  members: 'read',
};
/** GitHub's are valid for an hour; one that ends within a chain of requests helps nobody. */
const SPARE_MS = 5 * 60_000;
/** GitHub allows ten minutes, by its own clock. */
const JWT_SECONDS = 540;
const CLOCK_SKEW_SECONDS = 60;
const MAX_INSTALLATIONS = 10_000;

export interface GitHubApp {
  /** Its number, or its client id. */
  id: string;
  privateKey: Secret;
}

/** Sends a request as it is, with this token, and answers JSON. */
export type Send = (request: HttpRequest, grant: Grant) => Promise<HttpAnswer<unknown>>;

interface Installation {
  id: number;
  /** What was granted to it. */
  permissions: Record<string, string>;
}

interface Token extends Grant {
  endsAt: number;
}

/**
 * A GitHub App: for each repository a token that can do no more than we need, there and nowhere else, kept until five
 * minutes before its end.
 *
 * @throws {AdapterError} `rejected` when the key is none
 */
export function appCredentials(
  name: string,
  app: GitHubApp,
  send: Send,
  paces: (key: string) => ApiLimits,
  time: ApiTime,
): Credentials {
  const key = parseKey(name, app.privateKey);
  const installations = new Map<string, Promise<Installation>>();
  const tokens = new Map<string, Promise<Token>>();

  const asApp = (): Grant => ({ token: createJwt(app.id, key, time.wall()), limits: paces('app') });

  // Without the signal of one caller: the others wait for the answer too.
  async function ask(method: 'GET' | 'POST', path: string, body?: unknown): Promise<unknown> {
    return (await send({ method, path, ...(body === undefined ? {} : { body }) }, asApp())).data;
  }

  async function findInstallation(at: Coordinates): Promise<Installation> {
    try {
      return parseInstallation(await ask('GET', `/repos/${at.owner}/${at.repo}/installation`));
    } catch (error) {
      if (!(error instanceof AdapterError) || error.reason !== 'not-found') throw error;
      const message = `the GitHub App is not installed on ${at.owner}/${at.repo}, or there is no such repository`;
      throw new AdapterError('not-found', message);
    }
  }

  async function findAnyInstallation(): Promise<Installation> {
    const found = await ask('GET', '/app/installations?per_page=1');
    const [first] = Array.isArray(found) ? (found as unknown[]) : [];
    if (first !== undefined) return parseInstallation(first);
    throw new AdapterError('forbidden', `the GitHub App of ${name} is installed nowhere`);
  }

  async function makeToken(at: Coordinates | undefined): Promise<Token> {
    const installation = await once(installations, keyOf(at), MAX_INSTALLATIONS, () =>
      at === undefined ? findAnyInstallation() : findInstallation(at),
    );
    const granted = Object.entries(RIGHTS).filter(([right]) => installation.permissions[right] !== undefined);
    const permissions = Object.fromEntries(
      granted.map(([right, level]) => [right, atMost(level, installation, right)]),
    );
    const path = `/app/installations/${installation.id}/access_tokens`;
    const wanted = at === undefined ? { permissions: { metadata: 'read' } } : { repositories: [at.repo], permissions };
    const made = parseToken(await ask('POST', path, wanted));
    return { ...made, limits: paces(`installation ${installation.id}`) };
  }

  async function tokenFor(at: Coordinates | undefined): Promise<Token> {
    const place = keyOf(at);
    const known = await once(tokens, place, MAX_INSTALLATIONS, () => makeToken(at));
    if (known.endsAt - time.wall() > SPARE_MS) return known;
    tokens.delete(place);
    return once(tokens, place, MAX_INSTALLATIONS, () => makeToken(at));
  }

  return {
    kind: 'app',
    async grant(caller) {
      if ('person' in caller) return grantOfPerson(caller.person, paces);
      return 'app' in caller ? asApp() : tokenFor(caller.in);
    },
    drop(caller: Caller) {
      if ('person' in caller || 'app' in caller) return;
      tokens.delete(keyOf(caller.in));
      // It may have been uninstalled and installed again.
      installations.delete(keyOf(caller.in));
    },
  };
}

/** Asks once for all who want it at the same time; what failed is not kept. */
async function once<T>(
  kept: Map<string, Promise<T>>,
  key: string,
  atMostKept: number,
  ask: () => Promise<T>,
): Promise<T> {
  const known = kept.get(key);
  if (known !== undefined) return known;
  const asked = ask();
  kept.set(key, asked);
  asked.catch(() => kept.get(key) === asked && kept.delete(key));
  const [oldest] = kept.keys();
  if (kept.size > atMostKept && oldest !== undefined) kept.delete(oldest);
  return asked;
}

function keyOf(at: Coordinates | undefined): string {
  return at === undefined ? '' : `${at.owner}/${at.repo}`.toLowerCase();
}

/** https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app */
function createJwt(issuer: string, key: KeyObject, nowMs: number): Secret {
  const now = Math.floor(nowMs / 1000);
  const claims = { iat: now - CLOCK_SKEW_SECONDS, exp: now + JWT_SECONDS, iss: issuer };
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const text = `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode(claims)}`;
  return new Secret(`${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`);
}

function parseKey(name: string, privateKey: Secret): KeyObject {
  try {
    const key = createPrivateKey(privateKey.reveal());
    if (key.asymmetricKeyType === 'rsa') return key;
  } catch {
    // What OpenSSL says of it may repeat parts of it.
  }
  throw new AdapterError('rejected', `${name}: app.privateKey is no RSA key in PEM, as GitHub lets you download it`);
}

function parseInstallation(value: unknown): Installation {
  const { id, permissions } = (value ?? {}) as { id?: unknown; permissions?: unknown };
  if (typeof id !== 'number' || typeof permissions !== 'object' || permissions === null) {
    throw new AdapterError('bad-response', 'GitHub answered an installation without its id and permissions');
  }
  return { id, permissions: permissions as Record<string, string> };
}

/** Asking for more than was granted is refused as a whole. */
function atMost(level: string, installation: Installation, right: string): string {
  return installation.permissions[right] === 'read' ? 'read' : level;
}

function parseToken(value: unknown): { token: Secret; endsAt: number } {
  const { token, expires_at: expires } = (value ?? {}) as { token?: unknown; expires_at?: unknown };
  const endsAt = Date.parse(String(expires));
  if (typeof token === 'string' && token !== '' && !Number.isNaN(endsAt)) return { token: new Secret(token), endsAt };
  throw new AdapterError('bad-response', 'GitHub answered an installation token without the token or its end');
}
