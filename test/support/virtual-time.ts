import type { ApiTime } from '../../src/adapters/git-hosts/api-limits.ts';

/**
 * A clock that moves only when everybody sleeps: hours pass in moments, and no answer of a real server is ever late.
 * Everybody who acts says so by `work`.
 */
export interface VirtualTime extends ApiTime {
  /** Runs these side by side until all have ended. */
  work(everybody: readonly (() => Promise<void>)[]): Promise<void>;
}

export function createVirtualTime(startsAt: number): VirtualTime {
  let elapsed = 0;
  let acting = 0;
  let sleepers: { at: number; wake: () => void }[] = [];

  function moveOn(): void {
    if (sleepers.length === 0 || sleepers.length < acting) return;
    elapsed = Math.max(elapsed, Math.min(...sleepers.map(({ at }) => at)));
    const due = sleepers.filter(({ at }) => at <= elapsed);
    sleepers = sleepers.filter(({ at }) => at > elapsed);
    for (const { wake } of due) wake();
  }

  return {
    now: () => elapsed,
    wall: () => startsAt + elapsed,
    sleep: (ms) =>
      new Promise((wake) => {
        sleepers.push({ at: elapsed + Math.max(0, ms), wake });
        moveOn();
      }),
    async work(everybody) {
      acting = everybody.length;
      await Promise.all(
        everybody.map(async (act) => {
          try {
            await act();
          } finally {
            acting -= 1;
            moveOn();
          }
        }),
      );
    },
  };
}
