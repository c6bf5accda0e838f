import { describe, expect, it } from 'vitest';
import { deliveryWith, isOver, last, type Story, story, waitsAt } from '../support/story.ts';

const LIMIT = { timeout: 240_000 };
const PASSING = 'tests: [{http: {path: /, requests: 5, expect: {status: 200}}}]';
const APPROVED = 'approval: {quorum: 1}';

const repositoryOf = (told: Story) => {
  const repository = told.world.repositories.get('checkout');
  if (!repository) throw new Error('no repository');
  return repository;
};
const treeOf = (told: Story, revision: string) => repositoryOf(told).git('rev-parse', `${revision}^{tree}`);
const deployedIn = (told: Story, stage: string) =>
  told.world.argocd.controller.find(`checkout-${stage}`)?.status.history.at(-1)?.revision;
const asked = (told: Story, application: string) =>
  told.world.argocd.requests
    .filter(({ method, path: address }) => method === 'POST' && address.endsWith(`${application}/sync`))
    .map(({ body }) => JSON.parse(body) as { revision: string });
const wasAsked = (what: string) => (view: { asked?: { what: string }; status: string }) =>
  view.asked?.what === what && view.status === 'finished';
const codeOf = async (answer: Response) => ((await answer.json()) as { code: string }).code;

/** Two changes that went well in a stage: its commits there, and the second change as it is known from its start. */
async function twoGood(told: Story, stage: string): Promise<{ change: string; good: string; now: string }> {
  await told.stage(told.release(1), stage, isOver, 'is good');
  const good = deployedIn(told, stage) ?? '';
  const change = told.release(2);
  expect(await told.stage(change, stage, isOver, 'is good as well')).toMatchObject({ result: 'pass' });
  return { change, good, now: deployedIn(told, stage) ?? '' };
}

