import { describe, expect, it } from 'vitest';
import type { PullRequest } from '../../src/adapters/git-hosts/git-host.ts';
import type { Round } from './git-host.ts';

/** Merging by the host itself, as soon as its own rules allow; and the methods of merging that it declares. */
export function gitHostMergeWhenReady(now: () => Round): void {
  const whenReady = (number: number, expectedHeadSha = now().verified, options = {}) =>
    now().host.mergeWhenReady?.(
      now().repository,
      number,
      { expectedHeadSha, message: `Promote (#${number})\n\nIt passed.` },
      options,
    ) ?? Promise.reject(new Error('no mergeWhenReady'));
  const read = (number: number) => now().host.readPullRequest(now().repository, number);

  /** A pull request into a branch of its own, into which the host merges nothing yet. */
  async function protectedPull(): Promise<PullRequest> {
    const { origin, round, world, open } = now();
    const baseBranch = `guarded/${round}`;
    origin.git('branch', baseBranch, 'main');
    await world.protect?.(baseBranch);
    return open({ baseBranch });
  }

  describe('merging when ready', () => {
    it('waits for the rules of the host, and merges then', async ({ skip }) => {
      const { host, world, origin } = now();
      skip(!host.capabilities.mergeWhenReady, 'the host declares no such thing');
      const pull = await protectedPull();
      const before = origin.sha(pull.baseBranch);
      expect(await whenReady(pull.number)).toMatchObject({ number: pull.number, state: 'open' });
      expect(origin.sha(pull.baseBranch)).toBe(before);
      await world.satisfy?.(pull.number);
      expect(await read(pull.number)).toMatchObject({ state: 'merged', headSha: now().verified });
      expect(origin.tries('merge-base', '--is-ancestor', now().verified, pull.baseBranch)).toBe(true);
    });

    it('asks once', async ({ skip }) => {
      skip(!now().host.capabilities.mergeWhenReady, 'the host declares no such thing');
      const { number } = await protectedPull();
      await whenReady(number);
      await whenReady(number, now().verified, { guard: now().refuse });
    });

    it('is taken back before it happened, and asked for again', async ({ skip }) => {
      const { host, repository, world } = now();
      skip(!host.capabilities.mergeWhenReady, 'the host declares no such thing');
      const { number } = await protectedPull();
      await whenReady(number);
      await host.mergeNotYet?.(repository, number);
      await world.satisfy?.(number);
      expect(await read(number)).toMatchObject({ state: 'open' });
      await host.mergeNotYet?.(repository, number);
      await whenReady(number);
      await world.satisfy?.(number);
      expect(await read(number)).toMatchObject({ state: 'merged' });
      await host.mergeNotYet?.(repository, number);
    });

    it('merges at once what nothing holds back', async ({ skip }) => {
      const { host, origin, round, open } = now();
      skip(!host.capabilities.mergeWhenReady, 'the host declares no such thing');
      origin.git('branch', `free/${round}`, 'main');
      const { number } = await open({ baseBranch: `free/${round}` });
      expect(await whenReady(number)).toMatchObject({ state: 'merged' });
      expect(await whenReady(number)).toMatchObject({ state: 'merged' });
    });

    it('never takes another head than the one that was verified', async ({ skip }) => {
      const { host, world, origin, fails } = now();
      skip(!host.capabilities.mergeWhenReady, 'the host declares no such thing');
      const pull = await protectedPull();
      origin.commit({ branch: pull.headBranch, files: { slipped: 'in' } });
      await fails('conflict', whenReady(pull.number));
      await world.satisfy?.(pull.number);
      expect(await read(pull.number)).toMatchObject({ state: 'open' });
    });

    it('needs the right to act', async ({ skip }) => {
      const { host, world, fails, refuse } = now();
      skip(!host.capabilities.mergeWhenReady, 'the host declares no such thing');
      const pull = await protectedPull();
      await fails('cancelled', whenReady(pull.number, now().verified, { guard: refuse }));
      await world.satisfy?.(pull.number);
      expect(await read(pull.number)).toMatchObject({ state: 'open' });
    });
  });

  describe('the ways to merge', () => {
    it.for(['merge', 'squash', 'rebase'] as const)(
      '%s brings the files and keeps the base',
      async (method, { skip }) => {
        const { host, repository, origin, round, open, verified } = now();
        skip(!(host.capabilities.mergeMethods ?? ['merge']).includes(method), 'the host declares no such way');
        const baseBranch = `ways/${method}/${round}`;
        origin.git('branch', baseBranch, 'main');
        const before = origin.commit({ branch: baseBranch, files: { [`kept-${round}`]: 'x' } });
        const { number } = await open({ baseBranch });
        const merge = { expectedHeadSha: verified, message: 'Promote\n\nIt passed.', by: 'grace', method };
        const { state, mergeSha } = await host.mergePullRequest(repository, number, merge);
        expect(state).toBe('merged');
        expect(origin.sha(baseBranch)).toBe(mergeSha);
        expect(origin.tries('merge-base', '--is-ancestor', before, baseBranch)).toBe(true);
        expect(origin.git('show', `${baseBranch}:app-${round}.yaml`)).toBe(`image: shop:${round}`);
        const parents = origin.git('rev-list', '--parents', '--max-count=1', baseBranch).split(' ').length - 1;
        expect(parents).toBe(method === 'merge' ? 2 : 1);
      },
    );
  });
}
