import { AdapterError } from '../../base/adapter-error.ts';
import { isJsonObject, type JsonObject } from '../../base/json.ts';
import { createHttpClient, HttpFailure, type HttpRequest, MAX_LIST_BYTES, path } from '../http-client.ts';
import type { CallOptions } from './delivery-system.ts';
import type { KubernetesCredentials } from './kubernetes-credentials.ts';
import { objectAt, objectsAt, textAt } from './kubernetes-object.ts';
import { readWatch, WATCH_MS, type WatchEvent } from './kubernetes-watch.ts';

/** A kind of custom resource, as its path in the API needs it. */
export interface ResourceKind {
  group: string;
  version: string;
  plural: string;
  kind: string;
}

export interface Whereabouts {
  namespace: string;
  name: string;
}

export interface Selection {
  /** Absent: all of them. */
  namespace?: string;
  labelSelector?: string;
}

export interface ObjectList {
  items: JsonObject[];
  /** Where a watch goes on from. */
  resourceVersion: string;
}

/** The part of the Kubernetes API that a client of custom resources needs. Throws only AdapterError. */
export interface KubernetesApi {
  get(kind: ResourceKind, at: Whereabouts, options?: CallOptions): Promise<JsonObject>;
  /** All pages; `undefined` when the cluster does not know the kind. */
  list(kind: ResourceKind, selection: Selection, options?: CallOptions): Promise<ObjectList | undefined>;
  /**
   * A merge patch (RFC 7386) of exactly the object that was read: `conflict` when it has changed since. Answers
   * the object as it is now.
   */
  patch(kind: ResourceKind, read: JsonObject, patch: JsonObject, options?: CallOptions): Promise<JsonObject>;
  /** Changes after a resource version; ends when the server ends it. `conflict`: the version is too old, list anew. */
  watch(
    kind: ResourceKind,
    selection: Selection,
    resourceVersion: string,
    signal: AbortSignal,
  ): AsyncIterable<WatchEvent>;
  /** Whether we have a right, asked without using it. */
  mayI(verb: string, kind: ResourceKind, namespace?: string, options?: CallOptions): Promise<boolean>;
}

/**
 * Under which our changes are recorded. Never with `kubectl` in front: Flux's kustomize-controller removes what
 * such managers set.
 */
export const FIELD_MANAGER = 'lynceus';
const MERGE_PATCH = 'application/merge-patch+json';
const PAGE = '500';
const LIST_TIMEOUT_MS = 60_000;
/** etcd takes no object of more than 1.5 MiB. */
const MAX_OBJECT_BYTES = 4 * 1024 * 1024;
/** What was listed, or where a watch was to go on from, is no longer kept. */
const GONE = 410;

export interface KubernetesOptions {
  /** For messages: `Flux main`. */
  name: string;
  credentials: KubernetesCredentials;
  addresses: Parameters<typeof createHttpClient>[0]['addresses'];
  timeoutMs?: number;
}