describe.concurrent('a person who finds a change bad that is over', () => {
  it('has it rolled back by a sync, on the record, and it is not delivered again', LIMIT, async () => {
    await story({ delivery: deliveryWith('staging', `sync: gated\n      ${PASSING}`) }, async (told) => {
      const { change, good, now } = await twoGood(told, 'staging');
      expect(await codeOf(await told.decide(change, 'staging', 'rollback'))).toBe('nothing-to-decide');
      expect((await told.decide(change, 'staging', 'rollback', { by: 'sync' })).status).toBe(201);
      const back = await told.stage(change, 'staging', wasAsked('rollback'), 'is rolled back');
      expect(back).toMatchObject({
        result: 'fail',
        reason: 'failed',
        revision: now,
        message: expect.stringMatching(
          /^rolled back to .* by sync, deployed and healthy \(asked for by ada: told so\)$/,
        ),
        rollback: { state: 'done', by: 'sync', to: good },
        asked: { actor: 'ada', reason: 'told so' },
      });
      expect(back.tasks.map(({ name }) => name)).toEqual(['plan', 'rollback']);
      expect(deployedIn(told, 'staging')).toBe(good);
      const found = await told.change(change);
      expect(found?.stages.filter(({ stage }) => stage === 'staging').map(({ result }) => result)).toEqual([
        'pass',
        'fail',
      ]);
      const page = await (await told.world.ask(`/changes/${found?.id}`)).text();
      expect(page).toContain('ada asked to go back from it, once it was over: told so');
      expect(await codeOf(await told.decide(change, 'staging', 'rollback', { by: 'sync' }))).toBe('nothing-to-decide');
      await told.world.argocd.controller.refresh('checkout-staging');
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      expect(told.world.syncsOf('checkout-staging', now)).toHaveLength(1);
    });
  });

  it('has it reverted where the stage syncs by itself, and the next change arrives whole', LIMIT, async () => {
    const policy = `sync: automatic\n      ${PASSING}\n      onFailure: {rollback: {merge: manual}}`;
    await story({ delivery: deliveryWith('dev', policy) }, async (told) => {
      const { change, good } = await twoGood(told, 'dev');
      expect((await told.decide(change, 'dev', 'rollback')).status).toBe(201);
      const waits = await told.stage(change, 'dev', (view) => view.decide, 'waits for its merge, as the policy says');
      expect(waits).toMatchObject({ decide: { what: 'rollback' }, asked: { what: 'rollback' } });
      expect(await codeOf(await told.decide(change, 'dev', 'override'))).toBe('nothing-to-decide');
      await told.decide(change, 'dev', 'approve');
      expect(await told.stage(change, 'dev', wasAsked('rollback'), 'is rolled back')).toMatchObject({
        rollback: { state: 'done', by: 'pullRequest', to: good },
        pullRequest: { number: 1, to: 'dev' },
      });
      expect(treeOf(told, 'stage/dev')).toBe(treeOf(told, good));
      const revert = repositoryOf(told).sha('stage/dev') ?? '';
      expect(await told.stage(revert, 'dev', isOver, 'is delivered')).toMatchObject({
        result: 'pass',
        rollsBack: { revision: change, to: good },
      });
      const answer = await told.decide(revert, 'dev', 'rollback', { by: 'pullRequest' });
      expect(await codeOf(answer)).toBe('nothing-to-decide');
      const next = told.release(3);
      expect(await told.stage(next, 'dev', isOver, 'is delivered')).toMatchObject({ result: 'pass' });
    });
  });

  it('is told where it is too late or too early, and nothing happens', LIMIT, async () => {
    const delivery = deliveryWith('staging', `sync: gated\n      ${APPROVED}\n      onFailure: rollback`);
    await story({ delivery }, async (told) => {
      const first = told.release(1);
      await told.stage(first, 'staging', waitsAt('approval'), 'waits');
      expect(await codeOf(await told.decide(first, 'staging', 'rollback'))).toBe('nothing-to-decide');
      await told.decide(first, 'staging', 'approve');
      await told.stage(first, 'staging', isOver, 'is good');
      const second = told.release(2);
      await told.stage(second, 'staging', waitsAt('approval'), 'waits');
      const late = await told.decide(first, 'staging', 'rollback');
      expect([late.status, await codeOf(late)]).toEqual([409, 'stale']);
      await told.decide(second, 'staging', 'reject');
      await told.stage(second, 'staging', isOver, 'is rejected');
      const answer = await told.decide(second, 'staging', 'rollback');
      expect(((await answer.json()) as { detail: string }).detail).toBe('it was never deployed in this stage');
      const { id } = (await told.change(second)) as { id: string };
      expect(await (await told.world.ask(`/changes/${id}`)).text()).not.toContain('Roll back staging');
      expect((await told.change(first))?.stages.at(-1)?.rollback).toBeUndefined();
    });
  });

  it('can ask on the page, where it is possible, and says how', LIMIT, async () => {
    await story({ delivery: deliveryWith('staging', 'sync: gated') }, async (told) => {
      const { change, good } = await twoGood(told, 'staging');
      const { id, stages } = (await told.change(change)) as { id: string; stages: { revision: string }[] };
      const page = await (await told.world.ask(`/changes/${id}`)).text();
      expect(page).toMatch(/<select name="by">[\s\S]*value="sync"[\s\S]*value="pullRequest"[\s\S]*value="rollback"/);
      const one = (await (await told.world.ask(`/api/v1/changes/${id}`)).json()) as {
        stages: { rollBack?: { evidence: string } }[];
      };
      expect(one.stages.at(-1)?.rollBack).toMatchObject({ ways: ['sync', 'pullRequest'], groups: [] });
      const evidence = one.stages.at(-1)?.rollBack?.evidence;
      const revision = stages.at(-1)?.revision;
      const body = { verdict: 'rollback', stage: 'staging', reason: 'INC-7', revision, evidence, by: 'sync' };
      expect((await told.world.decide(id, { ...body, evidence: 'old' })).status).toBe(409);
      expect((await told.world.decide(id, { ...body, by: 'force' })).status).toBe(400);
      // Two people at once: the one who is later looks at something else by then.
      const both = await Promise.all([told.world.decide(id, body), told.world.decide(id, body)]);
      expect(both.map(({ status }) => status).sort()).toEqual([201, 409]);
      await told.stage(change, 'staging', wasAsked('rollback'), 'is rolled back');
      expect(deployedIn(told, 'staging')).toBe(good);
      expect(asked(told, 'checkout-staging').map((sync) => sync.revision)).toHaveLength(3);
    });
  });
});

