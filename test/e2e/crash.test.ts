import { describe, expect, it } from 'vitest';
import type { TestWorldOptions } from '../support/lynceus.ts';
import { postgresUrl, withPostgres } from '../support/postgres.ts';
import { dieAt, dieAtRandom, FAILPOINTS } from './chaos.ts';

/**
 * `npm run chaos` lets the process die at every failpoint and at 50 random times, on both stores. Here
 * only where a doubled or lost effect would be most likely.
 */
const full = process.env['LYNCEUS_CHAOS'] === 'full';
const SHORT = [
  'receive.stored',
  'line.decided',
  'effect.sync.before',
  'effect.sync.after',
  'effect.pull-request.after',
  'effect.merge.after',
  'task.evaluation.ran',
];
const SHORT_POSTGRES = ['receive.before', 'effect.sync.after', 'effect.merge.after'];
const LIMIT_MS = 360_000;
const RANDOM_KILLS = full ? 50 : 2;
const KILLS_PER_DELIVERY = full ? 5 : 2;

type OnStore = <T>(act: (options: TestWorldOptions) => Promise<T>) => Promise<T>;

function suite(failpoints: readonly string[], onStore: OnStore): void {
  it.concurrent.each(failpoints)(
    'ends as if nothing had happened after dying at %s',
    { timeout: LIMIT_MS },
    async (failpoint) => {
      const { resumedAfterMs } = await onStore((options) => dieAt(failpoint, options));
      expect(resumedAfterMs).toBeLessThan(15_000);
    },
  );

  it.concurrent(`ends as if nothing had happened after ${RANDOM_KILLS} kills at random times`, {
    timeout: LIMIT_MS * 10,
  }, async () => {
    const seed = Number(process.env['LYNCEUS_CHAOS_SEED'] ?? Date.now() % 1_000_000);
    const random = randomFrom(seed);
    let kills = 0;
    for (let round = 0; kills < RANDOM_KILLS && round < RANDOM_KILLS; round++) {
      const wanted = Math.min(KILLS_PER_DELIVERY, RANDOM_KILLS - kills);
      kills += (await onStore((options) => dieAtRandom(wanted, random, options))).kills;
    }
    console.info(`${kills} kills at random times, seed ${seed}`);
    expect(kills).toBe(RANDOM_KILLS);
  });
}

/** A small generator that can be started again from its seed (Park and Miller). */
function randomFrom(seed: number): () => number {
  let state = (seed % 2_147_483_646) + 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

describe('a process that dies, on SQLite', () => {
  suite(full ? FAILPOINTS : SHORT, (act) => act({}));
});

withPostgres('a process that dies, on PostgreSQL', () => {
  suite(full ? FAILPOINTS : SHORT_POSTGRES, async (act) => {
    const { url, drop } = await postgresUrl('crash');
    return act({ databaseUrl: url }).finally(drop);
  });
});
