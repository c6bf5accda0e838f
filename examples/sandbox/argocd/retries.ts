import type { OperationState } from './resources.ts';

/** As an operation and an application's syncPolicy write it. */
export interface RetryStrategy {
  limit?: number;
  backoff?: { duration?: string; factor?: number; maxDuration?: string };
}

/** What Argo CD gives a sync by itself where the application says nothing. */
export const AUTOMATIC_RETRY: RetryStrategy = { limit: 5 };
const [DURATION_MS, FACTOR, MAX_DURATION_MS] = [5_000, 2, 180_000];
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** A limit below 0 is none. */
export function isUsedUp({ limit = 0 }: RetryStrategy, retryCount: number): boolean {
  return limit >= 0 && retryCount >= limit;
}

/** From the end of an attempt until the next; counted are the retries before it. */
export function backOffMs({ backoff = {} }: RetryStrategy, retryCount: number): number {
  const factor = backoff.factor ?? FACTOR;
  const wanted = (toMs(backoff.duration) ?? DURATION_MS) * factor ** retryCount;
  return Math.min(wanted, toMs(backoff.maxDuration) ?? MAX_DURATION_MS);
}

/** The attempt has failed and another follows: `Running` all the same, with an end and a count. */
export function sayRetry(run: OperationState, message: string, finishedAt: string, next: Date): void {
  const retryCount = (run.retryCount ?? 0) + 1;
  const said = `${message}. Retrying attempt #${retryCount} at ${kitchen(next)}.`;
  Object.assign(run, { phase: 'Running', message: said, finishedAt, retryCount });
}

/** The last words of an operation tell how often it was tried again. */
export function sayEnd(message: string, retryCount = 0): string {
  return retryCount === 0 ? message : `${message} (retried ${retryCount} times).`;
}

/** `10:02AM`, as Go's time.Kitchen. */
function kitchen(date: Date): string {
  const hours = date.getUTCHours();
  const minutes = String(date.getUTCMinutes()).padStart(2, '0');
  return `${hours % 12 || 12}:${minutes}${hours < 12 ? 'AM' : 'PM'}`;
}

/** One unit, as the sandbox's callers write it: `5s`, `200ms`. */
function toMs(duration: string | undefined): number | undefined {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(duration ?? '') ?? [];
  return number === undefined ? undefined : Number(number) * (UNITS[unit] ?? 1);
}
