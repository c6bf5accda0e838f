/** Senders that are remembered; the one that was heard of longest ago is forgotten first. */
const MAX_REMEMBERED = 10_000;

interface Run {
  state: string;
  since: string;
}

/**
 * Since when something is said to be as it is. Flux says the same in every interval; told apart are only changes,
 * and a repetition once `lastsMs` have gone by. What is remembered here may be lost, or differ between replicas:
 * then something is heard once more.
 */
export function createRuns() {
  const runs = new Map<string, Run>();
  return {
    /** @param at ISO 8601, when `state` was said about `subject` */
    since(subject: string, state: string, at: string, lastsMs: number): string {
      const known = runs.get(subject);
      const age = known ? Date.parse(at) - Date.parse(known.since) : 0;
      const goesOn = known?.state === state && Math.abs(age) < lastsMs;
      const run = goesOn ? known : { state, since: at };
      runs.delete(subject);
      runs.set(subject, run);
      const [oldest] = runs.keys();
      if (runs.size > MAX_REMEMBERED && oldest !== undefined) runs.delete(oldest);
      return run.since;
    },
  };
}
