import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compositeFigures } from '../../src/slo/budget-figures.ts';
import { judgedBudget, withDocument } from '../../src/slo/budget-plan.ts';
import { checkErrorBudget } from '../../src/slo/budget-policy.ts';
import type { BudgetReading } from '../../src/slo/budget-readings.ts';
import { expectedCost } from '../../src/slo/error-budget.ts';
import {
  check,
  counted,
  counts,
  DAY,
  HOUR,
  MINUTE,
  NOW,
  objective,
  policy,
  questions,
  ratio,
} from '../support/budgets.ts';

const WHOLE = 30 * DAY;

describe('the error budget check', () => {
  it.each([
    [0.0005, 'pass', '50 % of the error budget is left'],
    [0.00081, 'deny', '19 % of the error budget is left, at least 20 % is needed'],
    [0.0007, 'needs-approval', '30 % of the error budget is left, below 40 % a person must agree'],
    [0.002, 'deny', '-100 % of the error budget is left'],
  ])('with an error ratio of %d says %s', (value, answer, reason) => {
    const said = check({ minimumRemaining: 0.2, approvalBelow: 0.4 }, [ratio(WHOLE, value)]);
    expect(said).toMatchObject({ check: 'error-budget', answer });
    expect(said.reasons[0]).toContain(reason);
    expect(said.figures).toMatchObject({ method: 'occurrences', target: 0.999, errorRatio: value });
  });

  it('denies a budget that is spent to the last bit', () => {
    const said = check({}, [ratio(WHOLE, 0.5)], objective({ target: 0.5 }));
    expect(said).toMatchObject({ answer: 'deny', reasons: [expect.stringContaining('it is spent')] });
  });

  it('denies a budget that burns faster than a limit of its own, and asks again later', () => {
    const limits = {
      maximumBurnRate: [
        { windowMs: HOUR, factor: 14.4 },
        { windowMs: 6 * HOUR, factor: 6 },
      ],
    };
    const said = check(limits, [ratio(WHOLE, 0.0001), ratio(HOUR, 0.02), ratio(6 * HOUR, 0.001)]);
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
    const name = ratio(WHOLE, 0).name;
    const said = check({ onMissingData }, [{ name, ok: false, message: 'the query gives no data' }]);
    expect(said.answer).toBe(answer);
    expect(said.askAgainAt).toBe(askAgainAt);
    expect(said.reasons[0]).toContain('the query gives no data');
    expect(said.figures).toMatchObject({ remaining: null, errorRatio: null });
    expect(said.figures['missing']).toEqual([expect.stringContaining('no data')]);
  });

  it('is not known when nothing was read', () => {
    expect(check({}, []).answer).toBe('unknown');
    const limits = { maximumBurnRate: [{ windowMs: HOUR, factor: 2 }] };
    expect(check(limits, [ratio(WHOLE, 0)]).answer).toBe('unknown');
    expect(check({ standardBurnRates: true }, [ratio(WHOLE, 0)]).answer).toBe('unknown');
  });

  it('denies on what it sees even when other data is missing', () => {
    const limits = { maximumBurnRate: [{ windowMs: HOUR, factor: 2 }], onMissingData: 'pass' as const };
    expect(check(limits, [ratio(HOUR, 0.5)]).answer).toBe('deny');
    expect(check(limits, [ratio(WHOLE, 0.5)]).answer).toBe('deny');
  });

  it.each([Number.NaN, -0.5, 1.5, Number.POSITIVE_INFINITY])('takes %d for no error ratio', (value) => {
    const said = check({}, [ratio(WHOLE, value)]);
    expect(said.answer).toBe('unknown');
    expect(said.reasons[0]).toContain('is not an error ratio');
  });

  it('forgives the hair by which an extrapolated rate misses 0', () => {
    expect(check({}, [ratio(WHOLE, -0.0001)])).toMatchObject({
      answer: 'pass',
      figures: { errorRatio: 0, remaining: 1, bucket: 'plenty' },
    });
  });

  it('asks a person when the next deployment is expected to cost more than is left', () => {
    // 15 % times 2 % is 0.3 %; 0.1 % is left.
    const cost = expectedCost({ deployments: 0, failures: 0, burns: [] });
    const said = check({}, [ratio(WHOLE, 0.000999)], objective(), cost);
    expect(said.answer).toBe('needs-approval');
    expect(said.reasons[0]).toContain('expected to cost 0.3 % of the budget (15 % chance of failure times 2 %)');
    expect(check({}, [ratio(WHOLE, 0.0005)], objective(), cost).answer).toBe('pass');
  });
});

