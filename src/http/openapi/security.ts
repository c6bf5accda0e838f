import { PERMISSIONS } from '../../base/rights.ts';
import type { Route } from '../access.ts';

/** How callers say who they are. */
export const securitySchemes = {
  token: { type: 'http', scheme: 'bearer', description: 'an API token' },
  password: { type: 'http', scheme: 'basic', description: 'any name, and an API token as password' },
  session: {
    type: 'apiKey',
    in: 'cookie',
    name: '__Host-lynceus',
    description: 'of a browser that has signed in; on this very machine, without TLS, it is called lynceus',
  },
  csrf: {
    type: 'apiKey',
    in: 'header',
    name: 'X-CSRF-Token',
    description: 'with a session, wherever something is changed: the value of its forms',
  },
  webhookToken: { type: 'http', scheme: 'bearer', description: 'a webhook token of the connection' },
} as const;

type Requirement = Readonly<Record<string, readonly string[]>>;
interface Operation {
  security?: readonly Requirement[];
}

/** Without a session a browser asks for nothing else; a cookie changes nothing without what its forms carry. */
function requirements(method: string, permission: string): Requirement[] {
  const roles = [permission];
  const session = method === 'GET' ? { session: roles } : { session: roles, csrf: roles };
  return [{ token: roles }, { password: roles }, session];
}

/**
 * The document's paths, each operation with what its route takes: the permission stands where OpenAPI has roles. What an
 * operation says itself stays: webhooks are signed in ways that have no scheme, and some addresses carry their token.
 *
 * @param anonymousRead whether reading takes nothing here
 */
export function withSecurity(paths: object, routes: readonly Route[], anonymousRead: boolean): object {
  const access = new Map(routes.map((route) => [`${route.method} ${route.path}`, route.access]));
  const secured = (path: string, method: string, operation: Operation): Operation => {
    const needed = access.get(`${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`);
    if (operation.security !== undefined || !PERMISSIONS.some((one) => one === needed)) return operation;
    const security = requirements(method.toUpperCase(), String(needed));
    return { ...operation, security: needed === 'read' && anonymousRead ? [...security, {}] : security };
  };
  return mapValues(paths as Record<string, Record<string, Operation>>, (operations, path) =>
    mapValues(operations, (operation, method) => secured(path, method, operation)),
  );
}

function mapValues<T, R>(all: Record<string, T>, change: (value: T, key: string) => R): Record<string, R> {
  return Object.fromEntries(Object.entries(all).map(([key, value]) => [key, change(value, key)]));
}
