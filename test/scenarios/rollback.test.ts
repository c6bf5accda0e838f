import { describe, expect, it } from 'vitest';
import { eventually } from '../support/lynceus.ts';
import { deliveryWith, isOver, last, type Story, story } from '../support/story.ts';

const LIMIT = { timeout: 360_000 };
type Stage = 'dev' | 'staging';

/** A stage whose test expects this status; the application always answers 200. */
function demanding(stage: Stage, status: number, more: string): string {
  const sync = stage === 'dev' ? 'automatic' : 'gated';
  const test = `tests: [{http: {path: /, requests: 5, expect: {status: ${status}}}}]`;
  return deliveryWith(stage, `sync: ${sync}\n      ${test}\n      ${more}`);
}

/** A commit whose test fails in a stage; `files` are its own. */
function breakIt(told: Story, stage: Stage, more: string, files: Record<string, string> = {}): string {
  const app = { 'app.json': `{"version": "bad"}\n` };
  return repositoryOf(told).commit({
    branch: 'stage/dev',
    files: { ...app, 'delivery.yaml': demanding(stage, 204, more), ...files },
    message: 'Break it',
  });
}

function repositoryOf(told: Story) {
  const repository = told.world.repositories.get('checkout');
  if (!repository) throw new Error('no repository');
  return repository;
}

const treeOf = (told: Story, revision: string) => repositoryOf(told).git('rev-parse', `${revision}^{tree}`);
const deployedIn = (told: Story, stage: string) =>
  told.world.argocd.controller.find(`checkout-${stage}`)?.status.history.at(-1)?.revision;

/** A change goes well in a stage, the next one fails there. */
async function goodThenBad(told: Story, stage: Stage, more: string): Promise<{ good: string; bad: string }> {
  const first = told.release(1);
  await told.stage(first, stage, isOver, 'is good');
  const bad = breakIt(told, stage, more);
  return { good: repositoryOf(told).sha(`stage/${stage}`) === bad ? first : (deployedIn(told, stage) ?? ''), bad };
}

