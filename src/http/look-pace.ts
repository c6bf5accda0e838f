/** More notifications within a second are a storm: an Argo CD that has restarted, or a trigger that goes wild. */
const STORM_PER_SECOND = 100;
const PAUSE_MS = 1_000;
const MAX_KEPT = 10_000;

/** Milliseconds that a look at the application may be put off. */
export type LookPace = (application: string, now: number) => number;

/**
 * Looks happen at once, except in a storm: then an application is looked at again after a pause, once for all that was
 * told meanwhile. Its notifications say that something moved, not what: a later look sees all of it.
 */
export function createLookPace(): LookPace {
  const dueAt = new Map<string, number>();
  let second = 0;
  let [heard, heardBefore] = [0, 0];

  function isStorm(now: number): boolean {
    const present = Math.floor(now / 1_000);
    if (present !== second) {
      heardBefore = present === second + 1 ? heard : 0;
      [heard, second] = [0, present];
      if (heardBefore <= STORM_PER_SECOND || dueAt.size > MAX_KEPT) dueAt.clear();
    }
    heard += 1;
    return Math.max(heard, heardBefore) > STORM_PER_SECOND;
  }

  return (application, now) => {
    if (!isStorm(now)) return 0;
    const due = dueAt.get(application) ?? 0;
    if (due > now) return due - now;
    const next = Math.max(now, due + PAUSE_MS);
    dueAt.set(application, next);
    return next - now;
  };
}
