import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide } from '../../src/engine/decide.ts';
import { evolve, fold, noSequence } from '../../src/engine/sequence.ts';
import type { SequenceEvent, TaskName } from '../../src/events/types.ts';
import {
  COMMIT,
  decision,
  given,
  minute,
  planned,
  START,
  started,
  step,
  taskFinished,
  taskTriggered,
  triggered,
} from '../support/sequence.ts';

describe('a sequence that was triggered', () => {
  it('starts and reads its plan first', () => {
    given(triggered()).now().says({ name: 'sequence.started' }, { name: 'task.triggered', task: 'seq.0-plan' });
  });

  it('waits while another one is at work on the application', () => {
    given(triggered()).now(1, { busyWith: 'other' }).saysNothing();
  });

  it('gives way to a newer change, even before it started', () => {
    given(triggered())
      .now(1, { newer: 'next', busyWith: 'other' })
      .says({ name: 'sequence.finished', reason: 'superseded', by: 'next' });
  });

  it('does not start while it is paused', () => {
    given(triggered(), decision('pause')).now().saysNothing();
    given(triggered(), decision('pause'), decision('resume'))
      .now()
      .says({ name: 'sequence.started' }, { name: 'task.triggered' });
  });
});

describe('a sequence under way', () => {
  it('goes through the steps of its plan in order', () => {
    given(...planned(step('sync'), step('rollout')))
      .now()
      .says({ name: 'task.triggered', task: 'seq.1-sync' });
    given(...planned(step('sync'), step('rollout')), taskTriggered(1, 'sync'), taskFinished('sync', 'pass'))
      .now()
      .says({ name: 'task.triggered', task: 'seq.2-rollout' });
  });

  it('says nothing while a task is at work', () => {
    given(...planned(step('sync')), taskTriggered(1, 'sync'))
      .now()
      .saysNothing();
  });

  it('ends as passed after its last step', () => {
    given(...planned(step('sync')), taskTriggered(1, 'sync'), taskFinished('sync', 'pass'))
      .now()
      .says({ name: 'sequence.finished', status: 'succeeded', result: 'pass', reason: 'completed' });
  });

  it('stops at the first task that fails', () => {
    given(...planned(step('sync'), step('rollout')), taskTriggered(1, 'sync'), taskFinished('sync', 'fail'))
      .now()
      .says({ name: 'sequence.finished', result: 'fail', reason: 'failed', message: 'sync says fail' });
  });

  it('never counts machinery that broke as a pass', () => {
    given(...planned(step('sync')), taskTriggered(1, 'sync'), taskFinished('sync', 'pass', { status: 'errored' }))
      .now()
      .says({ name: 'sequence.finished', status: 'errored', result: 'fail' });
  });

  it('fails when the plan could not be read', () => {
    given(
      triggered(),
      started,
      taskTriggered(0, 'plan'),
      taskFinished('plan', 'fail', { status: 'errored', message: 'delivery.yaml:3:5 ...' }),
    )
      .now()
      .says({ name: 'sequence.finished', status: 'errored', result: 'fail', message: 'delivery.yaml:3:5 ...' });
  });

  it('gives up a task at its time limit and says what it waited for', () => {
    const waiting: SequenceEvent = {
      name: 'task.waiting',
      at: START,
      data: {
        task: 'seq.1-sync',
        blocker: { kind: 'unreachable', sentence: 'Argo CD main cannot be reached' },
        memo: {},
      },
    };
    const history = [...planned(step('sync')), taskTriggered(1, 'sync', 600_000), waiting];
    given(...history)
      .now(9)
      .saysNothing();
    given(...history)
      .now(10)
      .says(
        { name: 'task.finished', status: 'errored', result: 'fail' },
        {
          name: 'sequence.finished',
          reason: 'timed-out',
          message: 'sync did not finish in time: Argo CD main cannot be reached',
        },
      );
  });

  it('does not go on while it is paused, but lets the running task end', () => {
    given(...planned(step('sync')), decision('pause'))
      .now()
      .saysNothing();
  });

  it('ends at once when it is aborted', () => {
    given(...planned(step('sync')), taskTriggered(1, 'sync'), decision('abort', { reason: 'wrong branch' }))
      .now()
      .says(
        { name: 'task.finished', status: 'aborted' },
        { name: 'sequence.finished', status: 'aborted', result: 'fail', message: 'aborted by ada: wrong branch' },
      );
  });
});

