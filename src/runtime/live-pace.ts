/** Which rows are told of when: not more than an eye can follow, and none is forgotten. */
export interface LivePace {
  add(id: string): void;
  /** Those whose turn it is; they wait until `done`. */
  due(): string[];
  done(ids: readonly string[]): void;
  /** How many are waiting. */
  waiting(): number;
  /** So many are waiting that reading the whole page is quicker; true once in a while only, and then none waits. */
  givesUp(): boolean;
}

const ROWS_PER_SECOND = 20;
/** At 20 rows a second these take ten seconds. */
const MAX_WAITING = 200;
const GIVES_UP_EVERY_MS = 5_000;

export function createLivePace(now: () => number = () => performance.now()): LivePace {
  const rows = new Set<string>();
  let allowed = ROWS_PER_SECOND;
  let filledAt = now();
  let gaveUpAt = Number.NEGATIVE_INFINITY;

  function refill(): void {
    const at = now();
    allowed = Math.min(ROWS_PER_SECOND, allowed + ((at - filledAt) * ROWS_PER_SECOND) / 1000);
    filledAt = at;
  }

  return {
    add: (id) => void rows.add(id),
    due() {
      refill();
      return [...rows].slice(0, Math.floor(allowed));
    },
    done(ids) {
      for (const id of ids) rows.delete(id);
      allowed -= ids.length;
    },
    waiting: () => rows.size,
    givesUp() {
      if (rows.size <= MAX_WAITING || now() - gaveUpAt < GIVES_UP_EVERY_MS) return false;
      gaveUpAt = now();
      rows.clear();
      return true;
    },
  };
}
