import type { Basis, Quant, StepPlace } from './quant.ts';

/** What a forecast is asked about: a change, where it is now, and what is left for it to do. */
export interface ForecastQuestion {
  project: string;
  service: string;
  /** Absent: the project stands for it. */
  team?: string;
  /** Where it is under way; not among the remaining ones. */
  running?: StepPlace & { startedAt: string };
  /** In their order. Stages of one `parallel` group run at the same time, the steps of each one after another. */
  remaining: readonly (StepPlace & { parallel?: string })[];
  /** A verdict so far was a warning: fewer of such changes arrive. */
  warned?: boolean;
  /** The change that this one waits behind, with what it still has to do here. */
  ahead?: Omit<ForecastQuestion, 'ahead'>;
}

/** How long and how likely, as the five answers have them. */
export interface Forecast {
  /** Null: nothing is left to do. */
  eta: { machine?: Quant; people?: Quant; total?: Quant; text: string } | null;
  /** Null: nothing is left to do, or nothing is known. */
  odds: { p: number; lo: number; hi: number; n: number; basis: Basis; text: string } | null;
  /** By `stepKey(stage, step)`, the running and the remaining ones: how long each takes as a whole. */
  expected: ReadonlyMap<string, Quant>;
  /** Seconds within which 9 of 10 of them are over; absent: not known. */
  stepP90(stage: string, step: string): number | undefined;
}

export const NO_HISTORY = 'no history yet';

/** Before anything is known. */
export function forecastOfNothing(question: ForecastQuestion): Forecast {
  const over = question.running === undefined && question.remaining.length === 0;
  return {
    eta: over ? null : { text: NO_HISTORY },
    odds: null,
    expected: new Map(),
    stepP90: () => undefined,
  };
}
