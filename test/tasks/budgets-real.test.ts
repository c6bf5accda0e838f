import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MetricsSource } from '../../src/adapters/metrics/metrics-source.ts';
import { prometheus } from '../../src/adapters/metrics/prometheus.ts';
import type { ErrorBudgetPolicy } from '../../src/definitions/delivery-budget.ts';
import { parseOpenSlo } from '../../src/definitions/openslo-yaml.ts';
import { withDocument } from '../../src/slo/budget-plan.ts';
import { askOf } from '../../src/tasks/budget-source.ts';
import { judgeBudget } from '../../src/tasks/check-budget.ts';
import { tools } from '../contracts/metrics-source.ts';
import { DAY, HOUR, MINUTE, policy } from '../support/budgets.ts';
import { prometheusAvailable } from '../support/prometheus.ts';
import { type History, type Step, startPrometheusWithPast } from '../support/prometheus-history.ts';

/*
 * Thirty days in slices of five minutes: 30 * 288 = 8,640. 100 events in each, none bad; but for one
 * hour (12 slices) ten days ago, with ten times the traffic, of which half failed.
 *
 *   events: 8,628 * 100 + 12 * 1,000 = 874,800; bad: 12 * 500 = 6,000
 *   occurrences:        6,000 / 874,800 = 0.686 %  -> 1 - 0.686 / 1 = 31.4 % of a budget of 1 % is left
 *   timeslices (95 %):  12 / 8,640      = 0.139 %  -> 86.1 %
 *   mean of the ratios: 12 * 0.5 / 8,640 = 0.069 % -> 93.1 %
 */
const SLICE = 5 * MINUTE;
const STEPS = (30 * DAY) / MINUTE;
/** On a full slice, so that ours and Prometheus' slices are the same. */
const NOW = Date.now();
const END = Math.floor(NOW / SLICE) * SLICE;
/** Rules look at the last five minutes from now, so the past goes on after the last full slice. */
const SINCE = Math.floor((NOW - END) / MINUTE);
/** By the minute, from the first sample that marks the beginning until now. */
const past = (of: (minutesAgo: number) => Step) => Array.from({ length: STEPS + 1 + SINCE }, (_, at) => of(STEPS - at));
const TEN_DAYS = 10 * 24 * 60;
const burst = past((ago) => (ago >= TEN_DAYS && ago < TEN_DAYS + 60 ? { good: 100, bad: 100 } : { good: 20, bad: 0 }));
/** Since two hours 3 % fail: three times what 99 % allows. */
const burning = past((ago) => (ago < 120 ? { good: 97, bad: 3 } : { good: 100, bad: 0 }));

const errors = (window: string, service = 'burst') =>
  `sum(rate(requests_total{service="${service}",code=~"5.."}[${window}])) / sum(rate(requests_total{service="${service}"}[${window}]))`;
const SLOTH = { sloth_id: 'shop-burst', sloth_service: 'shop', sloth_slo: 'burst' };
const PYRRA = { slo: 'burst', team: 'shop' };

/** Named and shaped as the two tools write them; the past of a rule is what its expression says of the past. */
const RULES = [
  { record: 'slo:objective:ratio', expr: 'vector(0.99)', labels: SLOTH },
  { record: 'slo:time_period:days', expr: 'vector(30)', labels: SLOTH },
  ...['5m', '30m', '1h', '2h', '6h', '1d', '3d'].map((window) => ({
    record: `slo:sli_error:ratio_rate${window}`,
    expr: errors(window),
    labels: SLOTH,
  })),
  {
    record: 'slo:period_error_budget_remaining:ratio',
    // Sloth writes sum_over_time / count_over_time, which is the same mean at twice the work.
    expr: `1 - avg_over_time((${errors('5m')})[30d:5m]) / 0.01`,
    labels: SLOTH,
  },
  { record: 'pyrra_objective', expr: 'vector(0.99)', labels: PYRRA },
  { record: 'pyrra_window', expr: 'vector(2592000)', labels: PYRRA },
  {
    record: 'pyrra_availability',
    expr: '1 - sum(increase(requests_total{service="burst",code=~"5.."}[30d])) / sum(increase(requests_total{service="burst"}[30d]))',
    labels: PYRRA,
  },
  // Pyrra's windows for 30 days.
  ...['5m', '32m', '1h4m', '2h9m', '6h26m', '1d1h43m', '4d6h51m'].map((window) => ({
    record: `requests:burnrate${window}`,
    expr: errors(window),
    labels: PYRRA,
  })),
];

const openslo = (rest: string, objective: string) => `apiVersion: openslo/v1
kind: SLO
metadata: {name: burst}
spec:
  service: burst
  ${rest}
  objectives: [{target: 0.99${objective}}]
  indicator:
    spec:
      ratioMetric:
        counter: true
        bad: {metricSource: {type: Prometheus, spec: {query: 'requests_total{service="$SERVICE",code=~"5.."}'}}}
        total: {metricSource: {type: Prometheus, spec: {query: 'requests_total{service="$SERVICE"}'}}}
`;
const ROLLING = 'timeWindow: [{duration: 30d, isRolling: true}]';

