import { describe, expect, it } from 'vitest';
import { occupiesLine } from '../../src/engine/line.ts';
import type { PlannedTask } from '../../src/engine/plan.ts';
import { planDelivery, planRollback } from '../../src/engine/plan.ts';
import { lastGood, wasGood } from '../../src/engine/rollback.ts';
import { fold, type SequenceState } from '../../src/engine/sequence.ts';
import type { Blocker, SequenceEvent, TaskName } from '../../src/events/types.ts';
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

const GOOD = '1111111111111111111111111111111111111111';
const rollback: PlannedTask = { name: 'rollback', timeLimitMs: 86_400_000, by: 'auto', merge: 'automatic' };

/** A change that was synced in a stage which rolls back what fails. */
const synced = (...steps: PlannedTask[]) => [
  ...planned(step('sync'), ...steps, rollback),
  taskTriggered(1, 'sync'),
  taskFinished('sync', 'pass'),
];

const waits = (task: string, blocker: Blocker): SequenceEvent => ({
  name: 'task.waiting',
  at: START,
  data: { task, blocker, memo: {} },
});

describe('a change that fails after its sync, where the stage rolls back', () => {
  it.each<TaskName>(['rollout', 'test', 'evaluation', 'soak'])('is rolled back when %s says fail', (name) => {
    given(...synced(step('rollout'), step('soak')), taskTriggered(2, name), taskFinished(name, 'fail'))
      .now()
      .says({ name: 'task.triggered', task: 'seq.3-rollback', timeLimitMs: 86_400_000 });
  });

  it('is rolled back when it never becomes healthy in its time', () => {
    given(
      ...synced(step('rollout')),
      taskTriggered(2, 'rollout', 60_000),
      waits('seq.2-rollout', { kind: 'health', sentence: 'health is Degraded' }),
    )
      .now(1)
      .says(
        { name: 'task.finished', task: 'seq.2-rollout', status: 'errored', result: 'fail' },
        { name: 'task.triggered', task: 'seq.3-rollback' },
      );
  });

  it('is not rolled back when nobody could look in time, and that is said', () => {
    given(
      ...synced(step('rollout')),
      taskTriggered(2, 'rollout', 60_000),
      waits('seq.2-rollout', { kind: 'unreachable', sentence: 'Argo CD cannot be reached' }),
    )
      .now(1)
      .says(
        { name: 'task.finished', status: 'errored' },
        {
          name: 'sequence.finished',
          reason: 'timed-out',
          message: expect.stringMatching(/cannot be reached; not rolled back, because it could not be judged$/),
        },
      );
  });

  it('is not rolled back when it could not be judged', () => {
    const errored = taskFinished('evaluation', 'fail', { position: 2, status: 'errored', message: 'no data' });
    given(...synced(step('rollout')), taskTriggered(2, 'evaluation'), errored)
      .now()
      .says({
        name: 'sequence.finished',
        result: 'fail',
        message: 'no data; not rolled back, because it could not be judged',
      });
  });

  it('is not rolled back because of a warning', () => {
    given(...synced(step('rollout')), taskTriggered(2, 'rollout'), taskFinished('rollout', 'warning'))
      .now()
      .says({ name: 'sequence.finished', result: 'warning', reason: 'completed' });
  });

  it('is not rolled back when it was never synced', () => {
    given(...planned(step('sync'), rollback), taskTriggered(1, 'sync'), taskFinished('sync', 'fail'))
      .now()
      .says({ name: 'sequence.finished', result: 'fail', message: 'sync says fail' });
  });

  it('is not rolled back when a newer change has taken its place', () => {
    const overtaken = taskFinished('rollout', 'fail', {
      position: 2,
      status: 'aborted',
      data: { reason: 'superseded' },
    });
    given(...synced(step('rollout')), taskTriggered(2, 'rollout'), overtaken)
      .now()
      .says({ name: 'sequence.finished', reason: 'superseded', message: 'rollout says fail' });
  });

  it('is not rolled back while it is paused, and then it is', () => {
    const history = [
      ...synced(step('rollout')),
      taskTriggered(2, 'rollout'),
      decision('pause'),
      taskFinished('rollout', 'fail'),
    ];
    given(...history)
      .now()
      .saysNothing();
    given(...history, decision('resume'))
      .now()
      .says({ name: 'task.triggered', task: 'seq.3-rollback' });
  });

  it('is not rolled back where the stage does not say so', () => {
    given(...planned(step('rollout')), taskTriggered(1, 'rollout'), taskFinished('rollout', 'fail'))
      .now()
      .says({ name: 'sequence.finished', message: 'rollout says fail' });
  });
});

