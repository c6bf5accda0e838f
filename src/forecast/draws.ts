import type { LogStudent } from './durations.ts';
import { quickBeyond, sharedFreedom, studentTail } from './student.ts';

/** How many futures are looked at. Each step is cut into as many equally likely pieces, so few say much. */
export const DRAWS = 256;
/** Later steps of a journey use the orders again. */
const ORDERS = 64;
/** Exponents beyond this are no time that anybody waits for, and sums of them no numbers. */
const LONGEST = Math.log(10 * 365 * 86_400);

/** Equally likely durations in seconds, in an order that has nothing to do with their size. */
export type Draws = Float64Array;

export function noTime(): Draws {
  return new Float64Array(DRAWS);
}

/**
 * Durations of a step: one of each equally likely piece of its distribution (Latin hypercube sampling, M. McKay,
 * R. Beckman, W. Conover 1979). The same question has the same answer: the order is that of a fixed seed.
 *
 * @param place in the journey; two steps at different places are independent
 */
export function drawStep({ mean, scale, freedom }: LogStudent, place: number): Draws {
  const [order, pieces] = [orderOf(place), piecesOf(freedom)];
  const draws = new Float64Array(DRAWS);
  for (let at = 0; at < DRAWS; at++) {
    draws[at] = Math.exp(Math.min(LONGEST, mean + scale * (pieces[order[at] as number] as number)));
  }
  return draws;
}

/** What is left of a step that has run for so many seconds: only durations longer than that are possible. */
export function drawRest(distribution: LogStudent, elapsed: number, place: number): Draws {
  if (elapsed <= 0) return drawStep(distribution, place);
  const { mean, scale, freedom } = distribution;
  const order = orderOf(place);
  const left = tailAfter(distribution, elapsed);
  const draws = new Float64Array(DRAWS);
  for (let at = 0; at < DRAWS; at++) {
    const tail = left * (1 - ((order[at] as number) + 0.5) / DRAWS);
    const whole = Math.exp(Math.min(LONGEST, mean + scale * quickBeyond(tail, freedom)));
    draws[at] = Math.max(0, whole - elapsed);
  }
  return draws;
}

/** The share of such steps that take longer, 0..1. */
export function tailAfter({ mean, scale, freedom }: LogStudent, elapsed: number): number {
  if (elapsed <= 0) return 1;
  return Math.max(1e-12, studentTail((Math.log(elapsed) - mean) / scale, freedom));
}

/** The duration that so many do not exceed, in seconds. */
export function quantileOf({ mean, scale, freedom }: LogStudent, probability: number): number {
  return Math.exp(Math.min(LONGEST, mean + scale * quickBeyond(1 - probability, freedom)));
}

export function addTo(sum: Draws, more: Draws): void {
  for (let at = 0; at < DRAWS; at++) (sum[at] as number) += more[at] as number;
}

/** The 10th, 50th and 90th of 100. */
export function spreadOf(draws: Draws): { p10: number; p50: number; p90: number } {
  const sorted = Float64Array.from(draws).sort();
  const at = (share: number) => {
    const place = share * DRAWS - 0.5;
    const low = Math.floor(place);
    const [from, to] = [sorted[low] as number, sorted[low + 1] as number];
    return from + (to - from) * (place - low);
  };
  return { p10: at(0.1), p50: at(0.5), p90: at(0.9) };
}

const pieces = new Map<number, Float64Array>();

/** The middles of equally likely pieces of Student's t. */
function piecesOf(freedom: number): Float64Array {
  const shared = sharedFreedom(freedom);
  let found = pieces.get(shared);
  if (!found) {
    found = Float64Array.from({ length: DRAWS }, (_, at) => quickBeyond(1 - (at + 0.5) / DRAWS, shared));
    pieces.set(shared, found);
  }
  return found;
}

const orders: Uint16Array[] = [];

/** Fisher and Yates' shuffle by a generator of its own: chance that is always the same. */
function orderOf(place: number): Uint16Array {
  const at = place % ORDERS;
  const known = orders[at];
  if (known) return known;
  const next = seeded(0x9e3779b9 + at);
  const order = Uint16Array.from({ length: DRAWS }, (_, each) => each);
  for (let last = DRAWS - 1; last > 0; last--) {
    const other = Math.floor(next() * (last + 1));
    [order[last], order[other]] = [order[other] as number, order[last] as number];
  }
  orders[at] = order;
  return order;
}

/** Uniform numbers in [0, 1): the mixing function of splitmix32 over a counter. */
export function seeded(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}
