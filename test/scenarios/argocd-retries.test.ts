import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Deploy } from '../../examples/sandbox/argocd/controller.ts';
import { eventually } from '../support/lynceus.ts';
import { deliveryWith, expectUntouched, isOver, last, type Story, story, waitsAt } from '../support/story.ts';

const LIMIT = { timeout: 240_000 };
const PATIENT = 'sync: gated\n      syncPolicy: {retry: {limit: 4, backoff: 1h}}';

/** Staging comes to life from the so-manieth attempt on; what is there at the start is there. */
function failing(attempts: number): Deploy {
  let failed = 0;
  return async ({ labels }, _revision, manifests) => {
    const isNew = !manifests['app.json']?.includes('"version": 0');
    if (isNew && labels['lynceus.dev/stage'] === 'staging' && failed++ < attempts) throw new Error('webhook is down');
    return { healthy: () => true };
  };
}

const operationOf = (told: Story) => told.world.argocd.controller.find('checkout-staging')?.status.operationState;

/** The change says which attempt has failed; then the time for the next one has come. */
async function failsAt(told: Story, commit: string, attempt: string): Promise<void> {
  const says = new RegExp(`^attempt ${attempt} failed, the next follows: one or more synchronization tasks`);
  const saysSo = (view: Parameters<typeof last>[0]) =>
    view.tasks.length > 0 && says.test(last(view).waitingFor?.sentence ?? '');
  await told.stage(commit, 'staging', saysSo, `says that attempt ${attempt} failed`);
  expect(operationOf(told)).toMatchObject({ phase: 'Running', finishedAt: expect.any(String) });
  told.world.argocd.controller.retryNow('checkout-staging');
}

describe.concurrent('a sync that Argo CD tries again by itself', () => {
  it('is followed through its attempts, and passes when one of them does', LIMIT, async () => {
    await story({ delivery: deliveryWith('staging', PATIENT), sandbox: { deploy: failing(2) } }, async (told) => {
      const commit = told.release(1);
      await failsAt(told, commit, '1 of 5');
      await failsAt(told, commit, '2 of 5');
      expect(await told.stage(commit, 'staging', isOver, 'is through')).toMatchObject({ result: 'pass' });
      expect(operationOf(told)).toMatchObject({
        phase: 'Succeeded',
        retryCount: 2,
        operation: { retry: { limit: 4 } },
      });
      // What Argo CD tries again, we do not ask for again.
      expect(told.world.syncsOf('checkout-staging')).toHaveLength(1);
    });
  });

  it('fails the stage once its retries are used up, and nothing is promoted', LIMIT, async () => {
    const delivery = deliveryWith('staging', PATIENT.replace('limit: 4', 'limit: 1'));
    await story({ delivery, sandbox: { deploy: failing(99) } }, async (told) => {
      const commit = told.release(1);
      await failsAt(told, commit, '1 of 2');
      expect(await told.stage(commit, 'staging', isOver, 'gives up')).toMatchObject({
        result: 'fail',
        message: expect.stringMatching(/^the sync ended as Failed: .*: webhook is down \(retried 1 times\)\.$/),
      });
      expect(told.world.syncsOf('checkout-staging')).toHaveLength(1);
      await expectUntouched(told, commit, 'production');
    });
  });

  it('is no failure yet where Argo CD began it by itself, either', LIMIT, async () => {
    const delivery = deliveryWith('staging', 'sync: automatic');
    await story({ delivery, sandbox: { deploy: failing(1) } }, async (told) => {
      told.world.argocd.controller.setRetry('checkout-staging', { limit: 4, backoff: { duration: '1h' } });
      told.world.argocd.controller.setAutomated('checkout-staging', true);
      const commit = told.release(1);
      await failsAt(told, commit, '1 of 5');
      expect(await told.stage(commit, 'staging', isOver, 'is through')).toMatchObject({ result: 'pass' });
      expect(told.world.syncsOf('checkout-staging').map(({ automated }) => automated)).toEqual([true]);
    });
  });
});

describe.concurrent("a gate's suspended Job whose change was rejected", () => {
  const job = readFileSync(join(import.meta.dirname, '../../examples/ways-to-gate/suspended-job.yaml'), 'utf8');
  const options = {
    files: { 'gate.yaml': job },
    delivery: deliveryWith('dev', 'sync: automatic\n      approval: {quorum: 1}'),
  };
  const operation = (told: Story) => told.world.argocd.controller.find('checkout-dev')?.status.operationState;
  const actions = (told: Story) => told.world.argocd.controller.actions;
  const until = (is: () => unknown, what: string) =>
    eventually(async () => is() || undefined, { within: 40_000, what });

  /** Its Job was terminated, and Argo CD waits to try again. */
  async function rejected(told: Story): Promise<string> {
    told.world.argocd.controller.setRetry('checkout-dev', { limit: 1, backoff: { duration: '1h' } });
    const commit = told.release(1);
    await told.stage(commit, 'dev', waitsAt('approval'), 'waits for a person');
    await until(() => operation(told)?.message.includes('lynceus-gate'), 'the Job holds the sync');
    await told.decide(commit, 'dev', 'reject');
    await until(() => operation(told)?.retryCount === 1, 'the Job is terminated');
    await told.stage(commit, 'dev', isOver, 'is over');
    return commit;
  }

  it('is terminated again when Argo CD tries the sync again, so that it blocks no other', LIMIT, async () => {
    await story(options, async (told) => {
      await rejected(told);
      told.world.argocd.controller.retryNow('checkout-dev');
      await until(() => operation(told)?.message.includes('lynceus-gate'), 'the next Job holds the sync');
      await told.pass('5s');
      await until(() => operation(told)?.phase === 'Failed', 'the sync has ended');
      expect(actions(told)).toEqual(['terminate Job/lynceus-gate', 'terminate Job/lynceus-gate']);
    });
  });

  it('is resumed, not terminated, once somebody has let the change through all the same', LIMIT, async () => {
    await story(options, async (told) => {
      const commit = await rejected(told);
      expect((await told.decide(commit, 'dev', 'override')).status).toBe(201);
      await told.stage(commit, 'dev', waitsAt('sync'), 'is let through');
      told.world.argocd.controller.retryNow('checkout-dev');
      await told.pass('5s');
      const over = await told.stage(commit, 'dev', (view) => view.asked && isOver(view), 'is delivered after all');
      expect(over).toMatchObject({ result: 'warning' });
      expect(actions(told)).toEqual(['terminate Job/lynceus-gate', 'resume Job/lynceus-gate']);
    });
  });
});
