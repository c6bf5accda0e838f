/** More than any function that changes its sign needs: bisection alone ends after about 1100 steps. */
const MOST_STEPS = 1100;

export interface Bracket {
  from: number;
  to: number;
  /** The function's values there; of opposite signs, or zero. */
  atFrom: number;
  atTo: number;
}

/**
 * Brent's method: inverse quadratic interpolation that falls back to halving (R. Brent, Algorithms for Minimization
 * without Derivatives, 1973, chapter 4). The order of operations is that of R's `uniroot`, because for a function
 * with steps the answer within the tolerance depends on the path taken there.
 */
export function findRoot(f: (at: number) => number, { from, to, atFrom, atTo }: Bracket, tolerance: number): number {
  if (atFrom === 0) return from;
  if (atTo === 0) return to;
  // `best` is the closest so far, `last` the one before, `other` lies beyond the root.
  let [last, best, other] = [from, to, from];
  let [atLast, atBest, atOther] = [atFrom, atTo, atFrom];
  for (let steps = 0; steps < MOST_STEPS; steps++) {
    const lastStep = best - last;
    if (Math.abs(atOther) < Math.abs(atBest)) {
      [last, best, other] = [best, other, best];
      [atLast, atBest, atOther] = [atBest, atOther, atBest];
    }
    const near = 2 * Number.EPSILON * Math.abs(best) + tolerance / 2;
    const half = (other - best) / 2;
    if (Math.abs(half) <= near || atBest === 0) break;
    let step = half;
    if (Math.abs(lastStep) >= near && Math.abs(atLast) > Math.abs(atBest)) {
      step = interpolate({ last, best, other, atLast, atBest, atOther, lastStep, near }) ?? half;
    }
    if (Math.abs(step) < near) step = step > 0 ? near : -near;
    [last, atLast] = [best, atBest];
    best += step;
    atBest = f(best);
    if ((atBest > 0 && atOther > 0) || (atBest < 0 && atOther < 0)) [other, atOther] = [last, atLast];
  }
  return best;
}

interface Points {
  last: number;
  best: number;
  other: number;
  atLast: number;
  atBest: number;
  atOther: number;
  lastStep: number;
  near: number;
}

/** The step that interpolation proposes; undefined when it leaves the bracket or gains less than halving. */
function interpolate({ last, best, other, atLast, atBest, atOther, lastStep, near }: Points): number | undefined {
  const width = other - best;
  let numerator: number;
  let denominator: number;
  if (last === other) {
    const ratio = atBest / atLast;
    numerator = width * ratio;
    denominator = 1 - ratio;
  } else {
    const [q, r, s] = [atLast / atOther, atBest / atOther, atBest / atLast];
    numerator = s * (width * q * (q - r) - (best - last) * (r - 1));
    denominator = (q - 1) * (r - 1) * (s - 1);
  }
  if (numerator > 0) denominator = -denominator;
  else numerator = -numerator;
  const inside = numerator < 0.75 * width * denominator - Math.abs(near * denominator) / 2;
  const gains = numerator < Math.abs((lastStep * denominator) / 2);
  return inside && gains ? numerator / denominator : undefined;
}
