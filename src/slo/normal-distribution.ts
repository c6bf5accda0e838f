const SQRT_2_PI = Math.sqrt(2 * Math.PI);
/** Where the series stops being accurate enough and the continued fraction has become so. */
const TAIL = 4;

/** Density of the standard normal distribution. */
function density(z: number): number {
  return Math.exp((-z * z) / 2) / SQRT_2_PI;
}

/** Probability that a standard normal variable is at most `z`; to about 1e-15, and in the tails relatively so. */
export function normalProbability(z: number): number {
  if (Math.abs(z) > TAIL) return z < 0 ? lowerTail(-z) : 1 - lowerTail(z);
  // Marsaglia's series: 1/2 + density(z) * (z + z^3/3 + z^5/(3*5) + ...)
  let term = z;
  let sum = z;
  for (let odd = 3; Math.abs(term) > 1e-17 * Math.abs(sum); odd += 2) {
    term *= (z * z) / odd;
    sum += term;
  }
  return 0.5 + density(z) * sum;
}

/** Probability beyond `z` standard deviations, by Laplace's continued fraction evaluated from its end. */
function lowerTail(z: number): number {
  let fraction = z;
  for (let depth = 60; depth > 0; depth--) fraction = z + depth / fraction;
  return density(z) / fraction;
}

/**
 * The `z` below which a standard normal variable stays with the given probability, 0 < probability < 1.
 * Newton's method from the middle: left of it the distribution function is convex, so every step falls short of
 * the root and none jumps over it.
 */
export function normalQuantile(probability: number): number {
  if (probability === 0.5) return 0;
  if (probability > 0.5) return -normalQuantile(1 - probability);
  let z = 0;
  for (let steps = 0; steps < 200; steps++) {
    const step = (normalProbability(z) - probability) / density(z);
    z -= step;
    if (Math.abs(step) < 1e-14 * Math.abs(z)) break;
  }
  return z;
}
