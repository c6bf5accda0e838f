import { describe, expect, it } from 'vitest';
import { PERSON_TOKEN } from '../support/lynceus.ts';
import { isOver, type Story, story, waitsAt } from '../support/story.ts';

const LIMIT = { timeout: 180_000 };

/** Production waits for both of the stages before it. */
const delivery = `apiVersion: lynceus.dev/v1
kind: Delivery
metadata: {name: shop}
spec:
  stages:
    - name: dev
      branch: stage/dev
      rollout: {settle: 100ms}
      promotion: {to: [staging, production], onPass: automatic}
    - name: staging
      branch: stage/staging
      sync: gated
      rollout: {settle: 100ms}
      promotion: {to: production, onPass: automatic}
    - name: production
      branch: stage/production
      sync: gated
      rollout: {settle: 100ms}
`;

const switchLine = (told: Story, what: 'stop-the-line' | 'go-on', reason: string) =>
  told.world.ask(`/api/v1/${what}`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${PERSON_TOKEN}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ stage: 'production', reason }),
  });

describe('the running service', () => {
  it('leads a change to several stages, through a stopped line, to one that waits for all', LIMIT, async () => {
    await story({ delivery }, async (told) => {
      expect((await switchLine(told, 'stop-the-line', 'INC-42')).status).toBe(201);
      const commit = told.release(1);
      const waiting = 'the line to production was stopped by ada: INC-42';
      const staging = await told.stage(
        commit,
        'staging',
        (view) => waitsAt('promotion')(view) && view.tasks.at(-1)?.waitingFor?.sentence === waiting,
        'is verified, and waits for the line',
      );
      expect(staging.promotions).toMatchObject([{ to: 'production', state: 'open' }]);
      const dev = await told.stage(
        commit,
        'dev',
        (view) => waitsAt('promotion')(view) && view.promotions?.[1]?.state === 'open',
        'follows what staging opened',
      );
      expect(dev.promotions).toMatchObject([
        { to: 'staging', state: 'promoted' },
        { to: 'production', state: 'open', pullRequest: 2 },
      ]);
      expect(told.pullRequests()).toEqual(['merged', 'open']);
      expect((await switchLine(told, 'go-on', 'solved')).status).toBe(200);
      expect(await told.stage(commit, 'production', isOver, 'arrives')).toMatchObject({ result: 'pass' });
      expect(await told.stage(commit, 'dev', isOver, 'ends with it')).toMatchObject({
        result: 'pass',
        message: expect.stringMatching(/promoted to production by pull request 2.*\(by way of staging\)/),
      });
      expect(told.pullRequests()).toEqual(['merged', 'merged']);
      expect((await told.change(commit))?.stages.map(({ stage }) => stage)).toEqual(['dev', 'staging', 'production']);
    });
  });
});
