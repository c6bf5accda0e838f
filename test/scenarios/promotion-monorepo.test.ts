import { describe, expect, it } from 'vitest';
import { eventually } from '../support/lynceus.ts';
import { isOver, type Story, story } from '../support/story.ts';

const LIMIT = { timeout: 180_000 };
const SERVICES = ['checkout', 'cart'];
const STAGES = ['dev', 'staging', 'production'];

const copy = 'changes: [{copy: {from: envs/$STAGE/$SERVICE, to: envs/$NEXT_STAGE/$SERVICE}}]';
const delivery = `apiVersion: lynceus.dev/v1
kind: Delivery
metadata: {name: shop}
spec:
  stages:
    - name: dev
      branch: main
      rollout: {settle: 100ms}
      promotion: {onPass: automatic, ${copy}}
    - name: staging
      branch: main
      sync: gated
      rollout: {settle: 100ms}
      promotion: {onPass: automatic, ${copy}}
    - name: production
      branch: main
      sync: gated
      rollout: {settle: 100ms}
`;
const files = Object.fromEntries(
  SERVICES.flatMap((service) => STAGES.map((stage) => [`envs/${stage}/${service}/app.json`, '{"version": 0}\n'])),
);
const world = { monorepo: true, services: SERVICES, delivery, files };

const repository = (told: Story) => {
  const [first] = told.world.repositories.values();
  if (!first) throw new Error('no repository');
  return first;
};
const commit = (told: Story, paths: Record<string, string>) =>
  repository(told).commit({ branch: 'main', files: paths });
const at = (told: Story, path: string) => repository(told).git('show', `main:${path}`);

async function untouched(told: Story, application: string): Promise<number> {
  const answer = await told.world.ask(`/api/v1/events?stream=application/main/argocd/${application}&limit=1000`);
  const { events } = (await answer.json()) as { events: { data: { untouched?: true } }[] };
  return events.filter(({ data }) => data.untouched).length;
}

describe.concurrent('many services in one repository and on one branch', () => {
  it('a commit starts only those whose files it changes, and goes through their folders', LIMIT, async () => {
    await story(world, async (told) => {
      const release = commit(told, { 'envs/dev/checkout/app.json': '{"version": 1}\n' });
      const over = await told.stage(release, 'production', isOver, 'arrives in the last folder');
      expect(over).toMatchObject({ result: 'pass' });
      expect(at(told, 'envs/production/checkout/app.json')).toBe('{"version": 1}');
      expect(at(told, 'envs/production/cart/app.json')).toBe('{"version": 0}');
      const change = await told.change(release);
      expect(change?.stages.map(({ stage }) => stage)).toEqual(STAGES);
      await eventually(async () => (await untouched(told, 'cart-dev')) >= 1, {
        within: 30_000,
        what: 'the other service has remembered it',
      });
      expect((await told.world.changes()).map(({ service }) => service)).toEqual(['checkout']);
      commit(told, { 'README.md': 'about\n' });
      const before = await untouched(told, 'cart-production');
      await eventually(async () => (await untouched(told, 'cart-production')) > before, {
        within: 30_000,
        what: 'nobody was started by a commit about nothing',
      });
      expect(await told.world.changes()).toHaveLength(1);
    });
  });

  it('two of them are promoted at the same time into the same branch', LIMIT, async () => {
    await story(world, async (told) => {
      const checkout = commit(told, { 'envs/dev/checkout/app.json': '{"version": 1}\n' });
      await told.stage(checkout, 'dev', () => true, 'is seen');
      const cart = commit(told, { 'envs/dev/cart/app.json': '{"version": 7}\n' });
      const ends = await Promise.all(
        [checkout, cart].map((one) => told.stage(one, 'production', isOver, 'arrives in the last folder')),
      );
      for (const end of ends) expect(end).toMatchObject({ result: 'pass' });
      expect(at(told, 'envs/production/checkout/app.json')).toBe('{"version": 1}');
      expect(at(told, 'envs/production/cart/app.json')).toBe('{"version": 7}');
      expect(told.pullRequests()).toEqual(['merged', 'merged', 'merged', 'merged']);
    });
  });
});
