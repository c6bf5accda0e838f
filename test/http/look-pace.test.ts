import { describe, expect, it } from 'vitest';
import { createLookPace } from '../../src/http/look-pace.ts';

const SECOND = 1_000;

/** Tells of `application` so often within a second; answers how long the looks wait. */
function burst(pace: ReturnType<typeof createLookPace>, application: string, from: number, times: number): number[] {
  return Array.from({ length: times }, (_, at) => pace(application, from + Math.floor((at * SECOND) / times)));
}

describe('the pace of looks', () => {
  it('is at once for whoever tells of an application now and then', () => {
    const pace = createLookPace();
    const waits = Array.from({ length: 300 }, (_, at) => pace(`shop/checkout-${at % 3}`, at * 50));
    expect(new Set(waits)).toEqual(new Set([0]));
  });

  it('is once a second for an application in a storm, and at once for the first word of another', () => {
    const pace = createLookPace();
    burst(pace, 'shop/checkout', 0, 150);
    const from = SECOND;
    const dueAt = burst(pace, 'shop/checkout', from, 500).map((wait, at) => from + at * 2 + wait);
    for (const [at, due] of dueAt.entries()) expect(due).toBeGreaterThanOrEqual(from + at * 2);
    expect(new Set(dueAt).size).toBeLessThanOrEqual(3);
    expect(Math.max(...dueAt)).toBeLessThanOrEqual(from + 2 * SECOND);
    expect(pace('shop/cart', from + SECOND)).toBe(0);
  });

  it('is at once again when the storm is over', () => {
    const pace = createLookPace();
    burst(pace, 'shop/checkout', 0, 500);
    expect(pace('shop/checkout', 2 * SECOND)).toBe(0);
    expect(pace('shop/checkout', 2 * SECOND + 1)).toBe(0);
  });
});
