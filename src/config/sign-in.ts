import Type, { type Static } from 'typebox';
import type { AdapterTools } from '../adapters/adapter-kind.ts';
import type { ConnectionCheck } from '../adapters/connection-check.ts';
import { createOidcProvider, oidcSettings } from '../adapters/sign-in/oidc.ts';
import type { SignInProvider } from '../adapters/sign-in/sign-in-provider.ts';
import { type Grant, ROLES } from '../base/rights.ts';
import type { Problem } from '../definitions/problem.ts';
import type { YamlDocument } from '../definitions/read-yaml.ts';
import { problemAt } from '../definitions/validate.ts';

/** A role for a group of the provider; `*`: for all whom it knows. */
export interface GroupGrant extends Grant {
  group: string;
}

const GroupRole = Type.Object(
  {
    group: Type.String({ minLength: 1, description: 'as the provider calls it; "*": all whom it knows' }),
    role: Type.Union(ROLES.map((role) => Type.Literal(role))),
    stages: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), { minItems: 1, description: 'where an approver decides' }),
    ),
  },
  { additionalProperties: false },
);

/** `signIn` of lynceus.yaml. */
export const SignInSection = Type.Object(
  {
    oidc: Type.Object(
      { ...oidcSettings, roles: Type.Array(GroupRole, { minItems: 1, maxItems: 1000 }) },
      { additionalProperties: false },
    ),
  },
  { additionalProperties: false },
);
export type SignInEntry = Static<typeof SignInSection>;

/** A host may begin with a wildcard; anything more would end the header, or mean something else in it. */
const ORIGIN = "^(?:'self'|https?://(?:\\*\\.)?[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?)$";

/** `page` of lynceus.yaml. */
export const PageSection = Type.Object(
  {
    frameAncestors: Type.Optional(
      Type.Array(Type.String({ pattern: ORIGIN, description: 'an origin such as https://argocd.example.com' }), {
        maxItems: 20,
      }),
    ),
  },
  { additionalProperties: false },
);
export type PageEntry = Static<typeof PageSection>;

/** Stages of roles that decide everywhere, or nowhere, would only look as if they restricted something. */
export function signInProblems(document: YamlDocument): Problem[] {
  const roles = at(at(at(document.value, 'signIn'), 'oidc'), 'roles');
  if (!Array.isArray(roles)) return [];
  return roles.flatMap((entry, index) => {
    const role = at(entry, 'role');
    if (at(entry, 'stages') === undefined || role === 'approver' || !ROLES.some((one) => one === role)) return [];
    const place = ['signIn', 'oidc', 'roles', index, 'stages'];
    return [problemAt(document, place, `are for the role approver: ${String(role)} has none of its own`)];
  });
}

/** The provider, not asked yet; what it cannot be is said. */
export function createSignIn(
  entry: SignInEntry | undefined,
  tools: AdapterTools,
  say: (message: string) => void,
): { provider: SignInProvider; grants: readonly GroupGrant[] } | undefined {
  if (!entry) return undefined;
  const { roles, ...settings } = entry.oidc;
  try {
    return { provider: createOidcProvider(settings, tools), grants: roles };
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    return undefined;
  }
}

/** How it is looked at for the page of connections and `lynceus doctor`. */
export function signInCheck(provider: SignInProvider): ConnectionCheck {
  const diagnose = () => provider.diagnose();
  return { section: 'signIn', kind: 'oidc', name: 'oidc', hasWebhook: false, diagnose };
}

function at(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}
