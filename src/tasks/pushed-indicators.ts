/** Numbers that somebody sent with an event. */
export interface PushedIndicators {
  /** The commit they are about, when the sender said so. */
  revision?: string;
  /** ISO 8601. */
  at: string;
  indicators: Record<string, number>;
}

/** Shorter than this names no commit. */
const LEAST_REVISION = 7;

/**
 * The numbers that fit: those about the commit, whenever they came, and those about no commit that are
 * not older than `since`. The newest of a name counts.
 *
 * @param pushed newest first
 */
export function fittingIndicators(
  pushed: readonly PushedIndicators[],
  { revision, since, until }: { revision?: string; since: string; until: string },
): Map<string, number> {
  const [sinceMs, untilMs] = [Date.parse(since), Date.parse(until)];
  const fits = (one: PushedIndicators) => {
    if (one.revision !== undefined) return isSameCommit(one.revision, revision);
    const at = Date.parse(one.at);
    return at >= sinceMs && at <= untilMs;
  };
  const found = new Map<string, number>();
  for (const one of pushed.filter(fits)) {
    for (const [name, value] of Object.entries(one.indicators)) if (!found.has(name)) found.set(name, value);
  }
  return found;
}

function isSameCommit(pushed: string, revision: string | undefined): boolean {
  return revision !== undefined && pushed.length >= LEAST_REVISION && revision.startsWith(pushed);
}
