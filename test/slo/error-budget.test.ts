import { describe, expect, it } from 'vitest';
import type { ErrorBudgetPolicy } from '../../src/definitions/delivery.ts';
import { BUDGET, budgetQueries, burnName, type ErrorBudgetTarget, inlineTarget } from '../../src/slo/budget-queries.ts';
import { type BudgetReading, checkErrorBudget, errorBudget } from '../../src/slo/error-budget.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const now = new Date('2026-03-01T12:00:00Z');
const target: ErrorBudgetTarget = {
  errorRatio: 'q[$WINDOW]',
  target: 0.999,
  windowMs: 30 * DAY,
  method: 'occurrences',
};
const policy = (changes: Partial<ErrorBudgetPolicy> = {}): ErrorBudgetPolicy => ({
  minimumRemaining: 0,
  maximumBurnRate: [],
  onMissingData: 'wait',
  ...changes,
});
const read = (name: string, value: number): BudgetReading => ({ name, ok: true, value });
const check = (changes: Partial<ErrorBudgetPolicy>, ...readings: BudgetReading[]) =>
  checkErrorBudget({ policy: policy(changes), target, readings, now });

describe('an error budget', () => {
  it('has what is left of the allowed errors', () => {
    const budget = errorBudget({ target: 0.9, windowMs: DAY, errorRatio: 0.025, burns: [] });
    expect(budget.remaining).toBeCloseTo(0.75, 12);
    expect(errorBudget({ target: 0.9, windowMs: DAY, errorRatio: 0.2, burns: [] }).remaining).toBeCloseTo(-1, 12);
  });

  it('at a burn rate of 14.4 loses 2 % of 30 days within an hour', () => {
    const burns = [{ windowMs: HOUR, errorRatio: 0.0144 }];
    const { burnRates, exhaustedInMs } = errorBudget({ target: 0.999, windowMs: 30 * DAY, errorRatio: 0, burns });
    const rate = burnRates[0]?.rate ?? 0;
    expect(rate).toBeCloseTo(14.4, 9);
    expect((rate * HOUR) / (30 * DAY)).toBeCloseTo(0.02, 9);
    expect((exhaustedInMs ?? 0) / HOUR).toBeCloseTo(50, 6);
  });

  it('that does not burn or is spent has no time of exhaustion', () => {
    expect(errorBudget({ target: 0.9, windowMs: DAY, errorRatio: 0, burns: [] })).not.toHaveProperty('exhaustedInMs');
    expect(errorBudget({ target: 0.9, windowMs: DAY, errorRatio: 0.2, burns: [] })).not.toHaveProperty('exhaustedInMs');
  });
});

describe('the queries of a budget', () => {
  it('ask for its own window and for each burn window', () => {
    const maximumBurnRate = [
      { windowMs: HOUR, factor: 14.4 },
      { windowMs: 90 * 60_000, factor: 6 },
    ];
    expect(budgetQueries(policy({ maximumBurnRate }), target)).toEqual([
      { name: BUDGET, query: 'q[$WINDOW]', windowMs: 30 * DAY, window: '30d' },
      { name: burnName(HOUR), query: 'q[$WINDOW]', windowMs: HOUR, window: '1h' },
      { name: burnName(90 * 60_000), query: 'q[$WINDOW]', windowMs: 90 * 60_000, window: '90m' },
    ]);
  });

  it('come from the policy itself only when it states all of it', () => {
    const whole = { errorRatio: 'q[$WINDOW]', target: 0.999, windowMs: 30 * DAY };
    expect(inlineTarget(policy(whole))).toEqual(target);
    for (const key of Object.keys(whole)) {
      const { [key as keyof typeof whole]: _, ...rest } = whole;
      expect(inlineTarget(policy(rest))).toBeUndefined();
    }
  });
});

describe('the error budget check', () => {
  it.each([
    [0.0005, 'pass', '50 % of the error budget is left'],
    [0.00081, 'deny', '19 % of the error budget is left, at least 20 % is needed'],
    [0.0007, 'needs-approval', '30 % of the error budget is left, below 40 % a person must agree'],
    [0.002, 'deny', '-100 % of the error budget is left'],
  ])('with an error ratio of %d says %s', (ratio, answer, reason) => {
    const said = check({ minimumRemaining: 0.2, approvalBelow: 0.4 }, read(BUDGET, ratio));
    expect(said).toMatchObject({ check: 'error-budget', answer });
    expect(said.reasons[0]).toContain(reason);
    expect(said.figures).toMatchObject({ method: 'occurrences', target: 0.999, errorRatio: ratio });
  });

  it('denies a budget that is spent to the last bit', () => {
    const half = { ...target, target: 0.5 };
    const said = checkErrorBudget({ policy: policy(), target: half, readings: [read(BUDGET, 0.5)], now });
    expect(said).toMatchObject({ answer: 'deny', reasons: [expect.stringContaining('it is spent')] });
  });

  it('denies a budget that burns too fast, and asks again later', () => {
    const limits = {
      maximumBurnRate: [
        { windowMs: HOUR, factor: 14.4 },
        { windowMs: 6 * HOUR, factor: 6 },
      ],
    };
    const said = check(limits, read(BUDGET, 0.0001), read(burnName(HOUR), 0.02), read(burnName(6 * HOUR), 0.001));
    expect(said).toMatchObject({ answer: 'deny', askAgainAt: '2026-03-01T12:05:00.000Z' });
    expect(said.reasons).toEqual([
      'the budget burns 20 times as fast as allowed over 1 h, at most 14.4 is accepted',
      '90 % of the error budget is left',
      'the budget burns 1 times as fast as allowed over 6 h (limit 6)',
    ]);
  });

  it.each([
    ['wait', 'unknown', '2026-03-01T12:00:15.000Z'],
    ['needs-approval', 'needs-approval', undefined],
    ['pass', 'pass', undefined],
  ] as const)('without data does what the policy says (%s): %s', (onMissingData, answer, askAgainAt) => {
    const said = check({ onMissingData }, { name: BUDGET, ok: false, message: 'the query gives no data' });
    expect(said.answer).toBe(answer);
    expect(said.askAgainAt).toBe(askAgainAt);
    expect(said.reasons[0]).toContain('the query gives no data');
    expect(said.figures).toMatchObject({
      remaining: null,
      errorRatio: null,
      missing: [expect.stringContaining('no data')],
    });
  });

  it('is not known when nothing was read', () => {
    expect(check({}).answer).toBe('unknown');
    const limits = { maximumBurnRate: [{ windowMs: HOUR, factor: 2 }] };
    expect(check(limits, read(BUDGET, 0)).answer).toBe('unknown');
  });

  it('denies on what it sees even when other data is missing', () => {
    const limits = { maximumBurnRate: [{ windowMs: HOUR, factor: 2 }], onMissingData: 'pass' as const };
    expect(check(limits, read(burnName(HOUR), 0.5)).answer).toBe('deny');
    expect(check(limits, read(BUDGET, 0.5)).answer).toBe('deny');
  });

  it.each([Number.NaN, -0.5, 1.5, Number.POSITIVE_INFINITY])('takes %d for no error ratio', (ratio) => {
    const said = check({}, read(BUDGET, ratio));
    expect(said.answer).toBe('unknown');
    expect(said.reasons[0]).toContain('is not an error ratio');
  });

  it('forgives the hair by which an extrapolated rate misses 0', () => {
    expect(check({}, read(BUDGET, -0.0001))).toMatchObject({
      answer: 'pass',
      figures: { errorRatio: 0, remaining: 1 },
    });
  });
});