describe('a newer change', () => {
  it('takes over what has not been synced yet', () => {
    for (const name of ['checks', 'approval'] as const) {
      given(...planned(step('checks'), step('approval', { always: true }), step('sync')), taskTriggered(1, name))
        .now(1, { newer: 'next' })
        .says(
          { name: 'task.finished', status: 'aborted' },
          { name: 'sequence.finished', reason: 'superseded', by: 'next' },
        );
    }
  });

  it('takes over between the checks and the sync', () => {
    given(...planned(step('checks'), step('sync')), taskTriggered(1, 'checks'), taskFinished('checks', 'pass'))
      .now(1, { newer: 'next' })
      .says({ name: 'sequence.finished', reason: 'superseded' });
  });

  it('waits for a gated change that is being synced and tested', () => {
    given(...planned(step('sync'), step('rollout')), taskTriggered(1, 'sync'))
      .now(1, { newer: 'next' })
      .saysNothing();
  });

  it('takes over at once where the delivery system syncs by itself: what is measured now is the newer one', () => {
    given(...planned(step('sync', { mode: 'automatic' }), step('rollout')), taskTriggered(1, 'rollout'))
      .now(1, { newer: 'next' })
      .says({ name: 'task.finished', status: 'aborted' }, { name: 'sequence.finished', reason: 'superseded' });
  });

  it('leaves a promotion alone that waits for its review: it may be the last good one', () => {
    given(...planned(step('sync', { mode: 'automatic' }), step('promotion')), taskTriggered(1, 'promotion'))
      .now(1, { newer: 'next' })
      .saysNothing();
  });
});

describe('an approval', () => {
  const steps = [step('checks'), step('approval'), step('sync')];

  it('is skipped when the checks pass', () => {
    given(...planned(...steps), taskTriggered(1, 'checks'), taskFinished('checks', 'pass'))
      .now()
      .says({ task: 'seq.2-sync' });
  });

  it('is demanded when a check asks for a person', () => {
    given(...planned(...steps), taskTriggered(1, 'checks'), taskFinished('checks', 'warning'))
      .now()
      .says({ task: 'seq.2-approval' });
  });

  it('is demanded always where the stage says so', () => {
    given(...planned(step('approval', { always: true }), step('sync')))
      .now()
      .says({ task: 'seq.1-approval' });
  });

  const asked = [...planned(step('approval', { always: true, quorum: 2 }), step('sync')), taskTriggered(1, 'approval')];
  const vote = (actor: string, verdict: 'approve' | 'reject' = 'approve', revision = COMMIT) =>
    decision(verdict, { actor, revision, task: 'seq.1-approval' });

  it('needs as many different people as the quorum', () => {
    given(...asked, vote('ada'))
      .now()
      .saysNothing();
    given(...asked, vote('ada'), vote('ada'))
      .now()
      .saysNothing();
    given(...asked, vote('ada'), vote('lin'))
      .now()
      .says({ name: 'task.finished', result: 'pass', message: 'approved by ada, lin' });
  });

  it('does not take one person for two because their name changed meanwhile', () => {
    const said = (actor: string, subject: string) =>
      decision('approve', {
        ...{ actor, task: 'seq.1-approval', method: 'session' },
        identity: { issuer: 'https://dex.example.com', subject },
      });
    given(...asked, said('ada', '17'), said('ada lovelace', '17'))
      .now()
      .saysNothing();
    given(...asked, said('ada', '17'), said('ada', '18'))
      .now()
      .saysNothing();
    given(...asked, said('ada', '17'), said('lin', '18'))
      .now()
      .says({ name: 'task.finished', result: 'pass', message: 'approved by ada, lin' });
  });

  it('does not count what was said of another commit', () => {
    given(...asked, vote('ada'), vote('lin', 'approve', 'ffff'))
      .now()
      .saysNothing();
  });

  it('is refused by one who rejects', () => {
    given(...asked, vote('ada'), vote('lin', 'reject'))
      .now()
      .says(
        { name: 'task.finished', result: 'fail' },
        { name: 'sequence.finished', reason: 'rejected', message: 'rejected by lin: because' },
      );
  });

  it('expires', () => {
    given(...asked, vote('ada'))
      .now(60)
      .says({ name: 'task.finished', status: 'errored' }, { name: 'sequence.finished', reason: 'timed-out' });
  });
});

