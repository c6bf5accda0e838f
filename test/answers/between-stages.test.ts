import { describe, expect, it } from 'vitest';
import { changeRow, needsOf } from '../../src/answers/answer.ts';
import { wayText } from '../../src/answers/answers-text.ts';
import { type ChangeInput, changeFacts } from '../../src/answers/change-facts.ts';
import { decide } from '../../src/engine/decide.ts';
import type { PlannedTask } from '../../src/engine/plan.ts';
import { evolve, fold, type SequenceState } from '../../src/engine/sequence.ts';
import type { SequenceEvent, SequenceTriggered } from '../../src/events/types.ts';
import { GOLDEN_NOW, goldenChange } from '../support/change-rows.ts';
import { minute, planned, step, taskFinished, taskTriggered, triggered } from '../support/sequence.ts';

const at = (stage: string, changes: Partial<SequenceTriggered> = {}) =>
  triggered({ place: { project: 'shop', stage, service: 'checkout' }, sequence: stage, ...changes });

/** With what the engine says once this has happened, three minutes after the start. */
function decided(first: SequenceEvent, steps: PlannedTask[], ...events: SequenceEvent[]): SequenceState {
  const state = fold([first, ...planned(...steps).slice(1), ...events]);
  return decide(state, { now: minute(3), line: {} }).reduce(evolve, state);
}

function read(sequences: SequenceState[], { now = 8, ...input }: { now?: number } & Partial<ChangeInput> = {}) {
  const facts = changeFacts({ id: 'ctx', rev: 1, sequences, ...input });
  const { state, cells, blocker, unblock } = changeRow(facts, { now: minute(now) });
  return { state, cells, told: blocker.sentence, who: unblock.map(wayText), needs: needsOf(facts, minute(now)) };
}

describe('a change that was merged to a stage', () => {
  const merged = {
    status: 'succeeded',
    result: 'pass',
    message: 'm',
    data: { pullRequest: 3, mergeSha: 'e'.repeat(40) },
  };
  const staging = decided(
    at('staging', { team: 'payments' }),
    [step('sync'), step('promotion', { targets: [{ to: 'production', branch: 'p' }] })],
    ...[taskTriggered(1, 'sync'), taskFinished('sync', 'pass'), taskTriggered(2, 'promotion')],
    taskFinished('promotion', 'pass', { data: { targets: { production: merged } } }),
  );

  it('has not arrived before the stage has seen the commit', () => {
    expect(staging.finished?.result).toBe('pass');
    expect(read([staging])).toMatchObject({
      state: 'queued',
      told: 'PR 3 is merged; production has not seen the commit yet',
      cells: [{ state: 'passed' }, { stage: 'production', state: 'queued' }],
    });
    expect(read([staging], { now: 60 })).toMatchObject({
      state: 'unknown',
      told: expect.stringMatching(/^No signal for 60 min.*PR 3 was merged to production/),
      who: ['payments check the connection'],
    });
  });

  it('made room where a newer one was seen there in its place', () => {
    const newer = fold([{ ...at('production', { context: 'newer', sequence: 'n' }), at: minute(5) } as SequenceEvent]);
    expect(read([staging], { neighbours: [newer] })).toMatchObject({
      state: 'superseded',
      told: 'Replaced by a newer change in production',
      cells: [{ state: 'passed' }, { state: 'superseded' }],
      who: [],
    });
    const older = fold([{ ...at('production', { context: 'older', sequence: 'o' }), at: minute(-5) } as SequenceEvent]);
    expect(read([staging], { neighbours: [older] }).state).toBe('queued');
  });
});

describe('an approval by two', () => {
  it('names nobody any more who has given theirs', () => {
    const asked = { to: 'production', quorum: 2, groups: [], people: ['lin', 'omar', 'eva'], approved: ['lin'] };
    const facts = goldenChange({ state: 'waiting' }, { stage: 'production', step: 'approval', approval: asked });
    const row = changeRow(facts, { now: GOLDEN_NOW });
    expect([row.blocker.sentence, ...row.unblock.map(wayText)]).toEqual([
      'Approval of production: 1 of 2 given',
      '@omar or @eva approve',
    ]);
    expect(needsOf(facts, GOLDEN_NOW)).toEqual(['person:omar', 'person:eva']);
  });
});