describe.concurrent('an override of a change that is over', () => {
  it('deploys exactly its commit in a stage that Lynceus syncs, at best with a warning', LIMIT, async () => {
    const delivery = deliveryWith('staging', `sync: gated\n      ${APPROVED}\n      ${PASSING}`);
    await story({ delivery }, async (told) => {
      const commit = told.release(1);
      await told.stage(commit, 'staging', waitsAt('approval'), 'waits');
      await told.decide(commit, 'staging', 'reject');
      const rejected = await told.stage(commit, 'staging', isOver, 'is rejected');
      expect(asked(told, 'checkout-staging')).toEqual([]);
      expect((await told.decide(commit, 'staging', 'override')).status).toBe(201);
      const over = await told.stage(commit, 'staging', wasAsked('override'), 'is delivered after all');
      expect(over).toMatchObject({
        result: 'warning',
        revision: rejected.revision,
        override: { actor: 'ada', reason: 'told so' },
        asked: { sequence: rejected.sequence },
      });
      expect(over.tasks.map(({ name, result }) => `${name} ${result}`)).toEqual([
        'plan pass',
        'approval warning',
        'sync pass',
        'rollout pass',
        'test pass',
      ]);
      expect(asked(told, 'checkout-staging').map(({ revision }) => revision)).toEqual([rejected.revision]);
      expect(await codeOf(await told.decide(commit, 'staging', 'override'))).toBe('nothing-to-decide');
    });
  });

  it('starts nothing where a newer change is there: it only opens the gate for the commit', LIMIT, async () => {
    const delivery = deliveryWith('staging', `sync: gated\n      ${APPROVED}`);
    await story({ delivery }, async (told) => {
      const first = told.release(1);
      await told.stage(first, 'staging', waitsAt('approval'), 'waits');
      await told.decide(first, 'staging', 'reject');
      await told.stage(first, 'staging', isOver, 'is rejected');
      const second = told.release(2);
      await told.stage(second, 'staging', waitsAt('approval'), 'waits');
      expect((await told.decide(first, 'staging', 'override')).status).toBe(201);
      await told.decide(second, 'staging', 'approve');
      await told.stage(second, 'staging', isOver, 'is delivered');
      const stages = (await told.change(first))?.stages.filter(({ stage }) => stage === 'staging') ?? [];
      expect(stages).toMatchObject([{ result: 'fail', override: { actor: 'ada' } }]);
      expect(asked(told, 'checkout-staging')).toHaveLength(1);
    });
  });

  it('brings back a commit that was rolled back, and is told when it fails once more', LIMIT, async () => {
    const broken = 'tests: [{http: {path: /, requests: 5, expect: {status: 204}}}]';
    const delivery = (test: string) => deliveryWith('staging', `sync: gated\n      ${test}\n      onFailure: rollback`);
    await story({ delivery: delivery(PASSING) }, async (told) => {
      await told.stage(told.release(1), 'staging', isOver, 'is good');
      const good = deployedIn(told, 'staging');
      const files = { 'app.json': '{"version": "bad"}\n', 'delivery.yaml': delivery(broken) };
      const bad = repositoryOf(told).commit({ branch: 'stage/dev', files, message: 'Break it' });
      const over = await told.stage(bad, 'staging', isOver, 'is rolled back');
      expect(over).toMatchObject({ rollback: { state: 'done', to: good } });
      expect((await told.decide(bad, 'staging', 'override')).status).toBe(201);
      const again = await told.stage(bad, 'staging', wasAsked('override'), 'fails once more');
      expect(last(again)).toMatchObject({ name: 'rollback', result: 'pass' });
      expect(told.world.syncsOf('checkout-staging', over.revision)).toHaveLength(2);
      expect(deployedIn(told, 'staging')).toBe(good);
    });
  });
});
