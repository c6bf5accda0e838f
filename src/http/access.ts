import type { RequestHandler, Router } from 'express';
import type { Permission } from '../base/rights.ts';

export type { Permission } from '../base/rights.ts';

/** Who may use a route: holders of a permission, a configured webhook sender, or anyone. */
export type Access = Permission | 'sender' | 'anyone';

export interface Route {
  method: string;
  path: string;
  access: Access;
}

const declared = new WeakMap<object, Access>();

/** Marks the handler that guards a route with what it demands. */
export function guards(access: Access, handler: RequestHandler): RequestHandler {
  declared.set(handler, access);
  return handler;
}

/** The guard of routes that are open on purpose. */
export const anyone: RequestHandler = guards('anyone', (_request, _response, next) => next());

/**
 * Every route with what it demands.
 *
 * @throws {Error} when a route does not say who may use it: forgetting the guard must not open a door
 */
export function routesOf(routers: readonly Router[]): Route[] {
  return routers.flatMap(({ stack }) =>
    stack.flatMap(({ route }) => {
      if (!route) return [];
      const { path } = route;
      const access = route.stack.map(({ handle }) => declared.get(handle)).find((one) => one !== undefined);
      if (access === undefined) throw new Error(`the route ${path} does not say who may use it`);
      const methods = new Set(route.stack.map(({ method }) => method.toUpperCase()));
      return [...methods].map((method) => ({ method, path, access }));
    }),
  );
}