export function createKubernetesApi({ name, credentials, addresses, timeoutMs }: KubernetesOptions): KubernetesApi {
  const client = createHttpClient({
    name,
    baseUrl: credentials.server,
    tls: credentials.tls,
    addresses,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });

  async function authorized(request: HttpRequest): Promise<HttpRequest> {
    request.signal?.throwIfAborted();
    const { headers, secrets } = await credentials.authorize();
    return { ...request, headers: { ...headers, ...request.headers }, secrets };
  }

  async function attempt<T>(request: HttpRequest, send: (request: HttpRequest) => Promise<T>): Promise<T> {
    try {
      return await send(await authorized(request));
    } catch (error) {
      if (request.signal?.aborted) throw new AdapterError('cancelled', `${name}: the request was given up`);
      if (error instanceof AdapterError && error.reason === 'unauthenticated') credentials.forget();
      throw inOurWords(error, name);
    }
  }

  async function ask(request: HttpRequest): Promise<JsonObject> {
    const { data } = await attempt(request, (ready) => client.json(ready));
    if (isJsonObject(data)) return data;
    throw new AdapterError('bad-response', `${name} answered something that is no object of Kubernetes`);
  }

  async function listOnce(kind: ResourceKind, { namespace, labelSelector }: Selection, options: CallOptions) {
    const items: JsonObject[] = [];
    for (let next: string | undefined = ''; ; ) {
      const answer: JsonObject = await ask({
        method: 'GET',
        path: collectionPath(kind, namespace),
        query: { limit: PAGE, labelSelector, continue: next === '' ? undefined : next },
        timeoutMs: timeoutMs ?? LIST_TIMEOUT_MS,
        maxResponseBytes: MAX_LIST_BYTES,
        ...withSignal(options),
      });
      if (!Array.isArray(answer['items'])) {
        throw new AdapterError('bad-response', `${name} answered no list of ${kind.plural}`);
      }
      items.push(...objectsAt(answer['items']));
      const metadata = objectAt(answer['metadata']);
      next = textAt(metadata['continue']);
      if (next === undefined) return { items, resourceVersion: textAt(metadata['resourceVersion']) ?? '' };
    }
  }

  return {
    async get(kind, at, options = {}) {
      const object = await ask({
        method: 'GET',
        path: objectPath(kind, at),
        maxResponseBytes: MAX_OBJECT_BYTES,
        ...withSignal(options),
      });
      if (textAt(objectAt(object['metadata'])['name']) === at.name) return object;
      throw new AdapterError('bad-response', `${name} answered another object than ${kind.kind} ${at.name}`);
    },

    async list(kind, selection, options = {}) {
      for (let tries = 1; ; tries++) {
        try {
          return await listOnce(kind, selection, options);
        } catch (error) {
          if (!(error instanceof AdapterError)) throw error;
          if (error.reason === 'not-found') return undefined;
          // A list that took too long to page through is read anew, once.
          if (error.reason !== 'conflict' || tries > 1) throw error;
        }
      }
    },

    async patch(kind, read, patch, options = {}) {
      const { name: object, namespace, resourceVersion } = lockOf(read);
      return ask({
        method: 'PATCH',
        path: objectPath(kind, { namespace, name: object }),
        query: { fieldManager: FIELD_MANAGER },
        headers: { 'Content-Type': MERGE_PATCH },
        body: { ...patch, metadata: { ...objectAt(patch['metadata']), resourceVersion } },
        maxResponseBytes: MAX_OBJECT_BYTES,
        ...withSignal(options),
        ...(options.guard === undefined ? {} : { guard: options.guard }),
      });
    },

    async *watch(kind, { namespace, labelSelector }, resourceVersion, signal) {
      const request: HttpRequest = {
        method: 'GET',
        path: collectionPath(kind, namespace),
        query: {
          watch: 'true',
          resourceVersion,
          allowWatchBookmarks: 'true',
          timeoutSeconds: String(WATCH_MS / 1000),
          labelSelector,
        },
        signal,
      };
      const { data } = await attempt(request, (ready) => client.stream(ready));
      yield* readWatch(data, `${name}: the watch of ${kind.plural}`, signal);
    },

    async mayI(verb, { group, plural }, namespace, options = {}) {
      const answer = await ask({
        method: 'POST',
        path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
        body: {
          apiVersion: 'authorization.k8s.io/v1',
          kind: 'SelfSubjectAccessReview',
          spec: {
            resourceAttributes: { verb, group, resource: plural, ...(namespace === undefined ? {} : { namespace }) },
          },
        },
        ...withSignal(options),
      });
      return objectAt(answer['status'])['allowed'] === true;
    },
  };
}

function collectionPath({ group, version, plural }: ResourceKind, namespace: string | undefined): string {
  return namespace === undefined
    ? path`/apis/${group}/${version}/${plural}`
    : path`/apis/${group}/${version}/namespaces/${namespace}/${plural}`;
}

function objectPath(kind: ResourceKind, { namespace, name }: Whereabouts): string {
  return collectionPath(kind, namespace) + path`/${name}`;
}

/** Without a version the change would overwrite what somebody else did in between. */
function lockOf(read: JsonObject) {
  const metadata = objectAt(read['metadata']);
  const [name, namespace, resourceVersion] = ['name', 'namespace', 'resourceVersion'].map((key) =>
    textAt(metadata[key]),
  );
  if (name !== undefined && namespace !== undefined && resourceVersion !== undefined) {
    return { name, namespace, resourceVersion };
  }
  throw new AdapterError('bad-response', 'an object without name, namespace or resourceVersion cannot be changed');
}

/** The raw answer is dropped: it may repeat what we sent. */
function inOurWords(error: unknown, name: string): AdapterError {
  if (!(error instanceof AdapterError)) return new AdapterError('unavailable', `${name} cannot be reached`);
  const { retryAfterMs } = error;
  const failure = error.cause instanceof HttpFailure ? error.cause : undefined;
  return new AdapterError(failure?.status === GONE ? 'conflict' : error.reason, error.message + remedyFor(failure), {
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

function remedyFor(failure: HttpFailure | undefined): string {
  if (failure?.status === 403) return ' (apply the ClusterRole of flux-alerts/)';
  if (failure?.status === 401) return ' (see the kubeconfig, or the service account of the pod)';
  return '';
}

function withSignal(options: CallOptions): Pick<HttpRequest, 'signal'> {
  return options.signal === undefined ? {} : { signal: options.signal };
}
