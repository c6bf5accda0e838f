import { describe, expect, it } from 'vitest';
import { checkDecision } from '../../src/engine/decisions.ts';
import { promotionsOf } from '../../src/engine/promotion.ts';
import { endedBefore } from '../../src/engine/promotion-retry.ts';
import { currentTask, fold, worstResult } from '../../src/engine/sequence.ts';
import type { SequenceEvent } from '../../src/events/types.ts';
import {
  COMMIT,
  decision,
  given,
  planned,
  START,
  started,
  step,
  taskFinished,
  taskTriggered,
  triggered,
} from '../support/sequence.ts';

const ADA = { name: 'ada', groups: [], method: 'token' } as const;
const WISH = { verdict: 'retry', reason: 'closed by mistake', revision: COMMIT } as const;
const over: SequenceEvent = {
  name: 'sequence.finished',
  at: START,
  data: { status: 'succeeded', result: 'fail', reason: 'failed', message: 'pull request 7 was closed' },
};
const closed = [
  ...planned(step('promotion')),
  taskTriggered(1, 'promotion'),
  taskFinished('promotion', 'fail', { data: { pullRequest: 7, to: 'production', closed: true } }),
];
const check = (events: SequenceEvent[]) => checkDecision(fold(events), WISH, ADA, 'e');

describe('a promotion whose pull request somebody closed', () => {
  it('is taken up again by a task of its own, also when its sequence is over', () => {
    expect(check([...closed, over])).toMatchObject({ ok: true, decision: { verdict: 'retry' } });
    const again = [...closed, over, decision('retry')];
    expect(fold(again)).toMatchObject({ phase: 'running', retry: { actor: 'ada' } });
    given(...again)
      .now(5)
      .says({ name: 'task.triggered', task: 'seq.2-promotion' });
  });

  it('does not count as failed any more, so that it may be promoted', () => {
    const state = fold([...closed, over, decision('retry'), taskTriggered(2, 'promotion')]);
    expect(worstResult(state)).toBe('pass');
    expect(currentTask(state)?.id).toBe('seq.2-promotion');
    expect(promotionsOf(state)).toMatchObject([{ target: { to: 'production' }, memo: {} }]);
  });

  it('ends anew, and is over once more', () => {
    given(...closed, over, decision('retry'), taskTriggered(2, 'promotion'), taskFinished('promotion', 'pass'))
      .now(5)
      .says({ name: 'sequence.finished', result: 'pass', reason: 'completed' });
  });
});

describe('nothing is taken up', () => {
  const refusal = (events: SequenceEvent[]) => check(events) as { message?: string };

  it.each([
    [
      'that was promoted',
      taskFinished('promotion', 'pass', { data: { mergeSha: 'm', to: 'production' } }),
      'promoted already',
    ],
    [
      'that was merged with what nobody evaluated',
      taskFinished('promotion', 'fail', { status: 'errored', data: { mergeSha: 'm', to: 'production' } }),
      'merged in another way',
    ],
    ['that a newer change replaced', taskFinished('promotion', 'fail', { status: 'aborted' }), 'took its place'],
  ])('%s', (_, end, message) => {
    const events = [...planned(step('promotion')), taskTriggered(1, 'promotion'), end];
    expect(refusal(events)).toMatchObject({ ok: false, message: expect.stringContaining(message) });
  });

  it('that is open', () => {
    const memo = { targets: { production: { pullRequest: 7 } } };
    const waits: SequenceEvent = {
      name: 'task.waiting',
      at: START,
      data: { task: 'seq.1-promotion', blocker: { kind: 'review', sentence: 'x' }, memo },
    };
    expect(refusal([...planned(step('promotion')), taskTriggered(1, 'promotion'), waits])).toMatchObject({
      message: expect.stringContaining('is open'),
    });
  });

  it('that was aborted, or has not come so far, or is of another commit', () => {
    expect(refusal([...closed.slice(0, -1), decision('abort'), closed.at(-1) as SequenceEvent])).toMatchObject({
      message: expect.stringContaining('aborted'),
    });
    expect(refusal(planned(step('promotion')))).toMatchObject({ message: expect.stringContaining('has not come') });
    expect(checkDecision(fold([...closed, over]), { ...WISH, revision: 'f'.repeat(40) }, ADA, 'e')).toMatchObject({
      ok: false,
      refusal: 'stale',
    });
  });

  it('and a retry that nobody checked changes no sequence that ended elsewhere', () => {
    const events = [triggered(), started, over, decision('retry')];
    expect(fold(events).phase).toBe('finished');
  });
});

describe('of several targets', () => {
  const targets = ['eu', 'us'].map((to) => ({ to, branch: `stage/${to}` }));
  const {
    to: _,
    branch: __,
    ...promotion
  } = step('promotion') as ReturnType<typeof step> & { to?: string; branch?: string };
  const several = planned({ ...promotion, targets } as ReturnType<typeof step>);
  const outcome = (result: 'pass' | 'fail') => ({ status: 'succeeded', result, message: result, data: {} });

  it('those that were reached stay so', () => {
    const data = { targets: { eu: outcome('pass'), us: outcome('fail') } };
    const state = fold([
      ...several,
      taskTriggered(1, 'promotion'),
      taskFinished('promotion', 'fail', { data }),
      over,
      decision('retry'),
      taskTriggered(2, 'promotion'),
    ]);
    const task = currentTask(state);
    if (!task) throw new Error('no task');
    expect(endedBefore(state, task, 'eu').outcome).toMatchObject({ result: 'pass' });
    expect(endedBefore(state, task, 'us').outcome).toBeUndefined();
  });

  it('one that was closed is taken up while the other goes on', () => {
    const memo = { targets: { eu: { pullRequest: 7 }, us: { pullRequest: 8, outcome: outcome('fail') } } };
    const events: SequenceEvent[] = [
      ...several,
      taskTriggered(1, 'promotion'),
      {
        name: 'task.waiting',
        at: START,
        data: { task: 'seq.1-promotion', blocker: { kind: 'review', sentence: 'x' }, memo },
      },
    ];
    expect(check(events)).toMatchObject({ ok: true, decision: { task: 'seq.1-promotion' } });
    const state = fold([...events, decision('retry', { task: 'seq.1-promotion' })]);
    const task = currentTask(state);
    if (!task) throw new Error('no task');
    expect(endedBefore(state, task, 'us')).toEqual({ memo: { retries: 1 } });
    expect(endedBefore(state, task, 'eu')).toEqual({ memo: { pullRequest: 7 } });
  });
});
