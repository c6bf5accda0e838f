import type { ChangeMoved, ChangesListener } from './changes.ts';

/** Tells listeners of written changes once per turn of the event loop, each change with its newest version. */
export interface ChangeListeners {
  add(listener: ChangesListener): () => void;
  tell(moved: readonly ChangeMoved[]): void;
  isEmpty(): boolean;
}

export function createChangeListeners(): ChangeListeners {
  const listeners = new Set<ChangesListener>();
  let waiting = new Map<string, number>();

  function flush(): void {
    const moved = [...waiting].map(([id, rev]) => ({ id, rev }));
    waiting = new Map();
    for (const listener of listeners) listener(moved);
  }

  return {
    add(listener) {
      // A listener that is added twice is told twice, and each is ended by itself.
      const own: ChangesListener = (moved) => listener(moved);
      listeners.add(own);
      return () => {
        listeners.delete(own);
      };
    },
    tell(moved) {
      if (listeners.size === 0 || moved.length === 0) return;
      if (waiting.size === 0) setImmediate(flush);
      for (const { id, rev } of moved) waiting.set(id, Math.max(rev, waiting.get(id) ?? rev));
    },
    isEmpty: () => listeners.size === 0,
  };
}
