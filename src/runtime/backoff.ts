const FIRST_MS = 500;
const LONGEST_MS = 30_000;

/** A job that ended unexpectedly this often (a crash counts) is given up with a reason. */
export const MAX_ATTEMPTS = 8;

/**
 * Pause before the next attempt in milliseconds: as long as the trouble has lasted, at least 0.5 s, at
 * most 30 s, with half of it random so that many do not come back at once.
 */
export function pauseAfter(lastedMs: number): number {
  const full = Math.min(LONGEST_MS, Math.max(FIRST_MS, lastedMs));
  return Math.round(full / 2 + Math.random() * (full / 2));
}

/** The same for a count of failures in a row: 0.5 s, 1 s, 2 s, ... */
export function backoffMs(failures: number): number {
  return pauseAfter(FIRST_MS * 2 ** Math.min(failures - 1, 10));
}
