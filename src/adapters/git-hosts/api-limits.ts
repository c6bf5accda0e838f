import { setTimeout as pause } from 'node:timers/promises';
import { AdapterError } from '../../base/adapter-error.ts';

/** Who would wait longer for a turn comes back instead: other work needs the place. */
const LONGEST_TURN_MS = 30_000;
/** All who share a token together; GitHub allows 100. */
const AT_ONCE = 16;

/** Where the limits of a host have the time from; tests bring their own. */
export interface ApiTime {
  /** Milliseconds that only ever grow. */
  now(): number;
  /** Milliseconds since 1970: when hosts name a moment. */
  wall(): number;
  sleep(ms: number, signal: AbortSignal | undefined): Promise<void>;
}

export const systemTime: ApiTime = {
  now: () => performance.now(),
  wall: () => Date.now(),
  sleep: (ms, signal) => pause(ms, undefined, signal === undefined ? {} : { signal }),
};

/** What all who share a token of a host wait for: its pace, and what it asked. */
export interface ApiLimits {
  /** Waits until this request may be sent; fails while the host has asked us to stay away. */
  turn(changes: boolean, signal: AbortSignal | undefined): Promise<void>;
  /** The same, and only so many at once: `work` sends the request. */
  send<T>(changes: boolean, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T>;
  /** Remembers how long to stay away. */
  note(error: AdapterError): AdapterError;
  /** Nothing is sent for so long: the host counts, and nothing is left. */
  stayAway(ms: number): void;
}

/** `writeIntervalMs`: pause between requests that change something. */
export function createApiLimits(name: string, writeIntervalMs: number, time: ApiTime = systemTime): ApiLimits {
  let blockedUntil = 0;
  let nextWrite = 0;
  let underWay = 0;
  const waiting: (() => void)[] = [];

  function refuseWhileBlocked(): void {
    const left = Math.ceil(blockedUntil - time.now());
    if (left <= 0) return;
    const message = `${name} asked us to wait another ${Math.ceil(left / 1000)} s`;
    throw new AdapterError('rate-limited', message, { retryAfterMs: left });
  }

  async function turn(changes: boolean, signal: AbortSignal | undefined): Promise<void> {
    refuseWhileBlocked();
    if (!changes) return;
    const now = time.now();
    const at = Math.max(nextWrite, now);
    if (at - now > LONGEST_TURN_MS) {
      const message = `${name} takes a change every ${writeIntervalMs / 1000} s, and too many wait already`;
      throw new AdapterError('rate-limited', message, { retryAfterMs: at - now });
    }
    nextWrite = at + writeIntervalMs;
    if (at > now) await time.sleep(at - now, signal).catch(() => throwGivenUp(name));
    refuseWhileBlocked();
  }

  async function send<T>(changes: boolean, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    await turn(changes, signal);
    while (underWay >= AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
    underWay += 1;
    try {
      if (signal?.aborted) throwGivenUp(name);
      // An answer to somebody else may have asked us to stay away meanwhile.
      refuseWhileBlocked();
      return await work();
    } finally {
      underWay -= 1;
      waiting.shift()?.();
    }
  }

  function stayAway(ms: number): void {
    blockedUntil = Math.max(blockedUntil, time.now() + ms);
  }

  return {
    turn,
    send,
    stayAway,
    note(error) {
      if (error.reason === 'rate-limited' && error.retryAfterMs !== undefined) stayAway(error.retryAfterMs);
      return error;
    },
  };
}

function throwGivenUp(name: string): never {
  throw new AdapterError('cancelled', `${name}: the request was given up`);
}

/** Answers are read as documented; one that is built otherwise trips the reading, and means nothing. */
export async function onlyAdapterErrors<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AdapterError) throw error;
    throw new AdapterError('bad-response', `${name} answered something that makes no sense`, { cause: error });
  }
}