describe.concurrent('a stage that Argo CD syncs by itself', () => {
  const more = 'onFailure: rollback';

  it('goes back by a revert that is merged, delivered and verified', LIMIT, async () => {
    await story({ delivery: demanding('dev', 200, more) }, async (told) => {
      const { good, bad } = await goodThenBad(told, 'dev', more);
      const over = await told.stage(bad, 'dev', isOver, 'is rolled back');
      expect(over).toMatchObject({
        result: 'fail',
        reason: 'failed',
        message: expect.stringMatching(/; rolled back to .* by pull request 1, deployed and healthy$/),
        rollback: { state: 'done', by: 'pullRequest', to: good },
        pullRequest: { number: 1, to: 'dev' },
      });
      const revert = repositoryOf(told).sha('stage/dev') ?? '';
      expect(treeOf(told, revert)).toBe(treeOf(told, good));
      expect(repositoryOf(told).git('merge-base', revert, bad)).toBe(bad);
      expect(deployedIn(told, 'dev')).toBe(revert);
      expect(repositoryOf(told).git('log', '-1', '--format=%B', revert)).toMatch(
        new RegExp(`Lynceus-Rollback: .+\\nLynceus-Failed-Revision: ${bad}\\nLynceus-Good-Revision: ${good}`),
      );
    });
  });

  it('tells the revert from a change: no test, no promotion, a sequence of its own', LIMIT, async () => {
    const promoting = `${more}\n      promotion: {onPass: automatic}`;
    await story({ delivery: demanding('dev', 200, promoting) }, async (told) => {
      const { bad, good } = await goodThenBad(told, 'dev', promoting);
      await told.stage(bad, 'dev', isOver, 'is rolled back');
      const revert = repositoryOf(told).sha('stage/dev') ?? '';
      const view = await told.stage(revert, 'dev', isOver, 'is delivered');
      expect(view.tasks.map(({ name }) => name)).toEqual(['plan', 'sync', 'rollout']);
      expect(view).toMatchObject({
        result: 'pass',
        message: expect.stringMatching(/^rolled back to .*, deployed and healthy$/),
        rollsBack: { revision: bad, to: good },
      });
      expect((await told.change(revert))?.id).not.toBe((await told.change(bad))?.id);
      await expectNothingPromoted(told, revert);
    });
  });

  it('waits for a person where the policy says so, and does what the person says', LIMIT, async () => {
    const manual = 'onFailure: {rollback: {by: pullRequest, merge: manual}}';
    await story({ delivery: demanding('dev', 200, manual) }, async (told) => {
      const { good, bad } = await goodThenBad(told, 'dev', manual);
      const sentence = 'revert pull request 1 needs an approval here';
      const asked = await told.stage(bad, 'dev', (view) => last(view).waitingFor?.sentence === sentence, 'waits');
      expect(asked.decide).toMatchObject({ what: 'rollback', revision: bad });
      expect(repositoryOf(told).sha('stage/dev')).toBe(bad);
      expect((await told.decide(bad, 'dev', 'approve')).status).toBe(201);
      expect(await told.stage(bad, 'dev', isOver, 'is rolled back')).toMatchObject({ rollback: { state: 'done' } });
      expect(treeOf(told, 'stage/dev')).toBe(treeOf(told, good));
    });
  });

  it('stays as it is when the person says no', LIMIT, async () => {
    const manual = 'onFailure: {rollback: {merge: manual}}';
    await story({ delivery: demanding('dev', 200, manual) }, async (told) => {
      const { bad } = await goodThenBad(told, 'dev', manual);
      await told.stage(bad, 'dev', (view) => view.decide, 'waits for a person');
      await told.decide(bad, 'dev', 'reject');
      expect(await told.stage(bad, 'dev', isOver, 'stays')).toMatchObject({
        result: 'fail',
        message: expect.stringMatching(/; not rolled back: rejected by ada: told so$/),
        rollback: { state: 'not done' },
      });
      expect(told.pullRequests()).toEqual(['closed']);
      expect(deployedIn(told, 'dev')).toBe(bad);
    });
  });

  it(
    'that has moved on leaves it to a person, and needs no rollback once the newer change is good',
    LIMIT,
    async () => {
      const manual = 'onFailure: {rollback: {merge: manual}}';
      await story({ delivery: demanding('dev', 200, manual) }, async (told) => {
        const { bad } = await goodThenBad(told, 'dev', manual);
        await told.stage(bad, 'dev', (view) => view.decide, 'waits for a person');
        const fixed = repositoryOf(told).commit({
          branch: 'stage/dev',
          files: { 'delivery.yaml': demanding('dev', 200, manual), 'app.json': '{"version": 3}\n' },
          message: 'Mend it',
        });
        expect(await told.stage(fixed, 'dev', isOver, 'is delivered meanwhile')).toMatchObject({ result: 'pass' });
        await told.pass('10s');
        expect(await told.stage(bad, 'dev', isOver, 'needs no rollback')).toMatchObject({
          message: expect.stringMatching(/; not rolled back: the newer .* is good$/),
        });
        expect(told.pullRequests()).toEqual(['closed']);
        expect(repositoryOf(told).sha('stage/dev')).toBe(fixed);
      });
    },
  );

  it('takes back the failed change alone when a person merges it on top of a newer one', LIMIT, async () => {
    const manual = 'onFailure: {rollback: {merge: manual}}';
    await story({ delivery: demanding('dev', 200, manual) }, async (told) => {
      const { bad } = await goodThenBad(told, 'dev', manual);
      await told.stage(bad, 'dev', (view) => view.decide, 'waits for a person');
      const newer = repositoryOf(told).commit({
        branch: 'stage/dev',
        files: { 'other.json': '{}\n' },
        message: 'Go on',
      });
      await told.stage(newer, 'dev', (view) => view.decide ?? isOver(view), 'fails as well');
      await eventually(async () => told.pullRequests()[0] === 'closed', {
        within: 60_000,
        what: 'the older rollback makes room',
      });
      await told.decide(newer, 'dev', 'approve');
      expect(await told.stage(newer, 'dev', isOver, 'is rolled back')).toMatchObject({ rollback: { state: 'done' } });
      expect(await told.stage(bad, 'dev', isOver, 'made room')).toMatchObject({
        message: expect.stringContaining('made room for the rollback of a newer change'),
      });
    });
  });

  it('says so when nothing good is known', LIMIT, async () => {
    await story({ delivery: demanding('dev', 200, more) }, async (told) => {
      const bad = breakIt(told, 'dev', more);
      expect(await told.stage(bad, 'dev', isOver, 'stays')).toMatchObject({
        result: 'fail',
        message: expect.stringMatching(/; not rolled back: no other commit is known to have been good in dev$/),
      });
      expect(told.pullRequests()).toEqual([]);
      expect(deployedIn(told, 'dev')).toBe(bad);
    });
  });
});

