/** How long something takes, in seconds: as `Quant` of the five answers. */
export interface Quant {
  p10: number;
  p50: number;
  p90: number;
  /** How many runs this is known from. */
  n: number;
}

/** Whose history a forecast is made of: the service's own, its team's, or everyone's. */
export type Basis = 'service' | 'team' | 'all';

/** A step of a stage. */
export interface StepPlace {
  stage: string;
  step: string;
}

/** One step by name, as maps have it; neither part can hold a NUL. */
export function stepKey(stage: string, step: string): string {
  return `${stage}\u0000${step}`;
}
