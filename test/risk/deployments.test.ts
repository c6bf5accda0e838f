import { describe, expect, it } from 'vitest';
import { fold } from '../../src/engine/sequence.ts';
import type { SequenceEvent, SequenceFinished, TaskName } from '../../src/events/types.ts';
import { assessRisk } from '../../src/risk/assess.ts';
import { deploymentOf, outcomesOf } from '../../src/risk/deployments.ts';
import type { RiskSignals } from '../../src/risk/signals.ts';
import { minute, planned, step, taskFinished, taskTriggered, triggered } from '../support/sequence.ts';

const SIGNALS: RiskSignals = { history: { deployments: 0, failures: 0 }, lines: 2000, sensitive: [] };

const checks = (signals: RiskSignals = SIGNALS): SequenceEvent[] => {
  const { score: _, level: __, ...answer } = assessRisk(signals, { approvalAbove: 99 });
  return [taskTriggered(1, 'checks'), taskFinished('checks', 'pass', { data: { answers: [answer] } })];
};
const done = (
  at: number,
  name: TaskName,
  result: 'pass' | 'warning' | 'fail' = 'pass',
  status: 'succeeded' | 'errored' | 'aborted' = 'succeeded',
) => [taskTriggered(at, name), taskFinished(name, result, { status })];
const over = (reason: SequenceFinished['reason'], at = 9): SequenceEvent => ({
  name: 'sequence.finished',
  at: minute(at),
  data: { status: 'succeeded', result: reason === 'completed' ? 'pass' : 'fail', reason, message: 'over' },
});
const history = (...events: SequenceEvent[]) => [
  ...planned(step('checks'), step('sync'), step('rollout')),
  ...checks(),
  ...events,
];

const verdict = (...events: SequenceEvent[]) => deploymentOf(fold(history(...events)))?.verdict;

describe('a deployment', () => {
  it.each<[string, SequenceEvent[], string | undefined]>([
    ['that went through', [...done(2, 'sync'), ...done(3, 'rollout'), over('completed')], 'succeeded'],
    ['with a warning', [...done(2, 'sync'), ...done(3, 'evaluation', 'warning'), over('completed')], 'succeeded'],
    ['whose evaluation failed', [...done(2, 'sync'), ...done(3, 'evaluation', 'fail'), over('failed')], 'failed'],
    [
      'that never became healthy',
      [...done(2, 'sync'), ...done(3, 'rollout', 'fail', 'errored'), over('timed-out')],
      'failed',
    ],
    ['whose promotion was refused', [...done(2, 'sync'), ...done(3, 'promotion', 'fail'), over('failed')], 'succeeded'],
    [
      'whose evaluation could not be judged in time',
      [...done(2, 'sync'), ...done(3, 'evaluation', 'fail', 'errored'), over('timed-out')],
      'undecided',
    ],
    [
      'that was overtaken while it was tested',
      [...done(2, 'sync'), ...done(3, 'test', 'fail', 'aborted'), over('superseded')],
      'undecided',
    ],
    [
      'that was rolled back, once',
      [...done(2, 'sync'), ...done(3, 'test', 'fail'), ...done(4, 'rollback'), over('failed')],
      'failed',
    ],
    ['that was never synced', [over('rejected')], undefined],
    ['that is still under way', [...done(2, 'sync')], undefined],
  ])('%s', (_what, events, expected) => {
    expect(verdict(...events)).toBe(expected);
  });

  it('is none when it only takes back one that failed, whether that works or not', () => {
    const rollsBack = { sequence: 's1', revision: 'a'.repeat(40), to: 'b'.repeat(40), pullRequest: 7 };
    for (const result of ['pass', 'fail'] as const) {
      const [, ...rest] = history(...done(2, 'sync'), ...done(3, 'rollout', result), over('completed'));
      expect(deploymentOf(fold([triggered({ rollsBack }), ...rest]))).toBeUndefined();
    }
  });
});

describe('what became of a prediction', () => {
  const deployed = (revision: string, at: number, reason: 'completed' | 'failed' = 'completed', signals = SIGNALS) => {
    const events = [
      triggered({ sequence: `${revision}-${at}`, revision }),
      ...planned(step('checks'), step('sync')).slice(1),
      ...checks(signals),
      ...done(2, 'sync'),
      ...done(3, 'rollout', reason === 'failed' ? 'fail' : 'pass'),
      over(reason, at),
    ];
    const found = deploymentOf(fold(events));
    if (!found) throw new Error('it was not deployed');
    return found;
  };

  it('comes with what was said then', () => {
    const [outcome] = outcomesOf([deployed('a', 1)]);
    expect(outcome).toMatchObject({ failed: false, strengths: { size: 1, sensitivePaths: 0 } });
    // 15 %, and 0.8 more in log-odds.
    expect(outcome?.probability).toBeCloseTo(0.282, 3);
    expect(outcome?.base).toBeCloseTo(Math.log(0.15 / 0.85), 9);
    expect(outcome?.strengths).not.toHaveProperty('files');
  });

  it('is a failure when the next deployment goes back behind it', () => {
    const outcomes = outcomesOf([deployed('a', 1), deployed('b', 2), deployed('a', 3), deployed('c', 4, 'failed')]);
    expect(outcomes.map(({ failed }) => failed)).toEqual([false, true, false, true]);
  });

  it('is a failure when the next one is a way back by what it says itself', () => {
    const back = { ...SIGNALS, rollback: true };
    expect(outcomesOf([deployed('a', 1), deployed('b', 2, 'completed', back)]).map(({ failed }) => failed)).toEqual([
      true,
      false,
    ]);
  });

  it('is none when it goes back after more than a week, or in another stage', () => {
    const [a, b] = [deployed('a', 1), deployed('b', 2)];
    const late = deployed('a', 2 + 8 * 24 * 60);
    expect(outcomesOf([a, b, late]).map(({ failed }) => failed)).toEqual([false, false, false]);
    const elsewhere = { ...deployed('a', 3), place: { project: 'shop', stage: 'production', service: 'checkout' } };
    expect(outcomesOf([a, b, elsewhere]).map(({ failed }) => failed)).toEqual([false, false, false]);
  });

  it('is understood out of logs that have names instead of keys, and left out where it makes no sense', () => {
    const old = (figures: object) =>
      deploymentOf(
        fold([
          ...planned(step('checks'), step('sync')),
          taskTriggered(1, 'checks'),
          taskFinished('checks', 'pass', {
            data: { answers: [{ check: 'risk', answer: 'pass', reasons: [], figures }] },
          }),
          ...done(2, 'sync'),
          over('completed'),
        ]),
      );
    const figures = {
      probability: 0.2,
      base: { logit: -1.7 },
      contributions: [
        { signal: 'sensitive paths', strength: 1 },
        { signal: 'gone', strength: 1 },
      ],
    };
    expect(old(figures)?.predicted).toEqual({ probability: 0.2, base: -1.7, strengths: { sensitivePaths: 1 } });
    for (const wrong of [{ probability: 'x' }, { probability: 1 }, { base: null }, { contributions: 3 }]) {
      expect(old({ ...figures, ...wrong })).not.toHaveProperty('predicted');
    }
  });
});