describe('the standard pairs of windows', () => {
  /** Error ratios by window in minutes; what is not named burns nothing. */
  const burning = (ratios: Record<number, number>) =>
    [5, 30, 60, 120, 360, 1440, 4320].map((minutes) => ratio(minutes * MINUTE, ratios[minutes] ?? 0));
  const pairs = (ratios: Record<number, number>) =>
    check({ standardBurnRates: true }, [ratio(WHOLE, 0.0001), ...burning(ratios)]);

  it.each([
    ['fast over 1 h and 5 min', { 60: 0.02, 5: 0.02 }, 'deny'],
    ['fast over 1 h, but over by now', { 60: 0.02, 5: 0.001 }, 'pass'],
    ['fast for 5 min only', { 60: 0.001, 5: 0.05 }, 'pass'],
    ['fast over 6 h and 30 min', { 360: 0.007, 30: 0.007 }, 'deny'],
    ['steady over 1 d and 2 h', { 1440: 0.004, 120: 0.004 }, 'needs-approval'],
    ['slow over 3 d, whatever was lately', { 4320: 0.0011 }, 'needs-approval'],
    ['at exactly what is allowed over 3 d', { 4320: 0.001 }, 'pass'],
  ])('with a burn that is %s', (_what, ratios, answer) => {
    expect(pairs(ratios).answer).toBe(answer);
  });

  it('need one slow window only to know that a burn is over', () => {
    const known = burning({}).filter(({ name }) => !name.endsWith('over 5m'));
    expect(check({ standardBurnRates: true }, [ratio(WHOLE, 0), ...known]).answer).toBe('pass');
  });

  it('are unknown when the long window is fast and the short one is not there', () => {
    const known = burning({ 60: 0.02 }).filter(({ name }) => !name.endsWith('over 5m'));
    expect(check({ standardBurnRates: true }, [ratio(WHOLE, 0), ...known]).answer).toBe('unknown');
  });

  it('are asked for each window once, and only of a query with a range', () => {
    expect(questions({ standardBurnRates: true }, objective())).toEqual(
      ['30d', '5m', '30m', '1h', '2h', '6h', '1d', '3d'].map((window) => `error ratio over ${window}`),
    );
    const fixed = objective({ measure: { kind: 'ratio', query: 'e:ratio30d', of: 'errors' } });
    expect(questions({ standardBurnRates: true }, fixed)).toEqual(['error ratio over 30d']);
  });
});