describe('a promotion', () => {
  const upTo = (result: 'pass' | 'warning', changes: object) =>
    given(...planned(step('sync'), step('promotion', changes)), taskTriggered(1, 'sync'), taskFinished('sync', result));

  it('follows a pass', () => {
    upTo('pass', {}).now().says({ task: 'seq.2-promotion' });
  });

  it('does not follow a warning unless the policy says so', () => {
    upTo('warning', { onWarning: 'none' }).now().says({
      name: 'sequence.finished',
      result: 'warning',
      message: 'verified with warning; not promoted, as the policy says',
    });
    upTo('warning', { onWarning: 'manual' }).now().says({ task: 'seq.2-promotion' });
  });

  it('does not follow a pass when nobody asked for it', () => {
    upTo('pass', { onPass: 'none' }).now().says({ name: 'sequence.finished', result: 'pass' });
  });
});

const anyTask = fc.constantFrom<TaskName>('plan', 'checks', 'approval', 'sync', 'rollout', 'promotion');
const anyEvent: fc.Arbitrary<SequenceEvent> = fc.oneof(
  fc.constant(triggered()),
  fc.constant(started),
  fc.tuple(fc.nat(4), anyTask).map(([at, name]) => taskTriggered(at, name)),
  fc
    .tuple(
      fc.nat(4),
      anyTask,
      fc.constantFrom('pass', 'warning', 'fail'),
      fc.constantFrom('succeeded', 'errored', 'aborted'),
    )
    .map(([at, name, result, status]) =>
      taskFinished(name, result as 'pass', { position: at, status: status as 'succeeded' }),
    ),
  fc
    .constantFrom('approve', 'reject', 'pause', 'resume', 'abort')
    .map((verdict) => decision(verdict as 'approve', { task: 'seq.1-approval' })),
  fc.constant(planned(step('sync'), step('promotion')).at(-1) as SequenceEvent),
  fc.constant<SequenceEvent>({
    name: 'sequence.finished',
    at: START,
    data: { status: 'succeeded', result: 'pass', reason: 'completed', message: '' },
  }),
);

describe('any history at all', () => {
  it('folds and is decided without a throw, and one that is over stays over', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 20 }), (history) => {
        const state = fold(history);
        const events = decide(state, { now: minute(1), line: {} });
        if (state.phase === 'finished') expect(events).toEqual([]);
      }),
      { numRuns: 2000 },
    );
  });

  it('comes to rest: what is decided is not decided again', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 12 }), (history) => {
        let state = fold(history);
        for (let round = 0; round < 20; round++) {
          const events = decide(state, { now: minute(1), line: {} });
          if (events.length === 0) return;
          state = events.reduce(evolve, state);
        }
        throw new Error('still deciding after 20 rounds');
      }),
      { numRuns: 2000 },
    );
  });

  it('is told once: a repeated event of an end changes nothing', () => {
    const end: SequenceEvent = {
      name: 'sequence.finished',
      at: START,
      data: { status: 'errored', result: 'fail', reason: 'failed', message: 'x' },
    };
    const state = [triggered(), started, end].reduce(evolve, noSequence);
    const later: SequenceEvent = { ...end, data: { ...end.data, result: 'pass', status: 'succeeded' } };
    expect(evolve(state, later)).toBe(state);
  });
});
