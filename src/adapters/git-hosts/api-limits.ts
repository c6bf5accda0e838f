import { setTimeout as sleep } from 'node:timers/promises';
import { AdapterError } from '../../base/adapter-error.ts';

/** What all who share a token of a host wait for: its pace, and what it asked. */
export interface ApiLimits {
  /** Waits until this request may be sent; fails while the host has asked us to stay away. */
  turn(changes: boolean, signal: AbortSignal | undefined): Promise<void>;
  /** Remembers how long to stay away. */
  note(error: AdapterError): AdapterError;
}

/** `writeIntervalMs`: pause between requests that change something. */
export function createApiLimits(name: string, writeIntervalMs: number): ApiLimits {
  let blockedUntil = 0;
  let nextWrite = 0;

  function refuseWhileBlocked(): void {
    const left = Math.ceil(blockedUntil - performance.now());
    if (left <= 0) return;
    const message = `${name} asked us to wait another ${Math.ceil(left / 1000)} s`;
    throw new AdapterError('rate-limited', message, { retryAfterMs: left });
  }

  return {
    async turn(changes, signal) {
      refuseWhileBlocked();
      if (!changes) return;
      const at = Math.max(nextWrite, performance.now());
      nextWrite = at + writeIntervalMs;
      await sleep(Math.max(0, at - performance.now()), undefined, signal === undefined ? {} : { signal }).catch(() => {
        throw new AdapterError('cancelled', `${name}: the request was given up`);
      });
      refuseWhileBlocked();
    },
    note(error) {
      if (error.reason !== 'rate-limited' || error.retryAfterMs === undefined) return error;
      blockedUntil = Math.max(blockedUntil, performance.now() + error.retryAfterMs);
      return error;
    },
  };
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
