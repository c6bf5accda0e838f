import { describe, expect, it } from 'vitest';
import { type Case, fitRidge, solve } from '../../src/risk/ridge.ts';

const cases = (x: number, failures: number, count: number): Case[] =>
  Array.from({ length: count }, (_, at) => ({ offset: 0, x: [1, x], y: at < failures ? 1 : 0 }));

describe('a logistic regression drawn towards what is believed', () => {
  it('finds the rates themselves when belief counts next to nothing', () => {
    // 2 of 10 without the signal, 5 of 10 with it: intercept ln(2/8), coefficient ln(5/5) - ln(2/8).
    const fit = fitRidge([...cases(0, 2, 10), ...cases(1, 5, 10)], [0, 0], 1e-9);
    expect(fit.converged).toBe(true);
    expect(fit.coefficients[0]).toBeCloseTo(Math.log(2 / 8), 6);
    expect(fit.coefficients[1]).toBeCloseTo(-Math.log(2 / 8), 6);
  });

  it('stays with what is believed without cases, and near it when belief is strong', () => {
    expect(fitRidge([], [0.3, 0.8], 4)).toMatchObject({ coefficients: [0.3, 0.8], converged: true });
    const [, strong = 0] = fitRidge(cases(1, 10, 10), [0, 0.8], 1e9).coefficients;
    expect(strong).toBeCloseTo(0.8, 6);
  });

  it('leaves a coefficient alone whose signal was never seen', () => {
    const fit = fitRidge(cases(0, 4, 10), [0, 0.7], 4);
    expect(fit.coefficients[1]).toBe(0.7);
    expect(fit.coefficients[0]).toBeLessThan(0);
  });

  it('has an answer even where cases are parted perfectly', () => {
    const fit = fitRidge([...cases(0, 0, 50), ...cases(1, 50, 50)], [0, 0], 1);
    expect(fit.converged).toBe(true);
    expect(fit.coefficients.every(Number.isFinite)).toBe(true);
  });

  it('is at the bottom: the gradient is nought there', () => {
    const all = [...cases(0, 3, 20), ...cases(0.5, 4, 20), ...cases(1, 9, 20)];
    const { coefficients } = fitRidge(all, [0, 0.5], 2);
    for (const at of [0, 1]) {
      const gradient = all.reduce(
        (sum, { x, y }) => {
          const eta = x.reduce((total, value, index) => total + value * (coefficients[index] ?? 0), 0);
          return sum + (y - 1 / (1 + Math.exp(-eta))) * (x[at] ?? 0);
        },
        -2 * ((coefficients[at] ?? 0) - ([0, 0.5][at] ?? 0)),
      );
      expect(Math.abs(gradient)).toBeLessThan(1e-6);
    }
  });
});

describe('a system of equations', () => {
  it('is solved', () => {
    // 4x + 2y = 10 and 2x + 3y = 9: x = 1.5, y = 2.
    const [x, y] =
      solve(
        [
          [4, 2],
          [2, 3],
        ],
        [10, 9],
      ) ?? [];
    expect(x).toBeCloseTo(1.5, 12);
    expect(y).toBeCloseTo(2, 12);
  });

  it('without one answer has none', () => {
    expect(
      solve(
        [
          [1, 1],
          [1, 1],
        ],
        [1, 2],
      ),
    ).toBeUndefined();
    expect(solve([[Number.NaN]], [1])).toBeUndefined();
  });
});
