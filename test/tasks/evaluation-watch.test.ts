import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextMove, stepCount, type WatchedStep } from '../../src/tasks/evaluation-watch.ts';

const MINUTE = 60_000;
const START = Date.parse('2026-03-02T10:00:00Z');
const POLICY = { forMs: 15 * MINUTE, everyMs: 3 * MINUTE, failures: 1 };
const step = (result: WatchedStep['result'], message = 'too slow'): WatchedStep => ({
  start: '',
  end: '',
  result,
  score: 0,
  message,
});
const at = (minutes: number, done: WatchedStep[], policy = POLICY, delayMs = 0) =>
  nextMove(policy, START, done, START + minutes * MINUTE, delayMs);

describe('watching a change', () => {
  it('waits for the end of the first step', () => {
    expect(at(1, [])).toEqual({
      kind: 'wait',
      untilMs: START + 3 * MINUTE,
      sentence: 'watching, step 1 of 5',
    });
  });

  it('judges each step over its own time', () => {
    expect(at(7, [step('pass')])).toEqual({
      kind: 'step',
      period: { start: '2026-03-02T10:03:00.000Z', end: '2026-03-02T10:06:00.000Z' },
    });
  });

  it('says how it went so far', () => {
    expect(at(7, [step('warning'), step('pass')])).toMatchObject({
      sentence: 'watching, step 3 of 5, so far warning',
    });
  });

  it('waits until the metrics of a step have arrived', () => {
    expect(at(3, [], POLICY, 30_000)).toMatchObject({ kind: 'wait', untilMs: START + 3.5 * MINUTE });
    expect(at(3.5, [], POLICY, 30_000)).toMatchObject({ kind: 'step' });
  });

  it('fails with the first failing step', () => {
    expect(at(7, [step('pass'), step('fail')])).toMatchObject({
      kind: 'failed',
      sentence: 'step 2 of 5 failed: too slow',
    });
  });

  it('bears failing steps that are not in a row, when told so', () => {
    const policy = { ...POLICY, failures: 2 };
    expect(at(10, [step('fail'), step('pass'), step('fail')], policy).kind).toBe('wait');
    expect(at(10, [step('pass'), step('fail'), step('fail')], policy)).toMatchObject({
      kind: 'failed',
      sentence: 'step 3 of 5 and the 1 before it failed: too slow',
    });
  });

  it('judges the whole time at the end', () => {
    expect(
      at(
        15,
        Array.from({ length: 5 }, () => step('pass')),
      ),
    ).toEqual({
      kind: 'whole',
      period: { start: '2026-03-02T10:00:00.000Z', end: '2026-03-02T10:15:00.000Z' },
    });
  });

  it('judges a shorter last step when the time does not divide', () => {
    const policy = { forMs: 10 * MINUTE, everyMs: 4 * MINUTE, failures: 1 };
    expect(stepCount(policy)).toBe(3);
    expect(at(10, [step('pass'), step('pass')], policy)).toMatchObject({
      period: { start: '2026-03-02T10:08:00.000Z', end: '2026-03-02T10:10:00.000Z' },
    });
  });

  it('never overlooks a moment: the steps follow each other and fill the whole', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 600 }), fc.integer({ min: 1, max: 600 }), (forS, everyS) => {
        const policy = { forMs: forS * 1000, everyMs: everyS * 1000, failures: 1 };
        let reached = START;
        const done: WatchedStep[] = [];
        for (;;) {
          const move = nextMove(policy, START, done, START + policy.forMs, 0);
          if (move.kind !== 'step') {
            expect(move.kind).toBe('whole');
            break;
          }
          expect(Date.parse(move.period.start)).toBe(reached);
          reached = Date.parse(move.period.end);
          done.push(step('pass'));
        }
        expect(reached).toBe(START + policy.forMs);
      }),
    );
  });
});
