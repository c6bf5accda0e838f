import { describe, expect, it } from 'vitest';
import type { WindowSpec } from '../../examples/sandbox/argocd/windows.ts';
import { sayDuration } from '../../src/base/duration.ts';
import { deliveryWith, isOver, last, type Story, story, waitsAt } from '../support/story.ts';

const LIMIT = { timeout: 90_000 };
const GATED = deliveryWith('staging', 'sync: gated');

/** Lynceus and Argo CD by the same clock, which the test sets. */
async function moveTo(told: Story, moment: string): Promise<void> {
  await told.moveTo(moment);
  const ahead = Date.parse(moment) - Date.now();
  told.world.argocd.controller.clock = () => new Date(Date.now() + ahead);
}

const freeze: WindowSpec = {
  kind: 'deny',
  schedule: '0 15 * * 5',
  duration: '64h',
  timeZone: 'Europe/Vienna',
  description: 'weekend freeze',
  applications: ['checkout-staging'],
};
/** A Saturday of next year, within the freeze. */
const SATURDAY = (() => {
  const day = new Date(Date.UTC(new Date().getUTCFullYear() + 1, 5, 1, 10));
  while (day.getUTCDay() !== 6) day.setUTCDate(day.getUTCDate() + 1);
  return day;
})();
const syncsAsked = (told: Story) =>
  told.world.argocd.requests.filter(({ method, path }) => method === 'POST' && path.endsWith('checkout-staging/sync'));

describe.concurrent('a sync window of Argo CD', () => {
  it('that is closed is not knocked at: the change says until when, and goes on by itself', LIMIT, async () => {
    await story({ delivery: GATED }, async (told) => {
      await moveTo(told, SATURDAY.toISOString());
      told.world.argocd.controller.setWindows('default', [freeze]);
      const commit = told.release(1);
      const held = await told.stage(commit, 'staging', waitsAt('sync'), 'waits for the window');
      const { waitingFor } = last(held);
      expect(waitingFor).toMatchObject({
        kind: 'window',
        sentence: 'an Argo CD sync window is closed until Mon 07:00 (deny Fri 15:00, AppProject default)',
      });
      expect(syncsAsked(told)).toEqual([]);
      const opens = waitingFor?.until ?? '';
      // 07:00 in Vienna in summer, on the Monday after.
      expect(opens).toBe(new Date(SATURDAY.getTime() + 43 * 3_600_000).toISOString());
      // Much longer than a sync may take otherwise.
      expect(sayDuration(Date.parse(opens) - SATURDAY.getTime())).toBe('43 h');
      await moveTo(told, new Date(Date.parse(opens) + 2_000).toISOString());
      expect(await told.stage(commit, 'staging', isOver, 'goes on when it opens')).toMatchObject({ result: 'pass' });
      expect(syncsAsked(told)).toHaveLength(1);
    });
  });

  it('that lets syncs by hand pass holds nothing back that we ask for', LIMIT, async () => {
    await story({ delivery: GATED }, async (told) => {
      await moveTo(told, SATURDAY.toISOString());
      told.world.argocd.controller.setWindows('default', [{ ...freeze, manualSync: true }]);
      expect(await told.stage(told.release(1), 'staging', isOver, 'is delivered')).toMatchObject({ result: 'pass' });
    });
  });

  it('that closes between our question and our sync is an answer, not a failure', LIMIT, async () => {
    await story({ delivery: GATED }, async (told) => {
      await moveTo(told, new Date(SATURDAY.getTime() + 3 * 86_400_000).toISOString());
      told.world.argocd.controller.setWindows('default', [freeze]);
      const { faults } = told.world.argocd;
      faults.next({
        method: 'POST',
        path: 'checkout-staging/sync$',
        effect: { kind: 'answer', status: 403, code: 7, message: 'cannot sync: blocked by sync window' },
      });
      const commit = told.release(1);
      await told.stage(commit, 'staging', (view) => last(view).waitingFor?.kind === 'window', 'is refused and waits');
      expect(told.world.syncsOf('checkout-staging')).toEqual([]);
      await told.pass('20s');
      expect(await told.stage(commit, 'staging', isOver, 'asks again')).toMatchObject({ result: 'pass' });
      expect(told.world.syncsOf('checkout-staging')).toHaveLength(1);
    });
  });

  it('that closes while the sync runs holds it, and it goes on when the window opens', LIMIT, async () => {
    await story({ delivery: GATED, timing: { pickUpMs: 1_500 } }, async (told) => {
      const closes = SATURDAY.getTime() - 21 * 3_600_000;
      await moveTo(told, new Date(closes - 300_000).toISOString());
      told.world.argocd.controller.setWindows('default', [freeze]);
      const commit = told.release(1);
      await told.stage(
        commit,
        'staging',
        (view) => view.tasks.at(-1)?.name === 'sync' && told.world.syncsOf('checkout-staging').length === 1,
        'was asked for',
      );
      await moveTo(told, new Date(closes + 300_000).toISOString());
      const held = await told.stage(
        commit,
        'staging',
        (view) => last(view).waitingFor?.kind === 'window',
        'is held in mid-air',
      );
      expect(last(held).waitingFor?.sentence).toContain('until Mon 07:00 (deny Fri 15:00');
      await moveTo(told, new Date(SATURDAY.getTime() + 43 * 3_600_000 + 2_000).toISOString());
      expect(await told.stage(commit, 'staging', isOver, 'goes on')).toMatchObject({ result: 'pass' });
      expect(told.world.syncsOf('checkout-staging')).toHaveLength(1);
    });
  });

  it('that keeps Argo CD from syncing by itself is told where the stage is automatic', LIMIT, async () => {
    await story({ delivery: GATED }, async (told) => {
      await moveTo(told, SATURDAY.toISOString());
      told.world.argocd.controller.setWindows('default', [
        { ...freeze, applications: ['checkout-dev'], manualSync: true },
      ]);
      const commit = told.release(1);
      const held = await told.stage(commit, 'dev', waitsAt('sync'), 'waits for Argo CD');
      expect(last(held).waitingFor).toMatchObject({
        kind: 'window',
        sentence: expect.stringContaining('until Mon 07:00 (deny Fri 15:00'),
      });
    });
  });

  it('gives way to a newer change while it is closed: only the newest is synced when it opens', LIMIT, async () => {
    await story({ delivery: GATED }, async (told) => {
      await moveTo(told, SATURDAY.toISOString());
      told.world.argocd.controller.setWindows('default', [freeze]);
      const older = told.release(1);
      await told.stage(older, 'staging', waitsAt('sync'), 'waits for the window');
      const newer = told.release(2);
      await told.stage(newer, 'staging', waitsAt('sync'), 'takes its place');
      expect(await told.stage(older, 'staging', isOver, 'gives way')).toMatchObject({ reason: 'superseded' });
      await moveTo(told, new Date(SATURDAY.getTime() + 43 * 3_600_000 + 2_000).toISOString());
      await told.stage(newer, 'staging', isOver, 'is delivered');
      expect(told.world.syncsOf('checkout-staging')).toHaveLength(1);
    });
  });
});