describe.skipIf(!prometheusAvailable)('error budgets of a real Prometheus', () => {
  let running: History;
  let source: MetricsSource;
  const now = new Date(END);

  beforeAll(async () => {
    running = await startPrometheusWithPast(
      { burst, burning },
      {
        stepMs: MINUTE,
        endMs: END + SINCE * MINUTE,
        rules: RULES,
      },
    );
    source = prometheus.create('main', { url: running.url }, tools);
    for (let left = 100; left > 0 && !(await recorded()); left--) await sleep(200);
  }, 120_000);
  afterAll(async () => running?.stop());

  /** The rules know nothing of before they were first evaluated, so they are asked now. */
  const recorded = async () => {
    const [end, start] = [new Date().toISOString(), now.toISOString()];
    const all = await Promise.all(
      ['slo:period_error_budget_remaining:ratio', 'pyrra_availability', 'requests:burnrate4d6h51m'].map((query) =>
        source.read({ query, variables: {}, start, end }),
      ),
    );
    return all.every(({ ok }) => ok);
  };
  const judge = (asked: ErrorBudgetPolicy, at: Date, service = 'burst') =>
    judgeBudget(asked, askOf({ metricsSource: () => source, variables: () => ({ SERVICE: service }) }), at);
  const judgeOpenSlo = (text: string, at = now, service?: string) => {
    const parsed = parseOpenSlo(text, 'slo.yaml');
    if (!parsed.ok) throw new Error(parsed.problems[0]?.message);
    const asked = withDocument(policy({ standardBurnRates: true, confidence: 0.95 }), parsed.value);
    if (!asked.ok) throw new Error(asked.message);
    return judge(asked.policy, at, service);
  };

  it.each([
    ['occurrences', openslo(`budgetingMethod: Occurrences\n  ${ROLLING}`, ''), 0.314],
    [
      'timeslices of 300 s',
      openslo(`budgetingMethod: Timeslices\n  ${ROLLING}`, ', timeSliceTarget: 0.95, timeSliceWindow: 5m'),
      0.861,
    ],
    [
      'ratio of timeslices of 300 s',
      openslo(`budgetingMethod: RatioTimeslices\n  ${ROLLING}`, ', timeSliceWindow: 5m'),
      0.931,
    ],
  ])('by %s are what they are by hand', async (method, text, remaining) => {
    const said = await judgeOpenSlo(text);
    expect(said.reasons).not.toEqual([]);
    expect(said.figures).toMatchObject({ method });
    expect(Math.abs(Number(said.figures['remaining']) - remaining)).toBeLessThan(0.005);
    expect(said.answer).toBe('pass');
  });

  it.each([
    ['Sloth: mean of 5-minute ratios', policy({ sloth: 'shop-burst', standardBurnRates: true }), 0.931],
    ['Pyrra: occurrences', policy({ pyrra: PYRRA, standardBurnRates: true }), 0.314],
  ])('by the rules of %s are what the tool says', async (method, asked, remaining) => {
    const said = await judge(asked, new Date());
    expect(said.figures).toMatchObject({ method, target: 0.99, windowMs: 30 * DAY, missing: [] });
    expect(Math.abs(Number(said.figures['remaining']) - remaining)).toBeLessThan(0.005);
    expect(said.answer).toBe('pass');
  });

  it('come from raw metrics where no rules are, and say so', async () => {
    const asked = policy({ sloth: 'shop-nobody', errorRatio: errors('$WINDOW'), target: 0.99, windowMs: 30 * DAY });
    const said = await judge(asked, now);
    expect(said.figures).toMatchObject({ method: 'occurrences' });
    expect(said.figures['notes']).toEqual([expect.stringContaining('no rules of Sloth for shop-nobody')]);
    expect((await judge(policy({ sloth: 'shop-nobody' }), now)).answer).toBe('unknown');
  });

  it('cannot be asked for another service by an id with quotes in it', async () => {
    const said = await judge(policy({ sloth: 'x"} or vector(1) #' }), new Date());
    expect(said).toMatchObject({ answer: 'unknown', reasons: [expect.stringContaining('no data')] });
  });

  it('that burn at three times what is allowed pass the pairs of the workbook, and not a stricter limit', async () => {
    const said = await judgeOpenSlo(openslo(`budgetingMethod: Occurrences\n  ${ROLLING}`, ''), now, 'burning');
    const rates = said.figures['burnRates'] as { windowMs: number; rate: number }[];
    // 3 % of the last hour's events failed, where 1 % may: a burn of 3.
    expect(rates.find(({ windowMs }) => windowMs === HOUR)?.rate).toBeCloseTo(3, 1);
    expect(said.answer).toBe('pass');
    const limits = policy({ errorRatio: errors('$WINDOW', 'burning'), target: 0.99, windowMs: 30 * DAY });
    const strict = await judge({ ...limits, maximumBurnRate: [{ windowMs: HOUR, factor: 2 }] }, now);
    expect(strict).toMatchObject({
      answer: 'deny',
      reasons: [expect.stringContaining('over 1 h, at most 2'), expect.anything()],
    });
  });

  it('of a calendar month weigh what has happened by a whole month', async () => {
    const calendar =
      'timeWindow: [{duration: 1M, isRolling: false, calendar: {startTime: 2026-01-01 00:00:00, timeZone: Europe/Vienna}}]';
    const said = await judgeOpenSlo(openslo(`budgetingMethod: Occurrences\n  ${calendar}`, ''));
    expect(said.figures).toMatchObject({
      method: 'occurrences, calendar window',
      period: { start: expect.any(String) },
    });
    expect(Number(said.figures['remaining'])).toBeGreaterThan(0.3);
  });
});
