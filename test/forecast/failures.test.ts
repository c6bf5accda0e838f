import { describe, expect, it } from 'vitest';
import { afterFailure } from '../../src/forecast/failures.ts';
import { createJourneys } from '../../src/forecast/journeys.ts';
import type { Run, RunStep } from '../../src/forecast/run.ts';

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
