import { describe, expect, it } from 'vitest';
import { decide } from '../../src/engine/decide.ts';
import { type Actor, checkDecision } from '../../src/engine/decisions.ts';
import { fold, type SequenceState } from '../../src/engine/sequence.ts';
import type { SequenceEvent } from '../../src/events/types.ts';
import { changeView } from '../../src/views/change.ts';
import { gateOfStage } from '../../src/views/gate.ts';
import { COMMIT, decision, minute, planned, START, step, taskFinished, taskTriggered } from '../support/sequence.ts';

const ADA: Actor = { name: 'ada', groups: [], method: 'token' };
const WISH = { verdict: 'override', reason: 'INC-42', revision: COMMIT } as const;
const steps = [step('checks'), step('approval'), step('sync'), step('promotion')];
const held = [...planned(...steps), taskTriggered(1, 'checks')];
const overridden = decision('override', { reason: 'INC-42' });
const failed: SequenceEvent = {
  name: 'sequence.finished',
  at: START,
  data: { status: 'errored', result: 'fail', reason: 'timed-out', message: 'the budget is spent' },
};
const names = (events: SequenceEvent[]) =>
  decide(fold(events), { now: minute(1), line: {} }).map(({ name, data }) => [
    name,
    'result' in data ? data.result : '',
  ]);
const gateOf = (state: SequenceState, until: 'deploy' | 'verdict') => {
  const stage = changeView([state], { progress: () => undefined, evidence: () => '' })?.stages[0];
  if (!stage) throw new Error('no stage');
  return gateOfStage(stage, until, 'https://lynceus.example.com');
};

describe('an override', () => {
  it('ends the checks that say no with a warning, and the approval that they would ask for', () => {
    expect(names([...held, overridden])).toEqual([['task.finished', 'warning']]);
    const approval = [...held, overridden, taskFinished('checks', 'warning'), taskTriggered(2, 'approval')];
    expect(names(approval)).toEqual([['task.finished', 'warning']]);
  });

  it('says who let it through, and why', () => {
    const [end] = decide(fold([...held, overridden]), { now: minute(1), line: {} });
    expect(end?.data).toMatchObject({ message: 'let through by ada: INC-42', data: { override: { actor: 'ada' } } });
  });

  it('opens the gate for the deployment, and says nothing of the verdict', () => {
    expect(gateOf(fold(held), 'deploy').result).toBe('running');
    const open = fold([...held, overridden]);
    expect(gateOf(open, 'deploy')).toMatchObject({
      result: 'pass',
      reason: expect.stringContaining('let through by ada: INC-42'),
    });
    expect(gateOf(open, 'verdict').result).toBe('running');
    const over = fold([...held, failed, overridden]);
    expect(gateOf(over, 'deploy').result).toBe('pass');
    expect(gateOf(over, 'verdict').result).toBe('fail');
  });

  it('may be made while the gate is closed, and when all is over because it was', () => {
    expect(checkDecision(fold(held), WISH, ADA, 'e')).toMatchObject({ ok: true, decision: { verdict: 'override' } });
    expect(checkDecision(fold([...held, failed]), WISH, ADA, 'e')).toMatchObject({ ok: true });
  });

  it.each([
    ['another commit', held, { ...WISH, revision: 'f'.repeat(40) }, 'stale'],
    [
      'what is through already',
      [...held, taskFinished('checks', 'pass'), taskTriggered(2, 'sync')],
      WISH,
      'nothing-to-decide',
    ],
    ['what was let through before', [...held, overridden], WISH, 'nothing-to-decide'],
    ['nothing', [], WISH, 'stale'],
  ] as const)('is refused for %s', (_, events, wish, refusal) => {
    expect(checkDecision(fold([...events]), wish, ADA, 'e')).toMatchObject({ ok: false, refusal });
  });

  it('is left to the groups that approve here, where there are any', () => {
    const grouped = fold([
      ...planned(step('checks'), step('approval', { groups: ['sre'] })),
      taskTriggered(1, 'checks'),
    ]);
    expect(checkDecision(grouped, WISH, ADA, 'e')).toMatchObject({ ok: false, refusal: 'not-allowed' });
    expect(checkDecision(grouped, WISH, { ...ADA, groups: ['sre'] }, 'e')).toMatchObject({ ok: true });
  });
});