describe('few events', () => {
  it('of which one failed do not freeze a team: a person looks', () => {
    // 1 of 20 at 98 % is 2.5 times the budget; by Wilson's bound it may be 1.12 %, which is 0.56 of it.
    const said = check({}, counts(WHOLE, 1, 20), counted({ target: 0.98 }));
    expect(said.answer).toBe('needs-approval');
    expect(said.reasons[0]).toContain(
      '-150 % of the error budget is left: it is spent; of 20 events only, it may be 43.84 %',
    );
    expect(check({}, counts(WHOLE, 1_000, 20_000), counted({ target: 0.98 })).answer).toBe('deny');
  });

  it('burning fast are doubted as well', () => {
    const limits = { maximumBurnRate: [{ windowMs: HOUR, factor: 14.4 }] };
    const whole = counts(WHOLE, 0, 100_000);
    expect(check(limits, [...whole, ...counts(HOUR, 1, 20)], counted()).answer).toBe('needs-approval');
    expect(check(limits, [...whole, ...counts(HOUR, 50, 1_000)], counted()).answer).toBe('deny');
  });

  it('are too few to judge below a minimum: of the whole budget a person decides, a burn is left out', () => {
    const asked = { minimumEvents: 100, maximumBurnRate: [{ windowMs: HOUR, factor: 2 }] };
    const said = check(asked, [...counts(WHOLE, 0, 99), ...counts(HOUR, 9, 9)], counted());
    expect(said.answer).toBe('needs-approval');
    expect(said.reasons).toEqual([
      '99 events in 30 d are too few to judge the error budget (at least 100): a person must agree',
      '9 events in 1 h are too few to judge a burn (at least 100)',
    ]);
    expect(
      check({ ...asked, onMissingData: 'pass' }, [...counts(WHOLE, 0, 99), ...counts(HOUR, 0, 9)], counted()).answer,
    ).toBe('pass');
  });

  it('cannot be told where nobody counts them', () => {
    expect(check({ minimumEvents: 100 }, [ratio(WHOLE, 0)]).answer).toBe('unknown');
  });

  it('none at all are no evidence for the whole budget, and no burn', () => {
    expect(check({}, counts(WHOLE, 0, 0), counted()).answer).toBe('unknown');
    const limits = { maximumBurnRate: [{ windowMs: HOUR, factor: 2 }] };
    expect(check(limits, [...counts(WHOLE, 0, 500), ...counts(HOUR, 0, 0)], counted()).answer).toBe('pass');
  });

  it('of which there is no failed one yet need a query that says 0', () => {
    const [bad, total] = counts(WHOLE, 0, 500) as [BudgetReading, BudgetReading];
    const said = check({}, [{ name: bad.name, ok: false, message: 'the query gives no data' }, total], counted());
    expect(said.answer).toBe('unknown');
    expect(said.reasons[0]).toContain('or vector(0)');
  });
});

describe('a calendar window', () => {
  const window = { kind: 'calendar', unit: 'month', count: 1, start: '2026-01-01T00:00:00', timeZone: 'UTC' } as const;
  // NOW is 12 hours into March, which has 31 days.
  const ELAPSED = 12 * HOUR;
  const MARCH = 31 * DAY;

  it('weighs the errors of its first hours by the events of a whole month', () => {
    const of = counted({ window });
    // 100 bad of 20,000 until now, and 1,000,000 in the last 31 days: 100 of 1,000 allowed.
    const said = check({}, [...counts(ELAPSED, 100, 20_000), ...counts(MARCH, 0, 1_000_000)], of);
    expect(said.figures).toMatchObject({
      remaining: expect.closeTo(0.9, 9),
      windowMs: MARCH,
      period: { start: '2026-03-01T00:00:00.000Z', end: '2026-04-01T00:00:00.000Z' },
    });
    expect(questions({}, of)).toEqual(['bad events over 12h', 'events over 12h', 'events over 31d']);
  });

  it('goes by time where events are not counted', () => {
    const of = objective({ window });
    // 1 % of half a day of 31: 0.01 * (0.5 / 31) / 0.001 = 16.1 %.
    expect(check({}, [ratio(ELAPSED, 0.01)], of).figures['remaining']).toBeCloseTo(1 - 0.01 * (0.5 / 31) * 1000, 9);
  });

  it('without the events of a whole month is not known', () => {
    expect(check({}, counts(ELAPSED, 100, 20_000), counted({ window })).answer).toBe('unknown');
  });
});

