/**
 * How long a step of a service takes, learnt from few runs with the help of others: a normal model of the logarithm of
 * the duration with unknown mean and variance, drawn towards the service's team, and that towards everyone.
 *
 * Posterior and predictive distribution: normal-inverse-gamma, K. Murphy, "Conjugate Bayesian analysis of the Gaussian
 * distribution" (2007), section 3. Variance between services: the estimator of moments of R. DerSimonian and
 * N. Laird, "Meta-analysis in clinical trials" (1986). Old runs count less: power prior (J. Ibrahim, M.-H. Chen, 2000).
 */

/** Of one service: weighted sums over the logarithms of its durations in seconds. */
export interface DurationStats {
  /** How many runs, all weights 1. */
  runs: number;
  /** Sum of the weights. */
  weight: number;
  mean: number;
  /** Weighted sum of the squared distances from the mean. */
  squares: number;
}

/** Of several services; what each of them adds can be taken out again. */
export interface Pool {
  members: number;
  runs: number;
  weight: number;
  weightSquared: number;
  meanWeighted: number;
  meanSquaredWeighted: number;
  squares: number;
  /** Degrees of freedom of `squares`. */
  freedom: number;
}

/** What is believed of a service before its own runs are looked at. */
export interface Belief {
  /** Of its mean: where it is, and how far from there it may be (variance). */
  mean: number;
  between: number;
  /** Variance of one run around the service's mean, and how many runs that is worth. */
  within: number;
  freedom: number;
}

/** Predictive distribution of the logarithm of the next duration: Student's t, moved and scaled. */
export interface LogStudent {
  mean: number;
  scale: number;
  freedom: number;
}

/** Shorter times are as good as this, in seconds: nobody waits for them. */
const SHORTEST = 1;
/** The spread of others counts as much as so many runs. */
const PSEUDO_RUNS = 8;
/** Of the middle durations of services, before there are enough to see it: a factor of two up or down. */
const USUAL_BETWEEN = 0.5;
const USUAL_BETWEEN_WORTH = 2;
const LEAST_BETWEEN = 0.01;

/** Before anything was seen: minutes, within a factor of twenty or so. */
export const IGNORANCE: Belief = { mean: Math.log(120), between: 4, within: 0.9, freedom: 2 };

export function noDurations(): DurationStats {
  return { runs: 0, weight: 0, mean: 0, squares: 0 };
}

/** The weight of what is one run older. */
export function decayOf(halfLifeRuns: number): number {
  return 0.5 ** (1 / halfLifeRuns);
}

/** Adds a run that is newer than all others: those fade. */
export function addNewer(stats: DurationStats, seconds: number, decay: number): void {
  stats.weight *= decay;
  stats.squares *= decay;
  add(stats, seconds, 1);
}

/** Adds a run that is older than all others: it has faded already. */
export function addOlder(stats: DurationStats, seconds: number, decay: number): void {
  add(stats, seconds, decay ** stats.runs);
}

function add(stats: DurationStats, seconds: number, weight: number): void {
  const x = Math.log(Math.max(SHORTEST, seconds));
  const distance = x - stats.mean;
  stats.runs += 1;
  stats.weight += weight;
  stats.mean += (weight * distance) / stats.weight;
  stats.squares += weight * distance * (x - stats.mean);
}

export function emptyPool(): Pool {
  return {
    ...{ members: 0, runs: 0, weight: 0, weightSquared: 0 },
    ...{ meanWeighted: 0, meanSquaredWeighted: 0, squares: 0, freedom: 0 },
  };
}

/** Puts a service into a pool (`sign` 1) or takes it out (-1). */
export function poolIn(pool: Pool, { runs, weight, mean, squares }: DurationStats, sign: 1 | -1): void {
  if (runs === 0) return;
  pool.members += sign;
  pool.runs += sign * runs;
  pool.weight += sign * weight;
  pool.weightSquared += sign * weight * weight;
  pool.meanWeighted += sign * weight * mean;
  pool.meanSquaredWeighted += sign * weight * mean * mean;
  pool.squares += sign * squares;
  pool.freedom += sign * Math.max(0, weight - 1);
}

/** The pool without one of its services: nobody is their own example. */
export function without(pool: Pool, stats: DurationStats): Pool {
  const rest = { ...pool };
  poolIn(rest, stats, -1);
  return rest;
}

/** The pool without all those of another one. */
export function withoutPool(pool: Pool, part: Pool): Pool {
  return {
    members: pool.members - part.members,
    runs: pool.runs - part.runs,
    weight: pool.weight - part.weight,
    weightSquared: pool.weightSquared - part.weightSquared,
    meanWeighted: pool.meanWeighted - part.meanWeighted,
    meanSquaredWeighted: pool.meanSquaredWeighted - part.meanSquaredWeighted,
    squares: pool.squares - part.squares,
    freedom: pool.freedom - part.freedom,
  };
}

/** What is believed of a member of this pool, given what is believed of the pool. */
export function beliefFrom(pool: Pool, parent: Belief): Belief {
  if (pool.members === 0) return parent;
  const within = (parent.freedom * parent.within + Math.max(0, pool.squares)) / (parent.freedom + pool.freedom);
  const between = betweenMembers(pool, within);
  const mean = pool.meanWeighted / pool.weight;
  const doubt = (between * pool.weightSquared) / pool.weight ** 2 + within / pool.weight;
  const share = parent.between / (parent.between + doubt);
  return {
    mean: share * mean + (1 - share) * parent.mean,
    between: between + share * doubt,
    within,
    freedom: Math.min(PSEUDO_RUNS, parent.freedom + pool.freedom),
  };
}

function betweenMembers(pool: Pool, within: number): number {
  const { members, weight, weightSquared, meanWeighted, meanSquaredWeighted } = pool;
  const apart = weight - weightSquared / weight;
  if (members < 2 || apart <= 0) return USUAL_BETWEEN;
  const spread = meanSquaredWeighted - meanWeighted ** 2 / weight;
  const estimate = Math.max(LEAST_BETWEEN, (spread - (members - 1) * within) / apart);
  const worth = members - 1;
  return (USUAL_BETWEEN_WORTH * USUAL_BETWEEN + worth * estimate) / (USUAL_BETWEEN_WORTH + worth);
}

/** The next duration of a service. */
export function predict(stats: DurationStats, belief: Belief): LogStudent {
  const pull = belief.within / belief.between;
  const { weight, mean, squares } = stats;
  const known = pull + weight;
  const freedom = belief.freedom + weight;
  const conflict = ((pull * weight) / known) * (mean - belief.mean) ** 2;
  const variance = (belief.freedom * belief.within + squares + conflict) / freedom;
  return {
    mean: (pull * belief.mean + weight * mean) / known,
    scale: Math.sqrt(variance * (1 + 1 / known)),
    freedom,
  };
}
