import { describe, expect, it } from 'vitest';
import { deliveryWith, expectUntouched, isOver, last, story, waitsAt } from '../support/story.ts';

const LIMIT = { timeout: 90_000 };

describe.concurrent('a deployment window', () => {
  it('that is closed holds the change, says until when, and lets it go on by itself', LIMIT, async () => {
    const demands =
      'sync: gated\n      checks: {windows: [{deny: "FR 15:00/MO 07:00", timeZone: Europe/Vienna, reason: weekend freeze}]}';
    await story({ delivery: deliveryWith('staging', demands) }, async (told) => {
      const year = new Date().getUTCFullYear() + 1;
      const saturday = nextSaturday(year);
      await told.moveTo(`${saturday}T10:00:00Z`);
      const commit = told.release(1);
      const held = await told.stage(commit, 'staging', waitsAt('checks'), 'waits for the window');
      expect(last(held).waitingFor).toMatchObject({
        kind: 'window',
        sentence: expect.stringContaining('weekend freeze'),
      });
      const opens = last(held).waitingFor?.until ?? '';
      expect(
        new Intl.DateTimeFormat('en', {
          timeZone: 'Europe/Vienna',
          weekday: 'short',
          hour: '2-digit',
          minute: '2-digit',
          hourCycle: 'h23',
        }).format(new Date(opens)),
      ).toBe('Mon 07:00');
      await expectUntouchedSync(told);
      await told.moveTo(new Date(Date.parse(opens) + 1_000).toISOString());
      await told.stage(commit, 'staging', isOver, 'goes on when the window opens');
    });
  });
});

describe.concurrent('an approval', () => {
  const demands = 'sync: gated\n      approval: {quorum: 1, expires: 2d}';

  it('is asked for before anything is synced, and counts for the commit that was looked at only', LIMIT, async () => {
    await story({ delivery: deliveryWith('staging', demands) }, async (told) => {
      const commit = told.release(1);
      await told.stage(commit, 'staging', waitsAt('approval'), 'waits for a person');
      await expectUntouchedSync(told);
      expect((await told.decide(commit, 'staging', 'approve', { revision: 'f'.repeat(40) })).status).toBe(409);
      expect((await told.decide(commit, 'staging', 'approve', { evidence: 'something older' })).status).toBe(409);
      expect((await told.decide(commit, 'staging', 'approve')).status).toBe(201);
      const over = await told.stage(commit, 'staging', isOver, 'is delivered');
      expect(over.tasks.find(({ name }) => name === 'approval')).toMatchObject({
        message: 'approved by ada',
        decisions: [{ actor: 'ada', reason: 'told so' }],
      });
    });
  });

  it('that nobody gives expires, and nothing was synced', LIMIT, async () => {
    await story({ delivery: deliveryWith('staging', demands) }, async (told) => {
      const commit = told.release(1);
      await told.stage(commit, 'staging', waitsAt('approval'), 'waits for a person');
      await told.pass('47h');
      await told.stage(commit, 'staging', waitsAt('approval'), 'still waits');
      await told.pass('2h');
      expect(await told.stage(commit, 'staging', isOver, 'expires')).toMatchObject({
        result: 'fail',
        reason: 'timed-out',
        message: 'nobody approved it in time',
      });
      await expectUntouchedSync(told);
      expect((await told.decide(commit, 'staging', 'approve')).status).toBe(409);
    });
  });

  it('that is refused stops the change', LIMIT, async () => {
    await story({ delivery: deliveryWith('staging', demands) }, async (told) => {
      const commit = told.release(1);
      await told.stage(commit, 'staging', waitsAt('approval'), 'waits for a person');
      await told.decide(commit, 'staging', 'reject');
      expect(await told.stage(commit, 'staging', isOver, 'is refused')).toMatchObject({
        result: 'fail',
        reason: 'rejected',
        message: 'rejected by ada: told so',
      });
      await expectUntouched(told, commit, 'production');
    });
  });

  it('is taken over by a newer change; an approval of the older one is refused', LIMIT, async () => {
    await story({ delivery: deliveryWith('staging', demands) }, async (told) => {
      const older = told.release(1);
      await told.stage(older, 'staging', waitsAt('approval'), 'waits for a person');
      const newer = told.release(2);
      await told.stage(newer, 'staging', waitsAt('approval'), 'takes its place');
      expect(await told.stage(older, 'staging', isOver, 'gives way')).toMatchObject({ reason: 'superseded' });
      expect((await told.decide(older, 'staging', 'approve')).status).toBe(409);
      await told.decide(newer, 'staging', 'approve');
      await told.stage(newer, 'staging', isOver, 'is delivered');
      expect(told.world.syncsOf('checkout-staging')).toHaveLength(1);
    });
  });

  it('is demanded when the risk is higher than the stage takes without one', LIMIT, async () => {
    await story(
      { delivery: deliveryWith('staging', 'sync: gated\n      checks: {risk: {approvalAbove: 1}}') },
      async (told) => {
        const commit = told.release(1);
        const asked = await told.stage(commit, 'staging', waitsAt('approval'), 'the risk asks for a person');
        const checks = asked.tasks.find(({ name }) => name === 'checks');
        expect(checks).toMatchObject({ result: 'warning', message: expect.stringMatching(/risk/i) });
        await told.decide(commit, 'staging', 'approve');
        await told.stage(commit, 'staging', isOver, 'is delivered');
      },
    );
  });
});

describe.concurrent('a soak', () => {
  const demands = 'sync: gated\n      soak: 30m\n      promotion: {onPass: automatic}';

  it('lets the change run for its time before it is promoted', LIMIT, async () => {
    await story({ delivery: deliveryWith('staging', demands) }, async (told) => {
      const commit = told.release(1);
      const soaking = await told.stage(commit, 'staging', waitsAt('soak'), 'soaks');
      expect(last(soaking).waitingFor).toMatchObject({ kind: 'soak', sentence: 'soaking for 30 min' });
      await told.pass('29m');
      await told.stage(commit, 'staging', waitsAt('soak'), 'still soaks');
      expect(told.pullRequests()).toEqual(['merged']);
      await told.pass('90s');
      await told.stage(commit, 'production', isOver, 'is promoted and delivered');
    });
  });

  it('fails at once when the application does not stay healthy, and nothing is promoted', LIMIT, async () => {
    await story({ delivery: deliveryWith('staging', demands) }, async (told) => {
      const commit = told.release(1);
      await told.stage(commit, 'staging', waitsAt('soak'), 'soaks');
      told.world.argocd.controller.setHealth('checkout-staging', 'Degraded');
      expect(await told.stage(commit, 'staging', isOver, 'fails')).toMatchObject({
        result: 'fail',
        message: expect.stringContaining('did not stay healthy'),
      });
      expect(told.pullRequests()).toEqual(['merged']);
    });
  });
});

async function expectUntouchedSync(told: Parameters<Parameters<typeof story>[1]>[0]): Promise<void> {
  expect(told.world.syncsOf('checkout-staging')).toEqual([]);
}

function nextSaturday(year: number): string {
  const day = new Date(Date.UTC(year, 5, 1));
  while (day.getUTCDay() !== 6) day.setUTCDate(day.getUTCDate() + 1);
  return day.toISOString().slice(0, 10);
}
