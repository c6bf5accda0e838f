import { MIN_TOKEN_CHARS } from '../base/secret.ts';
import type { Problem } from '../definitions/problem.ts';
import type { YamlDocument } from '../definitions/read-yaml.ts';
import { problemAt } from '../definitions/validate.ts';
import type { Vault } from './vault.ts';

interface TokenPlace {
  /** Who is recognised by it, in words. */
  owner: string;
  ref: unknown;
  path: (string | number)[];
}

/**
 * Tokens by which callers are recognised must not be easy to guess, and each must stand for one caller:
 * a webhook's token that also approves would let every Argo CD approve.
 */
export function tokenProblems(document: YamlDocument, vault: Vault): Problem[] {
  const owners = new Map<string, string>();
  return tokenPlaces(document.value).flatMap(({ owner, ref, path }) => {
    const token = vault.peek(ref);
    if (token === undefined) return [];
    if (token.length < MIN_TOKEN_CHARS) return [problemAt(document, path, TOO_SHORT)];
    if (isCutOff(token)) return [problemAt(document, path, CUT_OFF)];
    const other = owners.get(token);
    if (other === undefined) owners.set(token, owner);
    return other === undefined || other === owner
      ? []
      : [problemAt(document, path, `is the token of ${other} too: give each its own`)];
  });
}

const TOO_SHORT = `the token is shorter than ${MIN_TOKEN_CHARS} characters: take a random one, e.g. of "openssl rand -hex 32"`;

const CUT_OFF = 'the signing token is cut off: copy all of what GitLab shows, from "whsec_" on';
const SIGNING = 'whsec_';

/** GitLab generates signing tokens; nobody makes up one. */
function isCutOff(token: string): boolean {
  return token.startsWith(SIGNING) && Buffer.from(token.slice(SIGNING.length), 'base64').length < MIN_TOKEN_CHARS;
}

/** The document may still be wrong in every way; its schema says how. */
function tokenPlaces(value: unknown): TokenPlace[] {
  const webhooks = ['deliverySystems', 'gitHosts'].flatMap((section) =>
    list(value, section).flatMap((entry, at) =>
      list(entry, 'webhookTokens').map((ref, nth) => ({
        owner: `webhooks from ${nameOf(entry, at)}${section === 'gitHosts' ? ' (Git host)' : ''}`,
        ref,
        path: [section, at, 'webhookTokens', nth],
      })),
    ),
  );
  const holders = list(value, 'tokens').map((holder, at) => ({
    owner: nameOf(holder, at),
    ref: field(holder, 'token'),
    path: ['tokens', at, 'token'],
  }));
  return [...webhooks, ...holders];
}

function nameOf(entry: unknown, at: number): string {
  const name = field(entry, 'name');
  return typeof name === 'string' ? `"${name.slice(0, 100)}"` : `entry ${at + 1}`;
}

function list(value: unknown, name: string): unknown[] {
  const found = field(value, name);
  return Array.isArray(found) ? found : [];
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
