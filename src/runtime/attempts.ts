import { networkOf } from './network.ts';

/** So many failures in such a time are a person's; more are not. */
const ALLOWED = 10;
const WINDOW_MS = 5 * 60_000;
/** Some megabytes at most. */
const MAX_ADDRESSES = 20_000;
const THE_REST = 'the rest';

/** Counts failed attempts to sign in by address, in memory of one replica. */
export interface Attempts {
  /** Seconds until the next is allowed; 0: it is now. */
  pauseFor(address: string): number;
  failed(address: string): void;
}

/**
 * What is remembered is forgotten when its time is over, and not for something newer: else many failures from
 * elsewhere would free an address. When there is no more room, all new addresses are counted as one.
 *
 * @param now milliseconds that never go back
 */
export function createAttempts(now: () => number = () => performance.now(), room = MAX_ADDRESSES): Attempts {
  const counted = new Map<string, { failures: number; until: number }>();

  function forgetOld(): void {
    // In the order of their end: all windows are of one length.
    for (const [key, { until }] of counted) {
      if (until > now()) return;
      counted.delete(key);
    }
  }

  function keyOf(address: string): string {
    const key = networkOf(address);
    return counted.has(key) || counted.size < room ? key : THE_REST;
  }

  return {
    pauseFor(address) {
      forgetOld();
      const one = counted.get(keyOf(address));
      return one && one.failures >= ALLOWED ? Math.max(1, Math.ceil((one.until - now()) / 1000)) : 0;
    },
    failed(address) {
      forgetOld();
      const key = keyOf(address);
      const one = counted.get(key);
      if (one) one.failures += 1;
      else counted.set(key, { failures: 1, until: now() + WINDOW_MS });
    },
  };
}