describe.concurrent('a stage that Lynceus syncs', () => {
  const more = 'onFailure: rollback';

  it('goes back by a sync of the last good commit, and does not deliver the failed one again', LIMIT, async () => {
    await story({ delivery: demanding('staging', 200, more) }, async (told) => {
      const first = told.release(1);
      await told.stage(first, 'staging', isOver, 'is good');
      const good = deployedIn(told, 'staging') ?? '';
      const bad = breakIt(told, 'staging', more);
      const over = await told.stage(bad, 'staging', isOver, 'is rolled back');
      expect(over).toMatchObject({
        result: 'fail',
        message: expect.stringMatching(/; rolled back to .* by sync, deployed and healthy$/),
        rollback: { state: 'done', by: 'sync', to: good },
      });
      expect(deployedIn(told, 'staging')).toBe(good);
      const application = told.world.argocd.controller.find('checkout-staging');
      expect(application?.status.operationState?.operation.info).toContainEqual({
        name: 'lynceus.dev/task',
        value: last(over).task,
      });
      const failed = repositoryOf(told).sha('stage/staging') ?? '';
      await told.world.argocd.controller.refresh('checkout-staging');
      expect(application?.status.sync.status).toBe('OutOfSync');
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      expect(told.world.syncsOf('checkout-staging', failed)).toHaveLength(1);
      expect(told.world.syncsOf('checkout-staging', good)).toHaveLength(2);
      expect((await told.change(bad))?.stages.filter(({ stage }) => stage === 'staging')).toHaveLength(1);
    });
  });

  it('goes back by a revert where it is told to, and takes all of the next change again', LIMIT, async () => {
    const revert = 'onFailure: {rollback: {by: pullRequest}}';
    await story({ delivery: demanding('staging', 200, revert) }, async (told) => {
      const first = told.release(1);
      await told.stage(first, 'staging', isOver, 'is good');
      const good = deployedIn(told, 'staging') ?? '';
      const bad = breakIt(told, 'staging', revert, { 'feature.json': '{"on": true}\n' });
      expect(await told.stage(bad, 'staging', isOver, 'is rolled back')).toMatchObject({
        rollback: { state: 'done', by: 'pullRequest', to: good },
      });
      expect(treeOf(told, 'stage/staging')).toBe(treeOf(told, good));
      const mended = repositoryOf(told).commit({
        branch: 'stage/dev',
        files: { 'delivery.yaml': demanding('staging', 200, revert), 'app.json': '{"version": 3}\n' },
        message: 'Mend it',
      });
      expect(await told.stage(mended, 'staging', isOver, 'is delivered')).toMatchObject({ result: 'pass' });
      expect(treeOf(told, 'stage/staging')).toBe(treeOf(told, mended));
      const next = told.release(4);
      expect(await told.stage(next, 'staging', isOver, 'is delivered')).toMatchObject({ result: 'pass' });
      expect(treeOf(told, 'stage/staging')).toBe(treeOf(told, next));
    });
  });

  it('says loudly when it does not become healthy with the good commit either', LIMIT, async () => {
    const quick = `${more}\n      rollout: {settle: 100ms, timeout: 1s}`;
    const delivery = (status: number) =>
      demanding('staging', status, quick).replace(/rollout: \{settle: 100ms\}\n {6}(?=sync: gated\n {6}tests)/, '');
    await story({ delivery: delivery(200) }, async (told) => {
      const first = told.release(1);
      await told.stage(first, 'staging', isOver, 'is good');
      const good = deployedIn(told, 'staging') ?? '';
      const bad = repositoryOf(told).commit({
        branch: 'stage/dev',
        files: { 'app.json': '{}\n', 'delivery.yaml': delivery(204) },
      });
      await eventually(async () => told.world.syncsOf('checkout-staging', good).length === 2, {
        within: 60_000,
        what: 'the good commit is synced again',
      });
      await told.world.argocd.controller.setHealth('checkout-staging', 'Degraded');
      await told.pass('5s');
      const over = await told.stage(bad, 'staging', isOver, 'is broken');
      expect(over.message).toMatch(
        /^ROLLBACK FAILED: the rollout of the good commit did not end within 1 s: health is Degraded/,
      );
      expect(over.rollback).toMatchObject({ state: 'failed' });
    });
  });
});

