import { describe, expect, it } from 'vitest';
import type { OtherPeople, Round } from './git-host.ts';

/** Who reviewed what, who may do what, and approving as oneself; for hosts that declare `people`. */
export function gitHostPeople(now: () => Round): void {
  /** Names that no other test of this world uses. */
  const named = (login: string) => `${login}-${now().round}`;
  const reviews = async (number: number) => (await now().host.readReviews?.(now().repository, number)) ?? [];
  const permission = (user: { id: string; login: string; bot: boolean }) =>
    now().host.permission?.(now().repository, user) ?? Promise.reject(new Error('no permission'));
  const isMember = (login: string, group = people().group) =>
    now().host.isMember?.(now().repository, group, people().user(login)) ?? Promise.reject(new Error('no isMember'));

  function people(): OtherPeople {
    const found = now().world.people;
    if (found === undefined) throw new Error('the world of a host with people needs people');
    return found;
  }

  describe('people', () => {
    const approvals = async (number: number) => (await reviews(number)).filter(({ verdict }) => verdict === 'approve');

    it('approve a pull request, and the commit that they saw is known or nothing is', async ({ skip }) => {
      skip(!now().host.capabilities.people, 'the host declares no people');
      const { number } = await now().open();
      expect(await reviews(number)).toEqual([]);
      const grace = named('grace');
      await people().setPermission(grace, 'write');
      await people().approve(grace, number);
      const [approval, ...others] = await approvals(number);
      expect(others).toEqual([]);
      expect(approval?.by).toEqual(people().user(grace));
      expect([undefined, now().verified]).toContain(approval?.headSha);
      expect(Date.parse(approval?.at ?? '')).toBeGreaterThan(Date.now() - 60_000);
    });

    it('do not approve what is pushed afterwards', async ({ skip }) => {
      skip(!now().host.capabilities.people, 'the host declares no people');
      const pull = await now().open();
      await people().setPermission(named('grace'), 'write');
      await people().approve(named('grace'), pull.number);
      const pushed = now().origin.commit({ branch: pull.headBranch, files: { slipped: 'in' } });
      for (const { headSha } of await approvals(pull.number)) expect(headSha).not.toBe(pushed);
    });

    it('can take an approval back', async ({ skip }) => {
      skip(!now().host.capabilities.people, 'the host declares no people');
      const { number } = await now().open();
      for (const login of [named('grace'), named('ada')]) {
        await people().setPermission(login, 'write');
        await people().approve(login, number);
      }
      await people().takeBack(named('grace'), number);
      expect((await approvals(number)).map(({ by }) => by.login)).toEqual([named('ada')]);
    });

    it('ask for changes', async ({ skip }) => {
      skip(!now().host.capabilities.people, 'the host declares no people');
      skip(people().reject === undefined, 'the host has no such verdict');
      const { number } = await now().open();
      await people().setPermission(named('grace'), 'write');
      await people().reject?.(named('grace'), number);
      expect(await reviews(number)).toMatchObject([{ by: people().user(named('grace')), verdict: 'reject' }]);
    });

    it('may do what the host says', async ({ skip }) => {
      skip(!now().host.capabilities.people, 'the host declares no people');
      for (const level of ['admin', 'write', 'read', 'none'] as const) {
        await people().setPermission(named(level), level);
        expect(await permission(people().user(named(level)))).toBe(level);
      }
      await people().setPermission(named('admin'), 'read');
      expect(await permission(people().user(named('admin')))).toBe('read');
    });

    it('get no right from a name that was somebody else’s', async ({ skip }) => {
      skip(!now().host.capabilities.people, 'the host declares no people');
      const [grace, mallory] = [named('grace'), named('mallory')];
      await people().setPermission(grace, 'admin');
      await people().setPermission(mallory, 'none');
      const [before, other] = [people().user(grace), people().user(mallory)];
      await people().rename(grace, `${grace}-hopper`);
      await people().rename(mallory, grace);
      // As a review from before the renaming has them.
      expect(await permission(before)).toBe('admin');
      expect(await permission({ ...other, login: grace })).toBe('none');
      expect(await permission({ ...other, login: `${grace}-hopper` })).toBe('none');
    });

    it('who are not there may do nothing', async ({ skip }) => {
      skip(!now().host.capabilities.people, 'the host declares no people');
      expect(await permission({ id: '987654321', login: 'nobody-knows-me', bot: false })).toBe('none');
    });

    it('are in groups, or are not', async ({ skip }) => {
      skip(!now().host.capabilities.people, 'the host declares no people');
      await people().join(named('grace'));
      people().user(named('mallory'));
      expect(await isMember(named('grace'))).toBe(true);
      expect(await isMember(named('mallory'))).toBe(false);
      const group = people().group.replace(/[^/]+$/, 'no-such-group');
      await now().fails('not-found', isMember(named('grace'), group));
    });

    it('are in no group by a name that was somebody else’s', async ({ skip }) => {
      skip(!now().host.capabilities.people, 'the host declares no people');
      const [grace, mallory] = [named('grace'), named('mallory')];
      await people().join(grace);
      const [before, other] = [people().user(grace), people().user(mallory)];
      await people().rename(grace, `${grace}-hopper`);
      await people().rename(mallory, grace);
      const { host, repository } = now();
      expect(await host.isMember?.(repository, people().group, before)).toBe(true);
      expect(await host.isMember?.(repository, people().group, { ...other, login: grace })).toBe(false);
    });

    it('see who opened it, and that is us', async ({ skip }) => {
      skip(!now().host.capabilities.people, 'the host declares no people');
      const { host, repository } = now();
      const me = await host.whoAmI?.();
      expect(me?.id).toBeTruthy();
      const { number } = await now().open();
      const pull = await host.readPullRequest(repository, number);
      expect(pull.author).toEqual(me);
      expect(pull.fork ?? false).toBe(false);
    });
  });

  describe('approving as a person', () => {
    const approve = (login: string, number: number, headSha = now().verified, options = {}) =>
      now().host.approvePullRequest?.(
        now().repository,
        number,
        { headSha, text: 'Looks good: **yes**', token: people().token(login) },
        options,
      ) ?? Promise.reject(new Error('no approvePullRequest'));

    it('is the approval of that person, on this commit, once', async ({ skip }) => {
      skip(!now().host.capabilities.people, 'the host declares no people');
      const grace = named('grace');
      await people().setPermission(grace, 'write');
      const { number } = await now().open();
      expect(await approve(grace, number)).toEqual(people().user(grace));
      expect(await approve(grace, number)).toEqual(people().user(grace));
      const found = (await reviews(number)).filter(({ verdict }) => verdict === 'approve');
      expect(found.map(({ by }) => by)).toEqual([people().user(grace)]);
      expect([undefined, now().verified]).toContain(found[0]?.headSha);
    });

    it('is refused for another commit than the head', async ({ skip }) => {
      skip(!now().host.capabilities.people, 'the host declares no people');
      const grace = named('grace');
      await people().setPermission(grace, 'write');
      const pull = await now().open();
      now().origin.commit({ branch: pull.headBranch, files: { slipped: 'in' } });
      await now().fails('conflict', approve(grace, pull.number));
      expect(await reviews(pull.number)).toEqual([]);
    });

    it('is refused for a token that is none, and for what is no longer open', async ({ skip }) => {
      const { host, repository, world, fails } = now();
      skip(!host.capabilities.people, 'the host declares no people');
      const { number } = await now().open();
      const error = await approve('', number).catch((thrown: Error) => thrown);
      expect(error).toMatchObject({ reason: 'unauthenticated' });
      expect(String(error)).not.toContain(world.secret);
      const grace = named('grace');
      await people().setPermission(grace, 'write');
      await host.closePullRequest(repository, number, 'No.');
      await fails('conflict', approve(grace, number));
    });

    it('needs the right to act', async ({ skip }) => {
      skip(!now().host.capabilities.people, 'the host declares no people');
      const grace = named('grace');
      await people().setPermission(grace, 'write');
      const { number } = await now().open();
      await now().fails('cancelled', approve(grace, number, now().verified, { guard: now().refuse }));
      expect(await reviews(number)).toEqual([]);
    });
  });
}
