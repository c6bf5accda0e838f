import { getOrAdd, serviceOf, teamOf, type Whose } from './step-model.ts';

/** A forecast that was shown when a change entered a stage, and what came true. */
export interface KeptForecast extends Whose {
  /** Seconds until the change was through its last stage, as it was said. */
  p10: number;
  p50: number;
  p90: number;
  /** Of arriving there and staying, 0..1. */
  p?: number;
  /** Absent: it never arrived, and says nothing about times. */
  seconds?: number;
  /** Absent: not known yet, or a newer change overtook it. */
  arrived?: boolean;
}

/** How right forecasts were. */
export interface Calibration {
  /** Of which the time came to be known. */
  count: number;
  /** Shares of them, 0..1: inside the 80 % range, and beyond its end. */
  covered: number;
  late: number;
  /** Mean squared distance of the odds from what happened (G. Brier, 1950): 0 is perfect, 0.25 a coin. */
  brier: { count: number; score: number } | undefined;
}

/** Fewer say nothing about whether 80 % is 80 %. */
export const ENOUGH_FORECASTS = 40;
const KEPT = 100;
const LEAST_COVERED = 0.65;
const MOST_COVERED = 0.95;

export function calibrationOf(kept: readonly KeptForecast[]): Calibration {
  const timed = kept.filter((one): one is KeptForecast & { seconds: number } => one.seconds !== undefined);
  const judged = kept.filter(({ p, arrived }) => p !== undefined && arrived !== undefined);
  const share = (some: readonly unknown[]) => (timed.length === 0 ? 0 : some.length / timed.length);
  const squares = judged.map(({ p = 0, arrived }) => (p - (arrived ? 1 : 0)) ** 2);
  return {
    count: timed.length,
    covered: share(timed.filter(({ seconds, p10, p90 }) => seconds >= p10 && seconds <= p90)),
    late: share(timed.filter(({ seconds, p90 }) => seconds > p90)),
    brier:
      judged.length === 0
        ? undefined
        : { count: judged.length, score: squares.reduce((a, b) => a + b) / judged.length },
  };
}

/** Whether forecasts of a service may be shown. */
export interface Publication {
  shown: boolean;
  /** One clause: what it is judged by. */
  why: string;
}

/** The last hundred of each service, its team and everyone. */
export interface Calibrations {
  /** In the order in which they came true. */
  add(kept: KeptForecast): void;
  /** One that came true before all others that are known. */
  addOlder(kept: KeptForecast): void;
  /** By the service's own last hundred, its team's where those are too few, else everyone's. */
  publication(whose: Whose): Publication;
}

export function createCalibrations(): Calibrations {
  const rings = new Map<string, KeptForecast[]>();
  const keys = (whose: Whose) => [`service ${serviceOf(whose)}`, `team ${teamOf(whose)}`, 'all'];
  return {
    add(kept) {
      for (const key of keys(kept)) {
        const ring = getOrAdd(rings, key, () => []);
        ring.push(kept);
        if (ring.length > KEPT) ring.shift();
      }
    },
    addOlder(kept) {
      for (const key of keys(kept)) {
        const ring = getOrAdd(rings, key, () => []);
        if (ring.length < KEPT) ring.unshift(kept);
      }
    },
    publication(whose) {
      const whoses = ['', " of the team's", " of everyone's"];
      for (const [at, key] of keys(whose).entries()) {
        const { count, covered } = calibrationOf(rings.get(key) ?? []);
        if (count < ENOUGH_FORECASTS) continue;
        const why = `${Math.round(covered * count)} of the last ${count}${whoses[at]} landed in their range`;
        return { shown: covered >= LEAST_COVERED && covered <= MOST_COVERED, why };
      }
      return { shown: true, why: `fewer than ${ENOUGH_FORECASTS} forecasts have come true so far` };
    },
  };
}