describe('several objectives', () => {
  const parts = [objective({ name: 'read', weight: 3 }), objective({ name: 'write', weight: 1 })];
  const judge = (composite: boolean, [read, write]: [number, number]) => {
    const asked = policy({ composite });
    const readings = [ratio(WHOLE, read, parts[0]), ratio(WHOLE, write, parts[1])];
    const budgets = parts.map((part) => judgedBudget(asked, part, readings, NOW));
    return checkErrorBudget({ policy: asked, budgets, now: NOW });
  };

  it('are all judged, and the worst decides', () => {
    const said = judge(false, [0.0001, 0.002]);
    expect(said).toMatchObject({ answer: 'deny', figures: { objective: 'write', remaining: -1 } });
    expect(said.reasons).toEqual([
      'write: -100 % of the error budget is left: it is spent',
      'read: 90 % of the error budget is left',
    ]);
    expect(said.figures['objectives']).toHaveLength(2);
  });

  it('of a composite are weighted, and one that is spent is not hidden', () => {
    // (3 * 0.9 + 1 * -1) / 4 = 0.425
    const said = judge(true, [0.0001, 0.002]);
    expect(said.figures['remaining']).toBeCloseTo(0.425, 9);
    expect(said.answer).toBe('needs-approval');
    expect(said.reasons[0]).toContain('write: -100 % of its own error budget is left');
    expect(judge(true, [0.0001, 0.0002]).answer).toBe('pass');
    expect(judge(true, [0.002, 0.002]).answer).toBe('deny');
  });

  it('of a composite make it unknown together', () => {
    const known = judgedBudget(policy(), parts[0] ?? objective(), [ratio(WHOLE, 0, parts[0])], NOW);
    const missing = judgedBudget(policy(), parts[1] ?? objective(), [], NOW);
    expect(compositeFigures([known.figures, missing.figures])).not.toHaveProperty('remaining');
  });

  it('can be chosen from by name', () => {
    const document = { name: 'cart', service: 'cart', objectives: parts, composite: true, burnLimits: [] };
    const chosen = withDocument(policy({ objective: 'write' }), document);
    expect(chosen).toMatchObject({ ok: true, policy: { objectives: [{ name: 'write' }], composite: false } });
    expect(withDocument(policy({ objective: 'delete' }), document)).toEqual({
      ok: false,
      message: 'has no objective "delete" (known: "read", "write")',
    });
  });

  it('bring the limits of their alerts, unless the policy has its own', () => {
    const burnLimits = [{ windowMs: HOUR, factor: 2 }];
    const document = { name: '', service: '', objectives: parts, composite: false, burnLimits };
    const standard = withDocument(policy({ standardBurnRates: true }), document);
    expect(standard).toMatchObject({ policy: { maximumBurnRate: burnLimits, standardBurnRates: false } });
    expect(withDocument(policy(), document)).toMatchObject({ policy: { maximumBurnRate: [] } });
  });
});

describe('whatever is read', () => {
  const reading = (name: string) =>
    fc.oneof(
      fc.double().map((value): BudgetReading => ({ name, ok: true, value })),
      fc.double({ min: 0, max: 1, noNaN: true }).map((value): BudgetReading => ({ name, ok: true, value })),
      fc.constant<BudgetReading>({ name, ok: false, message: 'no data' }),
    );
  const asked = policy({ standardBurnRates: true, approvalBelow: 0.25, minimumEvents: 10 });

  it.each([
    ['a ratio', objective()],
    ['counts', counted()],
  ])('of %s, every answer has reasons, and what is missing is no pass', (_what, of) => {
    const readings = fc.tuple(...questions(asked, of).map(reading));
    fc.assert(
      fc.property(readings, (all) => {
        const said = check(asked, all, of);
        expect(said.reasons.length).toBeGreaterThan(0);
        expect(typeof said.figures['remaining'] === 'number' || said.answer !== 'pass').toBe(true);
        if (said.answer === 'pass') expect(said.figures['remaining']).toBeGreaterThan(0);
      }),
      { numRuns: 500 },
    );
  });

  it('more bad events never make the answer better', () => {
    const order = ['pass', 'needs-approval', 'deny'];
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), fc.nat(1e6), fc.nat(1e6), (total, a, b) => {
        const [less, more] = [Math.min(a, b, total), Math.min(Math.max(a, b), total)];
        const answer = (bad: number) =>
          order.indexOf(check({ approvalBelow: 0.25 }, counts(WHOLE, bad, total), counted()).answer);
        expect(answer(more)).toBeGreaterThanOrEqual(answer(less));
      }),
    );
  });
});
