import { describe, expect, it } from 'vitest';
import {
  type Afterwards,
  checkRollback,
  isOvertaken,
  planGoingBack,
  sequenceAskedFor,
  startsAnew,
} from '../../src/engine/asked.ts';
import { type Actor, checkDecision } from '../../src/engine/decisions.ts';
import { lineFor } from '../../src/engine/line.ts';
import { planToJson } from '../../src/engine/plan.ts';
import { lastGood } from '../../src/engine/rollback.ts';
import { fold, type SequenceState } from '../../src/engine/sequence.ts';
import type { Asked, SequenceEvent, SequenceTriggered } from '../../src/events/types.ts';
import { deploymentOf, judgeDeployments } from '../../src/risk/deployments.ts';
import { changeView } from '../../src/views/change.ts';
import { gateOfStage } from '../../src/views/gate.ts';
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

const GOOD = '1'.repeat(40);
const ADA: Actor = { name: 'ada', groups: [], method: 'token' };
const WISH = { verdict: 'rollback', reason: 'INC-7', revision: COMMIT, by: 'sync' } as const;
const asked = (what: Asked['what'], more: Partial<Asked> = {}): Asked => ({
  what,
  sequence: 'seq',
  decision: 'd1',
  actor: 'ada',
  reason: 'INC-7',
  ...more,
});
const over = (result: 'pass' | 'fail', at = START): SequenceEvent => ({
  name: 'sequence.finished',
  at,
  data: { status: 'succeeded', result, reason: result === 'pass' ? 'completed' : 'failed', message: result },
});
const through = (...steps: Parameters<typeof planned>) => [
  ...planned(step('sync'), step('rollout'), ...steps),
  taskTriggered(1, 'sync'),
  taskFinished('sync', 'pass', { position: 1 }),
  taskTriggered(2, 'rollout'),
  taskFinished('rollout', 'pass', { position: 2 }),
];
const passed = fold([...through(), over('pass')]);
const about = (state: SequenceState, more: Partial<Afterwards> = {}): Afterwards => ({
  state,
  subject: state,
  isNewest: true,
  ...more,
});
const later = (changes: Partial<SequenceTriggered>, at = minute(1)) => ({ ...triggered(changes), at }) as SequenceEvent;
const back = [later({ sequence: 'back', asked: asked('rollback') }), started];
const backPlan = taskFinished('plan', 'pass', {
  position: 0,
  data: planToJson(planGoingBack(passed, 'sync') ?? { steps: [], files: [] }),
});
const goingBack = [...back, taskTriggered(0, 'plan'), backPlan];
const doneBack = (result: 'pass' | 'fail', data = {}, message = 'rolled back to 11111111 by sync') => [
  ...goingBack,
  taskTriggered(1, 'rollback', 1e12),
  taskFinished('rollback', result, { position: 1, data, message }),
];

