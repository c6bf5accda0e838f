import { expect } from 'vitest';
import { parseDuration } from '../../src/base/duration.ts';
import type { ChangeView, StageView } from '../../src/views/change.ts';
import { createTestWorld, eventually, STAGES, type TestWorld, type TestWorldOptions, untilSeen } from './lynceus.ts';
import { expectRowsOfLog } from './rows-again.ts';

/** Enough for what happens without time having to pass, also on a machine that is busy with other tests. */
const SOON_MS = 60_000;

/** The product's specification is told in these words. */
export interface Story {
  world: TestWorld;
  /** A developer or a build commits a version to the first stage's branch; answers the commit. */
  release(version: number): string;
  /** Lets time pass: timers that fall due are due. */
  pass(duration: string): Promise<void>;
  /** Sets the clock to a moment after now. */
  moveTo(moment: string): Promise<void>;
  /** Waits until a stage of the change is as described. */
  stage(commit: string, stage: string, is: (view: StageView) => unknown, what: string): Promise<StageView>;
  /** A person decides on what a stage shows now. */
  decide(commit: string, stage: string, verdict: string, changes?: object): Promise<Response>;
  /** States of all pull requests so far, in order. */
  pullRequests(): string[];
  change(commit: string): Promise<ChangeView | undefined>;
}

/**
 * Tells a story in a world with the whole service, real Git, a sandbox Argo CD and a clock of its own. Whatever happened
 * in it: the rows that it left are those that its log gives.
 */
export async function story(options: TestWorldOptions, tell: (story: Story) => Promise<void>): Promise<void> {
  const world = await createTestWorld(options);
  let ahead = 0;
  try {
    const clock = { now: () => new Date(Date.now() + ahead) };
    const app = await world.startHere(clock);
    await untilSeen(world);
    const change = async (commit: string) => (await world.changes()).find(({ revision }) => revision === commit);
    const told: Story = {
      world,
      change,
      release: (version) => world.release(version),
      async pass(duration) {
        await untilQuiet(world);
        ahead += parseDuration(duration) ?? Number.NaN;
      },
      async moveTo(moment) {
        await untilQuiet(world);
        ahead = Date.parse(moment) - Date.now();
      },
      stage: (commit, stage, is, what) =>
        eventually(
          async () => {
            const view = (await change(commit))?.stages.findLast((one) => one.stage === stage);
            return view && is(view) ? view : undefined;
          },
          {
            within: SOON_MS,
            what: `${stage}: ${what}`,
            otherwise: async () =>
              (await change(commit))?.stages.map(({ tasks, ...rest }) => ({ ...rest, last: tasks.at(-1) })),
          },
        ),
      async decide(commit, stage, verdict, changes = {}) {
        const found = await change(commit);
        const view = found?.stages.findLast((one) => one.stage === stage);
        if (!found || !view) throw new Error(`the change is not in ${stage}`);
        return world.decide(found.id, { verdict, reason: 'told so', stage, revision: view.revision, ...changes });
      },
      pullRequests() {
        const repository = [...world.repositories.values()][0];
        const refs =
          repository
            ?.git('for-each-ref', '--format=%(refname)', '--sort=version:refname', 'refs/lynceus/pull-requests/')
            .split('\n')
            .filter(Boolean) ?? [];
        return refs.map(
          (ref) => (JSON.parse(repository?.git('show', `${ref}:pull-request.json`) ?? '{}') as { state: string }).state,
        );
      },
    };
    await tell(told);
    if (options.databaseUrl !== undefined) return;
    await app.stop();
    await expectRowsOfLog(world.dataDir, clock);
  } finally {
    await world.stop();
  }
}

/** The last task of a stage. */
export function last(view: StageView) {
  const task = view.tasks.at(-1);
  if (!task) throw new Error('no task yet');
  return task;
}

/** Whether a stage waits at a task. */
export function waitsAt(name: string): (view: StageView) => boolean {
  return (view) => view.tasks.at(-1)?.name === name && view.status === 'waiting';
}

export function isOver(view: StageView): boolean {
  return view.status === 'finished';
}

/** Nothing reached a stage. */
export async function expectUntouched(told: Story, commit: string, stage: string): Promise<void> {
  const change = await told.change(commit);
  expect(change?.stages.map((one) => one.stage)).not.toContain(stage);
  expect(told.world.syncsOf(`checkout-${stage}`)).toEqual([]);
}

/** delivery.yaml with what one stage demands; the others only pass on what is healthy. */
export function deliveryWith(stage: (typeof STAGES)[number], demands: string): string {
  const plain: Record<string, string> = {
    dev: 'sync: automatic\n      promotion: {onPass: automatic}',
    staging: 'sync: gated\n      promotion: {onPass: automatic}',
    production: 'sync: gated',
  };
  const stages = STAGES.map(
    (name) =>
      `    - name: ${name}\n      branch: stage/${name}\n      rollout: {settle: 100ms}\n      ${name === stage ? demands : plain[name]}\n`,
  );
  return `apiVersion: lynceus.dev/v1\nkind: Delivery\nmetadata: {name: shop}\nspec:\n  stages:\n${stages.join('')}`;
}

/**
 * Nothing is at work: what reckons how long it will sleep while the clock jumps would sleep too long by the
 * jump, which real clocks do not do.
 */
async function untilQuiet(world: TestWorld): Promise<void> {
  const busy = /^lynceus_queue_jobs\{queue="(?:line|task|evaluate)",state="(?:due|running)"\} [1-9]/m;
  await eventually(async () => !busy.test(await (await world.ask('/metrics')).text()) || undefined, {
    within: SOON_MS,
    what: 'no work under way',
  });
}
