import { STAYS_MS } from './journeys.ts';
import type { Run } from './run.ts';

/**
 * DORA's four measures of delivery (N. Forsgren, J. Humble, G. Kim, "Accelerate", 2018; dora.dev), for what is in the
 * records. Each figure goes with what it counts; absent: nothing happened that could be counted.
 */
export interface Dora {
  days: number;
  deployments: number;
  /** Per day. */
  frequency?: number;
  /** Median seconds. */
  leadTime?: number;
  /** 0..1 */
  failureRate?: number;
  failures: number;
  /** Median seconds; of those that were restored. */
  restoreTime?: number;
  restored: number;
}

/** What each of the four means here, in the words that stand beside it. */
export const DORA_DEFINITIONS = {
  frequency: 'Changes that came to run in the last stage, per day.',
  leadTime:
    'Median time from the first thing that is known of a change (its first CI report, else its first stage) until it ran in the last stage.',
  failureRate:
    'Share of those that failed a rollout, test or evaluation there, or were taken back within 24 h. Refused promotions do not count.',
  restoreTime: 'Median time from such a failure until the stage was taken back, or a later change passed there.',
} as const;

/** What fails after a deployment and says something about it. */
const GATES: ReadonlySet<string> = new Set(['sync', 'rollout', 'test', 'evaluation', 'release', 'soak']);

/**
 * @param runs of all stages, in any order
 * @param lastStage of the service of a run; undefined: not known
 * @param period milliseconds since 1970
 */
export function doraOf(
  runs: readonly Run[],
  lastStage: (run: Run) => string | undefined,
  period: { from: number; to: number },
): Dora {
  const begun = new Map<string, number>();
  for (const { change, startedAt } of runs)
    begun.set(change, Math.min(begun.get(change) ?? Number.POSITIVE_INFINITY, Date.parse(startedAt)));
  const there = runs.filter((run) => run.stage === lastStage(run));
  const deployed = there
    .filter((run): run is Run & { deployedAt: string } => run.deployedAt !== undefined && !run.back)
    .filter(({ deployedAt }) => Date.parse(deployedAt) >= period.from && Date.parse(deployedAt) <= period.to);
  const failed = deployed.filter((run) => hasFailed(run, there));
  const restores = failed.map((run) => restoredAt(run, there)).filter((seconds) => seconds !== undefined);
  const days = (period.to - period.from) / 86_400_000;
  const leadTime = median(
    deployed.map(({ change, deployedAt }) => (Date.parse(deployedAt) - (begun.get(change) ?? 0)) / 1000),
  );
  const restoreTime = median(restores);
  return {
    ...{ days, deployments: deployed.length, failures: failed.length, restored: restores.length },
    ...(deployed.length > 0 ? { frequency: deployed.length / days, failureRate: failed.length / deployed.length } : {}),
    ...(leadTime === undefined ? {} : { leadTime }),
    ...(restoreTime === undefined ? {} : { restoreTime }),
  };
}

function hasFailed(run: Run & { deployedAt: string }, there: readonly Run[]): boolean {
  if (run.wentBack || run.steps.some(({ step, outcome }) => GATES.has(step) && outcome === 'failed')) return true;
  return there.some(
    ({ back, startedAt }) =>
      back?.of === run.id && Date.parse(startedAt) - Date.parse(run.endedAt ?? run.deployedAt) <= STAYS_MS,
  );
}

/** Seconds. */
function restoredAt(run: Run & { deployedAt: string }, there: readonly Run[]): number | undefined {
  const failedAt = Date.parse(run.deployedAt);
  const good = there
    .filter((other) => other.project === run.project && other.service === run.service && other.id !== run.id)
    .filter(({ outcome }) => outcome === 'passed' || outcome === 'warning')
    .map(({ deployedAt, endedAt }) => Date.parse(deployedAt ?? endedAt ?? ''))
    .filter((at) => at > failedAt);
  // Within its own run, or when a person asked for it afterwards.
  const own = [run, ...there.filter(({ back }) => back?.of === run.id)]
    .filter(({ wentBack }) => wentBack)
    .map(({ endedAt }) => Date.parse(endedAt ?? ''))
    .filter((at) => at > failedAt);
  const first = Math.min(...own, ...good);
  return Number.isFinite(first) ? (first - failedAt) / 1000 : undefined;
}

export function median(values: readonly number[]): number | undefined {
  if (values.length === 0) return undefined;
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] as number) + (sorted[Math.ceil(middle)] as number)) / 2;
}

/** `4.2 a day`, `3 a week`, `2 a month`. */
export function sayFrequency(perDay: number): string {
  const [count, unit] = perDay >= 1 ? [perDay, 'day'] : perDay >= 1 / 7 ? [perDay * 7, 'week'] : [perDay * 30, 'month'];
  return `${count < 10 ? Math.round(count * 10) / 10 : Math.round(count)} a ${unit}`;
}
