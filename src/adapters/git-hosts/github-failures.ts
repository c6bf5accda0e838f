import { AdapterError, type FailureReason } from '../../base/adapter-error.ts';
import { HttpFailure } from '../http-client.ts';

/** GitHub's advice when it names no time: https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api */
const DEFAULT_BACKOFF_MS = 60_000;

/** An answer that was none, in GitHub's own words, and for how long to stay away where it asks for that. */
export function toGitHubFailure(error: AdapterError, nowMs: number): AdapterError {
  const failure = error.cause instanceof HttpFailure ? error.cause : undefined;
  if (failure === undefined) return error;
  const reason = reasonOf(failure) ?? error.reason;
  const details = detailsOf(failure.body);
  const message = details === '' ? error.message : `${error.message} (${details})`;
  const retryAfterMs = reason === 'rate-limited' ? waitOf(failure, error.retryAfterMs, nowMs) : error.retryAfterMs;
  return new AdapterError(reason, message, { cause: failure, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
}

/** Milliseconds until GitHub counts anew, when an answer says that nothing is left until then. */
export function exhaustedFor(headers: Readonly<Record<string, string>>, nowMs: number): number | undefined {
  const resetAt = Number(headers['x-ratelimit-reset']) * 1000;
  if (headers['x-ratelimit-remaining'] !== '0' || !Number.isFinite(resetAt)) return undefined;
  return Math.max(1_000, resetAt - nowMs);
}

/** Whatever our own transport threw, which Octokit has wrapped. */
export function adapterErrorIn(error: unknown): AdapterError | undefined {
  if (error instanceof AdapterError) return error;
  return error instanceof Error ? adapterErrorIn(error.cause) : undefined;
}

function reasonOf(failure: HttpFailure): FailureReason | undefined {
  const { status, headers, body } = failure;
  if (status === 429) return 'rate-limited';
  if (status === 405) return 'conflict';
  if (status !== 403) return undefined;
  const exhausted = headers['retry-after'] !== undefined || headers['x-ratelimit-remaining'] === '0';
  return exhausted || /rate limit/i.test(messageOf(body)) ? 'rate-limited' : undefined;
}

function waitOf(failure: HttpFailure, retryAfterMs: number | undefined, nowMs: number): number {
  return retryAfterMs ?? exhaustedFor(failure.headers, nowMs) ?? DEFAULT_BACKOFF_MS;
}

function messageOf(body: unknown): string {
  const message = typeof body === 'object' && body !== null && 'message' in body ? body.message : body;
  return typeof message === 'string' ? message : '';
}

/** `Validation Failed` says little; the list below it says which one. */
function detailsOf(body: unknown): string {
  const errors = typeof body === 'object' && body !== null && 'errors' in body ? body.errors : undefined;
  if (!Array.isArray(errors)) return '';
  return errors.slice(0, 3).map(messageOf).filter(Boolean).join('; ').replace(/\s+/g, ' ').slice(0, 200);
}
