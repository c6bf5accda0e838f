import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { expectUndisturbed, outcomeOf } from '../support/delivery-outcome.ts';
import { createTestWorld, eventually, seeThrough, type TestWorld, untilSeen } from '../support/lynceus.ts';

const WEBHOOK_TOKEN = 'webhook-token-for-tests-0123456789';

describe.concurrent('notifications', () => {
  it('that are all lost are made up for within 120 s, with the settings as they come', {
    timeout: 180_000,
  }, async () => {
    await withWorld({ notifications: { drop: true }, env: { LYNCEUS_RECONCILE_EVERY: '30s' } }, async (world) => {
      await world.start();
      await untilSeen(world);
      const commit = world.release(1);
      const began = Date.now();
      await eventually(async () => (await world.changes()).some(({ revision }) => revision === commit), {
        within: 120_000,
        what: 'a sequence starts without any notification',
      });
      console.info(`repaired after ${Date.now() - began} ms`);
      expect(world.argocd.notifier?.stats.sent).toBe(0);
    });
  });

  it('that are all lost do not change how a delivery ends', { timeout: 180_000 }, async () => {
    await withWorld({ notifications: { drop: true } }, async (world) => {
      await world.start();
      await untilSeen(world);
      expectUndisturbed(outcomeOf(world, await seeThrough(world, world.release(1), 120_000)));
    });
  });

  it('that come 50 times each, in any order, early and late, start one sequence', { timeout: 180_000 }, async () => {
    await withWorld({ notifications: { duplicates: 4 } }, async (world) => {
      await world.start();
      await untilSeen(world);
      const bodies: string[] = [];
      world.argocd.notifier?.disturb({
        drop: ({ body }) => {
          bodies.push(body);
          return false;
        },
      });
      const commit = world.release(1);
      const replaying = replayUntil(world, bodies, async () =>
        (await world.changes()).some(({ revision, stages }) => revision === commit && stages.length === 3),
      );
      const change = await seeThrough(world, commit, 150_000);
      await replaying;
      await replay(world, bodies, 50);
      await sleep(1_000);
      expect(await world.changes()).toHaveLength(1);
      expectUndisturbed(outcomeOf(world, change));
    });
  });
});

async function withWorld(
  options: Parameters<typeof createTestWorld>[0],
  act: (world: TestWorld) => Promise<void>,
): Promise<void> {
  const world = await createTestWorld(options);
  try {
    await act(world);
  } finally {
    await world.stop();
  }
}

/** What was sent so far, again and again in random order, while the delivery goes on. */
async function replayUntil(world: TestWorld, bodies: readonly string[], over: () => Promise<boolean>): Promise<void> {
  while (!(await over().catch(() => false))) {
    await replay(world, bodies, 1);
    await sleep(100);
  }
}

async function replay(world: TestWorld, bodies: readonly string[], times: number): Promise<void> {
  const all = Array.from({ length: times }, () => bodies).flat();
  const shuffled = all.map((body) => ({ body, at: Math.random() })).sort((a, b) => a.at - b.at);
  for (const { body } of shuffled) {
    const answer = await world.ask('/webhooks/argocd', {
      method: 'POST',
      headers: { Authorization: `Bearer ${WEBHOOK_TOKEN}`, 'Content-Type': 'application/json' },
      body,
    });
    expect(answer.status).toBe(202);
  }
}
