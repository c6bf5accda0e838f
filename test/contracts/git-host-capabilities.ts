import { describe, expect, it } from 'vitest';
import type { GitHost, GitHostCapabilities } from '../../src/adapters/git-hosts/git-host.ts';
import type { Round } from './git-host.ts';

/** Which methods a capability promises; without it none of them is there. */
const PROMISED: Partial<Record<keyof GitHostCapabilities, readonly (keyof GitHost)[]>> = {
  comments: ['putComment', 'readComments'],
  labels: ['changeLabels'],
  reviewRequests: ['requestReviewers'],
  statuses: ['setStatus'],
  mergeWhenReady: ['mergeWhenReady', 'mergeNotYet'],
  people: ['readReviews', 'permission', 'isMember', 'whoAmI', 'approvePullRequest'],
  redelivery: ['redeliver'],
};

export function gitHostCapabilities(now: () => Round): void {
  describe('its capabilities', () => {
    it('agree with what it has', () => {
      const { host } = now();
      for (const [capability, methods] of Object.entries(PROMISED)) {
        const declared = host.capabilities[capability as keyof GitHostCapabilities] === true;
        const there = methods.filter((method) => typeof host[method] === 'function');
        expect(there, capability).toEqual(declared ? methods : []);
      }
    });

    it('send people to where they review', () => {
      const { host } = now();
      // Who reviews at the host is identified there.
      if (host.capabilities.people) expect(host.capabilities.reviews).toBe('host');
    });

    it('have failed deliveries sent again, once', async ({ skip }) => {
      const { host, repository, world } = now();
      skip(!host.capabilities.redelivery, 'the host declares no redelivery');
      const { deliveries } = world;
      if (deliveries === undefined) throw new Error('the world of a host with redelivery needs deliveries');
      const since = new Date(Date.now() - 3_600_000);
      deliveries.arrive();
      expect(await host.redeliver?.(repository, since)).toBe(0);
      deliveries.fail();
      expect(await host.redeliver?.(repository, since)).toBe(1);
      expect(deliveries.sentAgain()).toBe(1);
      expect(await host.redeliver?.(repository, since)).toBe(0);
      expect(deliveries.sentAgain()).toBe(1);
    });

    it('asks for nothing again without the right to', async ({ skip }) => {
      const { host, repository, world, fails, refuse } = now();
      skip(!host.capabilities.redelivery, 'the host declares no redelivery');
      world.deliveries?.fail();
      const before = world.deliveries?.sentAgain();
      await fails('cancelled', host.redeliver?.(repository, new Date(0), { guard: refuse }) ?? Promise.resolve());
      expect(world.deliveries?.sentAgain()).toBe(before);
      expect(await host.redeliver?.(repository, new Date(0))).toBe(1);
    });
  });
}
