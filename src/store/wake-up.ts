/** Tells listeners that there is work, once per turn of the event loop however often it is asked. */
export interface WakeUp {
  add(listener: () => void): void;
  wake(): void;
}

export function createWakeUp(): WakeUp {
  const listeners: (() => void)[] = [];
  let pending = false;
  return {
    add: (listener) => {
      listeners.push(listener);
    },
    wake: () => {
      if (pending) return;
      pending = true;
      setImmediate(() => {
        pending = false;
        for (const listener of listeners) listener();
      });
    },
  };
}
