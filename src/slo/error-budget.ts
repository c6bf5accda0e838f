/**
 * The formulas of error budgets, after the SRE workbook (https://sre.google/workbook/alerting-on-slos/).
 * T is the target, W its window, e(w) the error ratio over a window w. docs/error-budget.md explains them.
 */

const DAY_MS = 86_400_000;

/**
 * Share of the budget that is left; negative when more than all of it is spent.
 * remaining = 1 - e * share / (1 - T)
 *
 * @param share of all events (or slices) expected in W, how many `errorRatio` was counted over: 1 for a
 *   rolling window; in a calendar window what the period has seen so far
 */
export function remainingBudget(target: number, errorRatio: number, share = 1): number {
  return 1 - (errorRatio * share) / allowed(target);
}

/** 1 - 0.999 is a hair more than 0.001, and a budget that is spent exactly would seem to have something left. */
function allowed(target: number): number {
  return Number((1 - target).toPrecision(12));
}

/** How many times faster than allowed: at 1 the budget is spent exactly within its window. */
export function burnRate(target: number, errorRatio: number): number {
  return errorRatio / allowed(target);
}

/** Share of the budget that a burn rate takes while it lasts: 14.4 for 1 h of 30 d is 2 %. */
export function shareBurned(rate: number, lastsMs: number, windowMs: number): number {
  return (rate * lastsMs) / windowMs;
}

/**
 * How long the rest lasts at a burn rate: remaining * W / burn. Old errors leave a rolling window, so
 * this is the earliest time and no forecast. `undefined` when nothing burns or nothing is left.
 */
export function exhaustedInMs(remaining: number, rate: number, windowMs: number): number | undefined {
  return rate > 0 && remaining > 0 ? (remaining * windowMs) / rate : undefined;
}

export interface DeploymentErrors {
  target: number;
  /** Over the time in which the deployment was watched, and over as long right before it. */
  errorRatio: number;
  errorRatioBefore: number;
  /** Events while it was watched, as a share of all in the window of the target. */
  share: number;
}

/**
 * What a deployment itself burned of the budget: (bad(d) - e_before * total(d)) / ((1 - T) * total(W)).
 * Negative when fewer events failed than before it.
 */
export function attributedBurn({ target, errorRatio, errorRatioBefore, share }: DeploymentErrors): number {
  return ((errorRatio - errorRatioBefore) * share) / allowed(target);
}

/** What a failed deployment costs at least: without history, 2 % (an hour at the fastest accepted burn). */
export const LEAST_COST_OF_FAILURE = 0.02;
/** Of 100 deployments 15 fail: what is believed of a service before anything was seen of it. */
const PRIOR = { failures: 1.5, deployments: 10 } as const;

export interface DeploymentHistory {
  deployments: number;
  failures: number;
  /** What failed deployments burned, as shares of the budget. */
  burns: readonly number[];
}

export interface ExpectedCost {
  /** 0..1: (f + 1.5) / (n + 10). */
  failureProbability: number;
  /** Median of what failed deployments burned, at least 2 %. */
  costOfFailure: number;
  /** Share of the budget that the next deployment costs on average. */
  cost: number;
}

/** What the next deployment can be expected to cost: p(fail) times the median burn of the failed ones. */
export function expectedCost({ deployments, failures, burns }: DeploymentHistory): ExpectedCost {
  const failureProbability = (failures + PRIOR.failures) / (deployments + PRIOR.deployments);
  const costOfFailure = Math.max(LEAST_COST_OF_FAILURE, median(burns) ?? 0);
  return { failureProbability, costOfFailure, cost: failureProbability * costOfFailure };
}

function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  if (sorted.length === 0) return undefined;
  return ((sorted[Math.ceil(middle) - 1] ?? 0) + (sorted[Math.floor(middle)] ?? 0)) / 2;
}

/** For people: how full a budget is, in quarters. */
export function bucketOf(remaining: number): 'plenty' | 'good' | 'low' | 'critical' | 'spent' {
  if (remaining <= 0) return 'spent';
  if (remaining <= 0.25) return 'critical';
  if (remaining <= 0.5) return 'low';
  return remaining <= 0.75 ? 'good' : 'plenty';
}

export const THIRTY_DAYS_MS = 30 * DAY_MS;
