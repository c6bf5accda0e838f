import Type, { type Static } from 'typebox';
import { SecretRef } from '../adapters/adapter-kind.ts';
import {
  PERMISSIONS,
  type Permission,
  type Rights,
  ROLES,
  type Role,
  rightsNamed,
  whyProjectsRestrictNothing,
  whyStagesRestrictNothing,
} from '../base/rights.ts';
import { MIN_TOKEN_CHARS } from '../base/secret.ts';
import type { Problem } from '../definitions/problem.ts';
import type { YamlDocument } from '../definitions/read-yaml.ts';
import { problemAt } from '../definitions/validate.ts';
import type { Vault } from './vault.ts';

const oneOf = <Name extends string>(names: readonly Name[]) => Type.Union(names.map((name) => Type.Literal(name)));

export const Token = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 100, description: 'who acts with it, as the log will say' }),
    token: SecretRef,
    groups: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), { description: 'groups whose approvals it gives' }),
    ),
    may: Type.Optional(Type.Array(oneOf(PERMISSIONS))),
    roles: Type.Optional(Type.Array(oneOf(ROLES))),
    stages: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), {
        minItems: 1,
        description: 'where it may decide; absent: everywhere',
      }),
    ),
    projects: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), {
        minItems: 1,
        description: 'where it may report, decide and operate; absent: everywhere',
      }),
    ),
  },
  { additionalProperties: false },
);
export type TokenEntry = Static<typeof Token>;

/** What a token without `may` and `roles` allows. */
const USUAL: readonly Permission[] = ['read', 'decide', 'report', 'query'];

export function rightsOfToken({
  may,
  roles,
  stages,
  projects,
}: Pick<TokenEntry, 'may' | 'roles' | 'stages' | 'projects'>): Rights {
  return rightsNamed({ may: may ?? (roles === undefined ? USUAL : []), roles, stages, projects });
}

/** Stages and projects that restrict nothing would only look as if they did. */
export function rightsProblems(document: YamlDocument): Problem[] {
  return list(document.value, 'tokens').flatMap((entry, at) => {
    const bare = field(entry, 'may') === undefined && field(entry, 'roles') === undefined;
    // Whether they are names is for the schema to say.
    const roles = list(entry, 'roles').filter((one): one is Role => ROLES.some((role) => role === one));
    const named = { roles, may: bare ? USUAL : (list(entry, 'may') as Permission[]) };
    return (['stages', 'projects'] as const).flatMap((key) => {
      if (!Array.isArray(field(entry, key))) return [];
      const why = WHY_NOTHING[key]({ ...named, [key]: [] });
      return why === undefined ? [] : [problemAt(document, ['tokens', at, key], why)];
    });
  });
}

const WHY_NOTHING = { stages: whyStagesRestrictNothing, projects: whyProjectsRestrictNothing };

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