describe('a wish to go back from a change that is over', () => {
  it('is recorded with who, why and how, and starts a sequence about the same commit', () => {
    const checked = checkRollback(about(passed), WISH, ADA, 'e');
    expect(checked).toMatchObject({ ok: true, decision: { verdict: 'rollback', actor: 'ada', by: 'sync' } });
    if (!checked.ok) return;
    const next = sequenceAskedFor(about(passed), { ...checked.decision, decision: 'd1' }, 'back');
    expect(next).toMatchObject({ sequence: 'back', context: 'ctx', revision: COMMIT });
    expect(next?.asked).toEqual(asked('rollback', { by: 'sync' }));
  });

  const running = fold(through());
  const unsynced = fold([...planned(step('sync')), over('fail')]);
  const isBack = fold([...through(), taskTriggered(3, 'rollback'), taskFinished('rollback', 'pass'), over('fail')]);
  const revert = fold([
    ...[triggered({ rollsBack: { sequence: 's', revision: COMMIT, to: GOOD, pullRequest: 1 } }), started],
    ...[taskTriggered(1, 'sync'), over('pass')],
  ]);
  it.each<[string, Afterwards, object, string]>([
    ['that is under way', about(running), {}, 'nothing-to-decide'],
    ['that a newer one followed', about(passed, { isNewest: false }), {}, 'stale'],
    ['that was never deployed', about(unsynced), {}, 'nothing-to-decide'],
    ['that was rolled back', about(isBack), {}, 'nothing-to-decide'],
    ['that is a revert itself', about(revert), {}, 'nothing-to-decide'],
    ['of another commit', about(passed), { revision: GOOD }, 'stale'],
    ['that looked different', about(passed), { evidence: 'other' }, 'stale'],
    ['where nobody says how', about(passed), { by: undefined }, 'nothing-to-decide'],
  ])('is refused for one %s', (_, afterwards, changes, refusal) => {
    expect(checkRollback(afterwards, { ...WISH, ...changes }, ADA, 'e')).toMatchObject({ ok: false, refusal });
  });

  it('needs no way where the stage has one, and only its groups may wish it', () => {
    const policy = { name: 'rollback', timeLimitMs: 1, by: 'pullRequest', merge: 'manual' } as const;
    const { by: _, ...wish } = WISH;
    expect(checkRollback(about(fold([...through(policy), over('pass')])), wish, ADA, 'e')).toMatchObject({ ok: true });
    const grouped = about(fold([...through(step('approval', { groups: ['sre'] })), over('pass')]));
    expect(checkRollback(grouped, WISH, ADA, 'e')).toMatchObject({ ok: false, refusal: 'not-allowed' });
    expect(checkRollback(grouped, WISH, { ...ADA, groups: ['sre'] }, 'e')).toMatchObject({ ok: true });
  });

  it('may be repeated when the rollback failed, and is about the same delivery', () => {
    const failed = fold([...doneBack('fail'), over('fail')]);
    const again = about(failed, { subject: passed });
    expect(checkRollback(again, WISH, ADA, 'e')).toMatchObject({ ok: true });
    const made = { ...WISH, decision: 'd2', actor: 'bob', method: 'token', evidence: 'e' } as const;
    expect(sequenceAskedFor(again, made, 'again')?.asked).toMatchObject({ sequence: 'seq', actor: 'bob' });
  });

  it('goes by the policy of the stage, the way by that of the person', () => {
    const policy = { name: 'rollback', timeLimitMs: 1, by: 'auto', merge: 'manual', branch: 'main' } as const;
    const state = fold([...through(step('approval'), step('soak'), policy), over('pass')]);
    expect(planGoingBack(state, 'sync')?.steps.map(({ name }) => name)).toEqual([
      'sync',
      'rollout',
      'approval',
      'rollback',
    ]);
    expect(planGoingBack(state, 'sync')?.steps.at(-1)).toEqual({ ...policy, by: 'sync' });
    expect(planGoingBack(passed, undefined)?.steps.at(-1)).toMatchObject({ by: 'auto', merge: 'automatic' });
  });
});

describe('the sequence that goes back', () => {
  it('plans and goes back, and does nothing else', () => {
    given(...goingBack)
      .now(2)
      .says({ name: 'task.triggered', task: 'back.1-rollback' });
  });

  it.each<[string, SequenceEvent[], string]>([
    ['worked', doneBack('pass'), 'rolled back to 11111111 by sync (asked for by ada: INC-7)'],
    [
      'was not done',
      doneBack('fail', { notRolledBack: true }, 'rejected'),
      'not rolled back: rejected (asked for by ada: INC-7)',
    ],
    ['failed', doneBack('fail', {}, 'no host'), 'ROLLBACK FAILED: no host (asked for by ada: INC-7)'],
  ])('says who asked for what %s; the change is none that passed', (_, events, message) => {
    given(...events)
      .now(2)
      .says({ name: 'sequence.finished', status: 'succeeded', result: 'fail', reason: 'failed', message });
  });

  it('is loud when it cannot be planned, and quiet when a newer change came first', () => {
    const plan = (status: 'errored' | 'aborted', data = {}) =>
      taskFinished('plan', 'fail', { position: 0, status, data, message: 'why' });
    given(...back, taskTriggered(0, 'plan'), plan('errored'))
      .now(2)
      .says({ name: 'sequence.finished', message: 'ROLLBACK FAILED: why' });
    given(...back, taskTriggered(0, 'plan'), plan('aborted', { reason: 'superseded' }))
      .now(2)
      .says({ name: 'sequence.finished', reason: 'superseded', message: 'why' });
  });

  it('takes nobody the place in the line, and gives way itself', () => {
    const newer = fold([later({ sequence: 'newer' })]);
    expect(lineFor('newer', [newer, fold(back)])).not.toHaveProperty('newer');
    expect(lineFor('back', [fold(back), newer])).toMatchObject({ newer: 'newer' });
  });

  it('is overtaken by a change that came in the moment of asking, not by an older wish', () => {
    const newer = fold([later({ sequence: 'newer', revision: GOOD })]);
    const older = fold([later({ sequence: 'older', asked: asked('rollback') })]);
    expect(isOvertaken(fold(back), passed, [newer, passed, fold(back)])).toBe(true);
    expect(isOvertaken(fold(back), passed, [older, passed, fold(back)])).toBe(false);
  });

  it('leaves a gate closed for the commit, however it ends', () => {
    for (const events of [
      back,
      goingBack,
      [...goingBack, taskTriggered(1, 'rollback')],
      [...doneBack('pass'), over('fail')],
    ]) {
      const stage = changeView([fold(events)], { progress: () => undefined, evidence: () => '' })?.stages[0];
      if (!stage) throw new Error('no stage');
      for (const until of ['deploy', 'verdict'] as const)
        expect(gateOfStage(stage, until, 'https://lynceus.example.com').result).toBe('fail');
    }
  });

  it('makes its commit one that no rollback goes back to, unless the person thought better of it', () => {
    const good = fold([triggered({ revision: GOOD }), ...through().slice(1), over('pass')]);
    const other = 'f'.repeat(40);
    expect(lastGood([fold([...doneBack('fail'), over('fail')]), passed, good], other)).toBe(good);
    const aborted = {
      name: 'sequence.finished',
      at: START,
      data: { status: 'aborted', result: 'fail', reason: 'aborted', message: '' },
    } as const;
    expect(lastGood([fold([...back, aborted]), passed, good], other)).toBe(passed);
  });

  it('makes the deployment that it took back a failed one for the risk of the next, and is none itself', () => {
    const good = fold([triggered({ revision: GOOD, sequence: 'good' }), ...through().slice(1), over('pass')]);
    const done = fold([...doneBack('pass', { to: GOOD }), over('fail', minute(5))]);
    const bad = fold([...through(), over('pass', minute(1))]);
    const found = [good, bad, done].map(deploymentOf).filter((one) => one !== undefined);
    expect(judgeDeployments(found).map(({ sequence, failed }) => [sequence, failed])).toEqual([
      ['good', false],
      ['seq', true],
    ]);
    expect(deploymentOf(fold([...doneBack('fail'), over('fail')]))).toBeUndefined();
  });
});

