import { describe, expect, it } from 'vitest';
import { fold } from '../../src/engine/sequence.ts';
import type { SequenceEvent } from '../../src/events/types.ts';
import { movedAt, runFromDocument } from '../../src/forecast/run.ts';
import { runOf, stepRecords } from '../../src/forecast/step-records.ts';
import { sequenceRows } from '../../src/views/sequence-document.ts';
import { decision, minute, planned, step, taskFinished, taskTriggered, triggered } from '../support/sequence.ts';

const at = (minutes: number, event: SequenceEvent): SequenceEvent => ({ ...event, at: minute(minutes) });
const done = (position: number, name: Parameters<typeof taskFinished>[0], from: number, to: number, more = {}) => [
  taskTriggered(position, name, 600_000, minute(from)),
  at(to, taskFinished(name, 'pass', { position, ...more })),
];
const finished = (minutes: number, reason: string, result = 'pass'): SequenceEvent =>
  ({
    name: 'sequence.finished',
    at: minute(minutes),
    data: { status: 'succeeded', result, reason, message: 'm' },
  }) as SequenceEvent;

const steps = [step('checks'), step('approval', { always: true }), step('sync'), step('rollout'), step('promotion')];

describe('what is recorded of a sequence', () => {
  it('is each step with its time, people apart from machines', () => {
    const state = fold([
      ...planned(...steps),
      ...done(1, 'checks', 0, 1),
      ...done(2, 'approval', 1, 24),
      ...done(3, 'sync', 24, 26),
      ...done(4, 'rollout', 26, 29),
      ...done(5, 'promotion', 29, 60),
      finished(60, 'completed'),
    ]);
    expect(
      stepRecords(state).map(({ step: name, startedAt, endedAt, human, outcome }) => [
        ...[name, Date.parse(endedAt) - Date.parse(startedAt), human, outcome],
      ]),
    ).toEqual([
      ['checks', 60_000, false, 'passed'],
      ['approval', 23 * 60_000, true, 'passed'],
      ['sync', 120_000, false, 'passed'],
      ['rollout', 180_000, false, 'passed'],
      ['promotion', 31 * 60_000, true, 'passed'],
    ]);
    expect(runOf(state)).toMatchObject({ outcome: 'passed', deployedAt: minute(29), endedAt: minute(60) });
  });

  it('counts neither what is under way nor what a newer change overtook', () => {
    const underWay = [...planned(...steps), ...done(1, 'checks', 0, 1), taskTriggered(2, 'approval', 1, minute(1))];
    expect(runOf(fold(underWay))).toMatchObject({ outcome: 'open', steps: [{ step: 'checks' }] });
    const overtaken = fold([
      ...underWay,
      at(9, taskFinished('approval', 'fail', { position: 2, status: 'aborted' })),
      finished(9, 'superseded', 'fail'),
    ]);
    expect(runOf(overtaken)).toMatchObject({
      outcome: 'superseded',
      steps: [{ outcome: 'passed' }, { step: 'approval', outcome: 'superseded' }],
    });
  });

  it('says what it failed at: the indicators that missed, else the message, in few words', () => {
    const indicators = [
      { sli: 'throughput', status: 'warning' },
      { sli: 'p95', status: 'fail' },
    ];
    const failing = (name: Parameters<typeof taskFinished>[0], data: object, message: string) =>
      runOf(fold([...planned(...steps), taskTriggered(1, name), taskFinished(name, 'fail', { data, message })]))?.steps;
    expect(failing('evaluation', { evaluation: { indicators } }, 'm')).toMatchObject([{ cause: 'p95' }]);
    expect(failing('evaluation', { evaluation: { indicators: 'none' } }, 'no data')).toMatchObject([
      { cause: 'no data' },
    ]);
    expect(failing('test', {}, 'x'.repeat(500))?.[0]?.cause).toHaveLength(80);
  });

  it('numbers attempts, and knows a way back from a change', () => {
    const twice = [...done(1, 'promotion', 0, 5), ...done(2, 'promotion', 6, 9)];
    const again = fold([...planned(...steps), ...twice]);
    expect(runOf(again)?.steps.map(({ attempt }) => attempt)).toEqual([1, 2]);
    const asked = { what: 'rollback', sequence: 'bad', decision: 'd', actor: 'ada', reason: 'slow' } as const;
    expect(runOf(fold([triggered({ asked })]))).toMatchObject({ back: { of: 'bad' }, outcome: 'open', steps: [] });
    expect(runOf(fold([]))).toBeUndefined();
  });

  it('is a row of its own, written with the sequence and read back as it was', () => {
    const state = fold([
      ...planned(...steps),
      ...done(1, 'checks', 0, 1),
      at(2, decision('pause')),
      ...done(2, 'approval', 1, 24),
    ]);
    const row = sequenceRows(state, 9).find(({ kind }) => kind === 'steps');
    expect(row).toMatchObject({ id: 'seq', version: 9, status: 'open', context: 'ctx', sort: Date.parse(minute(24)) });
    const run = runFromDocument({ ...row, data: row?.data ?? {}, id: 'seq' });
    expect(run).toEqual(runOf(state));
    expect(run && movedAt(run)).toBe(row?.sort);
    expect(runFromDocument({ id: 'seq', data: { steps: 'none' } })).toBeUndefined();
  });
});
