/** Tells listeners that there is work, once per turn of the event loop however often it is asked. */
export interface WakeUp {
  add(listener: () => void): void;
  wake(): void;
  /** Tells them when this time has passed. Long times are left to those who look by themselves now and then. */
  wakeIn(delayMs: number | undefined): void;
}

/** Being half a second late with a timer matters to those of seconds, not to those of minutes. */
const LONGEST_DELAY_MS = 10_000;

export function createWakeUp(): WakeUp {
  const listeners: (() => void)[] = [];
  let pending = false;
  function wake(): void {
    if (pending) return;
    pending = true;
    setImmediate(() => {
      pending = false;
      for (const listener of listeners) listener();
    });
  }

  return {
    add: (listener) => {
      listeners.push(listener);
    },
    wake,
    wakeIn: (delayMs) => {
      // A moment later than due: a query that comes too early finds nothing.
      if (delayMs !== undefined && delayMs <= LONGEST_DELAY_MS) setTimeout(wake, delayMs + 1).unref();
    },
  };
}