describe('a rollback', () => {
  const failing = [
    ...synced(step('rollout')),
    taskTriggered(2, 'rollout'),
    taskFinished('rollout', 'fail', { position: 2, message: 'it crashes' }),
    taskTriggered(3, 'rollback', 86_400_000),
  ];

  it('that worked does not make the change one that passed', () => {
    given(...failing, taskFinished('rollback', 'pass', { position: 3, message: 'rolled back to 11111111 by sync' }))
      .now()
      .says({
        name: 'sequence.finished',
        status: 'succeeded',
        result: 'fail',
        reason: 'failed',
        message: 'it crashes; rolled back to 11111111 by sync',
      });
  });

  it('that failed says so loudly', () => {
    given(...failing, taskFinished('rollback', 'fail', { position: 3, message: 'it is Degraded, too' }))
      .now()
      .says({
        name: 'sequence.finished',
        result: 'fail',
        message: 'ROLLBACK FAILED: it is Degraded, too (it crashes)',
      });
  });

  it('that was not to be is told apart from one that failed', () => {
    const nothing = { message: 'no commit has ever passed here', data: { notRolledBack: true } };
    given(...failing, taskFinished('rollback', 'fail', { ...nothing, position: 3 }))
      .now()
      .says({ name: 'sequence.finished', message: 'it crashes; not rolled back: no commit has ever passed here' });
  });

  it('of a change that ran out of time keeps the reason', () => {
    const late = taskFinished('rollout', 'fail', { status: 'errored', position: 2 });
    const done = taskFinished('rollback', 'pass', { position: 3 });
    given(...synced(step('rollout')), taskTriggered(2, 'rollout'), late, taskTriggered(3, 'rollback'), done)
      .now()
      .says({ name: 'sequence.finished', status: 'errored', reason: 'timed-out' });
  });

  it('that ran out of time itself is a failed one', () => {
    const events = given(...failing).now(24 * 60).events;
    expect(events).toMatchObject([{ name: 'task.finished', data: { name: 'rollback', status: 'errored' } }]);
    given(...failing, ...events)
      .now(24 * 60)
      .says({ name: 'sequence.finished', message: expect.stringMatching(/^ROLLBACK FAILED: .*\(it crashes\)$/) });
  });

  it('is not overtaken by a newer change, also where Argo CD syncs by itself', () => {
    const history = failing.map((event) =>
      event.name === 'task.finished' && event.data.name === 'plan'
        ? {
            ...event,
            data: { ...event.data, data: { steps: [step('sync', { mode: 'automatic' }), rollback], files: [] } },
          }
        : event,
    ) as SequenceEvent[];
    given(...history)
      .now(1, { newer: 'next' })
      .saysNothing();
  });

  it('ends when a person aborts it', () => {
    given(...failing, decision('abort'))
      .now()
      .says({ name: 'task.finished', status: 'aborted' }, { name: 'sequence.finished', reason: 'aborted' });
  });

  it('holds up its stage only until its pull request is open', () => {
    expect(occupiesLine(fold(failing))).toBe(true);
    const open: SequenceEvent = {
      name: 'task.waiting',
      at: START,
      data: { task: 'seq.3-rollback', blocker: { kind: 'review', sentence: 'x' }, memo: { pullRequest: 7 } },
    };
    expect(occupiesLine(fold([...failing, open]))).toBe(false);
  });
});

