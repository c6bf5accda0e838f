import { describe, expect, it } from 'vitest';
import { deliveryWith, isOver, last, type Story, story, waitsAt } from '../support/story.ts';

const LIMIT = { timeout: 90_000 };
const GITHUB_TOKEN = 'github-token-for-tests-0123456789';
const manual = deliveryWith('dev', 'sync: automatic\n      promotion: {onPass: manual}');

describe.concurrent('a repository on GitHub', () => {
  it('gets a pull request with the evidence; whoever merges it there sends the change on', LIMIT, async () => {
    await story({ github: true, delivery: manual }, async (told) => {
      const commit = told.release(1);
      const asked = await told.stage(commit, 'dev', waitsAt('promotion'), 'waits for its review at GitHub');
      expect(asked.decide).toBeUndefined();
      expect(last(asked).waitingFor?.sentence).toContain('pull request 1 to staging needs');
      expect(asked.pullRequest?.url).toContain('/acme/deploy/pull/1');
      const pull = await api(told, 'GET', 'pulls/1');
      expect(pull).toMatchObject({ head: { sha: commit }, base: { ref: 'stage/staging' } });
      expect(pull['body']).toContain('Lynceus-Context:');
      await api(told, 'PUT', 'pulls/1/merge', { sha: commit, merge_method: 'merge' });
      await told.stage(commit, 'staging', isOver, 'goes on under the same change');
      expect(await told.stage(commit, 'dev', isOver, 'is over')).toMatchObject({ result: 'pass' });
      expect(told.world.github?.violations).toEqual([]);
    });
  });

  it('is where people decide: an approval on our side is refused and says where to go', LIMIT, async () => {
    await story({ github: true, delivery: manual }, async (told) => {
      const commit = told.release(1);
      await told.stage(commit, 'dev', waitsAt('promotion'), 'waits for its review at GitHub');
      const answer = await told.decide(commit, 'dev', 'approve');
      expect(answer.status).toBe(409);
      expect(await answer.json()).toMatchObject({
        code: 'decided-elsewhere',
        detail: expect.stringContaining('/acme/deploy/pull/1'),
      });
    });
  });

  it('that promotes by itself merges exactly the evaluated commit', LIMIT, async () => {
    await story(
      { github: true, delivery: deliveryWith('dev', 'sync: automatic\n      promotion: {onPass: automatic}') },
      async (told) => {
        const commit = told.release(1);
        await told.stage(commit, 'production', isOver, 'goes all the way');
        const merges = told.world.github?.requests.filter(({ line }) => /^PUT .*\/merge$/.test(line)) ?? [];
        expect(merges).toHaveLength(2);
        expect(told.world.github?.violations).toEqual([]);
      },
    );
  });
});

async function api(told: Story, method: string, path: string, body?: object): Promise<Record<string, unknown>> {
  const root = /api\/v3|repos/.exec(told.world.github?.requests.at(-1)?.line ?? '')?.[0] === 'api/v3' ? '/api/v3' : '';
  const answer = await fetch(`${told.world.github?.url}${root}/repos/acme/deploy/${path}`, {
    method,
    headers: { Authorization: `Bearer ${GITHUB_TOKEN}`, 'Content-Type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as Record<string, unknown>;
}
