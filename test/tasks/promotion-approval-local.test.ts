import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkDecision } from '../../src/engine/decisions.ts';
import { createLocalPromotions, type Promotion, type PromotionWorld } from '../support/promotion-world.ts';

const DAY = 86_400_000;
const approval = { quorum: 1, groups: [], people: [], authors: 'refuse', bots: [], expiresAfterMs: 7 * DAY };

let world: PromotionWorld;
beforeAll(() => {
  world = createLocalPromotions();
});
afterAll(() => world.close());

async function sentenceOf(told: Promotion): Promise<string> {
  const outcome = await told.settle();
  return outcome.kind === 'waiting' ? outcome.blocker.sentence : `${outcome.result}: ${outcome.message}`;
}

describe('a promotion in a plain repository', () => {
  it('is approved with us', async () => {
    const told = world.begin();
    expect(await sentenceOf(told)).toMatch(/^pull request \d+ to production needs an approval here$/);
    told.approve('ada');
    expect(await sentenceOf(told)).toMatch(/^pass: promoted to production by pull request \d+ by ada$/);
  });

  it('waits for as many people as the policy says, each counted once', async () => {
    const told = world.begin({ approval: { ...approval, quorum: 2 } });
    told.approve('ada');
    told.approve('ada');
    expect(await sentenceOf(told)).toContain('has 1 of 2 approvals here');
    told.approve('grace');
    expect(await sentenceOf(told)).toContain('pass: promoted');
  });

  it('waits again once an approval expired', async () => {
    const told = world.begin({ approval: { ...approval, quorum: 2 } });
    told.approve('ada');
    told.ahead = 8 * DAY;
    told.approve('grace');
    expect(await sentenceOf(told)).toContain('ada approved too long ago');
  });

  it('is decided by those whom the policy names, and nobody else', async () => {
    const told = world.begin({ approval: { ...approval, groups: ['leads'], people: ['grace'] } });
    await told.look();
    const decide = (name: string, groups: string[]) => {
      const request = { verdict: 'approve', reason: 'fine', revision: told.commit } as const;
      return checkDecision(told.state(), request, { name, groups, method: 'token' }, 'e').ok;
    };
    expect([decide('ada', []), decide('ada', ['others']), decide('ada', ['leads']), decide('grace', [])]).toEqual([
      false,
      false,
      true,
      true,
    ]);
  });

  it('is approved anew when it brings something else than what was looked at', async () => {
    const changes = [{ set: { file: 'kept.json', path: 'version', from: 'app.json' } }];
    world.origin.commit({ branch: 'stage/production', files: { 'kept.json': '{"version": 7, "size": 1}\n' } });
    const told = world.begin({ changes, approval: { ...approval, quorum: 2 } });
    await told.settle();
    told.approve('ada');
    expect(await sentenceOf(told)).toContain('has 1 of 2 approvals here');
    world.origin.commit({ branch: 'stage/production', files: { 'kept.json': '{"version": 7, "size": 999}\n' } });
    await told.look();
    told.ahead = 60_000;
    told.approve('grace');
    expect(await sentenceOf(told)).toContain('has 1 of 2 approvals here');
    told.approve('ada');
    expect(await sentenceOf(told)).toContain('pass: promoted');
  });

  it('is never merged by an approval of another commit', async () => {
    const told = world.begin();
    await told.look();
    const task = told.state().tasks.at(-1)?.id ?? '';
    told.happens({
      name: 'decision.made',
      at: new Date().toISOString(),
      data: {
        decision: 'd1',
        verdict: 'approve',
        task,
        actor: 'ada',
        method: 'token',
        reason: 'fine',
        revision: 'f'.repeat(40),
        evidence: 'e',
      },
    });
    expect(await sentenceOf(told)).toContain('needs an approval here');
  });
});
