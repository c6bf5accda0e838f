import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { StageView } from '../../src/views/change.ts';
import { createTestWorld, eventually, type LynceusProcess, type TestWorld, untilSeen } from '../support/lynceus.ts';
import { deliveryWith, isOver, waitsAt } from '../support/story.ts';

/**
 * What we do to single objects in Argo CD (a gate's Job, a paused canary), with a process that dies right before and right
 * after doing it. Here one process after the other dies during one delivery; `npm run chaos` also lets each of them die alone.
 */
const full = process.env['LYNCEUS_CHAOS'] === 'full';
const around = (effect: string) => [`effect.${effect}.before`, `effect.${effect}.after`];
const alone = (failpoints: readonly string[]) => (full ? failpoints.map((failpoint) => [failpoint]) : []);
const OF_RELEASE = ['claimed', 'ran', 'committed'].map((moment) => `task.release.${moment}`);
const LETTING_THROUGH = [...around('open-latch'), ...around('resume')];

const LIMIT = { timeout: 360_000 };
const WITHIN_MS = 180_000;
const JOB = readFileSync(join(import.meta.dirname, '../../examples/ways-to-gate/suspended-job.yaml'), 'utf8');
const ROLLOUT = `apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: checkout}
spec: {strategy: {canary: {steps: [{setWeight: 20}, {pause: {}}]}}}
`;

/** A stage whose sync is held by a suspended Job until a person has approved, and whose canary is tested while it is paused. */
function delivery(status: number): string {
  const test = `{http: {path: /, requests: 5, expect: {status: ${status}}}}`;
  // The next stage has a Job of its own: only what must not come there may.
  const promotion = status === 200 ? '' : '\n      promotion: {onPass: automatic}';
  const demands = `sync: automatic\n      approval: {quorum: 1}\n      tests: [${test}]${promotion}`;
  return deliveryWith('dev', demands).replace('settle: 100ms', 'settle: 100ms, paused: promote');
}

describe.concurrent('a process that dies at an action in Argo CD', () => {
  for (const failpoints of [LETTING_THROUGH, ...alone([...LETTING_THROUGH, ...OF_RELEASE])])
    it(`lets the approved change through its gate and its canary: ${failpoints.join(', ')}`, LIMIT, async () => {
      await dying(failpoints, delivery(200), async (told) => {
        await told.decide('approve');
        expect(await told.stage(isOver, 'is through')).toMatchObject({ result: 'pass' });
        expect(await told.actions()).toEqual(['resume Job/lynceus-gate', 'resume Rollout/checkout']);
        expect(told.live()).toBe(told.commit);
      });
    });

  for (const failpoints of [around('abort'), ...alone([...around('abort'), ...OF_RELEASE])])
    it(`aborts the canary that failed, and never lets it go on: ${failpoints.join(', ')}`, LIMIT, async () => {
      await dying(failpoints, delivery(204), async (told) => {
        await told.decide('approve');
        expect(await told.stage(isOver, 'fails')).toMatchObject({ result: 'fail', reason: 'failed' });
        expect(await told.actions()).toEqual(['resume Job/lynceus-gate', 'abort Rollout/checkout']);
        expect(await told.stages()).toEqual(['dev']);
      });
    });

  for (const failpoints of [around('close-latch'), ...alone(around('close-latch'))])
    it(`ends the sync of the rejected change, and never lets it through: ${failpoints.join(', ')}`, LIMIT, async () => {
      await dying(failpoints, delivery(200), async (told) => {
        const before = told.live();
        await told.decide('reject');
        expect(await told.stage(isOver, 'is rejected')).toMatchObject({ result: 'fail', reason: 'rejected' });
        await told.until(async () => operationOf(told.world)?.phase === 'Failed', 'the sync ends');
        expect(await told.actions()).toEqual(['terminate Job/lynceus-gate']);
        expect(told.live()).toBe(before);
      });
    });
});

interface Told {
  world: TestWorld;
  commit: string;
  decide(verdict: string): Promise<void>;
  stage(is: (view: StageView) => boolean, what: string): Promise<StageView>;
  stages(): Promise<string[] | undefined>;
  /** What was done in Argo CD; what changed nothing because it had been done is left out. */
  actions(): Promise<string[]>;
  live(): string | undefined;
  until(is: () => Promise<boolean>, what: string): Promise<unknown>;
}

/** One change, and processes that die at these places in turn; the last one lives. */
async function dying(failpoints: readonly string[], text: string, tell: (told: Told) => Promise<void>): Promise<void> {
  const world = await createTestWorld({ delivery: text, files: { 'gate.yaml': JOB, 'rollout.yaml': ROLLOUT } });
  let over = false;
  try {
    const first = await world.start({ LYNCEUS_CRASH_AT: failpoints[0] ?? '' });
    await untilSeen(world);
    const told = toldOf(world, world.release(1));
    await told.stage(waitsAt('approval'), 'waits for a person');
    await told.until(
      async () => operationOf(world)?.message.includes('lynceus-gate') === true,
      'the Job holds the sync',
    );
    const died = dieInTurn(world, first, failpoints, () => over);
    await Promise.race([tell(told), died.then(() => new Promise(() => undefined))]);
    const left = await Promise.race([died, sleep(WITHIN_MS, 'one of them never died')]);
    expect(left).toBeUndefined();
  } finally {
    over = true;
    await world.stop();
  }
}

async function dieInTurn(
  world: TestWorld,
  first: LynceusProcess,
  failpoints: readonly string[],
  isOver: () => boolean,
): Promise<void> {
  let current = first;
  for (const [at, failpoint] of failpoints.entries()) {
    const ended = await current.ended;
    if (isOver()) return;
    expect(ended, `${failpoint}: ${current.stderr().slice(-2000)}`).toBe('SIGKILL');
    const next = failpoints[at + 1];
    current = await world.start(next === undefined ? {} : { LYNCEUS_CRASH_AT: next });
  }
}

function toldOf(world: TestWorld, commit: string): Told {
  const change = async () => (await world.changes()).find(({ revision }) => revision === commit);
  const until = (is: () => Promise<boolean>, what: string) => eventually(is, { within: WITHIN_MS, what });
  const stage: Told['stage'] = (is, what) =>
    eventually(
      async () => {
        const view = (await change())?.stages[0];
        return view && is(view) ? view : undefined;
      },
      { within: WITHIN_MS, what, otherwise: change },
    );
  return {
    world,
    commit,
    until,
    stage,
    async decide(verdict) {
      const { decide, revision, stage: name } = await stage((view) => view.decide !== undefined, 'can be decided');
      const body = { verdict, reason: 'told so', stage: name, revision, evidence: decide?.evidence };
      expect((await world.decide((await change())?.id ?? '', body)).status).toBe(201);
    },
    stages: async () => (await change())?.stages.map((view) => view.stage),
    async actions() {
      // What would be done a second time would be done by now.
      await sleep(700);
      return world.argocd.controller.actions.filter((action, at, all) => action !== all[at - 1]);
    },
    live: () => world.argocd.controller.find('checkout-dev')?.status.history.at(-1)?.revision,
  };
}

function operationOf(world: TestWorld) {
  return world.argocd.controller.find('checkout-dev')?.status.operationState;
}
