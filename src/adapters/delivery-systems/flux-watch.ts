import { AdapterError } from '../../base/adapter-error.ts';
import type { JsonObject } from '../../base/json.ts';
import type { ApplicationHint } from './delivery-system.ts';
import { applicationName, FLUX_KINDS, HELM_RELEASE, isApplicationOf, type ObjectRef } from './flux-kinds.ts';
import { keyOfRef, refsAround } from './flux-lookup.ts';
import type { KubernetesApi, ResourceKind, Selection } from './kubernetes.ts';
import { nameOf } from './kubernetes-object.ts';

export interface WatchTools {
  api: KubernetesApi;
  prefix: string;
  /** One watch per kind and namespace; `undefined` for all namespaces. */
  namespaces: readonly (string | undefined)[];
}

/**
 * Hints at applications of which anything moves: the object itself, its source, the source that it follows, its
 * gate, and what applied it. Every watch begins with a list, so nothing is missed between two of them.
 *
 * @throws {AdapterError} when a watch breaks; the caller opens them anew
 */
export async function* watchFlux(tools: WatchTools, signal: AbortSignal): AsyncGenerator<ApplicationHint> {
  const over = new AbortController();
  const both = AbortSignal.any([signal, over.signal]);
  const queue = createQueue<Seen>(both);
  const index = createIndex(tools.prefix);
  const watches = tools.namespaces.flatMap((namespace) =>
    FLUX_KINDS.map((kind) =>
      followKind(tools, kind, namespace, both, queue.push).catch((error: unknown) => queue.fail(error)),
    ),
  );
  try {
    for await (const seen of queue.items()) yield* index.hintsOf(seen);
  } finally {
    over.abort();
    await Promise.all(watches);
  }
}

interface Seen {
  kind: ResourceKind;
  object: JsonObject;
  /** Deleted, or out of what the watch selects. */
  gone?: boolean;
}

async function followKind(
  { api, prefix }: WatchTools,
  kind: ResourceKind,
  namespace: string | undefined,
  signal: AbortSignal,
  push: (seen: Seen) => void,
): Promise<void> {
  const selection: Selection = {
    ...(namespace === undefined ? {} : { namespace }),
    ...(kind === HELM_RELEASE ? { labelSelector: `${prefix}/service` } : {}),
  };
  const tell = (object: JsonObject, gone = false) => push({ kind, object: { ...object, kind: kind.kind }, gone });
  let from: string | undefined;
  while (!signal.aborted) {
    if (from === undefined) {
      const list = await api.list(kind, selection, { signal });
      // A controller that is not installed has nothing to tell.
      if (!list) return;
      for (const item of list.items) tell(item);
      from = list.resourceVersion;
    }
    from = await watchFrom(api, kind, selection, from, signal, tell);
  }
}

/** Where to go on from, or `undefined` when that is too long ago and everything must be listed anew. */
async function watchFrom(
  api: KubernetesApi,
  kind: ResourceKind,
  selection: Selection,
  from: string,
  signal: AbortSignal,
  tell: (object: JsonObject, gone: boolean) => void,
): Promise<string | undefined> {
  let reached = from;
  try {
    for await (const event of api.watch(kind, selection, from, signal)) {
      reached = event.resourceVersion || reached;
      if (event.type !== 'BOOKMARK') tell(event.object, event.type === 'DELETED');
    }
    return reached;
  } catch (error) {
    if (error instanceof AdapterError && error.reason === 'conflict') return undefined;
    throw error;
  }
}

/** Which applications look at which objects. */
function createIndex(prefix: string) {
  const applications = new Map<string, { hint: ApplicationHint; around: ReadonlySet<string> }>();
  return {
    *hintsOf({ kind, object, gone }: Seen): Generator<ApplicationHint> {
      const { namespace, name } = nameOf(object);
      const key = keyOfRef({ kind, namespace, name });
      const hint = { namespace, name: applicationName(kind, name) };
      if (gone || !isApplicationOf(object, prefix)) {
        // Without its label it is no application any more, which somebody has to notice.
        if (applications.delete(key)) yield hint;
      } else {
        const refs = Object.values(refsAround(object, prefix)).filter((ref): ref is ObjectRef => ref !== undefined);
        applications.set(key, { hint, around: new Set(refs.map(keyOfRef)) });
        yield hint;
      }
      for (const other of applications.values()) if (other.around.has(key)) yield other.hint;
    },
  };
}

/** What several watches tell, in one line. */
function createQueue<T>(signal: AbortSignal) {
  const waiting: T[] = [];
  let failure: unknown;
  let wake = () => {};
  signal.addEventListener('abort', () => wake(), { once: true });
  return {
    push(item: T) {
      waiting.push(item);
      wake();
    },
    fail(error: unknown) {
      failure ??= error;
      wake();
    },
    async *items(): AsyncGenerator<T> {
      while (!signal.aborted) {
        const item = waiting.shift();
        if (item !== undefined) {
          yield item;
          continue;
        }
        if (failure !== undefined) throw failure;
        await new Promise<void>((resolve) => {
          wake = resolve;
          if (signal.aborted) resolve();
        });
      }
    },
  };
}
