import { betaQuantile } from './beta.ts';

/** Runs that arrived and runs that did not, older ones counting less. */
export interface Tally {
  arrived: number;
  failed: number;
  /** How many, all counting 1. */
  runs: number;
}

/** A share of runs, 0..1, and where it lies with a probability of 80 %. */
export interface Share {
  p: number;
  lo: number;
  hi: number;
}

/** What others say counts as much as so many runs, however many of them there are: what is new must win. */
const PRIOR_RUNS = 4;
/** All that weigh less weigh together as much as a third of a run. */
const LEAST_WEIGHT = 0.01;
const LOW = 0.1;
const HIGH = 0.9;

export function noTally(): Tally {
  return { arrived: 0, failed: 0, runs: 0 };
}

/** Beta-binomial with a capped prior: the expected share. A. Gelman et al., "Bayesian Data Analysis" (2013), 2.4. */
export function shrunkShare({ arrived, failed }: Tally, prior: number): number {
  return (PRIOR_RUNS * prior + arrived) / (PRIOR_RUNS + arrived + failed);
}

/** The expected share with its 80 % credible interval. */
export function credibleShare({ arrived, failed }: Tally, prior: number): Share {
  const [a, b] = [PRIOR_RUNS * prior + arrived, PRIOR_RUNS * (1 - prior) + failed];
  return { p: a / (a + b), lo: betaQuantile(LOW, a, b), hi: betaQuantile(HIGH, a, b) };
}

/** Runs from the newest to the oldest, each of them counting less than the one before, until they hardly count. */
export function tallyOf(newestFirst: Iterable<boolean>, decay: number): Tally {
  const tally = noTally();
  let weight = 1;
  for (const arrived of newestFirst) {
    if (arrived) tally.arrived += weight;
    else tally.failed += weight;
    tally.runs += 1;
    weight *= decay;
    if (weight < LEAST_WEIGHT) break;
  }
  return tally;
}
