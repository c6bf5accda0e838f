import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mannWhitney } from '../../src/slo/mann-whitney.ts';
import { normalProbability, normalQuantile } from '../../src/slo/normal-distribution.ts';
import { expand, halves, manyHalves, mostlyZeros, type PublishedCase } from './mann-whitney-samples.ts';

/** The issue asks for 1e-6. */
const DIGITS = 6;
const within = (value: number | undefined, expected: number) =>
  expect(Math.abs((value ?? Number.NaN) - expected)).toBeLessThan(1e-6);

function test(published: PublishedCase, correctedEstimate = false) {
  const { first, second, confidence } = published;
  return mannWhitney(expand(first), expand(second), { confidence, correctedEstimate });
}

describe('a Mann-Whitney test against the figures of R', () => {
  it.each([
    ['two services in half milliseconds', halves],
    ['twice as many', manyHalves],
  ])('agrees on interval and estimate: %s', (_name, published) => {
    const found = test(published);
    within(found?.lower, published.lower);
    within(found?.upper, published.upper);
    within(found?.estimate, published.estimate);
  });

  it('agrees on interval and corrected estimate where nearly all values are tied', () => {
    const found = test(mostlyZeros, true);
    within(found?.lower, mostlyZeros.lower);
    within(found?.upper, mostlyZeros.upper);
    within(found?.estimate, mostlyZeros.estimate);
  });

  it('agrees on samples without overlap', () => {
    const found = mannWhitney([10, 20, 30, 40], [1, 2, 3, 4]);
    expect(found).toMatchObject({ lower: 6, upper: 39, estimate: 22.5, statistic: 16, superiority: 1 });
    // By hand: W = 16, (16 - 8 - 0.5) / sqrt(4 * 4 * 9 / 12) = 2.16506, p = 2 * P(Z < -2.16506).
    expect(found?.pValue).toBeCloseTo(0.0303828, DIGITS);
  });

  it('agrees on the quantiles and tails of the normal distribution', () => {
    expect(normalQuantile(0.01)).toBeCloseTo(-2.3263478740408408, 13);
    expect(normalQuantile(0.975)).toBeCloseTo(1.959963984540054, 13);
    expect(normalProbability(-10) / 7.61985302416052e-24).toBeCloseTo(1, 12);
    expect(normalProbability(0)).toBe(0.5);
  });
});

describe('a Mann-Whitney test of awkward samples', () => {
  it.each([
    ['nothing', [], [1, 2]],
    ['nothing to compare with', [1, 2], []],
    ['no number', [Number.NaN, Number.NaN], [1]],
    ['nothing finite', [Number.POSITIVE_INFINITY], [1]],
    ['values too far apart to subtract', [1.7e308], [-1.7e308]],
  ])('says nothing of %s', (_name, first, second) => {
    expect(mannWhitney(first, second)).toBeUndefined();
  });

  it('leaves out what is no number', () => {
    const clean = mannWhitney([10, 20, 30], [1, 2, 3]);
    expect(mannWhitney([10, Number.NaN, 20, 30], [1, 2, Number.NaN, 3])).toEqual(clean);
  });

  it('knows the difference of constant samples exactly', () => {
    const found = mannWhitney([5, 5, 5], [2, 2]);
    expect(found).toMatchObject({ estimate: 3, lower: 3, upper: 3, superiority: 1 });
  });

  it('finds no evidence in samples that are all tied', () => {
    expect(mannWhitney([2, 2, 2], [2, 2])).toMatchObject({ estimate: 0, lower: 0, upper: 0, pValue: 1 });
  });

  it('judges one value against one', () => {
    expect(mannWhitney([3], [1])).toMatchObject({ estimate: 2, lower: 2, upper: 2, pValue: 1 });
  });
});

describe('any two samples', () => {
  const sample = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 40 });
  const tiedSample = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 40 });
  const either = fc.oneof(sample, tiedSample);

  it('give finite figures within the range of their differences', () => {
    fc.assert(
      fc.property(either, either, (first, second) => {
        const found = mannWhitney(first, second, { confidence: 0.98 });
        const lowest = Math.min(...first) - Math.max(...second);
        const highest = Math.max(...first) - Math.min(...second);
        for (const figure of [found?.estimate, found?.lower, found?.upper]) {
          expect(figure).toBeGreaterThanOrEqual(lowest);
          expect(figure).toBeLessThanOrEqual(highest);
        }
        expect(found?.pValue).toBeGreaterThanOrEqual(0);
        expect(found?.pValue).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('count the same pairs as comparing each with each', () => {
    fc.assert(
      fc.property(either, either, (first, second) => {
        let greater = 0;
        for (const one of first) for (const other of second) greater += one > other ? 1 : one === other ? 0.5 : 0;
        expect(mannWhitney(first, second)?.statistic).toBe(greater);
      }),
    );
  });

  it('do not depend on the order of their values', () => {
    fc.assert(
      fc.property(sample, sample, (first, second) => {
        expect(mannWhitney(first.toReversed(), second.toSorted())).toEqual(mannWhitney(first, second));
      }),
    );
  });
});
