import { setTimeout as sleep } from 'node:timers/promises';
import type { KubernetesObject } from './objects.ts';
import type { Change, Kind, ObjectStore } from './store.ts';

export interface Controller {
  /** Looks at an object as soon as it can. */
  enqueue(namespace: string, name: string): void;
  close(): void;
}

export interface ControllerOptions {
  store: ObjectStore;
  kind: Kind;
  /** Works on a copy; answers when to look again. */
  reconcile(object: KubernetesObject, signal: AbortSignal): Promise<number | undefined>;
  /** Objects to look at because another one changed. */
  wakes?(change: Change): { namespace: string; name: string }[];
}

export const REQUESTED_AT = 'reconcile.fluxcd.io/requestedAt';

/**
 * Looks at an object when its spec changed, when it is asked to, when another one wakes it, and in its interval;
 * at each one by one, and once more when something came in between.
 */
export function startController({ store, kind, reconcile, wakes }: ControllerOptions): Controller {
  const stop = new AbortController();
  const running = new Set<string>();
  const again = new Set<string>();
  const timers = new Map<string, NodeJS.Timeout>();

  function enqueue(namespace: string, name: string): void {
    const key = `${namespace}/${name}`;
    if (running.has(key)) again.add(key);
    else void work(key, namespace, name);
  }

  async function work(key: string, namespace: string, name: string): Promise<void> {
    running.add(key);
    clearTimeout(timers.get(key));
    try {
      // Lets what is written together be seen together.
      await sleep(1, undefined, { signal: stop.signal });
      const object = store.find(kind, namespace, name);
      const next = object && (await reconcile(structuredClone(object), stop.signal));
      if (next !== undefined)
        timers.set(
          key,
          setTimeout(() => enqueue(namespace, name), next),
        );
    } catch (error) {
      if (!stop.signal.aborted) throw error;
    } finally {
      running.delete(key);
      if (again.delete(key) && !stop.signal.aborted) enqueue(namespace, name);
    }
  }

  const seen = new Map<string, string>();
  function onChange(change: Change): void {
    const { metadata, kind: changed } = change.object;
    for (const { namespace, name } of wakes?.(change) ?? []) enqueue(namespace, name);
    if (changed !== kind || change.type === 'DELETED') return;
    const mark = `${metadata.generation}/${metadata.annotations[REQUESTED_AT] ?? ''}`;
    const key = `${metadata.namespace}/${metadata.name}`;
    if (seen.get(key) === mark) return;
    seen.set(key, mark);
    enqueue(metadata.namespace, metadata.name);
  }

  store.on('change', onChange);
  for (const object of store.all(kind)) onChange({ type: 'ADDED', object, manager: '' });
  return {
    enqueue,
    close() {
      stop.abort();
      store.off('change', onChange);
      for (const timer of timers.values()) clearTimeout(timer);
    },
  };
}

/** Recorded at the end of every reconciliation, of a suspended object too: handled is not applied. */
export function recordRequest(object: KubernetesObject): void {
  const token = object.metadata.annotations[REQUESTED_AT];
  if (token !== undefined) object.status['lastHandledReconcileAt'] = token;
}