describe('a change that failed', () => {
  const bad = decided(
    at('staging'),
    [step('sync'), step('rollout')],
    ...[
      taskTriggered(1, 'sync'),
      taskFinished('sync', 'pass'),
      taskTriggered(2, 'rollout'),
      taskFinished('rollout', 'fail'),
    ],
  );
  const next = (...more: SequenceEvent[]) =>
    fold([{ ...at('staging', { context: 'next', sequence: 'n' }), at: minute(5) } as SequenceEvent, ...more]);
  const passed: SequenceEvent = {
    name: 'sequence.finished',
    at: minute(6),
    data: { status: 'succeeded', result: 'pass', reason: 'completed', message: 'm' },
  };

  it('is rolled back by nobody any more once a newer one is there, and waits for nobody once that has passed', () => {
    expect(read([bad]).who).toEqual(['no owner configured', 'operators roll back']);
    expect(read([bad], { neighbours: [next()] }).who).toEqual(['no owner configured']);
    const { state, told, who, needs } = read([bad], { neighbours: [next(passed)] });
    expect([state, told, who, needs]).toEqual(['failed', 'Not healthy in staging: rollout says fail', [], []]);
  });
});

describe('stages side by side', () => {
  it('name whoever has to act in one also where another one failed', () => {
    const us = decided(
      at('us'),
      [step('sync')],
      taskTriggered(1, 'sync'),
      taskFinished('sync', 'fail', { message: 'no' }),
    );
    const eu = decided(at('eu'), [step('approval', { groups: ['sre'] })], taskTriggered(1, 'approval'));
    expect(read([us, eu])).toMatchObject({
      state: 'failed',
      told: 'Not synced: no',
      who: ['no owner configured', 'sre approve'],
      needs: ['group:sre'],
    });
  });
});

describe('a change that was good', () => {
  const good = (...last: SequenceEvent[]) =>
    decided(
      at('staging'),
      [step('sync'), { name: 'evaluation', timeLimitMs: 600_000 } as PlannedTask],
      taskTriggered(1, 'sync'),
      taskFinished('sync', 'pass'),
      ...last,
    );

  it('and was taken back by a person was rolled back: no sync of it failed', () => {
    const asked = { what: 'rollback', sequence: 'staging', decision: 'd', actor: 'lin', reason: 'carts' } as const;
    const back = { ...at('staging', { sequence: 'back', asked }), at: minute(4) } as SequenceEvent;
    const ended = (result: 'pass' | 'fail', message: string, data = {}) =>
      read([
        good(),
        decided(
          back,
          [step('rollout')],
          taskTriggered(1, 'rollback'),
          taskFinished('rollback', result, { message, data }),
        ),
      ]);
    expect(ended('pass', 'went back to c1e7a0d2')).toMatchObject({
      state: 'failed',
      told: 'Rolled back in staging: went back to c1e7a0d2 (asked for by lin: carts)',
      cells: [{ detail: 'rolled back' }],
    });
    expect(ended('fail', 'lin said no', { notRolledBack: true }).told).toMatch(/^Not rolled back: lin said no/);
    expect(ended('fail', 'not healthy').told).toMatch(/^ROLLBACK FAILED: not healthy/);
  });

  it('shows no score that must not be believed', () => {
    const evaluation = { score: 98, thresholds: { pass: 90 } };
    const judged = good(taskTriggered(2, 'evaluation'), taskFinished('evaluation', 'pass', { data: { evaluation } }));
    expect(read([judged]).cells).toMatchObject([{ state: 'passed', score: 98 }]);
    const invalidations = [{ evaluation: 'seq.2-evaluation', actor: 'eva', reason: 'wrong data', at: minute(6) }];
    const [cell] = read([judged], { invalidations }).cells;
    expect(cell).toMatchObject({ detail: 'verdict declared invalid by eva' });
    expect(cell?.score).toBeUndefined();
  });
});
