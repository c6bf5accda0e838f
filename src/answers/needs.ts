import { needsOf } from './answer.ts';
import { BLOCKER_RULES } from './blockers/all.ts';
import type { ChangeFacts } from './fact-types.ts';

/** Whom a change waits for as long as nothing more happens to it, in keys as `needsOf` has them. */
export interface Needs {
  /** Whatever the time. */
  always: string[];
  /**
   * Perhaps from then on, in milliseconds since 1970: how long such steps take here has its say, and that is learnt. At
   * that time `needsOf` tells.
   */
  perhaps: { key: string; from: number }[];
}

/** Steps that take no time at all, and steps that take for ever: what is learnt lies between. */
const [QUICKEST, SLOWEST] = [0, Number.MAX_SAFE_INTEGER];
/** Later than anything that a clock here shows. */
const NEVER = Date.parse('9999-01-01T00:00:00Z');

/** What `needsOf` will say as time goes by. */
export function needsByTime(facts: ChangeFacts): Needs {
  const now = facts.movedAt;
  const spots = [...facts.spots, ...(facts.beside ?? [])];
  const turns = BLOCKER_RULES.flatMap(({ turnsAt }) => spots.map((spot) => turnsAt?.(spot))).filter(isTime);
  if (turns.length === 0) return { always: needsOf(facts, now), perhaps: [] };
  const begin = Date.parse(now) || 0;
  const times = [begin, ...new Set(turns.filter((at) => at >= begin).map((at) => at + 1))].sort((a, b) => a - b);
  const looks = [
    ...times.flatMap((from) => [QUICKEST, undefined].map((p90) => ({ from, keys: at(facts, from, p90) }))),
    ...[undefined, SLOWEST].map((p90) => ({ from: times.at(-1) ?? begin, keys: at(facts, NEVER, p90) })),
  ];
  const all = new Map<string, number>();
  for (const { from, keys } of looks) for (const key of keys) if (!all.has(key)) all.set(key, from);
  if (looks.every(({ keys }) => keys.length === all.size)) return { always: [...all.keys()], perhaps: [] };
  return { always: [], perhaps: [...all].map(([key, from]) => ({ key, from })) };
}

function at(facts: ChangeFacts, time: number, p90: number | undefined): string[] {
  return needsOf(facts, new Date(time).toISOString(), p90);
}

function isTime(at: number | undefined): at is number {
  return at !== undefined && at < NEVER;
}
