import { describe, expect, it } from 'vitest';
import { fold } from '../../src/engine/sequence.ts';
import type { SequenceEvent } from '../../src/events/types.ts';
import { sayGoingBack, subjectOf } from '../../src/views/gate-rollback.ts';
import { COMMIT, planned, START, step, taskFinished, taskTriggered, triggered } from '../support/sequence.ts';

const GOOD = '1'.repeat(40);
const REVERT = '3'.repeat(40);
const change = fold([triggered()]);
const revert = fold([
  triggered({ revision: REVERT, rollsBack: { sequence: 'seq', revision: COMMIT, to: GOOD, pullRequest: 7 } }),
]);
const goingBack = (by: string) =>
  fold([
    ...planned(step('sync')),
    taskTriggered(1, 'test'),
    taskFinished('test', 'fail'),
    taskTriggered(2, 'rollback', 1e12),
    {
      name: 'task.waiting',
      at: START,
      data: { task: 'seq.2-rollback', blocker: { kind: 'sync', sentence: 'x' }, memo: { by, good: GOOD } },
    } as SequenceEvent,
  ]);

describe('a gate in a stage that was rolled back', () => {
  it('answers for the change that failed, not for the revert that took it back', () => {
    expect(subjectOf([revert, change], { until: 'verdict' })).toBe(change);
    expect(subjectOf([revert, change], { until: 'verdict', revision: COMMIT })).toBe(change);
  });

  it('answers for the revert when that is what is being deployed, or what it was asked about', () => {
    expect(subjectOf([revert, change], { until: 'deploy' })).toBe(revert);
    expect(subjectOf([revert, change], { until: 'verdict', revision: REVERT.slice(0, 8) })).toBe(revert);
  });

  it('lets the good commit in again while a rollback syncs it, and nothing else', () => {
    expect(sayGoingBack([goingBack('sync')], { until: 'deploy', revision: GOOD })).toBe(
      'a rollback to 11111111 is under way',
    );
    expect(sayGoingBack([goingBack('sync')], { until: 'deploy', revision: COMMIT })).toBeUndefined();
    expect(sayGoingBack([goingBack('sync')], { until: 'verdict', revision: GOOD })).toBeUndefined();
    expect(sayGoingBack([goingBack('sync')], { until: 'deploy' })).toBeUndefined();
    expect(sayGoingBack([goingBack('pullRequest')], { until: 'deploy', revision: GOOD })).toBeUndefined();
    expect(sayGoingBack([change], { until: 'deploy', revision: GOOD })).toBeUndefined();
  });
});
