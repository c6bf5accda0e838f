import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { StageView } from '../../src/views/change.ts';
import { createTestWorld, eventually, type TestWorld } from '../support/lynceus.ts';
import { deliveryWith } from '../support/story.ts';
import { startToDie } from './chaos.ts';

/**
 * A rollback that dies on its way, at every place where the process may die. `npm run chaos` tries all of them; here only
 * where a doubled effect would be most likely.
 */
const full = process.env['LYNCEUS_CHAOS'] === 'full';
const MOMENTS = ['claimed', 'ran', 'committed'].map((moment) => `task.rollback.${moment}`);
const around = (effect: string) => [`effect.rollback-${effect}.before`, `effect.rollback-${effect}.after`];
const BY_REVERT = full
  ? [...MOMENTS, ...['commit', 'pull-request', 'merge', 'report'].flatMap(around)]
  : ['effect.rollback-commit.after', 'effect.rollback-pull-request.after', 'effect.rollback-merge.after'];
const BY_SYNC = full ? [...MOMENTS, ...around('sync')] : ['effect.rollback-sync.after'];

const LIMIT = { timeout: 360_000 };
const WITHIN_MS = 180_000;
const STAGE = 'staging';
const BRANCH = `stage/${STAGE}`;

const demanding = (status: number, by: string) =>
  deliveryWith(
    STAGE,
    `sync: gated\n      tests: [{http: {path: /, requests: 5, expect: {status: ${status}}}}]\n      onFailure: {rollback: {by: ${by}}}`,
  );

describe.concurrent('a rollback whose process dies', () => {
  it.each(BY_REVERT)('makes one revert, one pull request and one merge after dying at %s', LIMIT, async (failpoint) => {
    await rollBack(failpoint, 'pullRequest', async (world, { good, bad }) => {
      const git = repositoryOf(world).git;
      // The revert and its merge, and nothing else, and the branch was never moved back.
      expect(git('rev-list', '--count', `${bad}..${BRANCH}`)).toBe('2');
      expect(git('rev-parse', `${BRANCH}^{tree}`)).toBe(git('rev-parse', `${good}^{tree}`));
      const pulls = git('for-each-ref', '--format=%(refname)', 'refs/lynceus/pull-requests/').split('\n');
      expect(pulls).toHaveLength(1);
      expect(JSON.parse(git('show', `${pulls[0]}:pull-request.json`))).toMatchObject({ state: 'merged' });
      expect(git('for-each-ref', '--format=%(refname)', 'refs/heads/lynceus-rollback/')).toBe('');
      expect(world.syncsOf(`checkout-${STAGE}`, git('rev-parse', BRANCH))).toHaveLength(1);
    });
  });

  it.each(BY_SYNC)('syncs the good commit once after dying at %s', LIMIT, async (failpoint) => {
    await rollBack(failpoint, 'sync', async (world, { good, bad }) => {
      // Once when it was new, once to go back.
      expect(world.syncsOf(`checkout-${STAGE}`, good)).toHaveLength(2);
      expect(world.syncsOf(`checkout-${STAGE}`, bad)).toHaveLength(1);
      expect(repositoryOf(world).sha(BRANCH)).toBe(bad);
    });
  });
});

/** A good change, then a bad one whose rollback dies at a failpoint, and the end that it must come to all the same. */
async function rollBack(
  failpoint: string,
  by: 'sync' | 'pullRequest',
  check: (world: TestWorld, commits: { good: string; bad: string }) => Promise<void>,
): Promise<void> {
  const world = await createTestWorld({ delivery: demanding(200, by) });
  try {
    const first = await startToDie(world, failpoint);
    const good = repositoryOf(world).commit({ branch: BRANCH, files: { 'app.json': '{"version": 1}\n' } });
    await stageOf(world, good, ({ status }) => status === 'finished', 'the good change is over');
    const files = { 'app.json': '{"version": 2}\n', 'delivery.yaml': demanding(204, by) };
    const bad = repositoryOf(world).commit({ branch: BRANCH, files });
    const over = stageOf(world, bad, ({ status }) => status === 'finished', 'the bad change is over');
    const ended = await Promise.race([first.ended, over.then(() => 'never reached')]);
    expect(ended, `${failpoint}: ${first.stderr().slice(-2000)}`).toBe('SIGKILL');
    await world.start();
    expect(await over).toMatchObject({ result: 'fail', rollback: { state: 'done', to: good, by } });
    // What would be done a second time would be done by now.
    await sleep(700);
    await check(world, { good, bad });
  } finally {
    await world.stop();
  }
}

function repositoryOf(world: TestWorld) {
  const repository = world.repositories.get('checkout');
  if (!repository) throw new Error('no repository');
  return repository;
}

function stageOf(world: TestWorld, commit: string, is: (view: StageView) => boolean, what: string): Promise<StageView> {
  const find = async () => (await world.changes()).find(({ revision }) => revision === commit)?.stages.at(-1);
  return eventually(
    async () => {
      const view = await find();
      return view && is(view) ? view : undefined;
    },
    { within: WITHIN_MS, what, otherwise: find },
  );
}