async function expectNothingPromoted(told: Story, revert: string): Promise<void> {
  expect(await told.change(revert)).toMatchObject({ stages: [{ stage: 'dev' }] });
  expect(repositoryOf(told).git('log', '--format=%H', 'stage/staging')).not.toContain(revert);
}

describe.concurrent('a repository on GitHub', () => {
  it('gets the revert as a pull request, and hears what became of it', LIMIT, async () => {
    const more = 'onFailure: rollback';
    await story({ github: true, delivery: demanding('dev', 200, more) }, async (told) => {
      const { good, bad } = await goodThenBad(told, 'dev', more);
      await told.stage(bad, 'dev', (view) => view.pullRequest, 'asks for its rollback');
      await told.stage(bad, 'dev', (view) => repositoryOf(told).sha('stage/dev') !== view.revision, 'is merged');
      const over = await told.stage(bad, 'dev', isOver, 'is rolled back');
      expect(over).toMatchObject({ rollback: { state: 'done', by: 'pullRequest', to: good } });
      expect(treeOf(told, 'stage/dev')).toBe(treeOf(told, good));
      expect(told.world.github?.violations).toEqual([]);
    });
  });
});

describe.concurrent('a commit that claims to be a revert', () => {
  it('is a change like any other: trailers can be written by anybody', LIMIT, async () => {
    const more = 'onFailure: rollback';
    await story({ delivery: demanding('dev', 200, more) }, async (told) => {
      const { bad, good } = await goodThenBad(told, 'dev', more);
      const over = await told.stage(bad, 'dev', isOver, 'is rolled back');
      const trailers = `Lynceus-Rollback: ${over.sequence}\nLynceus-Failed-Revision: ${bad}\nLynceus-Good-Revision: ${good}`;
      const forged = repositoryOf(told).commit({
        branch: 'stage/dev',
        files: { 'app.json': '{"version": "forged"}\n' },
        message: `Roll back\n\n${trailers}`,
      });
      const view = await told.stage(forged, 'dev', isOver, 'is tested');
      expect(view.tasks.map(({ name }) => name)).toContain('test');
      expect(view.rollsBack).toBeUndefined();
    });
  });
});

describe.concurrent('a stage of several applications', () => {
  it('goes back with all of them', LIMIT, async () => {
    await story({ delivery: demanding('staging', 200, 'onFailure: rollback') }, async (told) => {
      await told.world.argocd.controller.add({
        name: 'checkout-staging-west',
        labels: { 'lynceus.dev/project': 'shop', 'lynceus.dev/stage': 'staging', 'lynceus.dev/service': 'checkout' },
        repoUrl: repositoryOf(told).path,
        path: '.',
        targetRevision: 'stage/staging',
        deployed: true,
        healthDelayMs: 50,
      });
      await eventually(
        async () => {
          const answer = await told.world.ask('/api/v1/events?stream=application/main/argocd/checkout-staging-west');
          return ((await answer.json()) as { events: unknown[] }).events.length > 0;
        },
        { within: 60_000, what: 'the second application is seen' },
      );
      const stage = (version: string, status: number) =>
        repositoryOf(told).commit({
          branch: 'stage/staging',
          files: { 'app.json': version, 'delivery.yaml': demanding('staging', status, 'onFailure: rollback') },
        });
      const good = stage('{"version": 1}\n', 200);
      expect(await told.stage(good, 'staging', isOver, 'is good')).toMatchObject({ result: 'pass' });
      const bad = stage('{"version": 2}\n', 204);
      expect(await told.stage(bad, 'staging', isOver, 'is rolled back')).toMatchObject({ rollback: { state: 'done' } });
      expect(deployedIn(told, 'staging')).toBe(good);
      expect(deployedIn(told, 'staging-west')).toBe(good);
    });
  });
});
