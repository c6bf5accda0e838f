import { describe, expect, it } from 'vitest';
import type { PlannedTask } from '../../src/engine/plan.ts';
import type { SequenceEvent, TaskName } from '../../src/events/types.ts';
import { decision, given, planned, START, step, taskFinished, taskTriggered } from '../support/sequence.ts';

const release: PlannedTask = { name: 'release', timeLimitMs: 600_000 };
const synced = [
  ...planned(step('sync'), step('rollout'), release),
  taskTriggered(1, 'sync'),
  taskFinished('sync', 'pass'),
];
const begun = [...synced, taskTriggered(2, 'rollout')];
const judging = [...begun, taskFinished('rollout', 'pass', { position: 2 }), taskTriggered(3, 'test')];
const abort = decision('abort', { reason: 'INC-1' });
const waits = (task: string, sentence: string, memo = {}): SequenceEvent => ({
  name: 'task.waiting',
  at: START,
  data: { task, blocker: { kind: 'health', sentence }, memo },
});

describe('a change whose canaries are let go on by Lynceus, when it is aborted', () => {
  it.each<[TaskName, SequenceEvent[]]>([
    ['rollout', begun],
    ['test', judging],
  ])('at its %s takes the canary back before it is over', (name, history) => {
    given(...history, abort)
      .now()
      .says(
        { name: 'task.finished', task: expect.stringContaining(name), status: 'aborted' },
        { name: 'task.triggered', task: expect.stringMatching(/-release$/) },
      );
  });

  it('between two tasks does so too, also where the last one failed', () => {
    for (const result of ['pass', 'fail'] as const)
      given(...judging, decision('pause'), taskFinished('test', result, { position: 3 }), abort)
        .now()
        .says({ name: 'task.triggered', task: 'seq.4-release' });
  });

  it('while the canary is being let go on leaves the task to take it back, for its time', () => {
    const going = [...judging, taskFinished('test', 'pass', { position: 3 }), taskTriggered(4, 'release'), abort];
    given(...going)
      .now()
      .saysNothing();
    given(...going, taskFinished('release', 'pass', { position: 4, message: 'the canary was taken back' }))
      .now()
      .says({
        name: 'sequence.finished',
        status: 'aborted',
        reason: 'aborted',
        message: 'aborted by ada: INC-1; the canary was taken back',
      });
    given(...going, waits('seq.4-release', 'Argo CD main answered 403'))
      .now(10)
      .says(
        { name: 'task.finished', task: 'seq.4-release', status: 'errored' },
        {
          name: 'sequence.finished',
          reason: 'aborted',
          message: expect.stringMatching(/its canary was not taken back: abort or promote it in Argo CD \(.*403\)$/),
        },
      );
  });

  it('says so when the canary could not be taken back', () => {
    const refused = taskFinished('release', 'fail', { position: 4, status: 'errored', message: 'permission denied' });
    given(
      ...judging,
      abort,
      taskFinished('test', 'fail', { status: 'aborted', position: 3 }),
      taskTriggered(4, 'release'),
      refused,
    )
      .now()
      .says({
        name: 'sequence.finished',
        message:
          'aborted by ada: INC-1; its canary was not taken back: abort or promote it in Argo CD (permission denied)',
      });
  });

  it('before anything was rolled out, or once the canary was let go on, has nothing to take back', () => {
    const after = [...judging, taskFinished('test', 'pass', { position: 3 }), taskTriggered(4, 'release')];
    const soaking = [...after, taskFinished('release', 'pass', { position: 4 }), taskTriggered(5, 'soak')];
    for (const history of [synced.slice(0, -1), soaking])
      given(...history, abort)
        .now()
        .says({ name: 'task.finished', status: 'aborted' }, { name: 'sequence.finished', reason: 'aborted' });
  });
});

describe('a change whose canaries are let go on by people, when it is aborted', () => {
  const sentence = 'Rollout checkout is paused (CanaryPauseStep): promote or abort it in Argo CD';
  const paused = [...planned(step('sync'), step('rollout')), taskTriggered(1, 'rollout')];

  it('says which one is left paused, and how to go on', () => {
    given(...paused, waits('seq.1-rollout', sentence, { paused: { 'main/argocd/checkout': sentence } }), abort)
      .now()
      .says({ name: 'task.finished' }, { name: 'sequence.finished', message: `aborted by ada: INC-1; ${sentence}` });
    given(...paused, waits('seq.1-rollout', 'health is Progressing', { paused: {} }), abort)
      .now()
      .says({ name: 'task.finished' }, { name: 'sequence.finished', message: 'aborted by ada: INC-1' });
  });
});
