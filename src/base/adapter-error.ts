/**
 * Why the outside world did not do what was asked. The reason decides whether trying again makes
 * sense and is the label of the failure metric, so the set stays small.
 *
 * - `unavailable`   could not be reached, answered 5xx, or said it is overloaded
 * - `timeout`       did not answer in time; for a request that changes something the outcome is unknown
 * - `rate-limited`  asked us to come back later
 * - `unauthenticated` / `forbidden`  our credentials or rights are not enough
 * - `not-found`     the thing asked for does not exist (or is hidden from us)
 * - `conflict`      refused because of its present state (busy, already exists, head moved)
 * - `rejected`      refused for good: repeating the same request cannot help
 * - `bad-response`  answered something that makes no sense
 * - `cancelled`     we gave up ourselves: aborted, or no longer entitled to act
 */
export type FailureReason =
  | 'unavailable'
  | 'timeout'
  | 'rate-limited'
  | 'unauthenticated'
  | 'forbidden'
  | 'not-found'
  | 'conflict'
  | 'rejected'
  | 'bad-response'
  | 'cancelled';

const RETRYABLE: ReadonlySet<FailureReason> = new Set([
  'unavailable',
  'timeout',
  'rate-limited',
  'unauthenticated',
  'forbidden',
  'not-found',
  'conflict',
  'bad-response',
]);

/** The only error that adapters throw. Its message is safe to show: no secret, no foreign markup. */
export class AdapterError extends Error {
  readonly reason: FailureReason;
  /** When the other side said so: how long to wait before the next attempt, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(reason: FailureReason, message: string, options: { cause?: unknown; retryAfterMs?: number } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AdapterError';
    this.reason = reason;
    this.retryAfterMs = options.retryAfterMs;
  }

  /**
   * Whether the same request may work later. Missing rights and missing objects count: an operator
   * mends them while the change waits, and the change goes on by itself.
   */
  get retryable(): boolean {
    return RETRYABLE.has(this.reason);
  }
}
