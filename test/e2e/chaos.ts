import { setTimeout as sleep } from 'node:timers/promises';
import { expectUndisturbed, outcomeOf } from '../support/delivery-outcome.ts';
import {
  createTestWorld,
  eventually,
  type LynceusProcess,
  seeThrough,
  type TestWorld,
  type TestWorldOptions,
  untilSeen,
} from '../support/lynceus.ts';

/** Every place in the code where a test may let the process die. */
export const FAILPOINTS: readonly string[] = [
  'receive.before',
  'receive.stored',
  'observe.decided',
  'observe.committed',
  'line.decided',
  'line.committed',
  ...['plan', 'checks', 'sync', 'rollout', 'test', 'evaluation', 'soak', 'promotion'].flatMap((task) =>
    ['claimed', 'ran', 'committed'].map((moment) => `task.${task}.${moment}`),
  ),
  ...['sync', 'pull-request', 'merge'].flatMap((effect) => [`effect.${effect}.before`, `effect.${effect}.after`]),
];

const WITHIN_MS = 240_000;
/** Promised: work goes on this soon after a start. */
const RESUME_MS = 15_000;

export interface Resumed {
  /** From the start after the crash until the log grew again. */
  resumedAfterMs: number;
}

/** One delivery that dies at a failpoint, is started again, and must end as if nothing had happened. */
export async function dieAt(failpoint: string, options: TestWorldOptions): Promise<Resumed> {
  return withWorld(options, async (world) => {
    const first = await startToDie(world, failpoint);
    const commit = world.release(1);
    // Somebody has to say yes to get as far as the later failpoints.
    const approving = seeThrough(world, commit, WITHIN_MS);
    const ended = await Promise.race([first.ended, approving.then(() => 'never reached')]);
    if (ended !== 'SIGKILL')
      throw new Error(`${failpoint}: expected to die there, but: ${ended}\n${first.stderr().slice(-2000)}`);
    const resumed = await restart(world);
    const change = await approving;
    await settleDown();
    expectUndisturbed(outcomeOf(world, change));
    return resumed;
  });
}

/** What is passed for a change only, not when applications are looked at for the first time. */
const FOR_A_CHANGE = /^(?:line|task|effect)\./;

/** Every application has been seen once before, as in any installation that is not brand new. */
export async function startToDie(world: TestWorld, failpoint: string): Promise<LynceusProcess> {
  const armed = { LYNCEUS_CRASH_AT: failpoint };
  const first = await world.start(FOR_A_CHANGE.test(failpoint) ? armed : {});
  await untilSeen(world);
  if (FOR_A_CHANGE.test(failpoint)) return first;
  first.kill('SIGTERM');
  await first.ended;
  return world.start(armed);
}

/** One delivery that dies again and again at random times. */
export async function dieAtRandom(
  kills: number,
  random: () => number,
  options: TestWorldOptions,
): Promise<{ kills: number }> {
  return withWorld(options, async (world) => {
    let process = await world.start();
    await untilSeen(world);
    const commit = world.release(1);
    const approving = seeThrough(world, commit, WITHIN_MS + kills * 10_000);
    let over = false;
    void approving
      .finally(() => {
        over = true;
      })
      .catch(() => undefined);
    let killed = 0;
    while (killed < kills && !over) {
      await sleep(100 + random() * 1_500);
      if (over) break;
      process.kill('SIGKILL');
      await process.ended;
      killed++;
      process = await world.start();
    }
    const change = await approving;
    await settleDown();
    expectUndisturbed(outcomeOf(world, change));
    return { kills: killed };
  });
}

async function withWorld<T>(options: TestWorldOptions, act: (world: TestWorld) => Promise<T>): Promise<T> {
  const world = await createTestWorld(options);
  try {
    return await act(world);
  } finally {
    await world.stop();
  }
}

async function restart(world: TestWorld): Promise<Resumed> {
  const began = Date.now();
  await world.start();
  await eventually(async () => (await lastEventAt(world)) >= began, {
    within: RESUME_MS,
    what: 'the log goes on after the restart',
  });
  return { resumedAfterMs: Date.now() - began };
}

async function lastEventAt(world: TestWorld): Promise<number> {
  for (let after = 0, last = 0; ; ) {
    const page = (await (await world.ask(`/api/v1/events?limit=1000&after=${after}`)).json()) as {
      events: { time: string }[];
      next?: number;
    };
    last = Math.max(last, ...page.events.map(({ time }) => Date.parse(time)));
    if (page.next === undefined) return last;
    after = page.next;
  }
}

/** What would be done a second time would be done by now. */
async function settleDown(): Promise<void> {
  await sleep(700);
}
