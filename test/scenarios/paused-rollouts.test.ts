import { describe, expect, it } from 'vitest';
import { eventually } from '../support/lynceus.ts';
import { deliveryWith, expectUntouched, isOver, last, type Story, story } from '../support/story.ts';

const LIMIT = { timeout: 90_000 };
const ROLLOUT = `apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: checkout}
spec: {strategy: {canary: {steps: [{setWeight: 20}, {pause: {}}]}}}
`;
const FILES = { 'rollout.yaml': ROLLOUT };
const passing = '{http: {path: /, requests: 5, expect: {status: 200}}}';
const failing = '{http: {path: /, requests: 5, expect: {status: 204}}}';

function delivery(paused: string, test = passing): string {
  const demands = `sync: automatic\n      tests: [${test}]\n      promotion: {onPass: automatic}`;
  return deliveryWith('dev', demands).replace('settle: 100ms', `settle: 100ms, ${paused}`);
}
const actionsOf = (told: Story) => told.world.argocd.controller.actions;

describe.concurrent('a canary that stands still', () => {
  it('is tested there, and goes on once it passed', LIMIT, async () => {
    await story({ delivery: delivery('paused: promote'), files: FILES }, async (told) => {
      const commit = told.release(1);
      const over = await told.stage(commit, 'dev', isOver, 'is promoted');
      expect(over).toMatchObject({ result: 'pass' });
      expect(over.tasks.map(({ name }) => name)).toEqual(['plan', 'sync', 'rollout', 'test', 'release', 'promotion']);
      expect(over.tasks[2]).toMatchObject({
        message: expect.stringMatching(/ runs as a canary: Rollout checkout is paused \(CanaryPauseStep\)$/),
        data: { paused: ['checkout'] },
      });
      expect(over.tasks[4]?.message).toMatch(/ was promoted: deployed and healthy$/);
      expect(actionsOf(told)[0]).toBe('resume Rollout/checkout');
    });
  });

  it('is aborted when its test fails, and nothing is promoted', LIMIT, async () => {
    await story({ delivery: delivery('paused: promote', failing), files: FILES }, async (told) => {
      const commit = told.release(1);
      const over = await told.stage(commit, 'dev', isOver, 'fails its test');
      expect(over).toMatchObject({ result: 'fail', reason: 'failed' });
      expect(over.message).toMatch(/status/);
      expect(over.tasks.slice(-2)).toMatchObject([
        { name: 'test', result: 'fail' },
        { name: 'release', result: 'pass', message: 'the canary was taken back' },
      ]);
      expect(actionsOf(told)).toEqual(['abort Rollout/checkout']);
      await expectUntouched(told, commit, 'staging');
    });
  });

  it('is waited for and named where the stage says nothing, and whoever lets it go on is believed', LIMIT, async () => {
    await story({ delivery: delivery('timeout: 10m'), files: FILES }, async (told) => {
      const commit = told.release(1);
      const held = await told.stage(
        commit,
        'dev',
        (view) => view.tasks.at(-1)?.name === 'rollout' && /paused/.test(last(view).waitingFor?.sentence ?? ''),
        'waits for somebody',
      );
      expect(last(held).waitingFor).toMatchObject({
        kind: 'health',
        sentence: 'Rollout checkout is paused (CanaryPauseStep): promote or abort it in Argo CD',
      });
      expect(actionsOf(told)).toEqual([]);
      const target = { kind: 'Rollout', resourceName: 'checkout' };
      await told.world.argocd.controller.act('checkout-dev', 'argocd', target, 'promote-full');
      expect(await told.stage(commit, 'dev', isOver, 'goes on')).toMatchObject({ result: 'pass' });
    });
  });

  it('is aborted with its change while it is judged, and nobody finds it paused afterwards', LIMIT, async () => {
    const long = '{http: {path: /, duration: 60s, expect: {status: 200}}}';
    await story({ delivery: delivery('paused: promote', long), files: FILES }, async (told) => {
      const commit = told.release(1);
      await told.stage(commit, 'dev', (view) => view.tasks.at(-1)?.name === 'test', 'is being tested');
      await told.decide(commit, 'dev', 'abort');
      const over = await told.stage(commit, 'dev', isOver, 'is aborted');
      expect(over).toMatchObject({
        result: 'fail',
        reason: 'aborted',
        message: 'aborted by ada: told so; the canary was taken back',
      });
      expect(actionsOf(told)).toEqual(['abort Rollout/checkout']);
      await expectUntouched(told, commit, 'staging');
    });
  });

  it('is aborted with its change also when we were about to let it go on', LIMIT, async () => {
    await story({ delivery: delivery('paused: promote'), files: FILES }, async (told) => {
      told.world.argocd.faults.next({
        method: 'POST',
        path: 'resource/actions',
        times: 2,
        effect: { kind: 'answer', status: 403, code: 7, message: 'permission denied: applications, action' },
      });
      const commit = told.release(1);
      await told.stage(
        commit,
        'dev',
        (view) => view.tasks.at(-1)?.name === 'release' && last(view).waitingFor?.kind === 'unreachable',
        'is refused',
      );
      await told.decide(commit, 'dev', 'abort');
      const over = await told.stage(commit, 'dev', isOver, 'is aborted');
      expect(over.message).toBe('aborted by ada: told so; the canary was taken back');
      expect(actionsOf(told)).toEqual(['abort Rollout/checkout']);
    });
  });

  it('is left to people where they let it go on: whoever aborts its change is told so', LIMIT, async () => {
    await story({ delivery: delivery('timeout: 10m'), files: FILES }, async (told) => {
      const commit = told.release(1);
      const isPaused = /paused/;
      await told.stage(commit, 'dev', (view) => isPaused.test(view.tasks.at(-1)?.waitingFor?.sentence ?? ''), 'waits');
      await told.decide(commit, 'dev', 'abort');
      const over = await told.stage(commit, 'dev', isOver, 'is aborted');
      expect(over.message).toBe(
        'aborted by ada: told so; Rollout checkout is paused (CanaryPauseStep): promote or abort it in Argo CD',
      );
      expect(actionsOf(told)).toEqual([]);
    });
  });

  it('is a failure where the stage says so', LIMIT, async () => {
    await story({ delivery: delivery('paused: fail'), files: FILES }, async (told) => {
      const over = await told.stage(told.release(1), 'dev', isOver, 'fails');
      expect(over).toMatchObject({
        result: 'fail',
        message: 'Rollout checkout is paused (CanaryPauseStep), and the stage takes that for a failure',
      });
    });
  });

  it('is let go on once Argo CD lets us: a refusal of rights is waited out, and said', LIMIT, async () => {
    await story({ delivery: delivery('paused: promote'), files: FILES }, async (told) => {
      told.world.argocd.faults.next({
        method: 'POST',
        path: 'resource/actions',
        times: 2,
        effect: { kind: 'answer', status: 403, code: 7, message: 'permission denied: applications, action' },
      });
      const commit = told.release(1);
      await told.stage(
        commit,
        'dev',
        (view) => view.tasks.at(-1)?.name === 'release' && last(view).waitingFor?.kind === 'unreachable',
        'is refused',
      );
      await eventually(async () => actionsOf(told).length > 0, { within: 20_000, what: 'it is asked again' });
      expect(await told.stage(commit, 'dev', isOver, 'goes on')).toMatchObject({ result: 'pass' });
    });
  });
});