describe('an override of a change that is over', () => {
  const refused = fold([...planned(step('checks'), step('sync')), taskTriggered(1, 'checks'), over('fail')]);
  const override = decision('override');
  if (override.name !== 'decision.made') throw new Error('no decision');
  const made = override.data;

  it('starts the newest one anew where it does not run, let through from the start', () => {
    expect(startsAnew(about(refused))).toBe(true);
    const next = sequenceAskedFor(about(refused), made, 'anew');
    expect(next).toMatchObject({ sequence: 'anew', revision: COMMIT, asked: { what: 'override', sequence: 'seq' } });
    const anew = fold([later(next ?? {})]);
    expect(anew.override).toMatchObject({ actor: 'ada', reason: 'because' });
  });

  it('is at best a warning, also where nothing was there to be let through', () => {
    const events = [later({ asked: asked('override') }), ...through().slice(1)];
    given(...events)
      .now(2)
      .says({ name: 'sequence.finished', result: 'warning', reason: 'completed' });
  });

  it.each<[string, Afterwards]>([
    ['a newer one is there', about(refused, { isNewest: false })],
    ['it is under way', about(fold(planned(step('checks'))))],
    ['it passed', about(passed)],
    ['it runs, and failed later', about(fold([...through(), over('fail')]))],
  ])('starts nothing where %s', (_, afterwards) => {
    expect(startsAnew(afterwards)).toBe(false);
    expect(sequenceAskedFor(afterwards, made, 'anew')).toBeUndefined();
  });

  it('starts it again after a rollback, and when the first override failed to deploy it', () => {
    const failed = fold([...through(), taskTriggered(3, 'rollback'), taskFinished('rollback', 'pass'), over('fail')]);
    expect(startsAnew(about(failed))).toBe(true);
    const wentBack = fold([...doneBack('pass'), over('fail')]);
    expect(startsAnew(about(wentBack, { subject: passed }))).toBe(true);
    const anew = fold([later({ asked: asked('override') }), over('fail')]);
    const wish = { ...WISH, verdict: 'override' } as const;
    expect(checkDecision(anew, wish, ADA, 'e', { anew: true })).toMatchObject({ ok: true });
    expect(checkDecision(anew, wish, ADA, 'e')).toMatchObject({ ok: false });
  });

  it('is refused while it is being rolled back, and left to the groups that approve the delivery', () => {
    const wish = { ...WISH, verdict: 'override' } as const;
    expect(checkDecision(fold(goingBack), wish, ADA, 'e')).toMatchObject({ ok: false, refusal: 'nothing-to-decide' });
    const subject = fold([...through(step('approval', { groups: ['sre'] })), over('fail')]);
    const state = fold([...doneBack('pass'), over('fail')]);
    expect(checkDecision(state, wish, ADA, 'e', { subject, anew: true })).toMatchObject({ refusal: 'not-allowed' });
  });
});
