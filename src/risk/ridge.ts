import { sigmoid } from './model.ts';

/** One case of a logistic regression. */
export interface Case {
  /** Log-odds that are given and not fitted. */
  offset: number;
  /** One per coefficient. */
  x: readonly number[];
  y: 0 | 1;
}

export interface Fit {
  coefficients: number[];
  converged: boolean;
  iterations: number;
}

const MAX_ITERATIONS = 50;
const TOLERANCE = 1e-9;
const MAX_HALVINGS = 30;

/**
 * Logistic regression drawn towards given coefficients: minimises
 * -log L(b) + lambda/2 * |b - towards|^2 by Newton's method (iteratively reweighted least squares) with
 * step halving. The penalty makes the problem strictly convex, so there is exactly one answer, whatever
 * the cases are. Deterministic.
 *
 * @param lambda above 0; 1 / lambda is the variance with which one believes in `towards`
 */
export function fitRidge(cases: readonly Case[], towards: readonly number[], lambda: number): Fit {
  let b = [...towards];
  let loss = penalisedLoss(cases, b, towards, lambda);
  for (let iterations = 1; iterations <= MAX_ITERATIONS; iterations++) {
    const step = newtonStep(cases, b, towards, lambda);
    if (step === undefined) return { coefficients: b, converged: false, iterations };
    const moved = halve(cases, b, step, towards, lambda, loss);
    const far = Math.max(0, ...moved.b.map((value, at) => Math.abs(value - (b[at] ?? 0))));
    b = moved.b;
    loss = moved.loss;
    if (far < TOLERANCE) return { coefficients: b, converged: true, iterations };
  }
  return { coefficients: b, converged: false, iterations: MAX_ITERATIONS };
}

function halve(
  cases: readonly Case[],
  from: readonly number[],
  step: readonly number[],
  towards: readonly number[],
  lambda: number,
  loss: number,
): { b: number[]; loss: number } {
  for (let size = 1, tries = 0; tries < MAX_HALVINGS; size /= 2, tries++) {
    const b = from.map((value, at) => value + size * (step[at] ?? 0));
    const next = penalisedLoss(cases, b, towards, lambda);
    if (next <= loss) return { b, loss: next };
  }
  return { b: [...from], loss };
}

function penalisedLoss(
  cases: readonly Case[],
  b: readonly number[],
  towards: readonly number[],
  lambda: number,
): number {
  const fit = cases.reduce((sum, { offset, x, y }) => {
    const eta = linear(offset, x, b);
    // ln(1 + e^eta) without overflow.
    return sum + Math.max(eta, 0) + Math.log1p(Math.exp(-Math.abs(eta))) - y * eta;
  }, 0);
  return fit + (lambda / 2) * b.reduce((sum, value, at) => sum + (value - (towards[at] ?? 0)) ** 2, 0);
}

function newtonStep(
  cases: readonly Case[],
  b: readonly number[],
  towards: readonly number[],
  lambda: number,
): number[] | undefined {
  const gradient = b.map((value, at) => -lambda * (value - (towards[at] ?? 0)));
  const hessian = b.map((_, row) => b.map((_, column) => (row === column ? lambda : 0)));
  for (const { offset, x, y } of cases) {
    const p = sigmoid(linear(offset, x, b));
    const weight = p * (1 - p);
    for (const [row, value] of x.entries()) {
      if (value === 0) continue;
      gradient[row] = (gradient[row] ?? 0) + (y - p) * value;
      const line = hessian[row] ?? [];
      for (const [column, other] of x.entries()) line[column] = (line[column] ?? 0) + weight * value * other;
    }
  }
  return solve(hessian, gradient);
}

function linear(offset: number, x: readonly number[], b: readonly number[]): number {
  return x.reduce((sum, value, at) => sum + value * (b[at] ?? 0), offset);
}

/** Solves a symmetric positive definite system by Cholesky; `undefined` when it is none. */
export function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] | undefined {
  const n = right.length;
  const lower = Array.from({ length: n }, () => new Float64Array(n));
  const at = (row: number, column: number) => lower[row]?.[column] ?? 0;
  for (let row = 0; row < n; row++) {
    for (let column = 0; column <= row; column++) {
      let sum = matrix[row]?.[column] ?? 0;
      for (let k = 0; k < column; k++) sum -= at(row, k) * at(column, k);
      if (row === column && !(sum > 0)) return undefined;
      (lower[row] as Float64Array)[column] = row === column ? Math.sqrt(sum) : sum / at(column, column);
    }
  }
  const y: number[] = [];
  for (let row = 0; row < n; row++) {
    y.push(y.reduce((sum, value, k) => sum - at(row, k) * value, right[row] ?? 0) / at(row, row));
  }
  const x = new Array<number>(n).fill(0);
  for (let row = n - 1; row >= 0; row--) {
    let sum = y[row] ?? 0;
    for (let k = row + 1; k < n; k++) sum -= at(k, row) * (x[k] ?? 0);
    x[row] = sum / at(row, row);
  }
  return x;
}
