import { betaQuantile } from './beta.ts';
import { incompleteBeta } from './special-functions.ts';

/** Probability that a Student-t variable with so many degrees of freedom is greater than `t`. */
export function studentTail(t: number, freedom: number): number {
  const tail = incompleteBeta(freedom / (freedom + t * t), freedom / 2, 0.5) / 2;
  return t < 0 ? 1 - tail : tail;
}

/** The `t` beyond which a Student-t variable is with this probability, 0 < tail < 1; by its square, which is a Beta. */
export function studentBeyond(tail: number, freedom: number): number {
  if (tail > 0.5) return -studentBeyond(1 - tail, freedom);
  const x = betaQuantile(2 * tail, freedom / 2, 0.5);
  return Math.sqrt((freedom * (1 - x)) / x);
}

/** Entries of a table: each has a tail that is smaller than the one before by an eighth of a power of two. */
const ENTRIES = 161;
const PER_HALVING = 8;
/** Degrees of freedom that are so close (in logarithms) share a table: no quantile differs by more than 1 %. */
const SHARED = 0.08;
const tables = new Map<number, Float64Array>();

/** The degrees of freedom whose table is used in their place. */
export function sharedFreedom(freedom: number): number {
  return Math.exp(Math.round(Math.log(Math.max(1, freedom)) / SHARED) * SHARED);
}

/**
 * The same as `studentBeyond` to 1 %, and a hundred times as fast: read from a table by the logarithm of the tail,
 * beyond its end as the power of the tail that it becomes.
 */
export function quickBeyond(tail: number, freedom: number): number {
  if (tail > 0.5) return -quickBeyond(1 - tail, freedom);
  const shared = sharedFreedom(freedom);
  let table = tables.get(shared);
  if (!table) {
    const tailOf = (at: number) => 0.5 * 2 ** (-at / PER_HALVING);
    table = Float64Array.from({ length: ENTRIES }, (_, at) => studentBeyond(tailOf(at), shared));
    tables.set(shared, table);
  }
  const place = -Math.log2(2 * tail) * PER_HALVING;
  const last = ENTRIES - 1;
  if (place >= last) return (table[last] as number) * 2 ** ((place - last) / PER_HALVING / shared);
  const at = Math.floor(place);
  const share = place - at;
  return (table[at] as number) * (1 - share) + (table[at + 1] as number) * share;
}
