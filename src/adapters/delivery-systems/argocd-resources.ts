import { AdapterError } from '../../base/adapter-error.ts';
import type { JsonObject } from '../../base/json.ts';
import type { ApplicationRef, Health } from '../../events/application.ts';
import { HttpFailure, type HttpRequest, path } from '../http-client.ts';
import type { ApplicationResource, CallOptions } from './delivery-system.ts';
import { object, objects, text } from './go-json.ts';

/** One call to an Argo CD, its refusals in our words. */
export type AskArgoCd = (request: HttpRequest) => Promise<unknown>;

const HEALTH: ReadonlySet<string> = new Set<Health>([
  'Healthy',
  'Progressing',
  'Degraded',
  'Suspended',
  'Missing',
  'Unknown',
]);
const MAX_MESSAGE = 500;
/** A tree of some thousand nodes, each with its images and links. */
const MAX_TREE_BYTES = 32 * 1024 * 1024;

/** Every object below an application, with the health that Argo CD computed. */
export async function readResources(
  ask: AskArgoCd,
  ref: ApplicationRef,
  where: Record<string, string>,
): Promise<ApplicationResource[]> {
  const answer = await ask({
    method: 'GET',
    path: path`/api/v1/applications/${ref.name}/resource-tree`,
    query: where,
    maxResponseBytes: MAX_TREE_BYTES,
  });
  return objects(object(answer)['nodes']).flatMap(toResource);
}

function toResource(node: JsonObject): ApplicationResource[] {
  const [kind, name] = [text(node['kind']), text(node['name'])];
  if (kind === undefined || name === undefined) return [];
  const health = object(node['health']);
  const [status, message] = [text(health['status']), text(health['message'])?.slice(0, MAX_MESSAGE)];
  return [
    {
      group: text(node['group']) ?? '',
      version: text(node['version']) ?? 'v1',
      kind,
      namespace: text(node['namespace']) ?? '',
      name,
      ...(status === undefined
        ? {}
        : {
            health: {
              status: HEALTH.has(status) ? (status as Health) : 'Unknown',
              ...(message === undefined ? {} : { message }),
            },
          }),
    },
  ];
}

/** Versions of Argo CD before 3.1 do not know the second form of the call: 404 or 501, and no gRPC code about the object. */
const MISSING: ReadonlySet<number> = new Set([404, 405, 501]);

/**
 * Runs one of the actions that Argo CD knows for a kind of object. Its name is taken as it is.
 *
 * @throws {AdapterError} `forbidden` when the token may not: RBAC is per action, `action/<group>/<Kind>/<action>`
 */
export async function runAction(
  send: (request: HttpRequest) => Promise<unknown>,
  inWords: (error: unknown) => AdapterError,
  ref: ApplicationRef,
  { resource, action, where }: { resource: ApplicationResource; action: string; where: Record<string, string> },
  options: CallOptions,
): Promise<void> {
  const { group, version, kind, namespace, name } = resource;
  const target = { namespace, resourceName: name, version, group, kind };
  const more = {
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    ...(options.guard === undefined ? {} : { guard: options.guard }),
  };
  try {
    const body = { name: ref.name, ...target, action, ...where };
    await send({ method: 'POST', path: path`/api/v1/applications/${ref.name}/resource/actions/v2`, body, ...more });
  } catch (error) {
    if (!isMissing(error)) throw inWords(error);
    try {
      await send({
        method: 'POST',
        path: path`/api/v1/applications/${ref.name}/resource/actions`,
        query: { ...target, ...where },
        body: action,
        ...more,
      });
    } catch (second) {
      throw inWords(second);
    }
  }
}

function isMissing(error: unknown): boolean {
  if (!(error instanceof AdapterError) || !(error.cause instanceof HttpFailure)) return false;
  const { status, body } = error.cause;
  if (!MISSING.has(status)) return false;
  const message = text(object(body)['message']) ?? '';
  // An application or object that is not there is another 404.
  return !/"[^"]*" not found/.test(message);
}
