import { describe, expect, it } from 'vitest';
import { deliveryWith, isOver, last, story, waitsAt } from '../support/story.ts';

const LIMIT = { timeout: 90_000 };

describe('a risk of medium level', () => {
  const demands =
    'sync: gated\n      checks: {risk: {approvalAbove: 100, levels: {medium: 0, high: 100}, approval: {medium: {quorum: 1}}, soak: {medium: 30m}}}';

  it('asks for the people and the soak that the stage demands of it, and shows why', LIMIT, async () => {
    await story({ delivery: deliveryWith('staging', demands) }, async (told) => {
      const commit = told.release(1);
      const asked = await told.stage(commit, 'staging', waitsAt('approval'), 'the level asks for a person');
      expect(asked.decide).toMatchObject({ what: 'approval', quorum: 1 });
      const checks = asked.tasks.find(({ name }) => name === 'checks');
      expect(checks?.data).toMatchObject({
        approval: { quorum: 1 },
        soakMs: 1_800_000,
        answers: [{ check: 'risk', figures: { level: 'medium', model: { origin: 'default' } } }],
      });
      await told.decide(commit, 'staging', 'approve');
      const soaking = await told.stage(commit, 'staging', waitsAt('soak'), 'soaks, though the stage itself wants none');
      expect(last(soaking).waitingFor).toMatchObject({ kind: 'soak', sentence: 'soaking for 30 min' });
      await told.pass('31m');
      expect(await told.stage(commit, 'staging', isOver, 'is delivered')).toMatchObject({ result: 'pass' });
    });
  });

  it('asks for nothing below that', LIMIT, async () => {
    await story({ delivery: deliveryWith('staging', demands.replace('medium: 0', 'medium: 99')) }, async (told) => {
      const commit = told.release(1);
      const over = await told.stage(commit, 'staging', isOver, 'is delivered');
      expect(over).toMatchObject({ result: 'pass' });
      expect(over.tasks.map(({ name }) => name)).not.toContain('soak');
    });
  });
});
