import { incompleteBeta, logGamma } from './special-functions.ts';

const MOST_STEPS = 100;
const NEAR = 1e-12;

/**
 * The value below which a Beta(a, b) variable stays with this probability. Newton's method kept inside a bracket that
 * every step narrows: it ends also where the density is nearly nothing.
 */
export function betaQuantile(probability: number, a: number, b: number): number {
  const logFront = logGamma(a + b) - logGamma(a) - logGamma(b);
  let [low, high] = [0, 1];
  let x = a / (a + b);
  for (let steps = 0; steps < MOST_STEPS; steps++) {
    const over = incompleteBeta(x, a, b) - probability;
    if (over > 0) high = x;
    else low = x;
    const density = Math.exp(logFront + (a - 1) * Math.log(x) + (b - 1) * Math.log1p(-x));
    const next = x - over / density;
    const inside = next > low && next < high ? next : (low + high) / 2;
    if (Math.abs(inside - x) < NEAR * x) return inside;
    x = inside;
  }
  return x;
}