describe('a revert commit', () => {
  const rollsBack = { sequence: 's1', revision: COMMIT, to: GOOD, pullRequest: 7 };

  it('is synced and watched, and nothing else', () => {
    const files = [{ path: 'delivery.yaml', sha256: 'x' }];
    const stage = {
      name: 'production',
      sync: 'gated' as const,
      prune: false,
      checks: { windows: [{ kind: 'deny' as const, spans: [], timeZone: 'UTC', reason: '', text: '' }] },
      approval: { quorum: 1, groups: [], expiresAfterMs: 1 },
      rollout: { settleMs: 1, timeLimitMs: 2 },
      tests: [],
      soakMs: 5,
      promotion: { to: ['x'], onPass: 'automatic' as const, onWarning: 'none' as const },
      onFailure: { by: 'auto' as const, merge: 'automatic' as const },
    };
    const found = { stage, promotionTargets: [{ to: 'x', branch: 'stage/x' }], files };
    expect(planDelivery(found).steps.map(({ name }) => name)).toEqual([
      ...['checks', 'approval', 'sync', 'rollout', 'soak', 'promotion', 'rollback'],
    ]);
    expect(planRollback(found)).toMatchObject({ files, steps: [{ name: 'sync' }, { name: 'rollout', settleMs: 1 }] });
  });

  it('that runs says where the stage is again', () => {
    const [, ...rest] = planned(step('sync'));
    given(triggered({ rollsBack }), ...rest, taskTriggered(1, 'sync'), taskFinished('sync', 'pass'))
      .now()
      .says({ name: 'sequence.finished', result: 'pass', message: 'rolled back to 11111111, deployed and healthy' });
  });

  it('that does not run says so loudly', () => {
    const [, ...rest] = planned(step('sync'));
    given(triggered({ rollsBack }), ...rest, taskTriggered(1, 'sync'), taskFinished('sync', 'fail'))
      .now()
      .says({ name: 'sequence.finished', result: 'fail', message: 'ROLLBACK FAILED: sync says fail' });
  });
});

describe('the last good change', () => {
  /** One that went through its stage like this, by its commit. */
  function change(revision: string, ...rest: SequenceEvent[]): SequenceState {
    const steps = [step('sync'), step('rollout'), step('promotion')];
    const [, ...begun] = planned(...steps);
    return fold([triggered({ revision }), ...begun, ...rest]);
  }
  const deployed = [
    taskTriggered(1, 'sync'),
    taskFinished('sync', 'pass', { position: 1 }),
    taskTriggered(2, 'rollout'),
  ];
  const over = (result: 'pass' | 'warning' | 'fail', reason = 'completed'): SequenceEvent =>
    ({ name: 'sequence.finished', at: START, data: { status: 'succeeded', result, reason, message: '' } }) as never;
  const healthy = taskFinished('rollout', 'pass', { position: 2 });
  const passed = (revision: string) => change(revision, ...deployed, healthy, over('pass'));
  const failed = (revision: string) =>
    change(revision, ...deployed, taskFinished('rollout', 'fail', { position: 2 }), over('fail', 'failed'));
  const promotion = (result: 'pass' | 'fail', status: 'succeeded' | 'aborted') => [
    taskTriggered(3, 'promotion'),
    taskFinished('promotion', result, { position: 3, status }),
  ];
  const [A, B] = ['a'.repeat(40), 'b'.repeat(40)];

  it('is the newest one that passed', () => {
    expect(lastGood([failed(COMMIT), passed(B), passed(A)], COMMIT)?.triggered?.revision).toBe(B);
    expect(lastGood([failed(COMMIT), failed(B), passed(A)], COMMIT)?.triggered?.revision).toBe(A);
  });

  it('may have passed with a warning', () => {
    expect(wasGood(change(A, ...deployed, healthy, over('warning')))).toBe(true);
  });

  it('is never the failed commit itself, nor one that failed here since', () => {
    expect(lastGood([passed(COMMIT)], COMMIT)).toBeUndefined();
    expect(lastGood([failed(COMMIT), failed(A), passed(A)], COMMIT)).toBeUndefined();
  });

  it('must have been deployed to its end', () => {
    expect(wasGood(change(A, taskTriggered(1, 'sync'), taskFinished('sync', 'pass'), over('pass')))).toBe(false);
    expect(wasGood(change(A, ...deployed))).toBe(false);
    expect(wasGood(change(A, ...deployed, healthy))).toBe(false);
    expect(wasGood(change(A, started))).toBe(false);
  });

  it('may have made room for a newer promotion, but nobody may have refused it', () => {
    const superseded = [...promotion('fail', 'aborted'), over('fail', 'superseded')];
    expect(wasGood(change(A, ...deployed, healthy, ...superseded))).toBe(true);
    expect(wasGood(change(A, ...deployed, healthy, taskTriggered(3, 'promotion')))).toBe(true);
    expect(wasGood(change(A, ...deployed, healthy, ...promotion('fail', 'succeeded'), over('fail', 'failed')))).toBe(
      false,
    );
  });
});
