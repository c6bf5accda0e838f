import { describe, expect, it } from 'vitest';
import { afterFailure } from '../../src/forecast/failures.ts';
import { createJourneys } from '../../src/forecast/journeys.ts';
import type { Run, RunStep } from '../../src/forecast/run.ts';
import { warnedBefore } from '../../src/forecast/warnings.ts';

const GATE = { stage: 'staging', step: 'evaluation' };
const CHECKOUT = { project: 'shop', service: 'checkout', team: 'payments' };
let ids = 0;

/** Minutes after a morning. */
function at(minute: number): string {
  return new Date(Date.parse('2026-03-02T08:00:00Z') + minute * 60_000).toISOString();
}

/** A change in staging from one minute to another: `sync`, then `evaluation`, which is the last that it comes to. */
function run(change: string, from: number, to: number, outcome: Run['outcome'], more: Partial<Run> = {}): Run {
  const step = (name: string, begin: number, end: number, what: RunStep['outcome']): RunStep => ({
    ...{ step: name, attempt: 1, startedAt: at(begin), endedAt: at(end), outcome: what, human: false },
  });
  const last = outcome === 'open' ? 'passed' : outcome;
  return {
    ...{ ...CHECKOUT, id: `run-${++ids}`, change, stage: 'staging', startedAt: at(from), endedAt: at(to), outcome },
    steps: [step('sync', from, from + 1, 'passed'), step('evaluation', from + 1, to, last)],
    ...more,
  };
}

function failedAfter(runs: readonly Run[], change = 'now', where = GATE) {
  const journeys = createJourneys(20);
  for (const one of [...runs, run('now', 5000, 5010, 'failed')]) journeys.add(one);
  return afterFailure(journeys, CHECKOUT, change, where);
}

describe('of a change that failed', () => {
  it('it is told what became of others that failed like it: what came first counts', () => {
    const found = failedAfter([
      run('retried', 0, 10, 'failed'),
      run('retried', 20, 35, 'passed'),
      run('overtaken', 100, 110, 'failed'),
      run('newer', 120, 150, 'warning'),
      // Came back after somebody else had passed: it had given way.
      run('late', 200, 210, 'failed'),
      run('quick', 215, 230, 'passed'),
      run('late', 300, 310, 'passed'),
      run('forgotten', 1000, 1010, 'failed'),
    ]);
    expect(found).toEqual({
      changes: 4,
      wentOn: { changes: 1, seconds: 25 * 60 },
      overtaken: { changes: 2, seconds: 20 * 60 },
      basis: 'service',
      text: '0 % by itself; of 4 that failed like this 1 went on (after 25 min), 2 gave way to a newer change (half within 20 min)',
    });
  });

  it('others that failed elsewhere, at something else, or were replaced are no examples', () => {
    const elsewhere = [
      run('a', 0, 10, 'failed', { stage: 'dev' }),
      run('b', 20, 30, 'superseded'),
      run('c', 40, 50, 'passed'),
      run('d', 60, 70, 'failed', { service: 'cart', team: 'other' }),
    ];
    expect(failedAfter(elsewhere).text).toBe('0 % by itself; none has failed like this here before');
    expect(failedAfter([run('a', 0, 10, 'failed')], 'now', { ...GATE, step: 'sync' }).changes).toBe(0);
    expect(failedAfter([]).text).toBe('0 % by itself; no history yet');
  });

  it('those of the team stand in where the service has none; what passes in one service mends nothing in another', () => {
    const cart = { service: 'cart' };
    const found = failedAfter([run('a', 0, 10, 'aborted', cart), run('b', 20, 30, 'passed')]);
    expect(found).toMatchObject({ basis: 'team', overtaken: { changes: 0 } });
    expect(found.text).toBe('0 % by itself; of 1 of the team that failed like this none went on');
  });

  it('a promotion that was taken up again went on within its own run', () => {
    const step = (name: string, end: number, outcome: RunStep['outcome'], attempt = 1): RunStep => ({
      ...{ step: name, attempt, startedAt: at(0), endedAt: at(end), outcome, human: true },
    });
    const steps = [step('sync', 1, 'passed'), step('promotion', 30, 'failed'), step('promotion', 50, 'passed', 2)];
    const where = { ...GATE, step: 'promotion' };
    const found = failedAfter([run('again', 0, 50, 'passed', { steps })], 'now', where);
    expect(found.wentOn).toEqual({ changes: 1, seconds: 20 * 60 });
    const asked = run('asked', 0, 30, 'open', { steps: steps.slice(0, 2) });
    expect(failedAfter([asked], 'now', where).changes).toBe(0);
  });
});

describe('of a change that a gate warned of', () => {
  /** In staging with a warning because of some objectives, then perhaps in production. */
  function warned(change: string, from: number, cause: string, then?: Run['outcome'], back = false): Run[] {
    const first = run(change, from, from + 10, 'warning');
    const steps = first.steps.map((step) => (step.step === 'evaluation' ? { ...step, cause } : step));
    const second = then && run(change, from + 20, from + 30, then, { stage: 'production' });
    const undone = run(`${change}-back`, from + 40, from + 50, 'passed', {
      ...{ stage: 'production', back: { of: second?.id ?? '' } },
    });
    return [{ ...first, steps }, ...(second ? [second] : []), ...(back ? [undone] : [])];
  }

  const past = [
    ...warned('fine', 0, 'throughput', 'passed'),
    ...warned('fine too', 100, 'throughput, p95', 'warning'),
    ...warned('broken', 200, 'p95, throughput', 'failed'),
    ...warned('taken back', 300, 'throughput', 'passed', true),
    ...warned('replaced', 400, 'throughput', 'superseded'),
    ...warned('of something else', 500, 'error_rate', 'failed'),
    ...warned('under way', 600, 'throughput', 'open'),
    ...warned('now', 700, 'throughput', 'open'),
  ];

  function told(runs: readonly Run[], objectives: readonly string[]) {
    const journeys = createJourneys(20);
    for (const one of runs) journeys.add(one);
    return warnedBefore(journeys, CHECKOUT, 'now', { stage: 'staging', objectives }, 'production');
  }

  it('it is told how earlier ones ended that were about the same objective', () => {
    expect(told(past, ['throughput'])).toEqual({
      ...{ changes: 5, fine: 2, failed: 2, overtaken: 1 },
      text: 'last 5 warned like this (throughput): 2 fine, 2 failed later, 1 gave way to a newer change',
    });
    expect(told(past, ['p95'])?.text).toBe('last 2 warned like this (p95): 1 fine, 1 failed later');
    expect(told(past, ['latency', 'queue', 'error_rate'])?.text).toContain(
      '(latency, queue and 1 more): 0 fine, 1 failed',
    );
    expect(told(past, ['latency'])).toBeUndefined();
  });

  it('ten of them say enough, and a name that a record cut is known by its beginning', () => {
    const many = Array.from({ length: 14 }, (_, at) => warned(`c${at}`, 100 * at, 'a_very_long_na…', 'passed')).flat();
    expect(told(many, ['a_very_long_name'])).toMatchObject({ changes: 10, fine: 10 });
  });
});
